/*
 * vendor_wechat.c - WeChat's subscribe messages: one citizen a request, a template that WeChat has approved, and a consent that is good for one message.
 *
 * Who has not consented, or has used his consent up, is refused (43101): he is no less reachable tomorrow, so nothing of him is removed. The access token stands in the URL, because
 * WeChat knows no other place for it; URLs are not logged.
 */
#include <string.h>

#include "push/vendor_part.h"

static const char usual[] = "https://api.weixin.qq.com";

static const struct vendor_code codes[] = {
    { "0", PUSH_ACCEPTED, LANE_WENT, false, "" },
    { "-1", PUSH_AGAIN, LANE_DOWN, false, "busy" },
    { "40001", PUSH_AGAIN, LANE_WENT, true, "authentication" },
    { "40014", PUSH_AGAIN, LANE_WENT, true, "authentication" },
    { "42001", PUSH_AGAIN, LANE_WENT, true, "token_expired" },
    { "40003", PUSH_REJECTED, LANE_WENT, false, "openid" },
    { "43101", PUSH_REJECTED, LANE_WENT, false, "no_consent" },
    { "47003", PUSH_REJECTED, LANE_WENT, false, "template_data" },
    { "45009", PUSH_AGAIN, LANE_DOWN, false, "calls_a_day" },
    {},
};

static const struct vendor_need needs[] = { VENDOR_NEED(push_wechat_app),
                                            VENDOR_NEED(push_wechat_app_secret),
                                            VENDOR_NEED(push_wechat_template),
                                            {} };

/* A template numbers its fields as it was put together: those of the kind "thing" take any text, of 20 characters. */
static const char *lacks(const struct vendor_site *s)
{
    const struct conf_list *f = &s->conf->push_wechat_fields;
    bool good = f->n == 2 || f->n == 3;

    for (int i = 0; i < f->n && good; i++) {
        const char *number = f->v[i] + 5;

        good = !strncmp(f->v[i], "thing", 5) && *number &&
               strspn(number, "0123456789") == strlen(number) && strlen(number) <= 2;
    }
    return good ? NULL : "push_wechat_fields: two or three fields of the kind \"thing\"";
}

static void ask_grant(const struct vendor_site *s, struct arena *mem, int64_t now,
                      struct vendor_request *out)
{
    struct buf b = BUF_IN(mem);

    (void)now;
    buf_addc(&b, '{');
    jx_put_text(&b, "grant_type", "client_credential");
    jx_put_text(&b, "appid", s->conf->push_wechat_app);
    jx_put_text(&b, "secret", s->conf->push_wechat_app_secret);
    buf_addc(&b, '}');
    *out = (struct vendor_request){
        .method = "POST",
        .url = arena_printf(mem, "%s/cgi-bin/stable_token",
                            vendor_base(s, TRANSPORT_WECHAT, usual)),
        .headers = vendor_headers(mem, "content-type", "application/json", NULL),
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

static void put_value(struct buf *b, const char *name, const char *value)
{
    jx_key(b, name);
    buf_addc(b, '{');
    jx_put_text(b, "value", value);
    buf_addc(b, '}');
}

static enum rc build(const struct vendor_site *s, struct arena *mem, const char *grant,
                     const struct push_message *m, const char *const *tokens, int n,
                     int64_t now, struct vendor_request *out)
{
    const struct conf_list *fields = &s->conf->push_wechat_fields;
    struct buf b = BUF_IN(mem), url = BUF_IN(mem);

    (void)n, (void)now;
    buf_addc(&b, '{');
    jx_put_text(&b, "touser", tokens[0]);
    jx_put_text(&b, "template_id", s->conf->push_wechat_template);
    if (*s->conf->push_wechat_page)
        jx_put_text(&b, "page",
                    arena_printf(mem, "%s?campaign=%lld", s->conf->push_wechat_page,
                                 (long long)m->number));
    buf_adds(&b, ",\"data\":{");
    put_value(&b, fields->v[0], m->title);
    put_value(&b, fields->v[1], m->text);
    if (fields->n > 2)
        put_value(&b, fields->v[2], vendor_some(m->sender) ? m->sender : m->title);
    buf_adds(&b, "}}");
    buf_printf(&url, "%s/cgi-bin/message/subscribe/send?access_token=",
               vendor_base(s, TRANSPORT_WECHAT, usual));
    buf_url(&url, grant, strlen(grant));
    out->n = 1;
    out->method = "POST";
    out->url = url.p;
    out->headers = vendor_headers(mem, "content-type", "application/json", NULL);
    vendor_body(out, &b);
    return RC_OK;
}

static void judge(struct arena *mem, const char *const *tokens, const struct vendor_request *rq,
                  const struct vendor_answer *a, struct push_verdict *out,
                  struct vendor_heard *heard)
{
    (void)tokens;
    (void)vendor_by_body(codes, "errcode", mem, a, rq->n, out, heard);
}

const struct vendor vendor_wechat = { .by = TRANSPORT_WECHAT,
                                      .needs = needs,
                                      .lacks = lacks,
                                      .ask_grant = ask_grant,
                                      .take_grant = take_grant,
                                      .build = build,
                                      .judge = judge };
