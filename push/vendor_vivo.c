/*
 * vendor_vivo.c - vivo: a message is stored first, under a number (its ticket), and then sent to a list of two to a thousand devices; one alone is sent it whole.
 *
 * Texts of 运营 (our 资讯营销) that vivo has seen are dropped as repeated, and none of them goes out between 23:00 and 7:00. The access token is good for a day; vivo asks to have it renewed
 * every one or two hours.
 */
#include <stdlib.h>
#include <string.h>

#include "push/vendor_part.h"

enum { TOKENS = 1000, TTL_LEAST = 900, TTL_MAX = 604800, TWO_HOURS = 7200 };

static const char usual[] = "https://api-push.vivo.com.cn";

static const struct vendor_code codes[] = {
    { "0", PUSH_ACCEPTED, LANE_WENT, false, "" },
    { "10000", PUSH_AGAIN, LANE_WENT, true, "authentication" },
    { "10003", PUSH_AGAIN, LANE_FAILED, false, "application" },
    { "10040", PUSH_AGAIN, LANE_SLOW, false, "too_fast" },
    { "10070", PUSH_QUOTA, LANE_WENT, false, "quota" },         /* of the application's day */
    { "10071", PUSH_AGAIN, LANE_WENT, false, "outside_hours" }, /* our clocks differ a little */
    { "10072", PUSH_AGAIN, LANE_SLOW, false, "too_fast" },
    { "10073", PUSH_QUOTA, LANE_WENT, false, "quota" },
    { "10094", PUSH_AGAIN, LANE_FAILED, false, "application" },
    { "10102", PUSH_DOUBT, LANE_FAILED, false, "internal_error" },
    { "10252", PUSH_QUOTA, LANE_WENT, false, "quota" },
    { "10302", PUSH_REJECTED, LANE_WENT, false, "all_tokens_invalid" },
    {},
};

static const struct vendor_need needs[] = {
    VENDOR_NEED(push_vivo_app), VENDOR_NEED(push_vivo_key), VENDOR_NEED(push_vivo_secret), {}
};

/* ---- grants ---- */

static void ask_grant(const struct vendor_site *s, struct arena *mem, int64_t now,
                      struct vendor_request *out)
{
    const struct conf *c = s->conf;
    const char *sign =
        crypt_md5_hex(mem, arena_printf(mem, "%s%s%lld000%s", c->push_vivo_app,
                                        c->push_vivo_key, (long long)now, c->push_vivo_secret));
    struct buf b = BUF_IN(mem);

    buf_addc(&b, '{');
    jx_put_int(&b, "appId", strtoll(c->push_vivo_app, NULL, 10));
    jx_put_text(&b, "appKey", c->push_vivo_key);
    jx_put_int(&b, "timestamp", now * 1000);
    jx_put_text(&b, "sign", sign);
    buf_addc(&b, '}');
    *out = (struct vendor_request){
        .method = "POST",
        .url = arena_printf(mem, "%s/message/auth", vendor_base(s, TRANSPORT_VIVO, usual)),
        .headers = vendor_headers(mem, "content-type", "application/json", NULL),
    };
    vendor_body(out, &b);
}

static bool take_grant(const struct vendor_site *s, struct arena *mem,
                       const struct vendor_answer *a, struct vendor_grant *out)
{
    json_t *o = a->status == 200 ? vendor_json(mem, a) : NULL;

    (void)s;
    return o && !jx_int(o, "result", -1) &&
           vendor_grant_of(mem, jx_text(o, "authToken"), TWO_HOURS, a->now, out);
}

/* ---- requests ---- */

static int64_t ttl_of(const struct push_message *m)
{
    if (m->ttl < TTL_LEAST)
        return TTL_LEAST;
    return m->ttl < TTL_MAX ? m->ttl : TTL_MAX;
}

/* What both ways say of the message; begins an object. */
static void put_message(struct buf *b, const struct vendor_site *s,
                        const struct push_message *m)
{
    const char *at;

    buf_addc(b, '{');
    jx_put_int(b, "appId", strtoll(s->conf->push_vivo_app, NULL, 10));
    jx_put_text(b, "title", m->title);
    jx_put_text(b, "content", m->text);
    jx_put_int(b, "notifyType", m->class == PUSH_MARKETING ? 1 : 4);
    jx_put_int(b, "timeToLive", ttl_of(m));
    jx_put_int(b, "skipType", *m->link ? 2 : 1);
    jx_put_text(b, "skipContent", vendor_some(m->link));
    buf_printf(b, ",\"clientCustomMap\":{\"campaign\":\"%lld\"}", (long long)m->number);
    jx_put_int(b, "classification", m->class == PUSH_MARKETING ? 0 : 1);
    jx_put_text(b, "category", vendor_category(m));
    jx_put_int(b, "notifyId", vendor_number(m->collapse));
    if ((at = vendor_receipts_at(s, b->mem, TRANSPORT_VIVO, m))) {
        buf_adds(b, ",\"extra\":{");
        jx_put_text(b, "callback", at);
        jx_put_text(b, "callback.id", vendor_some(s->conf->push_vivo_receipt));
        jx_put_text(b, "callback.param", m->mark);
        buf_addc(b, '}');
    }
}

static void post(const struct vendor_site *s, struct arena *mem, const char *path,
                 const char *grant, struct buf *body, struct vendor_request *out)
{
    buf_addc(body, '}');
    out->method = "POST";
    out->url = arena_printf(mem, "%s%s", vendor_base(s, TRANSPORT_VIVO, usual), path);
    out->headers =
        vendor_headers(mem, "content-type", "application/json", "authtoken", grant, NULL);
    vendor_body(out, body);
}

static enum rc ask_ticket(const struct vendor_site *s, struct arena *mem, const char *grant,
                          const struct push_message *m, int64_t now, struct vendor_request *out)
{
    struct buf b = BUF_IN(mem);

    (void)now;
    put_message(&b, s, m);
    jx_put_text(&b, "requestId", vendor_content_id(mem, m));
    post(s, mem, "/message/saveListPayload", grant, &b, out);
    return RC_OK;
}

/* vivo's number for this request: of the message, and of whom it goes to. */
static const char *request_id(struct arena *mem, const struct push_message *m,
                              const char *const *tokens, int n)
{
    struct buf b = BUF_IN(mem);

    buf_adds(&b, vendor_content_id(mem, m));
    for (int i = 0; i < n; i++)
        buf_printf(&b, "\n%s", tokens[i]);
    return crypt_sha256_hex(mem, b.p);
}

static enum rc build(const struct vendor_site *s, struct arena *mem, const char *grant,
                     const struct push_message *m, const char *const *tokens, int n,
                     int64_t now, struct vendor_request *out)
{
    struct buf b = BUF_IN(mem);

    (void)now;
    out->n = n < TOKENS ? n : TOKENS;
    if (n < 2 || !m->ticket) {
        out->n = 1;
        put_message(&b, s, m);
        jx_put_text(&b, "regId", tokens[0]);
    } else {
        buf_addc(&b, '{');
        jx_put_int(&b, "appId", strtoll(s->conf->push_vivo_app, NULL, 10));
        jx_put_text(&b, "taskId", m->ticket);
        vendor_tokens(&b, "regIds", tokens, out->n);
    }
    jx_put_text(&b, "requestId", request_id(mem, m, tokens, out->n));
    post(s, mem, out->n > 1 ? "/message/pushToList" : "/message/send", grant, &b, out);
    return RC_OK;
}

/* ---- answers ---- */

/* 1: there is no such device; others have the application off, or have been away: they may come back. */
static void mark(const char *const *tokens, const struct vendor_request *rq, const json_t *one,
                 struct push_verdict *out)
{
    const char *token = json_is_object(one) ? jx_text(one, "userid") : NULL;
    bool gone = token && jx_int(one, "status", 0) == 1;

    if (token)
        (void)vendor_one(tokens, rq, token, out, gone ? PUSH_GONE : PUSH_REJECTED,
                         gone ? "regid" : "off_or_away");
}

static const char *take_ticket(struct arena *mem, const struct vendor_answer *a,
                               struct push_verdict *all, struct vendor_heard *heard)
{
    const json_t *o = vendor_by_body(codes, "result", mem, a, 1, all, heard);
    const char *ticket = o && all->kind == PUSH_ACCEPTED ? jx_text(o, "taskId") : NULL;

    return ticket && *vendor_word(mem, ticket) ? arena_strdup(mem, ticket) : NULL;
}

static void judge(struct arena *mem, const char *const *tokens, const struct vendor_request *rq,
                  const struct vendor_answer *a, struct push_verdict *out,
                  struct vendor_heard *heard)
{
    const json_t *o = vendor_by_body(codes, "result", mem, a, rq->n, out, heard), *one;
    size_t i;

    if (!o || (out[0].kind != PUSH_ACCEPTED && out[0].kind != PUSH_REJECTED))
        return;
    json_array_foreach(json_object_get(o, "invalidUsers"), i, one) mark(tokens, rq, one, out);
    mark(tokens, rq, json_object_get(o, "invalidUser"), out);
}

/* ---- receipts ---- */

static bool read_receipts(struct arena *mem, const char *body, size_t n,
                          struct vendor_receipts *out)
{
    static const struct vendor_receipt_type types[] = { { 0, VENDOR_DELIVERED },
                                                        { 1, VENDOR_CLICKED },
                                                        {} };

    return vendor_read_messages(mem, body, n, "ackType", 0, types, out);
}

const struct vendor vendor_vivo = { .by = TRANSPORT_VIVO,
                                    .needs = needs,
                                    .ask_grant = ask_grant,
                                    .take_grant = take_grant,
                                    .ticket_from = 2,
                                    .ask_ticket = ask_ticket,
                                    .take_ticket = take_ticket,
                                    .build = build,
                                    .judge = judge,
                                    .read_receipts = read_receipts,
                                    .recalls = VENDOR_RECALL_OVERWRITE };
