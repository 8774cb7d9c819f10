/*
 * channel_wechat.c - WeChat official accounts: pictures, draft/add, freepublish (developers.weixin.qq.com, read 2026-11-21; not tried, for no account was at hand).
 *
 * Every answer is 200 and JSON with an errcode, 0 or absent where it went well. The access token stands in the URL, for WeChat knows no other place; URLs are not logged.
 */
#include <string.h>

#include "server/base/jx.h"
#include "server/channel/channel_platform.h"

enum { ERRMSG_MAX = 200, PUBLISH_DONE = 0, PUBLISHING = 1, NOT_THERE = 53600 };

/* The codes that mean something else than "refused, and again it would be". In all of them nothing was done. */
static const struct {
    int64_t code;
    enum channel_fate fate;
    const char *said;
} codes[] = {
    { 40001, FATE_TOKEN, "access_token 无效" },
    { 40014, FATE_TOKEN, "access_token 无效" },
    { 42001, FATE_TOKEN, "access_token 过期" },
    { 40164, FATE_REST, "本机地址不在公众号的 IP 白名单里" },
    { 40125, FATE_REST, "AppSecret 不对" },
    { 40013, FATE_REST, "AppID 不对" },
    { 40243, FATE_REST, "AppSecret 已冻结" },
    { 48001, FATE_REST, "公众号没有这个接口的权限" },
    { 45009, FATE_REST, "今天的调用次数用完了" },
    { 45011, FATE_REST, "调用太频繁" },
    { 50002, FATE_REST, "公众号受限" },
};

static const char *const outcomes[] = {
    [2] = "平台：原创审核未通过",   [3] = "平台：发布失败",     [4] = "平台：审核不通过",
    [5] = "平台：发布后被全部删除", [6] = "平台：发布后被封禁",
};

/* ---- requests ---- */

static const struct {
    enum channel_step step;
    const char *path, *more;
} paths[] = {
    { CHANNEL_STEP_COVER, "/cgi-bin/material/add_material", "&type=image" },
    { CHANNEL_STEP_PICTURE, "/cgi-bin/media/uploadimg", "" },
    { CHANNEL_STEP_DRAFT, "/cgi-bin/draft/add", "" },
    { CHANNEL_STEP_SUBMIT, "/cgi-bin/freepublish/submit", "" },
    { CHANNEL_STEP_RESULT, "/cgi-bin/freepublish/get", "" },
    { CHANNEL_STEP_LOOK, "/cgi-bin/freepublish/batchget", "" },
    { CHANNEL_STEP_DELETE, "/cgi-bin/freepublish/delete", "" },
};

static const char *url_of(const struct channel_asking *in, enum channel_step step,
                          struct arena *mem)
{
    struct buf b = BUF_IN(mem);

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (paths[i].step == step) {
            buf_printf(&b, "%s%s?access_token=", in->base, paths[i].path);
            buf_url(&b, in->grant, strlen(in->grant));
            buf_adds(&b, paths[i].more);
        }
    return b.p;
}

static void put_article(struct buf *b, const struct channel_asking *in)
{
    const struct channel_version *v = in->version;

    buf_adds(b, "{\"articles\":[{");
    if (*v->byline)
        jx_put_text(b, "author", v->byline);
    jx_put_text(b, "content", in->text->html);
    jx_put_text(b, "content_source_url", in->text->link);
    if (*v->digest)
        jx_put_text(b, "digest", v->digest);
    jx_put_int(b, "need_open_comment", 0);
    jx_put_text(b, "thumb_media_id", in->task->cover_id);
    jx_put_text(b, "title", v->title);
    buf_adds(b, "}]}");
}

static void put_one(struct buf *b, const char *key, const char *value)
{
    buf_addc(b, '{');
    jx_put_text(b, key, value);
    buf_addc(b, '}');
}

static void put_picture(const struct channel_asking *in, struct arena *mem,
                        struct channel_request *out)
{
    struct channel_form f;

    channel_form_begin(&f, mem, out);
    channel_form_part(&f, "media", "picture.", in->picture->bytes, in->picture->n);
    channel_form_end(&f);
}

static bool build(const struct channel_asking *in, enum channel_step step, struct arena *mem,
                  struct channel_request *out)
{
    struct buf *b = &out->body;

    *out = (struct channel_request){ .url = url_of(in, step, mem),
                                     .type = "application/json",
                                     .body = BUF_IN(mem) };
    switch (step) {
    case CHANNEL_STEP_COVER:
    case CHANNEL_STEP_PICTURE: put_picture(in, mem, out); return true;
    case CHANNEL_STEP_DRAFT: put_article(b, in); return true;
    case CHANNEL_STEP_SUBMIT: put_one(b, "media_id", in->task->draft_id); return true;
    case CHANNEL_STEP_RESULT: put_one(b, "publish_id", in->task->publish_id); return true;
    case CHANNEL_STEP_LOOK:
        buf_adds(b, "{\"count\":20,\"no_content\":1,\"offset\":0}");
        return true;
    case CHANNEL_STEP_DELETE:
        if (!in->task->article_id)
            return false;
        buf_addc(b, '{');
        jx_put_text(b, "article_id", in->task->article_id);
        jx_put_int(b, "index", 0);
        buf_addc(b, '}');
        return true;
    default: return false;
    }
}

static void build_grant(const struct channel_asking *in, struct arena *mem,
                        struct channel_request *out)
{
    *out =
        (struct channel_request){ .url = arena_printf(mem, "%s/cgi-bin/stable_token", in->base),
                                  .type = "application/json",
                                  .body = BUF_IN(mem) };
    buf_addc(&out->body, '{');
    jx_put_text(&out->body, "appid", in->account->handle);
    jx_put_text(&out->body, "grant_type", "client_credential");
    jx_put_text(&out->body, "secret", in->secrets->secret);
    buf_addc(&out->body, '}');
}

/* ---- answers ---- */

/* False: it went well. */
static bool is_refused(struct arena *mem, const json_t *o, struct channel_heard *out)
{
    int64_t code = jx_int(o, "errcode", 0);
    const char *message = jx_text(o, "errmsg");

    if (!code)
        return false;
    *out = (struct channel_heard){ .fate = FATE_REFUSED };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == code) {
            out->fate = codes[i].fate;
            out->said = arena_printf(mem, "%s（微信 %lld）", codes[i].said, (long long)code);
        }
    if (!out->said)
        out->said = arena_printf(mem, "微信 %lld：%.*s", (long long)code, ERRMSG_MAX,
                                 message ? message : "");
    return true;
}

/* A number where the manual shows a text, and the other way round, are both met. */
static const char *id_of(struct arena *mem, const json_t *o, const char *name)
{
    const json_t *id = json_object_get(o, name);

    if (json_is_integer(id))
        return arena_printf(mem, "%lld", (long long)json_integer_value(id));
    return json_is_string(id) && *json_string_value(id)
               ? arena_strdup(mem, json_string_value(id))
               : NULL;
}

/* Went, if the answer has that id. */
static void take_id(struct arena *mem, const json_t *o, const char *name, const char **to,
                    enum channel_step step, const struct channel_answer *a,
                    struct channel_heard *out)
{
    const char *id = id_of(mem, o, name);

    out->fate = id ? FATE_WENT : channel_no_answer(step, a);
    if (id)
        *to = id;
    else
        out->said = "微信的答复里没有编号";
}

static void take_result(struct arena *mem, const json_t *o, struct channel_task *t,
                        struct channel_heard *out)
{
    const json_t *detail = json_object_get(o, "article_detail"),
                 *first = json_array_get(json_object_get(detail, "item"), 0);
    int64_t status = jx_int(o, "publish_status", PUBLISHING);
    const char *url = jx_text(first, "article_url"), *id = id_of(mem, o, "article_id");

    out->fate = status == PUBLISHING ? FATE_NOT_YET : FATE_WENT;
    if (status == PUBLISHING)
        return;
    if (status < 0 || status >= (int64_t)(sizeof outcomes / sizeof *outcomes))
        out->said = arena_printf(mem, "平台：发布状态 %lld", (long long)status);
    else
        out->said = outcomes[status];
    if (status != PUBLISH_DONE && status < 5) {
        out->fate = FATE_REFUSED;
        t->publish_id = NULL;
        return;
    }
    if (id)
        t->article_id = id;
    if (url)
        t->url = arena_strdup(mem, url);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcmp(text + n - m, end);
}

/* Ours is the one whose source address ends with the task's number. */
static void look(struct arena *mem, const json_t *o, struct channel_task *t,
                 struct channel_heard *out)
{
    const char *mark = arena_printf(mem, "#tjzw-%lld", (long long)t->no);
    const json_t *one, *article;
    size_t i, k;

    out->fate = FATE_NOT_YET;
    json_array_foreach(json_object_get(o, "item"), i, one) json_array_foreach(
        json_object_get(json_object_get(one, "content"), "news_item"), k, article)
    {
        const char *source = jx_text(article, "content_source_url"),
                   *url = jx_text(article, "url");

        if (!source || !ends_with(source, mark))
            continue;
        out->fate = FATE_WENT;
        t->article_id = id_of(mem, one, "article_id");
        t->url = url ? arena_strdup(mem, url) : NULL;
        return;
    }
}

static void judge(struct arena *mem, enum channel_step step, const struct channel_answer *a,
                  struct channel_task *t, struct channel_heard *out)
{
    const json_t *o = a->status == 200 ? channel_answer_json(mem, a) : NULL;
    const char *url;

    *out = (struct channel_heard){ .fate = channel_no_answer(step, a) };
    if (!o ||
        jx_int(o, "errcode", 0) == -1) /* busy: whether it did something it does not say */
        return;
    if (step == CHANNEL_STEP_DELETE && jx_int(o, "errcode", 0) == NOT_THERE) {
        out->fate = FATE_WENT;
        return;
    }
    if (is_refused(mem, o, out)) {
        if (step == CHANNEL_STEP_RESULT && out->fate == FATE_REFUSED)
            out->fate = FATE_LOOK; /* the question is refused, and not what was accepted */
        return;
    }
    switch (step) {
    case CHANNEL_STEP_COVER: take_id(mem, o, "media_id", &t->cover_id, step, a, out); break;
    case CHANNEL_STEP_DRAFT: take_id(mem, o, "media_id", &t->draft_id, step, a, out); break;
    case CHANNEL_STEP_SUBMIT:
        take_id(mem, o, "publish_id", &t->publish_id, step, a, out);
        break;
    case CHANNEL_STEP_PICTURE:
        url = jx_text(o, "url");
        out->url = url ? arena_strdup(mem, url) : NULL;
        out->fate = url ? FATE_WENT : FATE_AGAIN;
        break;
    case CHANNEL_STEP_RESULT: take_result(mem, o, t, out); break;
    case CHANNEL_STEP_LOOK: look(mem, o, t, out); break;
    default: out->fate = FATE_WENT; break;
    }
}

static const char *take_grant(struct arena *mem, const struct channel_answer *a,
                              int64_t *seconds, struct channel_heard *out)
{
    const json_t *o = a->status == 200 ? channel_answer_json(mem, a) : NULL;
    const char *text = o ? jx_text(o, "access_token") : NULL;

    *out = (struct channel_heard){ .fate = FATE_AGAIN, .said = "微信没有答复" };
    if (!o || (!text && !is_refused(mem, o, out)))
        return NULL;
    if (!text)
        return NULL;
    *seconds = jx_int(o, "expires_in", 0);
    if (*seconds <= 0) {
        out->said = "微信给的 access_token 没有有效期";
        return NULL;
    }
    return arena_strdup(mem, text);
}

const struct channel_platform channel_wechat = { .kind = "wechat",
                                                 .grants = true,
                                                 .build = build,
                                                 .judge = judge,
                                                 .build_grant = build_grant,
                                                 .take_grant = take_grant };
