/*
 * vendor_huawei.c - Huawei's two interfaces: v2 for EMUI and HarmonyOS up to 4, with an access token by client credentials; v3 for HarmonyOS NEXT, with a statement that we sign.
 * Neither reaches the other's devices.
 *
 * The answer's `code` says what happened, whatever the status. 80100000 is a part: `msg` is JSON in a text that lists the tokens which failed, and the others have their message;
 * who sends all of them again, sends most of them twice. A list that does not add up to the failures it counts leaves the others in doubt.
 */
#include <stdio.h>
#include <string.h>

#include "push/vendor_part.h"

enum { TOKENS = 1000, PAYLOAD = 4096, TTL_MAX = 1296000, HOUR = 3600 };

static const char usual[] = "https://push-api.cloud.huawei.com",
                  usual_oauth[] = "https://oauth-login.cloud.huawei.com";

/* Huawei's name for what a message is (自分类权益). */
static const char *const categories[PUSH_CLASS_COUNT] = {
    [PUSH_SERVICE] = "SUBSCRIPTION",
    [PUSH_MARKETING] = "MARKETING",
    [PUSH_EMERGENCY] = "SUBSCRIPTION",
};

static const struct vendor_code codes[] = {
    { "80000000", PUSH_ACCEPTED, LANE_WENT, false, "" },
    { "80100003", PUSH_REJECTED, LANE_WENT, false, "message_structure" },
    { "80100004", PUSH_REJECTED, LANE_WENT, false, "ttl" },
    { "80100016", PUSH_REJECTED, LANE_WENT, false, "sensitive_words" },
    { "80200001", PUSH_AGAIN, LANE_WENT, true, "authentication" },
    { "80200003", PUSH_AGAIN, LANE_WENT, true, "token_expired" },
    { "80300002", PUSH_AGAIN, LANE_FAILED, false, "no_permission" },
    { "80300007", PUSH_REJECTED, LANE_WENT, false,
      "all_tokens_invalid" }, /* or the project is the wrong one: no reason to forget a thousand devices */
    { "80300008", PUSH_REJECTED, LANE_WENT, false, "too_large" },
    { "80300010", PUSH_REJECTED, LANE_WENT, false, "too_many_tokens" },
    { "81000001", PUSH_DOUBT, LANE_FAILED, false, "internal_error" },
    {},
};

/* ---- requests ---- */

static const struct vendor_need v2_needs[] = { VENDOR_NEED(push_huawei_project),
                                               VENDOR_NEED(push_huawei_client),
                                               VENDOR_NEED(push_huawei_client_secret),
                                               {} };
static const struct vendor_need v3_needs[] = { VENDOR_NEED(push_huawei_account), {} };

static int64_t ttl_of(const struct push_message *m)
{
    return m->ttl < TTL_MAX ? m->ttl : TTL_MAX;
}

static void put_badge(struct buf *b, const struct push_message *m)
{
    if (m->badge < 0)
        return;
    jx_key(b, "badge");
    buf_printf(b, "{\"%s\":%d}", "setNum", m->badge);
}

static void put_v2(struct buf *b, const struct push_message *m)
{
    buf_adds(b, "{\"validate_only\":false,\"message\":{\"android\":{\"collapse_key\":-1");
    jx_put_text(b, "ttl", arena_printf(b->mem, "%llds", (long long)ttl_of(m)));
    jx_put_text(b, "category", categories[m->class]);
    jx_put_text(b, "urgency", m->class == PUSH_MARKETING ? "NORMAL" : "HIGH");
    jx_put_text(b, "bi_tag", m->mark);
    buf_adds(b, ",\"notification\":{");
    jx_put_text(b, "title", m->title);
    jx_put_text(b, "body", m->text);
    jx_put_text(b, "image", vendor_some(m->picture));
    jx_put_text(b, "importance", m->class == PUSH_MARKETING ? "LOW" : "NORMAL");
    jx_put_int(b, "notify_id", vendor_number(m->collapse));
    buf_adds(b, ",\"click_action\":{");
    jx_put_int(b, "type", *m->link ? 2 : 3);
    jx_put_text(b, "url", vendor_some(m->link));
    buf_addc(b, '}');
    if (m->badge >= 0)
        buf_printf(b, ",\"badge\":{\"set_num\":%d}", m->badge);
    buf_adds(b, "}}");
}

static void put_v3(struct buf *b, const struct push_message *m)
{
    buf_adds(b, "{\"payload\":{\"notification\":{");
    jx_put_text(b, "category", categories[m->class]);
    jx_put_text(b, "title", m->title);
    jx_put_text(b, "body", m->text);
    jx_put_text(b, "image", vendor_some(m->picture));
    jx_put_int(b, "notifyId", vendor_number(m->collapse));
    buf_adds(b, ",\"clickAction\":{\"actionType\":0,\"data\":{");
    jx_put_text(b, "link", vendor_some(m->link));
    jx_put_int(b, "campaign", m->number);
    buf_adds(b, "}}");
    put_badge(b, m);
    buf_printf(b, "}},\"pushOptions\":{\"ttl\":%lld,\"testMessage\":false",
               (long long)ttl_of(m));
    jx_put_text(b, "biTag", m->mark);
    buf_adds(b, "},\"target\":{");
}

/* What comes before the tokens is what the vendor counts as the message. */
static enum rc finish(struct buf *b, const char *const *tokens, int n,
                      struct vendor_request *out)
{
    out->n = n < TOKENS ? n : TOKENS;
    if (b->n > PAYLOAD)
        return RC_INVALID;
    vendor_tokens(b, "token", tokens, out->n);
    buf_adds(b, "}}");
    out->method = "POST";
    vendor_body(out, b);
    return RC_OK;
}

static enum rc v2_build(const struct vendor_site *s, struct arena *mem, const char *grant,
                        const struct push_message *m, const char *const *tokens, int n,
                        int64_t now, struct vendor_request *out)
{
    struct buf b = BUF_IN(mem);

    (void)now;
    put_v2(&b, m);
    out->url =
        arena_printf(mem, "%s/v2/%s/messages:send", vendor_base(s, TRANSPORT_HUAWEI, usual),
                     s->conf->push_huawei_project);
    out->headers = vendor_headers(mem, "content-type", "application/json", "authorization",
                                  arena_printf(mem, "Bearer %s", grant), NULL);
    return finish(&b, tokens, n, out);
}

static enum rc v3_build(const struct vendor_site *s, struct arena *mem, const char *grant,
                        const struct push_message *m, const char *const *tokens, int n,
                        int64_t now, struct vendor_request *out)
{
    struct buf b = BUF_IN(mem);

    (void)now;
    put_v3(&b, m);
    out->url =
        arena_printf(mem, "%s/v3/%s/messages:send",
                     vendor_base(s, TRANSPORT_HUAWEI_NEXT, usual), s->keys->huawei_project);
    out->headers =
        vendor_headers(mem, "content-type", "application/json", "authorization",
                       arena_printf(mem, "Bearer %s", grant), "push-type", "0", NULL);
    return finish(&b, tokens, n, out);
}

/*
 * HarmonyOS NEXT takes back by the tokens and the notify id, at the first interface's address, with the client's id and not the project's: what has not been delivered, and what was and has
 * not been clicked. Before it, a message of the same notify id takes the other's place.
 */
static enum rc v3_revoke(const struct vendor_site *s, struct arena *mem, const char *grant,
                         const struct push_message *m, const char *const *tokens, int n,
                         int64_t now, struct vendor_request *out)
{
    struct buf b = BUF_IN(mem);

    (void)now;
    out->n = n < TOKENS ? n : TOKENS;
    buf_addc(&b, '{');
    jx_put_int(&b, "notifyId", vendor_number(m->collapse));
    vendor_tokens(&b, "token", tokens, out->n);
    buf_addc(&b, '}');
    out->method = "POST";
    out->url =
        arena_printf(mem, "%s/v1/%s/messages:revoke",
                     vendor_base(s, TRANSPORT_HUAWEI_NEXT, usual), s->conf->push_huawei_client);
    out->headers =
        vendor_headers(mem, "content-type", "application/json", "authorization",
                       arena_printf(mem, "Bearer %s", grant), "push-type", "0", NULL);
    vendor_body(out, &b);
    return RC_OK;
}

/* The service account's file does not hold the client's id. */
static bool v3_can_revoke(const struct vendor_site *s)
{
    return *s->conf->push_huawei_client;
}

/* ---- grants ---- */

static void v2_ask(const struct vendor_site *s, struct arena *mem, int64_t now,
                   struct vendor_request *out)
{
    struct buf b = BUF_IN(mem);

    (void)now;
    vendor_form(&b, "grant_type", "client_credentials");
    vendor_form(&b, "client_id", s->conf->push_huawei_client);
    vendor_form(&b, "client_secret", s->conf->push_huawei_client_secret);
    *out = (struct vendor_request){
        .method = "POST",
        .url = arena_printf(mem, "%s/oauth2/v3/token",
                            vendor_base(s, TRANSPORT_HUAWEI, usual_oauth)),
        .headers =
            vendor_headers(mem, "content-type", "application/x-www-form-urlencoded", NULL),
    };
    vendor_body(out, &b);
}

static bool v2_take(const struct vendor_site *s, struct arena *mem,
                    const struct vendor_answer *a, struct vendor_grant *out)
{
    json_t *o = a->status == 200 ? vendor_json(mem, a) : NULL;

    (void)s;
    return o && vendor_grant_of(mem, jx_text(o, "access_token"), jx_int(o, "expires_in", 0),
                                a->now, out);
}

static bool v3_sign(const struct vendor_site *s, struct arena *mem, int64_t now,
                    struct vendor_grant *out)
{
    struct buf b = BUF_IN(mem);

    buf_addc(&b, '{');
    jx_put_text(&b, "iss", s->keys->huawei_iss);
    jx_put_text(&b, "aud", "https://oauth-login.cloud.huawei.com/oauth2/v3/token");
    jx_put_int(&b, "iat", now);
    jx_put_int(&b, "exp", now + HOUR);
    buf_addc(&b, '}');
    *out = (struct vendor_grant){ .text =
                                      crypt_jwt(mem, s->keys->huawei, s->keys->huawei_kid, b.p),
                                  .until = now + HOUR - 60,
                                  .renew = now + HOUR - 600 };
    return out->text;
}

/* ---- answers ---- */

/* Reasons that say the token itself is none; of any other the device may be reached tomorrow. */
static enum push_verdict_kind kind_of(const char *reason)
{
    static const char *const dead[] = { "illegal_token", "illegalToken", "invalid_token",
                                        "invalidToken", "80300007" };

    for (size_t i = 0; i < sizeof dead / sizeof *dead; i++)
        if (!strcmp(reason, dead[i]))
            return PUSH_GONE;
    return PUSH_REJECTED;
}

static int mark(const char *const *tokens, const struct vendor_request *rq, const json_t *list,
                enum push_verdict_kind kind, const char *why, struct push_verdict *out)
{
    const json_t *token;
    size_t i;
    int marked = 0;

    json_array_foreach(list, i, token) if (json_is_string(token)) marked +=
        vendor_one(tokens, rq, json_string_value(token), out, kind, why);
    return marked;
}

static int mark_all(struct arena *mem, const char *const *tokens,
                    const struct vendor_request *rq, json_t *illegal, struct push_verdict *out)
{
    const char *reason;
    json_t *list;
    int marked = 0;

    if (json_is_array(illegal))
        return mark(tokens, rq, illegal, PUSH_GONE, "illegal_token", out);
    json_object_foreach(illegal, reason, list) marked +=
        mark(tokens, rq, list, kind_of(reason), vendor_word(mem, reason), out);
    return marked;
}

static void judge_part(struct arena *mem, const char *const *tokens,
                       const struct vendor_request *rq, const char *msg,
                       struct push_verdict *out)
{
    json_t *o, *illegal;
    struct err e;
    int failed;

    if (!msg || jx_object(&e, mem, msg, strlen(msg), &o)) {
        vendor_all(out, rq->n, PUSH_DOUBT, "unread");
        return;
    }
    illegal = json_object_get(o, "illegal_tokens");
    if (!illegal)
        illegal = json_object_get(o, "illegalTokens");
    vendor_all(out, rq->n, PUSH_ACCEPTED, "");
    failed = mark_all(mem, tokens, rq, illegal, out);
    if (jx_int(o, "failure", -1) == failed && jx_int(o, "success", -1) == rq->n - failed)
        return;
    for (int i = 0; i < rq->n; i++)
        if (out[i].kind == PUSH_ACCEPTED)
            vendor_all(&out[i], 1, PUSH_DOUBT, "does_not_add_up");
}

static void judge(struct arena *mem, const char *const *tokens, const struct vendor_request *rq,
                  const struct vendor_answer *a, struct push_verdict *out,
                  struct vendor_heard *heard)
{
    json_t *o = vendor_json(mem, a);
    const char *code = o ? jx_text(o, "code") : NULL;

    if (code && !strcmp(code, "80100000") && a->status == 200) {
        heard->news = LANE_WENT;
        judge_part(mem, tokens, rq, jx_text(o, "msg"), out);
        return;
    }
    if (code && a->status < 500 && vendor_by_code(codes, code, rq->n, out, heard) &&
        (a->status == 200 || out[0].kind != PUSH_ACCEPTED))
        return;
    if (vendor_by_status(a, rq->n, out, heard))
        return;
    if (!code || *vendor_word(mem, code) == '\0') {
        vendor_unread(rq->n, out, heard);
        return;
    }
    heard->news = LANE_WENT;
    vendor_all(out, rq->n, PUSH_REJECTED, vendor_word(mem, code));
}

const struct vendor vendor_huawei = { .by = TRANSPORT_HUAWEI,
                                      .needs = v2_needs,
                                      .ask_grant = v2_ask,
                                      .take_grant = v2_take,
                                      .build = v2_build,
                                      .judge = judge,
                                      .read_receipts = vendor_read_statuses,
                                      .recalls = VENDOR_RECALL_OVERWRITE };
const struct vendor vendor_huawei_next = { .by = TRANSPORT_HUAWEI_NEXT,
                                           .needs = v3_needs,
                                           .sign_grant = v3_sign,
                                           .build = v3_build,
                                           .judge = judge,
                                           .read_receipts = vendor_read_statuses,
                                           .recalls = VENDOR_RECALL_REVOKE,
                                           .revoke = v3_revoke,
                                           .can_revoke = v3_can_revoke };
