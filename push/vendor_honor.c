/*
 * vendor_honor.c - Honor: once Huawei's interface, now its own, with lists of tokens beside the code.
 */
#include <stdio.h>
#include <string.h>

#include "push/vendor_part.h"

enum { TOKENS = 1000, PAYLOAD = 4096, TTL_MAX = 1296000 };

static const char usual[] = "https://push-api.cloud.hihonor.com",
                  usual_sign_in[] = "https://iam.developer.hihonor.com";

static const struct vendor_code codes[] = {
    { "200", PUSH_ACCEPTED, LANE_WENT, false, "" },
    { "401", PUSH_AGAIN, LANE_WENT, true, "authentication" },
    { "80200001", PUSH_AGAIN, LANE_WENT, true, "authentication" },
    { "80200003", PUSH_AGAIN, LANE_WENT, true, "token_expired" },
    { "80300007", PUSH_REJECTED, LANE_WENT, false, "all_tokens_invalid" },
    { "80300008", PUSH_REJECTED, LANE_WENT, false, "too_large" },
    { "80300010", PUSH_REJECTED, LANE_WENT, false, "too_many_tokens" },
    { "81000001", PUSH_DOUBT, LANE_FAILED, false, "internal_error" },
    {},
};

static const struct vendor_need needs[] = { VENDOR_NEED(push_honor_app),
                                            VENDOR_NEED(push_honor_client),
                                            VENDOR_NEED(push_honor_client_secret),
                                            {} };

static void ask_grant(const struct vendor_site *s, struct arena *mem, int64_t now,
                      struct vendor_request *out)
{
    struct buf b = BUF_IN(mem);

    (void)now;
    vendor_form(&b, "grant_type", "client_credentials");
    vendor_form(&b, "client_id", s->conf->push_honor_client);
    vendor_form(&b, "client_secret", s->conf->push_honor_client_secret);
    *out = (struct vendor_request){
        .method = "POST",
        .url = arena_printf(mem, "%s/auth/realms/developer/protocol/openid-connect/token",
                            vendor_base(s, TRANSPORT_HONOR, usual_sign_in)),
        .headers =
            vendor_headers(mem, "content-type", "application/x-www-form-urlencoded", NULL),
    };
    vendor_body(out, &b);
}

static bool take_grant(const struct vendor_site *s, struct arena *mem,
                       const struct vendor_answer *a, struct vendor_grant *out)
{
    json_t *o = a->status == 200 ? vendor_json(mem, a) : NULL;

    (void)s;
    return o && vendor_grant_of(mem, jx_text(o, "access_token"), jx_int(o, "expires_in", 0),
                                a->now, out);
}

static void put(struct buf *b, const struct push_message *m)
{
    buf_adds(b, "{\"android\":{");
    jx_put_text(
        b, "ttl",
        arena_printf(b->mem, "%llds", (long long)(m->ttl < TTL_MAX ? m->ttl : TTL_MAX)));
    jx_put_int(b, "targetUserType", 0);
    jx_put_text(b, "biTag", m->mark);
    buf_adds(b, ",\"notification\":{");
    jx_put_text(b, "title", m->title);
    jx_put_text(b, "body", m->text);
    jx_put_text(b, "image", vendor_some(m->picture));
    jx_put_text(b, "importance", m->class == PUSH_MARKETING ? "LOW" : "NORMAL");
    jx_put_int(b, "notifyId", vendor_number(m->collapse));
    buf_adds(b, ",\"clickAction\":{");
    jx_put_int(b, "type", *m->link ? 2 : 3);
    jx_put_text(b, "url", vendor_some(m->link));
    buf_addc(b, '}');
    if (m->badge >= 0)
        buf_printf(b, ",\"badge\":{\"setNum\":%d}", m->badge);
    buf_adds(b, "}}");
}

static enum rc build(const struct vendor_site *s, struct arena *mem, const char *grant,
                     const struct push_message *m, const char *const *tokens, int n,
                     int64_t now, struct vendor_request *out)
{
    struct buf b = BUF_IN(mem);

    put(&b, m);
    if (b.n > PAYLOAD)
        return RC_INVALID;
    out->n = n < TOKENS ? n : TOKENS;
    vendor_tokens(&b, "token", tokens, out->n);
    buf_addc(&b, '}');
    out->method = "POST";
    out->url = arena_printf(mem, "%s/api/v1/%s/sendMessage",
                            vendor_base(s, TRANSPORT_HONOR, usual), s->conf->push_honor_app);
    out->headers = vendor_headers(mem, "content-type", "application/json", "authorization",
                                  arena_printf(mem, "Bearer %s", grant), "timestamp",
                                  arena_printf(mem, "%lld", (long long)now * 1000), NULL);
    vendor_body(out, &b);
    return RC_OK;
}

static void mark(const char *const *tokens, const struct vendor_request *rq, const json_t *list,
                 enum push_verdict_kind kind, const char *why, struct push_verdict *out)
{
    const json_t *token;
    size_t i;

    json_array_foreach(list, i, token) if (json_is_string(token))(void)
        vendor_one(tokens, rq, json_string_value(token), out, kind, why);
}

static void judge(struct arena *mem, const char *const *tokens, const struct vendor_request *rq,
                  const struct vendor_answer *a, struct push_verdict *out,
                  struct vendor_heard *heard)
{
    json_t *o, *data;

    if (!(o = vendor_by_body(codes, "code", mem, a, rq->n, out, heard)))
        return;
    data = json_object_get(o, "data");
    if (out[0].kind != PUSH_ACCEPTED || !json_is_object(data))
        return;
    mark(tokens, rq, json_object_get(data, "failTokens"), PUSH_REJECTED, "fail_token", out);
    mark(tokens, rq, json_object_get(data, "expireTokens"), PUSH_GONE, "expire_token", out);
}

const struct vendor vendor_honor = { .by = TRANSPORT_HONOR,
                                     .needs = needs,
                                     .ask_grant = ask_grant,
                                     .take_grant = take_grant,
                                     .build = build,
                                     .judge = judge,
                                     .read_receipts = vendor_read_statuses,
                                     .recalls = VENDOR_RECALL_OVERWRITE };
