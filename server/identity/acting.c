/*
 * acting.c - rows of the table `acting`, and sessions begun by them.
 *
 * An organisation has no credential of its own: there is nothing that several people would share and nobody be answerable for.
 */
#include "server/identity/acting.h"

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/identity/account.h"
#include "server/identity/session.h"
#include "server/store/db.h"

static enum rc check_both(struct work *w, int64_t person, int64_t organisation)
{
    struct account p, o;
    enum rc rc;

    if ((rc = account_by_id(w, person, &p)) || (rc = account_by_id(w, organisation, &o)))
        return rc;
    if (p.kind == ACCOUNT_ORGANISATION)
        return err_field(&w->err, "person", "only a person acts for an organisation");
    if (o.kind != ACCOUNT_ORGANISATION)
        return err_field(&w->err, "organisation", "this account is no organisation's");
    if (p.state != ACCOUNT_OPEN || o.state != ACCOUNT_OPEN)
        return err_set(&w->err, RC_CONFLICT, "one of the two accounts is not open");
    return RC_OK;
}

enum rc acting_give(struct work *w, int64_t person, int64_t organisation, int64_t until)
{
    int64_t now = clock_now();
    enum rc rc;

    if (until <= now || until - now > ACTING_LONGEST)
        return err_field(&w->err, "until", "this ends in the future, within ten years");
    if ((rc = check_both(w, person, organisation)) ||
        (rc = session_end_acting(w, person, organisation)))
        return rc;
    return db_run(w, SQL_acting_give, "iitii", person, organisation, w->who.name, now, until);
}

enum rc acting_end(struct work *w, int64_t person, int64_t organisation)
{
    enum rc rc = db_change(w, SQL_acting_drop, "ii", person, organisation);

    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, rc, "this person does not act for that organisation");
    return rc ? rc : session_end_acting(w, person, organisation);
}

static enum rc find_until(struct work *w, int64_t person, int64_t organisation, int64_t *until)
{
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_acting_find, &q, "ii", person, organisation)))
        *until = rows_int(&q, 4);
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc check(struct work *w, int64_t person, int64_t organisation, int64_t *until)
{
    enum rc rc = find_until(w, person, organisation, until);

    if (!rc && *until > clock_now())
        rc = check_both(w, person, organisation);
    else if (!rc)
        rc = RC_CONFLICT;
    if (rc == RC_NOT_FOUND || rc == RC_CONFLICT || rc == RC_INVALID)
        return err_set(&w->err, RC_FORBIDDEN, "this person does not act for that organisation");
    return rc;
}

enum rc acting_check(struct work *w, int64_t person, int64_t organisation)
{
    int64_t until;

    return check(w, person, organisation, &until);
}

/* ---- doing it ---- */

static enum rc end_begun(struct work *w, int64_t person, int64_t opener)
{
    struct session *list;
    struct session_now s;
    enum rc rc;
    int n;

    rc = session_list(w, person, &list, &n);
    for (int i = 0; i < n && !rc; i++)
        if (list[i].acting && session_get(list[i].id, &s) && s.opener == opener)
            rc = session_end(w, person, s.id);
    return rc;
}

static const char *device_of(struct work *w, int64_t person, int64_t session)
{
    struct session *list;
    int n = 0;

    if (session_list(w, person, &list, &n))
        return "未命名的设备";
    for (int i = 0; i < n; i++)
        if (list[i].id == session)
            return list[i].device;
    return "未命名的设备";
}

enum rc acting_begin(struct work *w, int64_t organisation, bool browser,
                     struct session_tokens *out)
{
    struct session_new new = { .kind = SESSION_ACTING, .browser = browser };
    struct session_now own;
    int64_t id;
    enum rc rc;

    if (!session_get(w->who.session, &own) || (own.opener && !session_get(own.opener, &own)) ||
        own.party)
        return err_set(&w->err, RC_FORBIDDEN,
                       "only who has signed in acts for an organisation");
    if ((rc = check(w, own.account, organisation, &new.until)) ||
        (rc = end_begun(w, own.account, own.id)))
        return rc;
    new.account = own.account;
    new.acting = organisation;
    new.opener = own.id;
    new.proofs = own.proofs;
    new.authenticated = own.authenticated;
    new.level = own.level;
    new.device = device_of(w, own.account, own.id);
    return session_open(w, &new, &id, out);
}

/* ---- lists ---- */

enum rc acting_list(struct work *w, int64_t person, int64_t organisation, struct acting **out,
                    int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, person ? SQL_acting_of_person : SQL_acting_of_organisation, &q, "i",
                       person ? person : organisation)))
        return rc;
    while (rows_next(&q)) {
        struct acting a = { .person = rows_int(&q, 0),
                            .organisation = rows_int(&q, 1),
                            .giver = rows_dup_text(w, &q, 2),
                            .since = rows_int(&q, 3),
                            .until = rows_int(&q, 4) };

        buf_add(&list, &a, sizeof a);
    }
    *out = (struct acting *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

enum rc acting_now(struct work *w, int64_t person, struct acting **out, int *n)
{
    struct acting *list;
    int all, kept = 0;
    enum rc rc;

    if ((rc = acting_list(w, person, 0, &list, &all)))
        return rc;
    for (int i = 0; i < all; i++) {
        rc = acting_check(w, person, list[i].organisation);
        if (rc && rc != RC_FORBIDDEN)
            return rc;
        if (!rc)
            list[kept++] = list[i];
    }
    *out = list;
    *n = kept;
    return RC_OK;
}

enum rc acting_move(struct work *w, int64_t from, int64_t into)
{
    enum rc rc = db_run(w, SQL_acting_move, "ii", from, into);

    return rc ? rc : db_run(w, SQL_acting_forget, "i", from);
}
