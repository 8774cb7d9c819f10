/*
 * consent.c - one row a person and party.
 */
#include "server/identity/consent.h"

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/identity/session.h"
#include "server/store/db.h"

enum rc consent_find(struct work *w, int64_t account, int64_t party, unsigned *scopes)
{
    unsigned found = 0;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_consent_of, &q, "iii", account, party,
                       clock_now() - CONSENT_LIFE)))
        return rc;
    if (rows_next(&q))
        found = (unsigned)rows_int(&q, 0);
    if (!(rc = rows_done(&q)))
        *scopes = found;
    return rc;
}

enum rc consent_give(struct work *w, int64_t account, int64_t party, unsigned scopes)
{
    unsigned before = 0;
    enum rc rc;

    if ((rc = consent_find(w, account, party, &before)))
        return rc;
    return db_run(w, SQL_consent_put, "iiii", account, party, (int64_t)(before | scopes),
                  clock_now());
}

/* What it was given to fetch its tokens with. */
static enum rc stop_fetching(struct work *w, int64_t account, int64_t party)
{
    enum rc rc = db_run(w, SQL_grant_code_stop, "ii", account, party);

    return rc ? rc : db_run(w, SQL_device_grant_stop, "ii", account, party);
}

enum rc consent_end(struct work *w, int64_t account, int64_t party)
{
    struct session *there;
    enum rc rc;
    int n;

    if ((rc = db_change(w, SQL_consent_drop, "ii", account, party)))
        return rc == RC_NOT_FOUND ? err_set(&w->err, rc, "this party was allowed nothing") : rc;
    if ((rc = stop_fetching(w, account, party)))
        return rc;
    rc = session_list(w, account, &there, &n);
    for (int i = 0; i < n && !rc; i++)
        if (there[i].party == party)
            rc = session_end(w, account, there[i].id);
    return rc;
}

enum rc consent_forget(struct work *w, int64_t account)
{
    return db_run(w, SQL_consent_forget, "i", account);
}

enum rc consent_list(struct work *w, int64_t account, struct consent **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_consent_of_account, &q, "i", account)))
        return rc;
    while (rows_next(&q)) {
        struct consent c = { rows_int(&q, 0), (unsigned)rows_int(&q, 1), rows_int(&q, 2) };

        buf_add(&list, &c, sizeof c);
    }
    if ((rc = rows_done(&q)))
        return rc;
    *out = (struct consent *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}
