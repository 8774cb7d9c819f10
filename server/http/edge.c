/*
 * edge.c - what happens to a request on its loop thread before a handler sees it.
 *
 * The hot path is first: a GET whose target is in the cache is answered before anything is
 * parsed, since only valid targets of public routes ever get there. All others are admitted
 * step by step, cheapest refusal first: target, route, rate, size, credential, parameters; what
 * the cache might have pays only when it must be made.
 */
#include "server/http/edge.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/http/connection.h"
#include "server/http/crowd.h"
#include "server/http/exchange.h"
#include "server/http/params.h"
#include "server/http/problem.h"
#include "server/http/router.h"
#include "server/http/sse_reader.h"
#include "server/store/disk.h"

enum {
    HEADERS_MAX = 32 * 1024,
    BEARER_MAX = 512,
    KEY_MAX = 255,
    CLIENT_TEXT = INET6_ADDRSTRLEN
};

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
    struct sockaddr_storage client;
    bool proxied; /* the connection is a trusted proxy's */
    struct verdict limit;
    const char *bearer;
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
}

void edge_set_auth(enum rc (*resolve)(struct work *w, const char *bearer))
{
    exchange_set_auth(resolve);
}

void edge_loop_init(struct edge_loop *loop, h2o_context_t *ctx)
{
    *loop = (struct edge_loop){ .away = 0 };
    h2o_multithread_register_receiver(ctx->queue, &loop->home, exchange_come_home);
    here = loop;
}

void edge_loop_done(struct edge_loop *loop)
{
    assert(loop->away == 0);
    sse_loop_done();
    h2o_multithread_unregister_receiver(loop->home.queue, &loop->home);
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
    bool plain = is_reading(req) && !req->entity.len; /* a body is refused, here as elsewhere */
    struct outcome *o = plain ? cache_get(req->input.path.base, req->input.path.len) : NULL;

    if (!o)
        return false;
    metric_add(METRIC_cache_hits, 1);
    outcome_read(o, arena_of_pool(&req->pool), connection_client(req));
    if (o->rp.status >= 400) /* kept by nobody else: it has an id like every failure */
        s->id = request_id_make(h2o_mem_alloc_pool(&req->pool, REQUEST_ID_TEXT));
    send_reply(s, &o->rp);
    return true;
}

/* ---- admission ---- */

/* libh2o takes ten times as much, and ends in a 400 without a word beyond it. */
static bool has_large_headers(const h2o_req_t *req)
{
    size_t n = 0;

    for (size_t i = 0; i < req->headers.size; i++)
        n += req->headers.entries[i].name->len + req->headers.entries[i].value.len;
    return n > HEADERS_MAX;
}

static h2o_iovec_t header_of(const h2o_req_t *req, const char *name)
{
    ssize_t at = h2o_find_header_by_str(&req->headers, name, strlen(name), -1);

    return at < 0 ? h2o_iovec_init(NULL, 0) : req->headers.entries[at].value;
}

/* Fields `Forwarded` that name no client leave the one who spoke to us. */
static void ask_proxy(struct arrival *a)
{
    const h2o_headers_t *all = &a->sending.req->headers;
    const char **values = arena_zalloc(a->mem, all->size * sizeof *values);
    size_t *lengths = arena_zalloc(a->mem, all->size * sizeof *lengths), n = 0;
    struct sockaddr_storage client;

    for (ssize_t at = -1; (at = h2o_find_header_by_str(all, "forwarded", 9, at)) >= 0; n++) {
        values[n] = all->entries[at].value.base;
        lengths[n] = all->entries[at].value.len;
    }
    if (forwarded_client(&conf.trusted, values, lengths, n, &client))
        a->client = client;
    else
        metric_add(METRIC_proxy_untold, 1);
}

/* Who asks. What came behind a PROXY header has the client's address already. */
static void find_client(struct arrival *a)
{
    h2o_conn_t *conn = a->sending.req->conn;
    struct sockaddr *peer = (struct sockaddr *)&a->client;

    conn->callbacks->get_peername(conn, peer);
    a->proxied = networks_have(&conf.trusted, peer);
    if (a->proxied)
        ask_proxy(a);
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

/* Even what leads nowhere counts, and a credential, which has to be looked up. */
static enum rc charge(struct arrival *a)
{
    const struct route *r = a->match.route;
    bool free = r && r->flags & R_FREE && !header_of(a->sending.req, "authorization").base;

    if (!limit_is_on() || a->sending.origin == ORIGIN_ADMIN || free)
        return RC_OK;
    a->limit = limit_take((const struct sockaddr *)&a->client, clock_mono_us() / 1000);
    a->sending.limit = &a->limit;
    if (a->limit.allowed)
        return RC_OK;
    metric_add(METRIC_rate_limited, 1);
    return err_set(&a->err, RC_TOO_MANY,
                   "this address made more than %lld requests in a minute",
                   (long long)a->limit.quota);
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

/* Whether the body calls itself something that the route does not take. One that says nothing is
 * taken for what it should be. */
static bool has_other_type(const struct arrival *a)
{
    const h2o_req_t *req = a->sending.req;
    h2o_iovec_t type = header_of(req, "content-type");
    const char *end = type.base ? memchr(type.base, ';', type.len) : NULL;

    if (!req->entity.len || !type.base || a->match.route->flags & R_BYTES)
        return false;
    type.len = end ? (size_t)(end - type.base) : type.len;
    while (type.len && type.base[type.len - 1] == ' ')
        type.len--;
    return !is_json(type) &&
           !(a->match.route->flags & R_LINES &&
             h2o_lcstris(type.base, type.len, H2O_STRLIT("application/x-ndjson")));
}

/*
 * Whether there is a credential at all; what it is worth is found out on a worker. Where everybody may ask it is welcome too, for who holds
 * one may be shown more (/metrics, a draft's files); what is cached is the same for all.
 */
static enum rc admit_credential(struct arrival *a)
{
    h2o_iovec_t v = header_of(a->sending.req, "authorization"), token;
    const struct route *r = a->match.route;
    bool bears = v.len > 7 && h2o_lcstris(v.base, 7, H2O_STRLIT("bearer "));

    if (a->sending.origin == ORIGIN_ADMIN ||
        (r->right == RIGHT_READ && (!bears || r->flags & R_CACHED)))
        return RC_OK;
    if (!bears)
        return err_set(&a->err, RC_UNAUTHORIZED, "this needs a bearer token");
    token = h2o_iovec_init(v.base + 7, v.len - 7);
    if (!is_visible(token, BEARER_MAX))
        return err_set(&a->err, RC_UNAUTHORIZED, "the bearer token is not visible ASCII");
    a->bearer = arena_strndup(a->mem, token.base, token.len);
    return RC_OK;
}

static enum rc admit_key(struct arrival *a)
{
    h2o_iovec_t key = header_of(a->sending.req, "idempotency-key");

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

static void send_empty(struct arrival *a)
{
    a->rp.status = 204;
    send_reply(&a->sending, &a->rp);
}

/* OPTIONS, and the question of a browser whether a page of another origin may read here. */
static void answer_options(struct arrival *a, unsigned methods)
{
    bool preflight =
        conf.cors.n && header_of(a->sending.req, "access-control-request-method").base;

    reply_header(&a->rp, "allow", router_allow(a->mem, methods));
    if (preflight) {
        reply_header(&a->rp, "access-control-allow-methods", "GET, HEAD");
        reply_header(&a->rp, "access-control-allow-headers", "if-none-match, if-range, range");
        reply_header(&a->rp, "access-control-max-age", "86400");
    }
    a->sending.route = NULL;
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

static void answer_other_type(struct arrival *a)
{
    bool lines = a->match.route->flags & R_LINES;

    snprintf(a->err.text, sizeof a->err.text, "the content should be %s",
             lines ? "application/x-ndjson" : "application/json");
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

static const char *copy_of(struct arena *mem, h2o_iovec_t v)
{
    return v.base ? arena_strndup(mem, v.base, v.len) : NULL;
}

static const char *client_text(struct arena *mem, const struct sockaddr_storage *client)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)client;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)client;
    char *text = arena_zalloc(mem, CLIENT_TEXT);

    if (client->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        inet_ntop(AF_INET, six->sin6_addr.s6_addr + 12, text, CLIENT_TEXT);
    else if (client->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &six->sin6_addr, text, CLIENT_TEXT);
    else if (client->ss_family == AF_INET)
        inet_ntop(AF_INET, &four->sin_addr, text, CLIENT_TEXT);
    else
        memcpy(text, "local", sizeof "local");
    return text;
}

static void fill_request(struct request *rq, struct arena *mem, const struct arrival *a)
{
    const h2o_req_t *req = a->sending.req;

    rq->method = a->method == HEAD ? GET : a->method;
    rq->path = arena_strdup(mem, a->target.path);
    rq->target = copy_of(mem, req->input.path);
    rq->host = rq->client = "";
    rq->body = req->entity.len ? req->entity.base : "";
    rq->body_len = req->entity.len;
}

/* Whatever a proxy says of itself, trusted or not. A stranger may say it too, and gains nothing by it. */
static bool is_forwarded(const h2o_req_t *req)
{
    static const char *const names[] = { "forwarded", "via", "x-forwarded-for" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (header_of(req, names[i]).base)
            return true;
    return false;
}

/* What is the asker's own. */
static void fill_asker(struct request *rq, struct arena *mem, const struct arrival *a)
{
    const h2o_req_t *req = a->sending.req;
    const struct {
        const char *name, **to;
    } headers[] = {
        { "content-type", &rq->content_type },
        { "content-range", &rq->content_range },
        { "if-none-match", &rq->if_none_match },
        { "if-match", &rq->if_match },
        { "range", &rq->range },
        { "if-range", &rq->if_range },
        { "accept", &rq->accept },
        { "idempotency-key", &rq->idempotency_key },
        { "last-event-id", &rq->last_event_id },
    };

    if (req->input.authority.base != req->hostconf->authority.hostport.base)
        rq->host = copy_of(mem, req->input.authority);
    rq->tls = a->sending.origin == ORIGIN_TLS;
    rq->client = client_text(mem, &a->client);
    rq->client_tag = limit_client((const struct sockaddr *)&a->client);
    rq->forwarded = a->proxied || is_forwarded(req);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        *headers[i].to = copy_of(mem, header_of(req, headers[i].name));
}

/* A cached answer is made for everybody, so its handler learns nothing of who asks first: a forged
 * Host would otherwise reach all others. */
static struct exchange *exchange_of(const struct arrival *a, struct arena *mem)
{
    const struct route *r = a->match.route;
    bool shared = r->flags & R_CACHED, trusted = a->sending.origin == ORIGIN_ADMIN && !shared;
    struct exchange *x = arena_zalloc(mem, sizeof *x);

    x->loop = here;
    x->route = r;
    x->limit = a->limit;
    x->sending = a->sending;
    x->sending.path = arena_strdup(mem, a->sending.path);
    if (a->sending.limit)
        x->sending.limit = &x->limit;
    x->bearer = arena_strdup(mem, a->bearer);
    work_init(&x->w, mem, NULL, trusted ? "operator" : "public",
              trusted ? RIGHT_ALL : RIGHT_READ);
    x->sending.id = strcpy(x->w.request, a->sending.id);
    x->sending.who = x->w.who.name;
    fill_request(&x->rq, mem, a);
    if (!shared)
        fill_asker(&x->rq, mem, a);
    x->w.client = x->sending.client = x->rq.client;
    return x;
}

/* ---- the way of a request ---- */

static void refuse(struct arrival *a, enum rc rc)
{
    if (rc == RC_UNAUTHORIZED)
        a->sending.client = client_text(a->mem, &a->client);
    send_problem(&a->sending, rc, &a->err, &a->rp);
}

static void answer_here(struct arrival *a)
{
    struct exchange *x = exchange_of(a, a->mem);

    x->rc = params_fill(&x->w.err, a->mem, x->route, &a->target, &x->rq);
    if (!x->rc)
        x->rc = exchange_handle(x);
    exchange_answer(x);
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
    static enum rc (*const steps[])(struct arrival *) = { admit_body, admit_credential,
                                                          admit_key, admit_change };
    const struct route *r;
    enum rc rc, slow;

    rc = admit_route(a);
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
    if (!rc && r->method != GET && conf.edge_of && *conf.edge_of)
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
    else if (r->where == ON_LOOP && !(r->flags & R_CACHED) && !a->bearer)
        answer_here(a);
    else
        answer_elsewhere(a);
}

static void arrive(const struct sending *sending, bool large)
{
    h2o_req_t *req = sending->req;
    struct arrival a = { .sending = *sending, .mem = arena_of_pool(&req->pool) };
    char id[REQUEST_ID_TEXT];

    a.sending.path = ""; /* what cannot be decoded is not logged */
    a.sending.id = arena_strdup(a.mem, request_id_make(id));
    find_client(&a);
    if (large)
        answer_headers_too_large(&a);
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
                         .who = "public",
                         .began_us = clock_mono_us() };
    bool large = has_large_headers(req);

    if (large || !answer_from_cache(&s))
        arrive(&s, large);
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
