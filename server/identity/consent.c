/*
 * consent.c - one row a person and party.
 */
#include "server/identity/consent.h"

#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/identity/oidc.h"
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

enum rc consent_know(struct work *w, int64_t account, int64_t party, const char *sub)
{
    return db_run(w, SQL_consent_know, "iit", account, party, sub);
}

enum rc consent_of_subject(struct work *w, int64_t party, const char *sub, unsigned scope,
                           int64_t *account)
{
    bool allowed = false;
    struct rows q;
    enum rc rc =
        db_query(w, SQL_consent_of_subject, &q, "iti", party, sub, clock_now() - CONSENT_LIFE);

    if (rc)
        return rc;
    if (rows_next(&q)) {
        *account = rows_int(&q, 0);
        allowed = (unsigned)rows_int(&q, 1) & scope;
    }
    rc = rows_done(&q);
    return rc || allowed ? rc
                         : err_set(&w->err, RC_NOT_FOUND, "nobody of that sub has allowed it");
}

struct known {
    int64_t account;
    uint8_t subject[ACCOUNT_SUBJECT];
};

static enum rc list_known(struct work *w, int64_t party, struct buf *out)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_consent_of_party, &q, "i", party)))
        return rc;
    while (rows_next(&q)) {
        struct known k = { .account = rows_int(&q, 0) };
        size_t n = 0;
        const void *p = rows_blob(&q, 1, &n);

        if (n == sizeof k.subject)
            memcpy(k.subject, p, n);
        buf_add(out, &k, sizeof k);
    }
    return rows_done(&q);
}

enum rc consent_rename(struct work *w, const struct grant_client *c)
{
    struct buf list = BUF_IN(w->mem);
    enum rc rc = list_known(w, c->party, &list);
    const struct known *k = (const struct known *)(const void *)list.p;

    for (size_t i = 0; i < list.n / sizeof *k && !rc; i++) {
        struct account a = { .id = k[i].account };
        char sub[OIDC_SUBJECT];

        memcpy(a.subject, k[i].subject, sizeof a.subject);
        oidc_subject(c, &a, sub);
        rc = consent_know(w, a.id, c->party, sub);
    }
    return rc;
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
