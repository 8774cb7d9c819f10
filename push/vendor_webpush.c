/*
 * vendor_webpush.c - browsers: RFC 8030, a message only the browser can read (RFC 8291), and who we are (VAPID, RFC 8292).
 *
 * The token of a device is its subscription: {"endpoint":"https://…","keys":{"p256dh":"…","auth":"…"}}. The endpoint is a URL that a stranger gave us: https, a host of the list
 * push_webpush_hosts, no port but 443, no user; and when the connection is made, a public address (transfer.c; through outbound_proxy no host that is one of ours by its name, and the rest is the proxy's to refuse). Redirects are not followed.
 *
 * A subscription is gone by 404 or 410 and by nothing else. The statement that says who we are is of one origin, and good for half a day: it is made for every message here, 30 µs,
 * which is a fifth of what its encryption costs.
 */
#include <string.h>

#include "push/vendor_part.h"
#include "server/base/id.h"
#include "server/base/url.h"

enum { PAYLOAD = 2744, TTL_MAX = 2592000, HALF_A_DAY = 43200, HOST_MAX = 253 };

struct subscription {
    const char *endpoint, *origin;
    struct crypt_browser to;
};

static const char *lacks(const struct vendor_site *s)
{
    if (!s->conf->push_webpush)
        return "";
    if (strncmp(s->conf->push_webpush_contact, "mailto:", 7) &&
        strncmp(s->conf->push_webpush_contact, "https://", 8))
        return "push_webpush_contact should be mailto: or https:";
    return s->keys->webpush ? NULL : "there is no key of it";
}

/* ---- the subscription ---- */

static bool is_listed(const struct vendor_site *s, const char *host)
{
    const struct conf_list *hosts = &s->conf->push_webpush_hosts;
    size_t n = strlen(host);

    for (int i = 0; i < hosts->n; i++) {
        const char *h = hosts->v[i];
        size_t k = strlen(h);

        if (!strcmp(h, host))
            return true;
        if (*h == '*' && h[1] == '.' && n > k - 1 && !strcmp(host + n - (k - 1), h + 1))
            return true;
    }
    return false;
}

/* https://HOST/PATH of visible letters, nothing that could be read in two ways. With push_at, a test's: its base. */
static bool read_endpoint(const struct vendor_site *s, struct arena *mem, const char *url,
                          struct subscription *out)
{
    static const char scheme[] = "https://";
    const char *base = vendor_base(s, TRANSPORT_WEBPUSH, ""), *host = url + sizeof scheme - 1;
    size_t base_n = strlen(base), n;

    for (const char *p = url; *p; p++)
        if (*p <= ' ' || *p > '~' || *p == '\\' || *p == '#' || *p == '"')
            return false;
    out->endpoint = url;
    if (base_n && !strncmp(url, base, base_n) && url[base_n] == '/') {
        out->origin = base;
        return true;
    }
    if (strncmp(url, scheme, sizeof scheme - 1))
        return false;
    n = strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-");
    if (!n || n > HOST_MAX || host[n] != '/' || !is_listed(s, arena_strndup(mem, host, n)))
        return false;
    out->origin = arena_strndup(mem, url, sizeof scheme - 1 + n);
    return true;
}

static bool read_key(const json_t *keys, const char *name, void *out, size_t n)
{
    const char *text = jx_text(keys, name);

    return text && b64url_parse(text, strlen(text), out, n) == (int)n;
}

static bool read_token(const struct vendor_site *s, struct arena *mem, const char *token,
                       struct subscription *out)
{
    struct err e;
    json_t *o, *keys;
    const char *endpoint;

    if (jx_object(&e, mem, token, strlen(token), &o))
        return false;
    keys = json_object_get(o, "keys");
    endpoint = jx_text(o, "endpoint");
    return json_is_object(keys) && endpoint && read_endpoint(s, mem, endpoint, out) &&
           read_key(keys, "p256dh", out->to.point, CRYPT_POINT) &&
           read_key(keys, "auth", out->to.auth, CRYPT_AUTH);
}

static const char *service(const struct vendor_site *s, struct arena *mem, const char *token)
{
    struct subscription to;

    return read_token(s, mem, token, &to) ? to.origin : NULL;
}

static const char *refuses(const struct vendor_site *s, struct arena *mem, const char *token)
{
    struct subscription to;

    return read_token(s, mem, token, &to)
               ? NULL
               : "this is no subscription of a browser, or to a host that push_webpush_hosts "
                 "does not list";
}

/* ---- the request ---- */

static void put_payload(struct buf *b, const struct push_message *m)
{
    buf_addc(b, '{');
    jx_put_text(b, "title", m->title);
    jx_put_text(b, "text", m->text);
    jx_put_text(b, "sender", vendor_some(m->sender));
    jx_put_text(b, "link", vendor_some(m->link));
    jx_put_text(b, "picture", vendor_some(m->picture));
    jx_put_text(b, "tag", m->collapse);
    jx_put_int(b, "campaign", m->number);
    buf_addc(b, '}');
}

static const char *statement(const struct vendor_site *s, struct arena *mem, const char *origin,
                             int64_t now)
{
    struct buf b = BUF_IN(mem);
    const char *jwt;

    buf_addc(&b, '{');
    jx_put_text(&b, "aud", origin);
    jx_put_int(&b, "exp", now + HALF_A_DAY);
    jx_put_text(&b, "sub", s->conf->push_webpush_contact);
    buf_addc(&b, '}');
    jwt = crypt_jwt(mem, s->keys->webpush, NULL, b.p);
    return jwt ? arena_printf(mem, "vapid t=%s, k=%s", jwt, s->keys->webpush_point) : NULL;
}

static enum rc build(const struct vendor_site *s, struct arena *mem, const char *grant,
                     const struct push_message *m, const char *const *tokens, int n,
                     int64_t now, struct vendor_request *out)
{
    struct buf plain = BUF_IN(mem), b = BUF_IN(mem);
    struct subscription to;
    const char *who;

    (void)grant, (void)n;
    out->n = 1;
    put_payload(&plain, m);
    if (plain.n > PAYLOAD || !read_token(s, mem, tokens[0], &to) ||
        !crypt_webpush(&to.to, plain.p, plain.n, NULL, &b) ||
        !(who = statement(s, mem, to.origin, now)))
        return RC_INVALID;
    out->method = "POST";
    out->url = to.endpoint;
    out->service = to.origin;
    out->public_only = !*vendor_base(s, TRANSPORT_WEBPUSH, "");
    out->headers = vendor_headers(
        mem, "content-type", "application/octet-stream", "content-encoding", "aes128gcm",
        "authorization", who, "ttl",
        arena_printf(mem, "%lld", (long long)(m->ttl < TTL_MAX ? m->ttl : TTL_MAX)), "urgency",
        m->class == PUSH_MARKETING ? "normal" : "high", "topic", m->collapse, NULL);
    vendor_body(out, &b);
    return RC_OK;
}

static void judge(struct arena *mem, const char *const *tokens, const struct vendor_request *rq,
                  const struct vendor_answer *a, struct push_verdict *out,
                  struct vendor_heard *heard)
{
    static const struct vendor_code statuses[] = {
        { "200", PUSH_ACCEPTED, LANE_WENT, false, "" },
        { "201", PUSH_ACCEPTED, LANE_WENT, false, "" },
        { "202", PUSH_ACCEPTED, LANE_WENT, false, "" },
        { "400", PUSH_REJECTED, LANE_WENT, false, "400" },
        { "401", PUSH_REJECTED, LANE_WENT, false, "401" },
        { "403", PUSH_REJECTED, LANE_WENT, false, "403" },
        { "404", PUSH_GONE, LANE_WENT, false, "404" },
        { "410", PUSH_GONE, LANE_WENT, false, "410" },
        { "413", PUSH_REJECTED, LANE_WENT, false, "413" },
        { "429", PUSH_AGAIN, LANE_SLOW, false, "429" },
        /* The transport is of many services: one that is out of order must not close it for the others. Its pace is its own (sender_service.h). */
        { "500", PUSH_AGAIN, LANE_WENT, false, "500" },
        { "502", PUSH_AGAIN, LANE_WENT, false, "502" },
        { "503", PUSH_AGAIN, LANE_WENT, false, "503" },
        {},
    };

    (void)tokens;
    heard->lane_after_ms = 0; /* likewise */
    if (!vendor_by_code(statuses, arena_printf(mem, "%d", a->status), rq->n, out, heard))
        vendor_unread(rq->n, out, heard);
}

const struct vendor vendor_webpush = { .by = TRANSPORT_WEBPUSH,
                                       .lacks = lacks,
                                       .refuses = refuses,
                                       .service = service,
                                       .build = build,
                                       .judge = judge,
                                       .recalls = VENDOR_RECALL_OVERWRITE };
