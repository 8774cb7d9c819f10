/*
 * send.c - status, headers, bytes.
 *
 *     reply --> has the client got it? 304 --> a range? 206, 416 --> headers --> body (no HEAD)
 *
 * An answer out of the cache carries nothing of its own: no request id, no rate limit, so that
 * a cache on the way may keep it and HTTP/2 sends each header as one byte of its table.
 *
 * Over HTTP/1 a body goes out piece by piece: libh2o enciphers all that it is given at once, and a peer that takes
 * no bytes would keep a copy of a whole file. Over HTTP/2 it takes no more than a write at a time by itself.
 */
#include "server/http/send.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/http/condition.h"
#include "server/http/gate.h"
#include "server/http/problem.h"
#include "server/http/sse_reader.h"
#include "server/http/witness.h"

enum { PIECE = 64 * 1024 };

static const char NO_STORE[] = "no-store";
/* Pages have no script, and load nothing but our own style sheet and pictures. */
static const char CSP[] = "default-src 'none'; style-src 'self'; img-src 'self'; "
                          "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

static const char *sign_in;
static struct conf_list cors;
static bool log_all;

void send_init(const struct conf_list *cors_origins, bool log_requests)
{
    cors = *cors_origins;
    log_all = log_requests;
}

char *request_id_make(char out[REQUEST_ID_TEXT])
{
    struct id id = id_new();

    return hex_text(id.b, sizeof id.b, out);
}

void send_set_sign_in(const char *path)
{
    sign_in = path;
}

/* ---- headers ---- */

static void add(h2o_req_t *req, const h2o_token_t *name, const char *value)
{
    h2o_add_header(&req->pool, &req->res.headers, name, NULL, value, strlen(value));
}

static void add_named(h2o_req_t *req, const char *name, const char *value)
{
    h2o_add_header_by_str(&req->pool, &req->res.headers, name, strlen(name), 1, NULL, value,
                          strlen(value));
}

static h2o_iovec_t header_of(const h2o_req_t *req, const h2o_token_t *name)
{
    ssize_t at = h2o_find_header(&req->headers, name, -1);

    return at < 0 ? h2o_iovec_init(NULL, 0) : req->headers.entries[at].value;
}

static bool has_extra(const struct reply *rp, const char *name)
{
    for (int i = 0; i < rp->nextra; i++)
        if (!strcmp(rp->extra[i].name, name))
            return true;
    return false;
}

/* With a list of origins the answer depends on who asks, and says so even to those who are not
 * on it. */
static void add_cors(h2o_req_t *req)
{
    ssize_t at = h2o_find_header_by_str(&req->headers, H2O_STRLIT("origin"), -1);
    h2o_iovec_t origin = at < 0 ? h2o_iovec_init("", 0) : req->headers.entries[at].value;

    if (cors.n == 1 && !strcmp(cors.v[0], "*")) {
        add(req, H2O_TOKEN_ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        return;
    }
    add(req, H2O_TOKEN_VARY, "origin");
    for (int i = 0; i < cors.n; i++)
        if (h2o_memis(origin.base, origin.len, cors.v[i], strlen(cors.v[i])))
            add(req, H2O_TOKEN_ACCESS_CONTROL_ALLOW_ORIGIN, cors.v[i]);
}

/* ";q=1000" */
static void put_number(struct buf *out, const char *name, int64_t n)
{
    buf_adds(out, name);
    buf_int(out, n > 0 ? n : 0);
}

static void put_policy(struct buf *out, const char *name)
{
    buf_adds(out, out->n ? ", \"" : "\"");
    buf_adds(out, name);
    buf_addc(out, '"');
}

static void add_limits(h2o_req_t *req, const struct verdict *v, int n)
{
    struct arena *mem = arena_of_pool(&req->pool);
    struct buf policy = BUF_IN(mem), left = BUF_IN(mem);

    for (int i = 0; i < n; i++) {
        put_policy(&policy, v[i].name);
        put_number(&policy, ";q=", v[i].quota);
        put_number(&policy, ";w=", v[i].window);
        put_policy(&left, v[i].name);
        put_number(&left, ";r=", v[i].remaining);
        put_number(&left, ";t=", v[i].reset);
    }
    add_named(req, "ratelimit-policy", policy.p);
    add_named(req, "ratelimit", left.p);
}

static void add_security(const struct sending *s, const struct reply *rp)
{
    add_named(s->req, "x-content-type-options", "nosniff");
    if (s->origin == ORIGIN_TLS)
        add(s->req, H2O_TOKEN_STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    if (!rp->type || strncmp(rp->type, "text/html", 9))
        return;
    if (!has_extra(rp, "referrer-policy"))
        add_named(s->req, "referrer-policy", "same-origin");
    if (!has_extra(rp, "content-security-policy"))
        add_named(s->req, "content-security-policy", CSP);
}

/* A route for everybody, or none at all: what a page of another origin may look at. */
static bool is_public(const struct sending *s)
{
    return !s->route || (s->route->right == RIGHT_READ && s->route->where != ON_WRITER);
}

/* Within the same second it may change again, and that could not be told (RFC 9110 section 8.8.2.2). */
static bool is_past(int64_t modified)
{
    return modified && modified < clock_now();
}

/* RFC 9110 section 5.6.7, whatever the locale is. */
static const char *time_text(h2o_req_t *req, int64_t at)
{
    char *text = h2o_mem_alloc_pool(&req->pool, H2O_TIMESTR_RFC1123_LEN + 1);
    time_t seconds = (time_t)at;
    struct tm tm;

    h2o_time2str_rfc1123(text, gmtime_r(&seconds, &tm));
    return text;
}

static void add_headers(const struct sending *s, const struct reply *rp)
{
    h2o_req_t *req = s->req;

    h2o_vector_reserve(&req->pool, &req->res.headers, 16);
    if (rp->type && req->res.status != 304)
        add(req, H2O_TOKEN_CONTENT_TYPE, rp->type);
    if (rp->etag)
        add(req, H2O_TOKEN_ETAG, rp->etag);
    if (is_past(rp->modified))
        add(req, H2O_TOKEN_LAST_MODIFIED, time_text(req, rp->modified));
    add(req, H2O_TOKEN_CACHE_CONTROL, rp->cache ? rp->cache : NO_STORE);
    if (rp->ranges)
        add(req, H2O_TOKEN_ACCEPT_RANGES, "bytes");
    for (int i = 0; i < rp->nextra; i++)
        add_named(req, rp->extra[i].name, rp->extra[i].value);
    add_security(s, rp);
    if (s->route && s->route->flags & R_ANY_ORIGIN)
        add(req, H2O_TOKEN_ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    else if (cors.n && is_public(s))
        add_cors(req);
    if (s->id)
        add_named(req, "request-id", s->id);
    if (s->nlimits && !rp->cache)
        add_limits(req, s->limits, s->nlimits);
}

/* ---- conditions and ranges ---- */

static bool is_held(const h2o_req_t *req, const char *etag)
{
    for (ssize_t at = -1;
         (at = h2o_find_header(&req->headers, H2O_TOKEN_IF_NONE_MATCH, at)) >= 0;)
        if (condition_lists(req->headers.entries[at].value.base,
                            req->headers.entries[at].value.len, etag))
            return true;
    return false;
}

/* The weaker question, which counts only where the stronger one is not asked (RFC 9110 section 13.2.2). */
static bool is_held_since(const h2o_req_t *req, int64_t modified)
{
    h2o_iovec_t since = header_of(req, H2O_TOKEN_IF_MODIFIED_SINCE);
    struct tm tm = { 0 };

    return is_past(modified) && since.base &&
           h2o_find_header(&req->headers, H2O_TOKEN_IF_NONE_MATCH, -1) < 0 &&
           !h2o_time_parse_rfc1123(since.base, since.len, &tm) && timegm(&tm) >= modified;
}

/* If-Range with another version means: then send me all of it. */
static enum condition_range wanted_range(const h2o_req_t *req, const struct reply *rp,
                                         size_t *from, size_t *n)
{
    h2o_iovec_t range = header_of(req, H2O_TOKEN_RANGE),
                held = header_of(req, H2O_TOKEN_IF_RANGE);

    if (!rp->ranges || !range.base || req->res.status != 200)
        return RANGE_NONE;
    if (held.base && (!rp->etag || !h2o_memis(held.base, held.len, rp->etag, strlen(rp->etag))))
        return RANGE_NONE;
    return condition_range(range.base, range.len, rp->len, from, n);
}

/* ---- the wire ---- */

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 226, "IM Used" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 503, "Service Unavailable" },
        { 507, "Insufficient Storage" },
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Other";
}

/* A target out of the cache was never decoded; it is known to be harmless. */
static const char *path_of(const struct sending *s)
{
    const h2o_iovec_t *target = &s->req->input.path;
    const char *mark = memchr(target->base, '?', target->len);

    if (s->path)
        return s->path;
    return arena_strndup(arena_of_pool(&s->req->pool), target->base,
                         mark ? (size_t)(mark - target->base) : target->len);
}

static void log_request(const struct sending *s, int status, int64_t ms, size_t bytes)
{
    enum { METHOD_MAX = 16 }; /* it may be anything */
    const h2o_iovec_t *given = &s->req->method;
    const char *method = arena_strndup(arena_of_pool(&s->req->pool), given->base,
                                       given->len < METHOD_MAX ? given->len : METHOD_MAX);

    LOG(status >= 500 ? LOG_WARN : LOG_INFO, "request", L_STR("request", s->id),
        L_STR("who", s->who->name), L_STR("method", method), L_STR("path", path_of(s)),
        L_INT("status", status), L_INT("ms", ms), L_INT("bytes", bytes));
}

static void tell(const struct sending *s, int status, size_t bytes)
{
    bool mutation =
        s->route && s->route->where == ON_WRITER && !s->early && !(s->route->flags & R_QUIET);
    /* A flood that is refused must not flood the log. */
    bool refused = status == 429 || status == 503 || status == 507, failure = status >= 400;
    int64_t us = clock_mono_us() - s->began_us;

    if (s->who->party)
        gate_tell(s->who, s->route, status, us / 1000);
    metric_add(METRIC_requests, 1);
    metric_add(METRIC_request_us, us);
    metric_add(METRIC_response_bytes, (int64_t)bytes);
    if (status >= 400)
        metric_add(status >= 500 ? METRIC_requests_failed : METRIC_requests_refused, 1);
    if (log_all || (!refused && (mutation || failure)))
        log_request(s, status, us / 1000, bytes);
}

static bool is_head(const h2o_req_t *req)
{
    return h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
}

/* What is still to be given to libh2o, in its request's pool. */
struct rest {
    h2o_generator_t generator;
    const char *at;
    size_t left, piece;
};

static void send_piece(h2o_generator_t *self, h2o_req_t *req)
{
    struct rest *r = H2O_STRUCT_FROM_MEMBER(struct rest, generator, self);
    h2o_iovec_t bytes = h2o_iovec_init(r->at, r->left < r->piece ? r->left : r->piece);

    r->at += bytes.len;
    r->left -= bytes.len;
    h2o_send(req, &bytes, bytes.len ? 1 : 0,
             r->left ? H2O_SEND_STATE_IN_PROGRESS : H2O_SEND_STATE_FINAL);
}

static void put(const struct sending *s, const char *body, size_t n)
{
    h2o_req_t *req = s->req;
    struct rest *r = h2o_mem_alloc_pool(&req->pool, sizeof *r);
    bool head = is_head(req);
    int status = req->res.status;

    if (status != 304 && status != 204)
        req->res.content_length = n;
    else
        n = 0;
    if (req->conn->ctx->shutdown_requested)
        req->http1_is_persistent = 0;
    req->res.reason = reason_of(status);
    tell(s, status, head ? 0 : n);
    *r = (struct rest){ .generator.proceed = send_piece,
                        .at = n ? body : "",
                        .left = head ? 0 : n,
                        .piece = req->version < 0x200 ? PIECE : SIZE_MAX };
    h2o_start_response(req, &r->generator);
    send_piece(&r->generator, req);
}

static void begin_stream(const struct sending *s, const struct sse_wish *wish)
{
    s->req->res.reason = reason_of(s->req->res.status);
    tell(s, s->req->res.status, 0);
    sse_begin(s->req, wish);
}

static char *content_range(h2o_req_t *req, size_t from, size_t n, size_t len, bool part)
{
    char *text = h2o_mem_alloc_pool(&req->pool, 80);

    if (part)
        snprintf(text, 80, "bytes %zu-%zu/%zu", from, from + n - 1, len);
    else
        snprintf(text, 80, "bytes */%zu", len);
    return text;
}

static void send_part(const struct sending *s, const struct reply *rp, size_t from, size_t n)
{
    s->req->res.status = 206;
    add_headers(s, rp);
    add(s->req, H2O_TOKEN_CONTENT_RANGE, content_range(s->req, from, n, rp->len, true));
    put(s, rp->body + from, n);
}

static void send_outside(const struct sending *s, size_t len)
{
    char id[REQUEST_ID_TEXT];
    struct reply rp = { 0 };
    struct err e = { 0 };

    reply_header(&rp, "content-range", content_range(s->req, 0, 0, len, false));
    snprintf(e.text, sizeof e.text, "the content has %zu bytes", len);
    problem_reply(arena_of_pool(&s->req->pool), problem_by_slug("range"), &e,
                  s->id ? s->id : request_id_make(id), false, &rp);
    s->req->res.status = 416;
    add_headers(s, &rp);
    put(s, rp.body, rp.len);
}

void send_reply(const struct sending *s, const struct reply *rp)
{
    h2o_req_t *req = s->req;
    size_t from = 0, n = 0;

    req->res.status = rp->status ? rp->status : 200;
    if (req->res.status == 200 &&
        ((rp->etag && is_held(req, rp->etag)) || is_held_since(req, rp->modified))) {
        req->res.status = 304;
        add_headers(s, rp);
        put(s, NULL, 0);
        return;
    }
    if (rp->stream && !is_head(req)) {
        add_headers(s, rp);
        begin_stream(s, rp->stream);
        return;
    }
    switch (wanted_range(req, rp, &from, &n)) {
    case RANGE_PART: send_part(s, rp, from, n); return;
    case RANGE_OUTSIDE: send_outside(s, rp->len); return;
    case RANGE_NONE: break;
    }
    add_headers(s, rp);
    put(s, rp->body, rp->len);
}

/* Until the last of the quotas that are spent has something again. */
static int64_t spent_s(const struct sending *s)
{
    int64_t seconds = 0;

    for (int i = 0; i < s->nlimits; i++)
        if (!s->limits[i].allowed && s->limits[i].reset > seconds)
            seconds = s->limits[i].reset;
    return seconds ? seconds + 1 : 1 + clock_mono_us() % 4;
}

/* When to come again; 0: that would change nothing. Spread over a few seconds, or all who were refused would come back
 * together. */
static int64_t retry_s(const struct sending *s, enum rc rc)
{
    switch (rc) {
    case RC_TOO_MANY: return spent_s(s);
    case RC_BUSY: return 1 + clock_mono_us() % 4;
    case RC_FULL:
    case RC_UNWRITABLE: return 30 + clock_mono_us() % 10;
    default: return 0;
    }
}

/* Some failures say what to do in a header of their own. */
static void add_hint(h2o_req_t *req, const struct sending *s, enum rc rc, struct reply *rp)
{
    char *seconds;

    if (rp->nextra == REPLY_HEADERS)
        return;
    if (rc == RC_UNAUTHORIZED && !has_extra(rp, "www-authenticate")) {
        reply_header(rp, "www-authenticate", "Bearer");
    } else if (retry_s(s, rc) && !has_extra(rp, "retry-after")) {
        seconds = h2o_mem_alloc_pool(&req->pool, 24);
        snprintf(seconds, 24, "%" PRId64, retry_s(s, rc));
        reply_header(rp, "retry-after", seconds);
    }
}

/* A person with a browser who came to an address that is none. */
static bool wants_page(h2o_req_t *req)
{
    ssize_t at = h2o_find_header(&req->headers, H2O_TOKEN_ACCEPT, -1);

    return at >= 0 && memmem(req->headers.entries[at].value.base,
                             req->headers.entries[at].value.len, "text/html", 9);
}

static bool has_param(const struct route *r, const char *name)
{
    for (const struct param *p = r->params; p && p->name; p++)
        if (!strcmp(p->name, name))
            return true;
    return false;
}

/* Inner code names the field and cannot know where the request had it. The route knows. */
static void say_place(const struct route *r, struct err *e)
{
    char field[sizeof e->field - 1];
    bool header = *e->field >= 'A' && *e->field <= 'Z';

    if (!*e->field || *e->field == '/' || *e->field == '?' || header)
        return;
    memccpy(field, e->field, '\0', sizeof field);
    field[sizeof field - 1] = '\0';
    snprintf(e->field, sizeof e->field, "%s%s",
             r && r->body_max && !has_param(r, field) ? "/" : "?", field);
}

/* A page for who has signed in, and a browser that has not: it comes back when it has. */
static bool lead_to_sign_in(const struct sending *s, enum rc rc, struct reply *rp)
{
    h2o_iovec_t target = s->req->input.path;
    struct arena *mem = arena_of_pool(&s->req->pool);
    struct buf to = BUF_IN(mem);

    if (rc != RC_UNAUTHORIZED || !sign_in || !s->route || !(s->route->flags & R_PAGE) ||
        s->route->method != GET || s->route->right == RIGHT_READ)
        return false;
    buf_printf(&to, "%s?%sreturn=", sign_in,
               memmem(target.base, target.len, "large=1", 7) ? "large=1&" : "");
    buf_url(&to, target.base, target.len);
    *rp = (struct reply){ .status = 303 };
    reply_header(rp, "location", to.p);
    send_reply(s, rp);
    return true;
}

void send_problem(const struct sending *s, enum rc rc, const struct err *e, struct reply *rp)
{
    h2o_req_t *req = s->req;
    bool page = s->route ? s->route->flags & R_PAGE : wants_page(req);
    struct sending own = *s;
    struct err said = *e;

    if (lead_to_sign_in(s, rc, rp))
        return;
    say_place(s->route, &said);
    if (!own.id)
        own.id = request_id_make(h2o_mem_alloc_pool(&req->pool, REQUEST_ID_TEXT));
    if (e->inside && rc == RC_FORBIDDEN) /* it is we who may not open a file of ours */
        rc = RC_IO;
    if (e->inside || problem_of(rc)->status == 500)
        LOG(problem_of(rc)->status >= 500 ? LOG_ERROR : LOG_INFO, "failure",
            L_STR("request", own.id), L_STR("kind", rc_name(rc)), L_STR("why", e->text));
    witness_refuse(s->route, s->who, s->client ? s->client : "", rc);
    add_hint(req, s, rc, rp);
    problem_reply(arena_of_pool(&req->pool), problem_of(rc), &said, own.id, page, rp);
    send_reply(&own, rp);
}
