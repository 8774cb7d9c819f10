/*
 * vendor_oppo.c - OPPO: a form with up to a thousand messages to one device each (unicast_batch), and an access token for a day.
 *
 * Its other way, a content that is stored and then sent to a list, answers nothing about who has it already. Here each message has an app_message_id, and one device gets one of it: what was in
 * doubt and goes out again is dropped by OPPO itself. So that id is a name of what the message says, not of the campaign: an edited test send, or what takes a message back, is another. The
 * notify_id is of the campaign; by it a later message takes an earlier one's place.
 */
#include <string.h>

#include "push/vendor_part.h"

enum { TOKENS = 1000, TTL_LEAST = 3600, TTL_MAX = 864000, DAY = 86400 };

static const char usual[] = "https://api.push.oppomobile.com";

static const struct vendor_code codes[] = {
    { "0", PUSH_ACCEPTED, LANE_WENT, false, "" },
    { "-1", PUSH_AGAIN, LANE_DOWN, false, "unavailable" },
    { "-2", PUSH_AGAIN, LANE_SLOW, false, "flow_control" },
    { "11", PUSH_AGAIN, LANE_WENT, true, "authentication" },
    { "29", PUSH_AGAIN, LANE_WENT, true, "authentication" },
    { "13", PUSH_AGAIN, LANE_SLOW, false, "too_fast" },
    { "55", PUSH_AGAIN, LANE_SLOW, false, "too_fast" },
    { "14", PUSH_AGAIN, LANE_FAILED, false, "application" },
    { "26", PUSH_AGAIN, LANE_FAILED, false, "our_address" },
    { "27", PUSH_AGAIN, LANE_FAILED, false, "no_permission" },
    { "28", PUSH_AGAIN, LANE_FAILED, false, "application" },
    { "30", PUSH_AGAIN, LANE_FAILED, false, "no_permission" },
    { "33", PUSH_QUOTA, LANE_WENT, false, "quota" }, /* of the application's day */
    {},
};

/* What is said of one message of the batch. */
static const struct vendor_code devices[] = {
    { "10000", PUSH_GONE, LANE_WENT, false, "registration_id" },
    { "32", PUSH_ACCEPTED, LANE_WENT, false, "duplicate" }, /* it has this one */
    { "33", PUSH_QUOTA, LANE_WENT, false, "quota" },
    {},
};

static const struct vendor_need needs[] = { VENDOR_NEED(push_oppo_key),
                                            VENDOR_NEED(push_oppo_secret),
                                            {} };

/* ---- grants ---- */

static void ask_grant(const struct vendor_site *s, struct arena *mem, int64_t now,
                      struct vendor_request *out)
{
    const char *ms = arena_printf(mem, "%lld", (long long)now * 1000);
    struct buf b = BUF_IN(mem);

    vendor_form(&b, "app_key", s->conf->push_oppo_key);
    vendor_form(&b, "timestamp", ms);
    vendor_form(&b, "sign",
                crypt_sha256_hex(mem, arena_printf(mem, "%s%s%s", s->conf->push_oppo_key, ms,
                                                   s->conf->push_oppo_secret)));
    *out = (struct vendor_request){
        .method = "POST",
        .url = arena_printf(mem, "%s/server/v1/auth", vendor_base(s, TRANSPORT_OPPO, usual)),
        .headers =
            vendor_headers(mem, "content-type", "application/x-www-form-urlencoded", NULL),
    };
    vendor_body(out, &b);
}

static bool take_grant(const struct vendor_site *s, struct arena *mem,
                       const struct vendor_answer *a, struct vendor_grant *out)
{
    json_t *o = a->status == 200 ? vendor_json(mem, a) : NULL, *data;

    (void)s;
    data = o && !jx_int(o, "code", -1) ? json_object_get(o, "data") : NULL;
    return json_is_object(data) &&
           vendor_grant_of(mem, jx_text(data, "auth_token"), DAY, a->now, out);
}

/* ---- requests ---- */

static int64_t ttl_of(const struct push_message *m)
{
    if (m->ttl < TTL_LEAST)
        return TTL_LEAST;
    return m->ttl < TTL_MAX ? m->ttl : TTL_MAX;
}

/* All of a message but its device. */
static const char *notification(const struct vendor_site *s, struct arena *mem,
                                const struct push_message *m)
{
    const char *channel = m->class == PUSH_MARKETING ? s->conf->push_oppo_channel_marketing
                                                     : s->conf->push_oppo_channel;
    struct buf b = BUF_IN(mem);
    const char *at;

    buf_addc(&b, '{');
    jx_put_text(&b, "app_message_id", vendor_content_id(mem, m));
    jx_put_int(&b, "style", 1);
    jx_put_text(&b, "title", m->title);
    jx_put_text(&b, "content", m->text);
    jx_put_int(&b, "click_action_type", *m->link ? 2 : 0);
    jx_put_text(&b, "click_action_url", vendor_some(m->link));
    jx_put_text(&b, "action_parameters",
                arena_printf(mem, "{\"campaign\":%lld}", (long long)m->number));
    buf_adds(&b, ",\"off_line\":true");
    jx_put_int(&b, "off_line_ttl", ttl_of(m));
    jx_put_text(&b, "channel_id", vendor_some(channel));
    jx_put_text(&b, "category", vendor_category(m));
    jx_put_int(&b, "notify_id", vendor_number(m->collapse));
    if ((at = vendor_receipts_at(s, mem, TRANSPORT_OPPO, m))) {
        jx_put_text(&b, "call_back_url", at);
        jx_put_text(&b, "call_back_parameter", m->mark);
    }
    buf_addc(&b, '}');
    return b.p;
}

static enum rc build(const struct vendor_site *s, struct arena *mem, const char *grant,
                     const struct push_message *m, const char *const *tokens, int n,
                     int64_t now, struct vendor_request *out)
{
    const char *says = notification(s, mem, m);
    struct buf list = BUF_IN(mem), b = BUF_IN(mem);

    (void)now;
    out->n = n < TOKENS ? n : TOKENS;
    for (int i = 0; i < out->n; i++) {
        buf_adds(&list, i ? ",{\"target_type\":2" : "[{\"target_type\":2");
        jx_put_text(&list, "target_value", tokens[i]);
        buf_printf(&list, ",\"verify_registration_id\":true,\"notification\":%s}", says);
    }
    buf_addc(&list, ']');
    vendor_form(&b, "auth_token", grant);
    vendor_form(&b, "messages", list.p);
    out->method = "POST";
    out->url = arena_printf(mem, "%s/server/v1/message/notification/unicast_batch",
                            vendor_base(s, TRANSPORT_OPPO, usual));
    out->headers =
        vendor_headers(mem, "content-type", "application/x-www-form-urlencoded", NULL);
    vendor_body(out, &b);
    return RC_OK;
}

/* ---- answers ---- */

static void judge_one(struct arena *mem, const char *const *tokens,
                      const struct vendor_request *rq, const json_t *one,
                      struct push_verdict *out)
{
    const char *token = json_is_object(one) ? jx_text(one, "registrationId") : NULL;
    struct push_verdict v = { PUSH_ACCEPTED, 0, "" };
    struct vendor_heard ignored;

    if (!token)
        return;
    if (json_object_get(one, "errorCode") && jx_int(one, "errorCode", -1))
        vendor_by_number(devices, mem, jx_int(one, "errorCode", -1), 1, &v, &ignored);
    (void)vendor_one(tokens, rq, token, out, v.kind, v.why);
}

/* Whom it does not list is in doubt, and goes out again without getting it twice. */
static void judge(struct arena *mem, const char *const *tokens, const struct vendor_request *rq,
                  const struct vendor_answer *a, struct push_verdict *out,
                  struct vendor_heard *heard)
{
    const json_t *one;
    json_t *o;
    size_t i;

    if (!(o = vendor_by_body(codes, "code", mem, a, rq->n, out, heard)))
        return;
    if (out[0].kind != PUSH_ACCEPTED)
        return;
    vendor_all(out, rq->n, PUSH_DOUBT, "not_listed");
    json_array_foreach(json_object_get(o, "data"), i, one) judge_one(mem, tokens, rq, one, out);
}

/* ---- receipts ---- */

/* A list: {"registrationIds":"TOKEN, TOKEN","param":MARK,"eventType":"push_arrive"}; other events say that it was not shown. */
static bool read_receipts(struct arena *mem, const char *body, size_t n,
                          struct vendor_receipts *out)
{
    const char *text = arena_printf(mem, "{\"list\":%.*s}", (int)n, body), *event;
    json_t *o, *one;
    struct err e;
    size_t i;

    if (jx_object(&e, mem, text, strlen(text), &o) || json_object_size(o) != 1 ||
        !json_is_array(json_object_get(o, "list")))
        return false;
    json_array_foreach(json_object_get(o, "list"), i, one)
    {
        event = json_is_object(one) ? jx_text(one, "eventType") : NULL;
        if (!event || !vendor_receipt_add_all(
                          out, jx_text(one, "param"), jx_text(one, "registrationIds"),
                          strcmp(event, "push_arrive") ? VENDOR_DROPPED : VENDOR_DELIVERED))
            return false;
    }
    return true;
}

const struct vendor vendor_oppo = { .by = TRANSPORT_OPPO,
                                    .needs = needs,
                                    .ask_grant = ask_grant,
                                    .take_grant = take_grant,
                                    .build = build,
                                    .judge = judge,
                                    .read_receipts = read_receipts,
                                    .recalls = VENDOR_RECALL_OVERWRITE };
