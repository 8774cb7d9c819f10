/*
 * vendor_apns.c - Apple: one device a request, over HTTP/2, with a statement of ours that must be neither older than an hour nor made anew within twenty minutes (sender.c keeps it
 * across restarts for that).
 *
 * A token is gone by 410 and its timestamp alone, and only if the phone has not told it again since. BadDeviceToken may as well be a token of the development environment:
 * it is refused, and stays.
 */
#include <string.h>

#include "push/vendor_part.h"

enum { PAYLOAD = 4096, TTL_MAX = 2592000, HOUR = 3600 };

static const char usual[] = "https://api.push.apple.com",
                  usual_sandbox[] = "https://api.sandbox.push.apple.com";

static const struct vendor_code reasons[] = {
    { "Unregistered", PUSH_GONE, LANE_WENT, false, "Unregistered" },
    { "ExpiredToken", PUSH_GONE, LANE_WENT, false, "ExpiredToken" },
    { "BadDeviceToken", PUSH_REJECTED, LANE_WENT, false, "BadDeviceToken" },
    { "DeviceTokenNotForTopic", PUSH_REJECTED, LANE_WENT, false, "DeviceTokenNotForTopic" },
    { "PayloadTooLarge", PUSH_REJECTED, LANE_WENT, false, "PayloadTooLarge" },
    { "TopicDisallowed", PUSH_AGAIN, LANE_FAILED, false, "TopicDisallowed" },
    { "Forbidden", PUSH_AGAIN, LANE_FAILED, false, "Forbidden" },
    { "ExpiredProviderToken", PUSH_AGAIN, LANE_WENT, true, "ExpiredProviderToken" },
    { "InvalidProviderToken", PUSH_AGAIN, LANE_FAILED, true, "InvalidProviderToken" },
    { "MissingProviderToken", PUSH_AGAIN, LANE_FAILED, true, "MissingProviderToken" },
    { "TooManyProviderTokenUpdates", PUSH_AGAIN, LANE_DOWN, false,
      "TooManyProviderTokenUpdates" },
    { "TooManyRequests", PUSH_AGAIN, LANE_WENT, false,
      "TooManyRequests" }, /* of this one device */
    { "InternalServerError", PUSH_AGAIN, LANE_FAILED, false, "InternalServerError" },
    { "ServiceUnavailable", PUSH_AGAIN, LANE_DOWN, false, "ServiceUnavailable" },
    { "Shutdown", PUSH_AGAIN, LANE_WENT, false, "Shutdown" },
    {},
};

static const struct vendor_need needs[] = { VENDOR_NEED(push_apns_key),
                                            VENDOR_NEED(push_apns_key_id),
                                            VENDOR_NEED(push_apns_team),
                                            VENDOR_NEED(push_apns_topic),
                                            {} };

static bool sign_grant(const struct vendor_site *s, struct arena *mem, int64_t now,
                       struct vendor_grant *out)
{
    struct buf b = BUF_IN(mem);

    buf_addc(&b, '{');
    jx_put_text(&b, "iss", s->conf->push_apns_team);
    jx_put_int(&b, "iat", now);
    buf_addc(&b, '}');
    *out = (struct vendor_grant){ .text = crypt_jwt(mem, s->keys->apns,
                                                    s->conf->push_apns_key_id, b.p),
                                  .until = now + HOUR - 120,
                                  .renew = now + HOUR - 600 };
    return out->text;
}

static void put_payload(struct buf *b, const struct push_message *m)
{
    buf_adds(b, "{\"aps\":{\"alert\":{");
    jx_put_text(b, "title", m->title);
    jx_put_text(b, "subtitle", vendor_some(m->sender));
    jx_put_text(b, "body", m->text);
    buf_addc(b, '}');
    if (m->class != PUSH_MARKETING && !m->takes_back)
        jx_put_text(b, "sound", "default");
    if (m->class == PUSH_EMERGENCY)
        jx_put_text(b, "interruption-level", "time-sensitive");
    if (m->badge >= 0)
        jx_put_int(b, "badge", m->badge);
    if (*m->picture)
        jx_put_int(b, "mutable-content", 1);
    buf_addc(b, '}');
    jx_put_text(b, "link", vendor_some(m->link));
    jx_put_text(b, "picture", vendor_some(m->picture));
    jx_put_int(b, "campaign", m->number);
    buf_addc(b, '}');
}

/* It becomes part of a URL. */
static bool is_hex(const char *token)
{
    return *token && !token[strspn(token, "0123456789abcdefABCDEF")];
}

static enum rc build(const struct vendor_site *s, struct arena *mem, const char *grant,
                     const struct push_message *m, const char *const *tokens, int n,
                     int64_t now, struct vendor_request *out)
{
    struct buf b = BUF_IN(mem);

    (void)n;
    out->n = 1;
    put_payload(&b, m);
    if (b.n > PAYLOAD || !is_hex(tokens[0]))
        return RC_INVALID;
    out->method = "POST";
    out->url = arena_printf(
        mem, "%s/3/device/%s",
        vendor_base(s, TRANSPORT_APNS, s->conf->push_apns_sandbox ? usual_sandbox : usual),
        tokens[0]);
    out->headers = vendor_headers(
        mem, "content-type", "application/json", "authorization",
        arena_printf(mem, "bearer %s", grant), "apns-topic", s->conf->push_apns_topic,
        "apns-push-type", "alert", "apns-priority", m->class == PUSH_MARKETING ? "5" : "10",
        "apns-expiration",
        arena_printf(mem, "%lld", (long long)(now + (m->ttl < TTL_MAX ? m->ttl : TTL_MAX))),
        "apns-collapse-id", m->collapse, NULL);
    vendor_body(out, &b);
    return RC_OK;
}

static void judge(struct arena *mem, const char *const *tokens, const struct vendor_request *rq,
                  const struct vendor_answer *a, struct push_verdict *out,
                  struct vendor_heard *heard)
{
    json_t *o = a->status == 200 ? NULL : vendor_json(mem, a);
    const char *reason = o ? jx_text(o, "reason") : NULL;

    (void)tokens;
    if (a->status == 200) {
        heard->news = LANE_WENT;
        vendor_all(out, rq->n, PUSH_ACCEPTED, "");
        return;
    }
    if (!reason || !vendor_by_code(reasons, reason, rq->n, out, heard)) {
        (void)vendor_by_status(a, rq->n, out, heard);
        return;
    }
    if (heard->news == LANE_WENT)
        heard->lane_after_ms = 0; /* it is about this one device */
    if (out[0].kind != PUSH_GONE)
        return;
    out[0].gone_ms = jx_int(o, "timestamp", 0);
    if (a->status != 410 || out[0].gone_ms <= 0)
        out[0].kind = PUSH_REJECTED;
}

const struct vendor vendor_apns = { .by = TRANSPORT_APNS,
                                    .needs = needs,
                                    .sign_grant = sign_grant,
                                    .build = build,
                                    .judge = judge,
                                    .recalls = VENDOR_RECALL_OVERWRITE };
