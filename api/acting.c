/*
 * acting.c - organisations, and who acts for them, as JSON.
 *
 * An organisation here is an account (identity); the public bodies that publish are orgs.c.
 */
#include "api/acting.h"

#include <inttypes.h>

#include "api/auth_json.h"
#include "api/view.h"
#include "server/base/clock.h"
#include "server/identity/account.h"
#include "server/identity/acting.h"
#include "server/identity/session.h"

enum { DAY = 86400, DAYS = 365 };

const struct param organisation_person_params[] = {
    { "organisation", P_INT, 1, INT64_MAX, "单位的账号，见 GET /v1/organisations" },
    { "person", P_INT, 1, INT64_MAX, "经办人的账号，见 GET /v1/me" },
    { 0 }
};

/* ---- one's own ---- */

static enum rc put_mine(struct work *w, struct buf *b, const struct acting *a)
{
    struct account org;
    enum rc rc;

    if ((rc = account_by_id(w, a->organisation, &org)))
        return rc;
    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_put_int(b, "account", org.id);
    jx_put_bool(b, "acting", w->who.person && w->who.account == org.id);
    jx_put_text(b, "name", org.name);
    view_time(b, "since", a->since);
    view_time(b, "until", a->until);
    buf_addc(b, '}');
    return RC_OK;
}

enum rc get_my_organisations(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct acting *list;
    enum rc rc;
    int n;

    (void)rq;
    if ((rc = acting_now(w, actor_person(&w->who), &list, &n)))
        return rc;
    view_list_open(&b, "organisations");
    for (int i = 0; i < n; i++)
        if ((rc = put_mine(w, &b, &list[i])))
            return rc;
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc post_my_act(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "organisation", JX_INT, true, 1, INT64_MAX },
                                               { 0 } };
    struct buf b = BUF_IN(w->mem);
    struct session_tokens t;
    int64_t organisation;
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)))
        return rc;
    organisation = jx_int(body, "organisation", 0);
    if ((rc = acting_begin(w, organisation, false, &t)))
        return rc;
    work_fact(w, "organisation", organisation);
    buf_addc(&b, '{');
    jx_put_text(&b, "access", t.access);
    jx_put_int(&b, "account", organisation);
    jx_put_int(&b, "expires_in", t.seconds);
    jx_put_text(&b, "refresh", t.refresh);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    rp->status = 201;
    return RC_OK;
}

enum rc delete_my_act(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    rp->status = 204;
    return session_end(w, w->who.person, w->who.session);
}

/* ---- for security administrators ---- */

static enum rc put_people(struct work *w, struct buf *b, int64_t organisation)
{
    struct acting *list;
    enum rc rc;
    int n;

    if ((rc = acting_list(w, 0, organisation, &list, &n)))
        return rc;
    jx_key(b, "people");
    buf_addc(b, '[');
    for (int i = 0; i < n; i++) {
        buf_adds(b, i ? ",{" : "{");
        jx_put_text(b, "giver", list[i].giver);
        jx_put_int(b, "person", list[i].person);
        view_time(b, "since", list[i].since);
        view_time(b, "until", list[i].until);
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
    return RC_OK;
}

static enum rc put_organisation(struct work *w, struct buf *b, const struct account *a)
{
    enum rc rc;

    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
    jx_put_int(b, "account", a->id);
    view_time(b, "created", a->created);
    jx_put_text(b, "name", a->name);
    if ((rc = put_people(w, b, a->id)))
        return rc;
    jx_put_text(b, "state", account_state_name(a->state));
    buf_addc(b, '}');
    return RC_OK;
}

enum rc get_organisations(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct account *list;
    int64_t last = 0;
    enum rc rc;
    int n;

    (void)rq;
    view_list_open(&b, "organisations");
    do {
        if ((rc = account_list(w, ACCOUNT_ORGANISATION, last, ACCOUNT_PAGE_MAX, &list, &n)))
            return rc;
        for (int i = 0; i < n; i++, last = list[n - 1].id)
            if ((rc = put_organisation(w, &b, &list[i])))
                return rc;
    } while (n == ACCOUNT_PAGE_MAX);
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static enum rc reply_organisation(struct work *w, int64_t id, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct account a;
    enum rc rc;

    if ((rc = account_by_id(w, id, &a)) || (rc = put_organisation(w, &b, &a)))
        return rc;
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc post_organisation(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "name", JX_TEXT, true, 1, 60 }, { 0 } };
    struct account_new new = { .kind = ACCOUNT_ORGANISATION, .level = 1 };
    struct account a;
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)))
        return rc;
    new.name = jx_text(body, "name");
    if ((rc = account_make(w, &new, &a)) || (rc = reply_organisation(w, a.id, rp)))
        return rc;
    rp->status = 201;
    reply_header(rp, "location", arena_printf(w->mem, "/v1/organisations/%" PRId64, a.id));
    return RC_OK;
}

enum rc put_organisation_person(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = {
        { "days", JX_INT, false, 1, ACTING_LONGEST / DAY }, { 0 }
    };
    int64_t organisation = request_int(rq, "organisation", 0),
            person = request_int(rq, "person", 0), days;
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)))
        return rc;
    days = jx_int(body, "days", DAYS);
    if ((rc = acting_give(w, person, organisation, clock_now() + days * DAY)))
        return rc;
    work_fact(w, "days", days);
    work_fact(w, "organisation", organisation);
    return reply_organisation(w, organisation, rp);
}

enum rc delete_organisation_person(struct work *w, const struct request *rq, struct reply *rp)
{
    int64_t organisation = request_int(rq, "organisation", 0);

    rp->status = 204;
    work_fact(w, "organisation", organisation);
    return acting_end(w, request_int(rq, "person", 0), organisation);
}
