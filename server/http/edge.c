/*
 * edge.c - what happens to a request on its loop thread before a handler sees it.
 *
 * The hot path is first: a GET whose target is in the cache is answered before anything is
 * parsed, since only valid targets of public routes ever get there; unless it brings a token,
 * which is looked at wherever it comes. All others are admitted
 * step by step, cheapest refusal first: target, route, rate, size, credential, parameters; what
 * the cache might have pays only when it must be made.
 */
#include "server/http/edge.h"

#include <assert.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/http/asker.h"
#include "server/http/connection.h"
#include "server/http/crowd.h"
#include "server/http/delta.h"
#include "server/http/exchange.h"
#include "server/http/gate.h"
#include "server/http/origin_form.h"
#include "server/http/params.h"
#include "server/http/problem.h"
#include "server/http/router.h"
#include "server/http/shown.h"
#include "server/http/sse_reader.h"
#include "server/store/disk.h"

enum { HEADERS_MAX = 32 * 1024, KEY_MAX = 255 };

/*
 * A request that is away holds some 8 KB, and one that was reset on HTTP/2 frees its place in libh2o at once: this bounds
 * those that wait for another's answer, as the pool's queue (queue_max) bounds those that wait for a worker.
 */
enum { AWAY_MAX = 12000 };

struct handler { /* one an origin */
    h2o_handler_t super;
    enum origin origin;
};

struct arrival { /* what is known so far of a request that was not answered from the cache */
    struct sending sending;
    struct arena *mem; /* the request's own pool */
    enum method method;
    bool known_method;
    struct target target;
    struct match match;
    struct asker who;
    struct verdict limits[VERDICTS];
    struct actor actor; /* … as whom … */
    enum rc known;      /* … or why as nobody */
    struct err err;
    struct reply rp; /* headers that a refusal brings along */
};

static struct edge_conf conf;
static _Thread_local struct edge_loop *here;

void edge_init(const struct edge_conf *c)
{
    conf = *c;
    cache_init(c->cache_size);
    limit_init(c->rate_limit);
    send_init(&c->cors, c->log_requests);
    shown_trust(&conf.trusted);
}

void edge_loop_init(struct edge_loop *loop, h2o_context_t *ctx)
{
    *loop = (struct edge_loop){ .loop = ctx->loop };
    h2o_timeout_init(ctx->loop, &loop->prompt, PROMPT_MS);
    h2o_multithread_register_receiver(ctx->queue, &loop->home, exchange_come_home);
    here = loop;
}

void edge_loop_done(struct edge_loop *loop)
{
    assert(loop->away == 0);
    sse_loop_done();
    h2o_multithread_unregister_receiver(loop->home.queue, &loop->home);
    h2o_timeout_dispose(loop->loop, &loop->prompt);
}

/* ---- the hot path ---- */

static bool is_reading(const h2o_req_t *req)
{
    return h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")) ||
           h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
}

static bool answer_from_cache(struct sending *s)
{
    h2o_req_t *req = s->req;
    bool plain = is_reading(req) && !req->entity.len /* a body is refused, here as elsewhere */
                 && h2o_find_header(&req->headers, H2O_TOKEN_AUTHORIZATION, -1) < 0;
    struct outcome *o = plain ? cache_get(req->input.path.base, req->input.path.len) : NULL;

    if (!o)
        return false;
    metric_add(METRIC_cache_hits, 1);
    outcome_read(o, arena_of_pool(&req->pool), connection_client(req));
    if (o->rp.status >= 400) /* kept by nobody else: it has an id like every failure */
        s->id = request_id_make(h2o_mem_alloc_pool(&req->pool, REQUEST_ID_TEXT));
    shown_tell(req, o->rp.status);
    send_reply(s, &o->rp);
    return true;
}

/* ---- admission ---- */

static size_t length_of_fields(const h2o_req_t *req)
{
    size_t n = 0;

    for (size_t i = 0; i < req->headers.size; i++)
        n += req->headers.entries[i].name->len + req->headers.entries[i].value.len;
    return n;
}

static bool is_visible(h2o_iovec_t v, size_t max)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.base[i] < 0x21 || v.base[i] > 0x7e)
            return false;
    return v.len >= 1 && v.len <= max;
}

static enum rc admit_route(struct arrival *a)
{
    const h2o_req_t *req = a->sending.req;
    enum rc rc;

    a->known_method = method_parse(req->method.base, req->method.len, &a->method);
    if ((rc = target_parse(&a->err, a->mem, req->input.path.base, req->input.path.len,
                           &a->target)))
        return rc;
    a->sending.path = a->target.path;
    a->match = router_find(&a->target, a->known_method ? a->method : OPTIONS);
    a->sending.route = a->match.route;
    if (!a->match.methods)
        return err_set(&a->err, RC_NOT_FOUND, "there is nothing at this address");
    return RC_OK;
}

static bool is_cached(const struct arrival *a)
{
    return a->match.route && a->match.route->flags & R_CACHED;
}

static bool is_edge(void)
{
    return conf.edge_of && *conf.edge_of;
}

static struct knock knock_of(struct arrival *a)
{
    return (struct knock){ .req = a->sending.req,
                           .route = a->match.route,
                           .origin = a->sending.origin,
                           .client = (const struct sockaddr *)&a->who.client,
                           .secure = a->sending.origin == ORIGIN_TLS || a->who.proxied,
                           .is_edge = is_edge(),
                           .mem = a->mem,
                           .err = &a->err,
                           .rp = &a->rp };
}

static enum rc charge_address(struct arrival *a)
{
    struct verdict *v = &a->limits[0];

    *v = limit_take((const struct sockaddr *)&a->who.client, clock_mono_us() / 1000);
    a->sending.nlimits = 1;
    return v->allowed
               ? RC_OK
               : err_set(&a->err, RC_TOO_MANY,
                         "this %s made more than %lld requests in a minute",
                         v->network ? "network (IPv6 /48)" : "address", (long long)v->quota);
}

/* A good key pays by itself; for all others the address does: even what leads nowhere counts, and whoever tries out credentials. */
static enum rc charge(struct arrival *a)
{
    const struct route *r = a->match.route;
    bool free = r && r->flags & R_FREE && !asker_header(a->sending.req, "authorization").base;
    enum rc rc;

    a->sending.limits = a->limits;
    if (a->actor.key)
        rc = gate_charge(&a->err, &a->actor, a->limits, &a->sending.nlimits);
    else if (!limit_is_on() || a->sending.origin == ORIGIN_ADMIN || free)
        rc = RC_OK;
    else
        rc = charge_address(a);
    metric_add(METRIC_rate_limited, rc != RC_OK);
    return rc;
}

static enum rc admit_body(struct arrival *a)
{
    int64_t max = a->match.route->body_max;

    if ((int64_t)a->sending.req->entity.len <= max)
        return RC_OK;
    if (!max)
        return err_set(&a->err, RC_TOO_LARGE, "this takes no content");
    return err_set(&a->err, RC_TOO_LARGE, "the content has more than %lld bytes",
                   (long long)max);
}

/* application/json, application/x+json; what stands behind a semicolon says no more. */
static bool is_json(h2o_iovec_t type)
{
    static const char family[] = "application/", suffix[] = "+json";
    size_t f = strlen(family), s = strlen(suffix);

    return h2o_lcstris(type.base, type.len, H2O_STRLIT("application/json")) ||
           (type.len > f + s && h2o_lcstris(type.base, f, family, f) &&
            h2o_lcstris(type.base + type.len - s, s, suffix, s));
}

/* What a route takes instead of JSON, or besides it; NULL: nothing. */
static const char *other_type(const struct route *r)
{
    if (r->flags & R_FORM)
        return "application/x-www-form-urlencoded";
    return r->flags & R_LINES ? "application/x-ndjson" : NULL;
}

/* Whether the body calls itself something that the route does not take. One that says nothing is
 * taken for what it should be. */
static bool has_other_type(const struct arrival *a)
{
    const h2o_req_t *req = a->sending.req;
    h2o_iovec_t type = asker_header(req, "content-type");
    const char *end = type.base ? memchr(type.base, ';', type.len) : NULL,
               *other = other_type(a->match.route);

    if (!req->entity.len || !type.base || a->match.route->flags & R_BYTES)
        return false;
    type.len = end ? (size_t)(end - type.base) : type.len;
    while (type.len && type.base[type.len - 1] == ' ')
        type.len--;
    if (other && h2o_lcstris(type.base, type.len, other, strlen(other)))
        return false;
    return a->match.route->flags & R_FORM || !is_json(type);
}

static enum rc admit_actor(struct arrival *a)
{
    const struct knock k = knock_of(a);

    if (!a->known)
        return gate_check(&k, &a->actor);
    reply_header(&a->rp, "www-authenticate", "Bearer error=\"invalid_token\""); /* RFC 6750 */
    return a->known;
}

static enum rc admit_key(struct arrival *a)
{
    h2o_iovec_t key = asker_header(a->sending.req, "idempotency-key");

    if (!key.base || a->match.route->where != ON_WRITER || is_visible(key, KEY_MAX))
        return RC_OK;
    return err_field(&a->err, "Idempotency-Key",
                     "an Idempotency-Key should be 1 to %d visible ASCII characters", KEY_MAX);
}

static enum rc admit_change(struct arrival *a)
{
    const struct route *r = a->match.route;

    return r->method == GET || r->flags & R_RESERVE ? RC_OK : disk_check(&a->err);
}

/* ---- answers that no handler makes ---- */

static void refuse(struct arrival *a, enum rc rc)
{
    a->sending.who = &a->actor;
    if (rc == RC_UNAUTHORIZED || rc == RC_FORBIDDEN || rc == RC_UNLISTED)
        a->sending.client = asker_text(&a->who, a->mem);
    send_problem(&a->sending, rc, &a->err, &a->rp);
}

static void send_empty(struct arrival *a)
{
    a->rp.status = 204;
    send_reply(&a->sending, &a->rp);
}

/* The route that a page of another origin wants to ask, if it is one that all of them may; else NULL. */
static const struct route *open_route(const struct arrival *a, h2o_iovec_t method)
{
    enum method m;
    const struct route *r = method.base && method_parse(method.base, method.len, &m)
                                ? router_find(&a->target, m).route
                                : NULL;

    return r && r->flags & R_ANY_ORIGIN ? r : NULL;
}

/* OPTIONS, and the question of a browser whether a page of another origin may read here. */
static void answer_options(struct arrival *a, unsigned methods)
{
    h2o_iovec_t wanted = asker_header(a->sending.req, "access-control-request-method");

    a->sending.route = open_route(a, wanted);
    reply_header(&a->rp, "allow", router_allow(a->mem, methods));
    if (a->sending.route) {
        reply_header(&a->rp, "access-control-allow-methods", "GET, POST");
        reply_header(&a->rp, "access-control-allow-headers", "authorization, content-type");
    } else if (wanted.base && conf.cors.n) {
        reply_header(&a->rp, "access-control-allow-methods", "GET, HEAD");
        reply_header(&a->rp, "access-control-allow-headers", "if-none-match, if-range, range");
    }
    if (a->rp.nextra > 1)
        reply_header(&a->rp, "access-control-max-age", "86400");
    send_empty(a);
}

static void answer_headers_too_large(struct arrival *a)
{
    enum rc rc = charge(a);

    if (rc) {
        send_problem(&a->sending, rc, &a->err, &a->rp);
        return;
    }
    snprintf(a->err.text, sizeof a->err.text, "the header fields have more than %d bytes",
             HEADERS_MAX);
    problem_reply(a->mem, problem_by_slug("headers"), &a->err, a->sending.id, false, &a->rp);
    send_reply(&a->sending, &a->rp);
}

static void answer_unfilled(struct arrival *a)
{
    enum rc rc = charge(a);

    refuse(a, rc ? rc
                 : err_set(&a->err, RC_INVALID,
                           "the content is not as long as content-length says"));
}

static void answer_other_type(struct arrival *a)
{
    const char *type = other_type(a->match.route);

    snprintf(a->err.text, sizeof a->err.text, "the content should be %s",
             type ? type : "application/json");
    problem_reply(a->mem, problem_by_slug("media-type"), &a->err, a->sending.id, false, &a->rp);
    send_reply(&a->sending, &a->rp);
}

static void answer_no_method(struct arrival *a)
{
    const char *allow = router_allow(a->mem, a->match.methods);

    snprintf(a->err.text, sizeof a->err.text, "this address takes %s", allow);
    reply_header(&a->rp, "allow", allow);
    problem_reply(a->mem, problem_by_slug("method"), &a->err, a->sending.id, false, &a->rp);
    send_reply(&a->sending, &a->rp);
}

/* ---- the request as the handler sees it ---- */

static void fill_request(struct request *rq, struct arena *mem, const struct arrival *a)
{
    const h2o_req_t *req = a->sending.req;

    rq->method = a->method == HEAD ? GET : a->method;
    rq->path = arena_strdup(mem, a->target.path);
    rq->target = arena_strndup(mem, req->input.path.base, req->input.path.len);
    rq->query =
        a->target.query.n ? arena_strndup(mem, a->target.query.p, a->target.query.n) : "";
    rq->host = rq->client = rq->cookies = "";
    rq->body = req->entity.len ? req->entity.base : "";
    rq->body_len = req->entity.len;
}

/* A cached answer is made for everybody, so its handler learns nothing of who asks first: a forged
 * Host would otherwise reach all others. */
static void fill_exchange(struct exchange *x, const struct arrival *a, struct arena *mem)
{
    const struct route *r = a->match.route;
    bool shared = r->flags & R_CACHED;

    *x = (struct exchange){ .loop = here };
    x->route = r;
    memcpy(x->limits, a->limits, sizeof x->limits);
    x->sending = a->sending;
    x->sending.path = arena_strdup(mem, a->sending.path);
    x->sending.limits = x->limits;
    x->w = (struct work){ .mem = mem, .who = a->actor };
    x->w.who.scopes =
        arena_dup(mem, a->actor.scopes, (size_t)a->actor.nscopes * sizeof *a->actor.scopes);
    x->sending.id = strcpy(x->w.request, a->sending.id);
    x->sending.who = &x->w.who;
    fill_request(&x->rq, mem, a);
    if (!shared)
        asker_tell(&a->who, a->sending.req, a->sending.origin == ORIGIN_TLS, mem, &x->rq);
    x->w.client = x->sending.client = x->rq.client;
}

static struct exchange *exchange_of(const struct arrival *a, struct arena *mem)
{
    struct exchange *x = arena_alloc(mem, sizeof *x);

    fill_exchange(x, a, mem);
    return x;
}

/* ---- the way of a request ---- */

/* A stream lasts for hours, and with it whatever lies in its request's memory: so the exchange does not. */
static void answer_here(struct arrival *a)
{
    struct exchange x;

    fill_exchange(&x, a, a->mem);
    x.sending.id = arena_strdup(a->mem, x.sending.id); /* goes into the head of the answer */
    x.rc = params_fill(&x.w.err, a->mem, x.route, &a->target, &x.rq);
    if (!x.rc)
        x.rc = x.route->handler(&x.w, &x.rq, &x.rp);
    exchange_answer(&x);
}

/* What memory can tell of a route that otherwise goes to the writer. */
static bool answer_early(struct arrival *a)
{
    struct exchange *x;
    bool done = false;

    if (!a->match.route->early)
        return false;
    x = exchange_of(a, a->mem);
    x->rc = params_fill(&x->w.err, a->mem, x->route, &a->target, &x->rq);
    if (!x->rc)
        x->rc = x->route->early(&x->w, &x->rq, &x->rp, &done);
    if (!x->rc && !done)
        return false;
    x->early = done;
    exchange_answer(x);
    return true;
}

/* Who does not read what we answer gets no more to read, until he does; changes are his to make. */
static enum rc admit_reader(struct arrival *a)
{
    if (a->match.route->method != GET || !crowd_is_laden(connection_client(a->sending.req)))
        return RC_OK;
    return exchange_refuse_unread(&a->err);
}

/* The name that the answer has in the cache. Who asks for what is there, or is being made for
 * another, pays nothing. */
static enum rc admit_miss(struct arrival *a, const struct exchange *x, struct buf *key)
{
    const h2o_req_t *req = a->sending.req;
    enum rc rc;

    if (!is_cached(a))
        return admit_reader(a);
    params_key(x->route, req->input.path.base, req->input.path.len, &x->rq, key);
    if (cache_knows(key->p, key->n))
        return RC_OK;
    return (rc = charge(a)) ? rc : admit_reader(a);
}

static void answer_elsewhere(struct arrival *a)
{
    struct arena *mem;
    struct exchange *x;
    struct buf key;
    enum rc rc, slow;

    if (here->away >= AWAY_MAX) {
        metric_add(METRIC_jobs_shed, 1);
        refuse(a, err_set(&a->err, RC_BUSY, "too many requests are waiting"));
        return;
    }
    mem = arena_new();
    key = BUF_IN(mem);
    x = exchange_of(a, mem);
    if ((rc = params_fill(&a->err, mem, x->route, &a->target, &x->rq))) {
        if (is_cached(a) && (slow = charge(a)))
            rc = slow;
    } else {
        rc = admit_miss(a, x, &key);
    }
    if (rc) {
        arena_free(mem);
        refuse(a, rc);
        return;
    }
    x->rq.body = x->rq.body_len ? arena_strndup(mem, x->rq.body, x->rq.body_len) : "";
    exchange_send_off(x, conf.pool, key.p, key.n);
}

static void serve(struct arrival *a)
{
    static enum rc (*const steps[])(struct arrival *) = { admit_body, admit_actor, admit_key,
                                                          admit_change };
    const struct route *r;
    struct knock k;
    enum rc rc, slow;

    rc = admit_route(a);
    k = knock_of(a);
    a->known = gate_know(&k, &a->actor);
    if (!is_cached(a) && (slow = charge(a)))
        rc = slow;
    if (!rc && a->known_method && a->method == OPTIONS) {
        answer_options(a, a->match.methods);
        return;
    }
    r = a->match.route;
    if (!rc && !r) {
        answer_no_method(a);
        return;
    }
    if (!rc && r->method != GET && is_edge())
        rc = err_set(&a->err, RC_READ_ONLY,
                     "this node only shows what %s publishes: nothing can be changed here",
                     conf.edge_of);
    for (size_t i = 0; i < sizeof steps / sizeof *steps && !rc; i++)
        rc = steps[i](a);
    if (rc && is_cached(a) && (slow = charge(a)))
        rc = slow;
    if (rc)
        refuse(a, rc);
    else if (has_other_type(a))
        answer_other_type(a);
    else if (r->where == ON_LOOP && !(r->flags & R_CACHED))
        answer_here(a);
    else if (!answer_early(a))
        answer_elsewhere(a);
}

/* `refusal`: of what need not be looked at any closer; NULL: there is none. */
static void arrive(const struct sending *sending, void (*refusal)(struct arrival *))
{
    h2o_req_t *req = sending->req;
    struct arrival a = { .sending = *sending,
                         .mem = arena_of_pool(&req->pool),
                         .actor = actor_public };
    char id[REQUEST_ID_TEXT];

    a.sending.path = ""; /* what cannot be decoded is not logged */
    a.sending.id = arena_strdup(a.mem, request_id_make(id));
    a.who = asker_find(req, a.mem, &conf.trusted);
    if (refusal)
        refusal(&a);
    else if (h2o_memis(req->input.path.base, req->input.path.len, H2O_STRLIT("*")) &&
             h2o_memis(req->input.method.base, req->input.method.len, H2O_STRLIT("OPTIONS")))
        answer_options(&a, ~0u);
    else
        serve(&a);
}

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    struct sending s = { .req = req,
                         .origin = ((struct handler *)self)->origin,
                         .who = &actor_public,
                         .began_us = clock_mono_us() };
    size_t fields = length_of_fields(req);
    void (*refusal)(struct arrival *) = fields > HEADERS_MAX ? answer_headers_too_large
                                        : !connection_brought_all(req) ? answer_unfilled
                                                                       : NULL;

    connection_keep(req, fields);
    origin_form_take(req);
    delta_name(req);
    if (refusal || !answer_from_cache(&s))
        arrive(&s, refusal);
    return 0;
}

void edge_install(h2o_globalconf_t *global, h2o_hostconf_t *hosts[ORIGIN_COUNT])
{
    static const char *const names[ORIGIN_COUNT] = {
        [ORIGIN_PLAIN] = "plain.invalid",
        [ORIGIN_TLS] = "tls.invalid",
        [ORIGIN_ADMIN] = "admin.invalid",
    };

    for (int o = 0; o < ORIGIN_COUNT; o++) {
        struct handler *handler;

        hosts[o] =
            h2o_config_register_host(global, h2o_iovec_init(names[o], strlen(names[o])), 65535);
        handler = (struct handler *)h2o_create_handler(
            h2o_config_register_path(hosts[o], "/", 0), sizeof *handler);
        handler->super.on_req = on_request;
        handler->origin = (enum origin)o;
    }
}
