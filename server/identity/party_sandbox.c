/*
 * party_sandbox.c - rows of `party_sandbox`.
 */
#include "server/identity/party_sandbox.h"

#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/identity/party_reach.h"
#include "server/store/db.h"

static struct seal_place place_of(int64_t no)
{
    return (struct seal_place){ "party_sandbox.shown", no };
}

/* ---- in ---- */

struct shown {
    int64_t account;
    const char *kind, *text; /* text NULL: none */
    size_t n;
};

/* Not in the middle of a character. */
static size_t cut(const char *text, size_t n)
{
    if (n <= SANDBOX_SHOWN_MAX)
        return n;
    n = SANDBOX_SHOWN_MAX;
    while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static enum rc set_shown(struct work *w, int64_t no, const struct shown *s, size_t n)
{
    size_t sealed_n;
    uint8_t *sealed;
    enum rc rc = seal_close(w, place_of(no), s->text, n, &sealed, &sealed_n);

    return rc ? rc : db_change(w, SQL_party_sandbox_set, "ib", no, sealed, sealed_n);
}

static enum rc add(struct work *w, const struct sandbox_request *r, const struct shown *s)
{
    size_t n = s->text ? cut(s->text, s->n) : 0;
    int64_t no = 0;
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_party_sandbox_add, &q, "iittiiti", w->who.party, clock_now(),
                      r->method, r->route, (int64_t)r->status, s->account, s->kind,
                      (int64_t)(n < s->n))))
        no = rows_int(&q, 0);
    end = rows_done(&q);
    if ((rc = rc ? rc : end) || !n)
        return rc;
    return set_shown(w, no, s, n);
}

enum rc party_sandbox_add(struct work *w, const struct sandbox_request *r)
{
    const struct shown answer = { 0, "answer", r->answer, r->answer ? r->answer_len : 0 };
    enum rc rc = w->reached ? RC_OK : add(w, r, &answer);

    for (const struct reached *at = w->reached; at && !rc; at = at->next) {
        const struct shown s = { at->account, at->kind, at->shown,
                                 at->shown ? strlen(at->shown) : 0 };

        rc = add(w, r, &s);
    }
    return rc ? rc
              : db_run(w, SQL_party_sandbox_trim, "ii", w->who.party, (int64_t)SANDBOX_ROWS);
}

/* ---- and out ---- */

static enum rc read_row(struct work *w, const struct rows *q, struct sandbox_row *out)
{
    size_t n, plain_n;
    const void *sealed = rows_blob(q, 8, &n);
    char *plain;
    enum rc rc;

    *out = (struct sandbox_row){ .no = rows_int(q, 0),
                                 .at = rows_int(q, 1),
                                 .method = rows_dup_text(w, q, 2),
                                 .route = rows_dup_text(w, q, 3),
                                 .status = (int)rows_int(q, 4),
                                 .account = rows_int(q, 5),
                                 .kind = rows_dup_text(w, q, 6),
                                 .cut = rows_int(q, 7) };
    if (!sealed)
        return RC_OK;
    if ((rc = seal_open(w, place_of(out->no), sealed, n, &plain, &plain_n)))
        return rc;
    out->shown = plain;
    return RC_OK;
}

enum rc party_sandbox_list(struct work *w, int64_t party, int64_t before, int most,
                           struct sandbox_row **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc, end;

    if ((rc = db_query(w, SQL_party_sandbox_list, &q, "iii", party, before ? before : INT64_MAX,
                       (int64_t)most)))
        return rc;
    while (!rc && rows_next(&q)) {
        struct sandbox_row r;

        if (!(rc = read_row(w, &q, &r)))
            buf_add(&list, &r, sizeof r);
    }
    end = rows_done(&q);
    *out = (struct sandbox_row *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rc ? rc : end;
}
