/*
 * channel_weibo.c - Weibo: statuses/share and statuses/destroy (open.weibo.com, read 2026-11-21; not tried, for no account was at hand).
 *
 * A refusal has an error_code, whatever its status. There is no question that tells whether a post is out: what is not answered is for a person to look at.
 */
#include <string.h>

#include "server/base/jx.h"
#include "server/channel/channel_platform.h"

enum { ERROR_MAX = 200, NOT_THERE = 20101 };

static const struct {
    int64_t code;
    enum channel_fate fate;
    const char *said;
} codes[] = {
    { 10001, FATE_DOUBT, NULL }, /* system error */
    { 10002, FATE_DOUBT, NULL }, /* service unavailable */
    { 10003, FATE_DOUBT, NULL }, /* remote service error */
    { 10009, FATE_AGAIN, "微博忙，稍后再试" },
    { 10010, FATE_DOUBT, NULL }, /* job expired */
    { 10022, FATE_REST, "本机地址的请求太多" },
    { 10023, FATE_REST, "账号的请求太多" },
    { 10024, FATE_REST, "这个接口的请求太多" },
    { 21314, FATE_REST, "access token 已用过" },
    { 21315, FATE_REST, "access token 过期" },
    { 21316, FATE_REST, "access token 已撤销" },
    { 21317, FATE_REST, "access token 不对" },
    { 21327, FATE_REST, "access token 过期" },
    { 21332, FATE_REST, "access token 不对" },
    { 20019, FATE_REFUSED, "与上一条微博相同" },
};

/* ---- requests ---- */

static void put_field(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, "%s%s=", b->n ? "&" : "", name);
    buf_url(b, value, strlen(value));
}

static void put_share(const struct channel_asking *in, struct arena *mem,
                      struct channel_request *out)
{
    const char *const values[][2] = { { "access_token", in->secrets->token },
                                      { "status", in->text->text },
                                      { "rip", in->secrets->address } };
    struct channel_form f;

    if (in->picture)
        channel_form_begin(&f, mem, out);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (in->picture)
            channel_form_part(&f, values[i][0], NULL, values[i][1], strlen(values[i][1]));
        else
            put_field(&out->body, values[i][0], values[i][1]);
    if (!in->picture)
        return;
    channel_form_part(&f, "pic", "picture.", in->picture->bytes, in->picture->n);
    channel_form_end(&f);
}

static bool build(const struct channel_asking *in, enum channel_step step, struct arena *mem,
                  struct channel_request *out)
{
    const char *path = step == CHANNEL_STEP_SHARE ? "share" : "destroy";

    *out = (struct channel_request){ .url = arena_printf(mem, "%s/2/statuses/%s.json", in->base,
                                                         path),
                                     .type = "application/x-www-form-urlencoded",
                                     .body = BUF_IN(mem) };
    if (step == CHANNEL_STEP_SHARE) {
        put_share(in, mem, out);
        return true;
    }
    if (step != CHANNEL_STEP_DELETE || !in->task->article_id)
        return false;
    put_field(&out->body, "access_token", in->secrets->token);
    put_field(&out->body, "id", in->task->article_id);
    return true;
}

/* ---- answers ---- */

static void take_refusal(struct arena *mem, int64_t code, const char *error,
                         enum channel_step step, struct channel_heard *out)
{
    *out = (struct channel_heard){ .fate = FATE_REFUSED };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == code) {
            out->fate = codes[i].fate;
            out->said = codes[i].said;
        }
    if (out->fate == FATE_DOUBT && !channel_step_is_risky(step))
        out->fate = FATE_AGAIN;
    out->said = arena_printf(mem, "%s（微博 %lld %.*s）", out->said ? out->said : "",
                             (long long)code, ERROR_MAX, error ? error : "");
}

static void judge(struct arena *mem, enum channel_step step, const struct channel_answer *a,
                  struct channel_task *t, struct channel_heard *out)
{
    const json_t *o = channel_answer_json(mem, a);
    int64_t code = o ? jx_int(o, "error_code", 0) : 0;
    const char *id = o ? jx_text(o, "idstr") : NULL;

    *out = (struct channel_heard){ .fate = channel_no_answer(step, a) };
    if (code == NOT_THERE && step == CHANNEL_STEP_DELETE)
        out->fate = FATE_WENT;
    else if (code)
        take_refusal(mem, code, jx_text(o, "error"), step, out);
    else if (a->status == 200 && o && step == CHANNEL_STEP_DELETE)
        out->fate = FATE_WENT;
    else if (a->status == 200 && o && (id || json_is_integer(json_object_get(o, "id")))) {
        t->article_id =
            id ? arena_strdup(mem, id)
               : arena_printf(mem, "%lld",
                              (long long)json_integer_value(json_object_get(o, "id")));
        out->fate = FATE_WENT;
    }
}

const struct channel_platform channel_weibo = { .kind = "weibo",
                                                .build = build,
                                                .judge = judge };
