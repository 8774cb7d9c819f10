/*
 * oauth_authorize.c - GET and POST /oauth2/authorize: a browser comes with a program's request, or comes back with the same.
 *
 *     the request --> ask_flow_read() --> may not be answered   a page
 *     ?ask=A      --/                 --> an error              to the program
 *                                     --> somebody must act     to a page, with A
 *                                     --> nothing is missing    a code, to the program
 *
 * Everything but the code is made on a worker. A request that is posted comes without the browser's cookie if another site made it do so
 * (SameSite=Lax), so it is parked, and fetched at once.
 */
#include "api/oauth.h"

#include <string.h>

#include "api/ask_flow.h"
#include "server/base/clock.h"
#include "server/identity/refusal.h"

enum rc oauth_park(struct work *w, const char *path, const char *query, size_t n,
                   const char **location)
{
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    buf_printf(&b, "%s?ask=", path);
    if ((rc = parked_put(&w->err, &b, clock_now(), query, n)))
        return rc == RC_TOO_LARGE ? err_set(&w->err, RC_INVALID, "the request is too long")
                                  : rc;
    *location = b.p;
    return RC_OK;
}

enum rc oauth_query(struct work *w, const struct request *rq, const char **query,
                    const char **ask, int64_t *since)
{
    struct form form;
    enum rc rc;

    *query = rq->query;
    *since = INT64_MAX;
    if ((rc = form_parse(&w->err, w->mem, rq->query, strlen(rq->query), &form)))
        return rc;
    *ask = form_text(&form, "ask");
    return *ask ? parked_read(&w->err, w->mem, *ask, clock_now(), since, query) : RC_OK;
}

struct turn {
    struct ask_flow f;
    const char *location; /* NULL: a code is to be made */
};

static enum rc go_to_page(struct work *w, struct turn *t, const char *query, const char *ask)
{
    const char *page = t->f.next == AUTHORIZE_CONSENT ? ASK_CONSENT : ASK_SIGN_IN;

    if (!ask)
        return oauth_park(w, page, query, strlen(query), &t->location);
    t->location = arena_printf(w->mem, "%s?ask=%s", page, ask);
    return RC_OK;
}

/* What no program that means well asks: no challenge or a plain one, an answer we do not give. That somebody must act (prompt=none) is none of it. */
static void note_refusal(struct work *w, const struct request *rq, const char *error)
{
    size_t n = strlen(error), suffix = strlen("_required");

    if (n < suffix || strcmp(error + n - suffix, "_required") != 0)
        refusal_note("GET", "/oauth2/authorize", &w->who, rq->client, RC_FORBIDDEN);
}

enum rc prepare_authorize(struct work *w, struct request *rq)
{
    struct turn *t = arena_zalloc(w->mem, sizeof *t);
    const char *query, *ask;
    enum rc rc;

    if ((rc = oauth_query(w, rq, &query, &ask, &t->f.since)) ||
        (rc = ask_flow_read(w, query, strlen(query), &t->f)))
        return rc;
    rq->prepared = t;
    if (t->f.next == AUTHORIZE_REFUSE)
        note_refusal(w, rq, t->f.error);
    switch (t->f.next) {
    case AUTHORIZE_REFUSE: t->location = ask_flow_refuse(w, &t->f); break;
    case AUTHORIZE_CODE: break;
    default: rc = go_to_page(w, t, query, ask);
    }
    return rc;
}

void oauth_send(struct reply *rp, const char *location)
{
    rp->status = 303;
    reply_header(rp, "location", location);
    reply_header(rp, "referrer-policy", "no-referrer");
}

enum rc get_authorize(struct work *w, const struct request *rq, struct reply *rp)
{
    struct turn *t = rq->prepared;
    enum rc rc;

    if (!t->location && (rc = ask_flow_code(w, &t->f, &t->location)))
        return rc;
    oauth_send(rp, t->location);
    return RC_OK;
}

enum rc post_parked(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *location;
    enum rc rc;

    if ((rc = oauth_park(w, rq->path, rq->body, rq->body_len, &location)))
        return rc;
    oauth_send(rp, location);
    return RC_OK;
}
