/*
 * gate.c - credentials taken out of a request, and rights held against the route.
 */
#include "server/http/gate.h"

#include <string.h>

#include "server/http/cookie.h"

enum { CREDENTIAL_MAX = 512 };

static struct gate_source source;
static struct networks staff;

void gate_set(const struct gate_source *s)
{
    source = s ? *s : (struct gate_source){ 0 };
    staff = source.staff ? *source.staff : (struct networks){ 0 };
}

/* ---- who ---- */

static bool is_visible(h2o_iovec_t v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.base[i] < 0x21 || v.base[i] > 0x7e)
            return false;
    return v.len >= 1 && v.len <= CREDENTIAL_MAX;
}

static bool is_outside(const struct knock *k)
{
    return staff.n && k->origin != ORIGIN_ADMIN && !networks_have(&staff, k->client);
}

static enum rc know(const struct knock *k, struct err *e, h2o_iovec_t credential, bool cookie,
                    struct actor *out)
{
    enum rc rc;

    if (!source.know || !is_visible(credential))
        return err_set(e, RC_UNAUTHORIZED, "this is no token of ours");
    if ((rc = source.know(e, k->mem, arena_strndup(k->mem, credential.base, credential.len),
                          cookie, out)))
        return rc;
    if (is_outside(k)) {
        out->rights &= RIGHT_OWN;
        out->nscopes = 0;
    }
    return RC_OK;
}

/* A browser sends it of its own accord, whichever page makes it ask: so it opens pages alone. */
static void know_cookie(const struct knock *k, struct actor *out)
{
    const h2o_headers_t *all = &k->req->headers;
    struct cookie c = { 0 };
    struct err ignored;
    int found = 0;

    for (ssize_t at = -1; (at = h2o_find_header(all, H2O_TOKEN_COOKIE, at)) >= 0;)
        cookie_find(all->entries[at].value.base, all->entries[at].value.len,
                    cookie_name(k->secure), &c, &found);
    if (found == 1)
        (void)!know(k, &ignored, h2o_iovec_init(c.value, c.n), true, out);
}

static bool is_shared(const struct knock *k)
{
    return k->route->flags & R_CACHED;
}

/* Of an answer for everybody nobody is told more for his token, but he hears that it is over: the next request after it was ended
 * says so, whatever it asks for. */
static enum rc know_bearer(const struct knock *k, h2o_iovec_t token, struct actor *out)
{
    struct actor who;
    enum rc rc = know(k, k->err, token, false, &who);

    if (!rc && k->route->flags & R_PAGE && who.party && who.session)
        return err_set(k->err, RC_UNAUTHORIZED, "a program's token opens no page");
    if (!rc && !is_shared(k))
        *out = who;
    return rc;
}

enum rc gate_know(const struct knock *k, struct actor *out)
{
    const h2o_headers_t *all = &k->req->headers;
    ssize_t at = h2o_find_header(all, H2O_TOKEN_AUTHORIZATION, -1);
    h2o_iovec_t v = at < 0 ? h2o_iovec_init(NULL, 0) : all->entries[at].value;

    *out = actor_public;
    if (!k->route || (is_shared(k) && (k->origin == ORIGIN_ADMIN || k->is_edge)))
        return RC_OK;
    if (k->origin == ORIGIN_ADMIN) {
        *out = actor_operator;
        return RC_OK;
    }
    if (at >= 0 && h2o_find_header(all, H2O_TOKEN_AUTHORIZATION, at) >= 0)
        return err_set(k->err, RC_UNAUTHORIZED, "there are two fields Authorization");
    if (v.len > 7 && h2o_lcstris(v.base, 7, H2O_STRLIT("bearer ")))
        return know_bearer(k, h2o_iovec_init(v.base + 7, v.len - 7), out);
    if (at < 0 && k->route->flags & R_PAGE && !is_shared(k))
        know_cookie(k, out);
    return RC_OK;
}

/* ---- whether he may ---- */

static bool is_nobody(const struct actor *who)
{
    return !who->account && !who->party && !who->operator;
}

static int level_of(const struct route *r)
{
    return r->flags & R_LEVEL4 ? 4 : r->flags & R_LEVEL3 ? 3 : r->flags & R_LEVEL2 ? 2 : 0;
}

/* RFC 9470: the client has him prove more of who he is, and comes again. */
static enum rc refuse_level(const struct knock *k, const struct actor *who, int level)
{
    reply_header(k->rp, "www-authenticate",
                 arena_printf(k->mem,
                              "Bearer error=\"insufficient_user_authentication\", "
                              "acr_values=\"%d\"",
                              level));
    return err_set(k->err, RC_UNAUTHORIZED, "this needs an account of level %d, and %s has %d",
                   level, who->name, who->level);
}

/* What is open to all and changes something is the citizens' own: signing in, a code by SMS, counts of reads. */
static bool is_not_for_trials(const struct route *r)
{
    bool changes = r->method != GET || r->where == ON_WRITER;

    return changes && (r->flags & R_FOR_GOOD || r->right & RIGHT_READ);
}

enum rc gate_check(const struct knock *k, const struct actor *who)
{
    int level = level_of(k->route);

    if (!actor_has(who, k->route->right) && is_nobody(who))
        return err_set(k->err, RC_UNAUTHORIZED, "this needs a bearer token");
    if (!actor_has(who, k->route->right))
        return actor_lacks(k->err, who, k->route->right,
                           is_outside(k) ? ", or asks from outside of the staff's networks"
                                         : "");
    if (level > who->level && !who->operator)
        return refuse_level(k, who, level);
    if ((who->kind == PARTY_TEST || who->kind == PARTY_TEAM) && is_not_for_trials(k->route))
        return err_set(k->err, RC_FORBIDDEN,
                       "what this does cannot be taken back: no %s key opens it",
                       who->kind == PARTY_TEST ? "test" : "team");
    return RC_OK;
}

/* ---- what he did ---- */

enum rc gate_charge(struct err *e, const struct actor *who, struct verdict out[VERDICTS],
                    int *n)
{
    *n = 0;
    if (!who->key || !source.charge)
        return RC_OK;
    memset(out, 0, VERDICTS * sizeof *out);
    if (source.charge(who, out)) {
        *n = out[0].name ? VERDICTS : 0;
        return RC_OK;
    }
    *n = VERDICTS;
    for (int i = 0; i < VERDICTS; i++)
        if (!out[i].allowed)
            return err_set(e, RC_TOO_MANY,
                           "the key of %s has %lld requests a %s, and none is left", who->name,
                           (long long)out[i].quota, out[i].name);
    return RC_OK;
}

void gate_tell(const struct actor *who, const struct route *r, int status, int64_t ms)
{
    if (source.told)
        source.told(who, r, status, ms);
}
