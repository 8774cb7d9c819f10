/*
 * vendor_xiaomi.c - Xiaomi: a form with at most a thousand registration ids, and a key that never ends.
 *
 * Its quota counts what was delivered, so a message may be refused by it that our own ledger allows; and some of its interfaces say "ok" with channel_exceed_quota beside it.
 */
#include <string.h>

#include "push/vendor_part.h"

enum { TOKENS = 1000, TTL_MAX = 604800, RECEIPTS = 1 + 2 + 16 + 32 + 64 + 128 };

static const char usual[] = "https://api.xmpush.xiaomi.com";

static const struct vendor_code codes[] = {
    { "0", PUSH_ACCEPTED, LANE_WENT, false, "" },
    { "200001", PUSH_QUOTA, LANE_WENT, false, "quota" },
    { "21301", PUSH_AGAIN, LANE_FAILED, false, "authentication" },
    { "22000", PUSH_REJECTED, LANE_WENT, false, "application" },
    { "66108", PUSH_REJECTED, LANE_WENT, false, "all_tokens_invalid" },
    { "10001", PUSH_DOUBT, LANE_FAILED, false, "system_error" },
    { "10002", PUSH_AGAIN, LANE_DOWN, false, "paused" },
    { "10003", PUSH_DOUBT, LANE_FAILED, false, "remote_error" },
    { "10022", PUSH_AGAIN, LANE_SLOW, false, "too_fast" },
    { "10023", PUSH_AGAIN, LANE_SLOW, false, "too_fast" },
    {},
};

static const struct vendor_need needs[] = { VENDOR_NEED(push_xiaomi_secret),
                                            VENDOR_NEED(push_xiaomi_package),
                                            {} };

static void put_tokens(struct buf *b, const char *const *tokens, int n)
{
    buf_adds(b, "&registration_id=");
    for (int i = 0; i < n; i++) {
        if (i)
            buf_adds(b, "%2C");
        buf_url(b, tokens[i], strlen(tokens[i]));
    }
}

static enum rc build(const struct vendor_site *s, struct arena *mem, const char *grant,
                     const struct push_message *m, const char *const *tokens, int n,
                     int64_t now, struct vendor_request *out)
{
    const char *channel = m->class == PUSH_MARKETING ? s->conf->push_xiaomi_channel_marketing
                                                     : s->conf->push_xiaomi_channel;
    struct buf b = BUF_IN(mem);
    const char *at;

    (void)grant, (void)now;
    out->n = n < TOKENS ? n : TOKENS;
    vendor_form(&b, "restricted_package_name", s->conf->push_xiaomi_package);
    vendor_form(&b, "title", m->title);
    vendor_form(&b, "description", m->text);
    vendor_form(&b, "payload", arena_printf(mem, "{\"campaign\":%lld}", (long long)m->number));
    vendor_form_int(&b, "pass_through", 0);
    vendor_form_int(&b, "notify_type", -1);
    vendor_form_int(&b, "notify_id", vendor_number(m->collapse));
    vendor_form_int(&b, "time_to_live", (m->ttl < TTL_MAX ? m->ttl : TTL_MAX) * 1000);
    if (*channel)
        vendor_form(&b, "extra.channel_id", channel);
    vendor_form_int(&b, "extra.notify_effect", *m->link ? 3 : 1);
    if (*m->link)
        vendor_form(&b, "extra.web_uri", m->link);
    if ((at = vendor_receipts_at(s, mem, TRANSPORT_XIAOMI, m))) {
        vendor_form(&b, "extra.callback", at);
        vendor_form(&b, "extra.callback.param", m->mark);
        vendor_form_int(&b, "extra.callback.type", RECEIPTS);
    }
    put_tokens(&b, tokens, out->n);
    out->method = "POST";
    out->url =
        arena_printf(mem, "%s/v3/message/regid", vendor_base(s, TRANSPORT_XIAOMI, usual));
    out->headers = vendor_headers(
        mem, "content-type", "application/x-www-form-urlencoded", "authorization",
        arena_printf(mem, "key=%s", s->conf->push_xiaomi_secret), NULL);
    vendor_body(out, &b);
    return RC_OK;
}

/* The ids in a list with commas that Xiaomi does not know. */
static void mark_bad(struct arena *mem, const char *const *tokens,
                     const struct vendor_request *rq, const char *list,
                     struct push_verdict *out)
{
    char *rest = arena_strdup(mem, list), *one;

    while ((one = strsep(&rest, ",")))
        if (*one)
            (void)vendor_one(tokens, rq, one, out, PUSH_GONE, "bad_regid");
}

static bool says_quota(const json_t *data)
{
    return json_is_object(data) && json_object_get(data, "channel_exceed_quota");
}

static void judge(struct arena *mem, const char *const *tokens, const struct vendor_request *rq,
                  const struct vendor_answer *a, struct push_verdict *out,
                  struct vendor_heard *heard)
{
    json_t *o, *data;
    const char *bad;

    if (!(o = vendor_by_body(codes, "code", mem, a, rq->n, out, heard)))
        return;
    data = json_object_get(o, "data");
    if (out[0].kind != PUSH_ACCEPTED)
        return;
    if (says_quota(data))
        vendor_all(out, rq->n, PUSH_QUOTA, "channel_exceed_quota");
    else if (json_is_object(data) && (bad = jx_text(data, "bad_regids")))
        mark_bad(mem, tokens, rq, bad, out);
}

/* ---- receipts: a form, whose `data` is JSON ---- */

/* 16: no such device; 32: it wants no push; 64: a condition of ours; 128: the day's quota. */
static const struct vendor_receipt_type types[] = {
    { 1, VENDOR_DELIVERED },
    { 2, VENDOR_CLICKED },
    { 16, VENDOR_DROPPED },
    { 32, VENDOR_DROPPED },
    { 64, VENDOR_DROPPED },
    { 128, VENDOR_DROPPED },
    {},
};

static bool read_receipts(struct arena *mem, const char *body, size_t n,
                          struct vendor_receipts *out)
{
    const char *data = vendor_form_value(mem, arena_strndup(mem, body, n), "data");

    return data && vendor_read_messages(mem, data, strlen(data), "type", -1, types, out);
}

const struct vendor vendor_xiaomi = { .by = TRANSPORT_XIAOMI,
                                      .needs = needs,
                                      .build = build,
                                      .judge = judge,
                                      .read_receipts = read_receipts,
                                      .recalls = VENDOR_RECALL_OVERWRITE };
