/*
 * campaign_read.c - what staff write of a campaign, read strictly; and what the server's owner settled.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "push/audience.h"
#include "push/campaign.h"
#include "server/base/clock.h"
#include "server/base/conf.h"
#include "server/library/field.h"

/* ---- settled ---- */

static struct {
    struct campaign_conf conf;
    struct conf_list testers, columns;
    struct arena *mem;
} settled = { .conf = { .news_licence = "", .sender = "", .two_eyes_from = 100000 } };

const struct campaign_conf *campaign_settled(void)
{
    return &settled.conf;
}

static _Atomic unsigned transports;

void campaign_transports(unsigned on)
{
    transports = on;
}

bool campaign_is_on(enum transport by)
{
    return transports >> by & 1;
}

static bool is_number(const char *text)
{
    return *text > '0' && strspn(text, "0123456789") == strlen(text) && strlen(text) < 18;
}

static struct conf_list copy_list(struct arena *mem, const struct conf_list *list)
{
    struct conf_list out = { .n = list ? list->n : 0 };

    for (int i = 0; i < out.n; i++)
        out.v[i] = arena_strdup(mem, list->v[i]);
    return out;
}

static enum rc check_numbers(struct err *e, const struct conf_list *list, const char *what)
{
    for (int i = 0; list && i < list->n; i++)
        if (!is_number(list->v[i]))
            return err_set(e, RC_INVALID, "%s, separated by commas", what);
    return RC_OK;
}

enum rc campaign_open(struct err *e, const struct campaign_conf *c)
{
    struct arena *mem, *before = settled.mem;
    enum rc rc;

    if ((rc = check_numbers(e, c->testers, "push_testers are numbers of accounts")) ||
        (rc = check_numbers(e, c->columns, "push_columns are numbers of columns")))
        return rc;
    settled.mem = mem = arena_new();
    settled.testers = copy_list(mem, c->testers);
    settled.columns = copy_list(mem, c->columns);
    settled.conf = (struct campaign_conf){
        .news_licence = arena_strdup(mem, c->news_licence ? c->news_licence : ""),
        .sender = arena_strdup(mem, c->sender ? c->sender : ""),
        .two_eyes_from = c->two_eyes_from,
        .a_person = c->a_person,
        .missing_after = c->missing_after,
        .columns = &settled.columns,
        .testers = &settled.testers,
    };
    arena_free(before);
    return RC_OK;
}

/* ---- members ---- */

static enum rc read_item(struct work *w, const json_t *v, struct campaign *c)
{
    const char *text = json_string_value(v);

    if (!id_parse(text, strlen(text), &c->item))
        return err_field(&w->err, "/item", "item 是内容的编号（UUID）");
    return RC_OK;
}

static enum rc read_class(struct work *w, const json_t *v, struct campaign *c)
{
    int class = push_class_parse(json_string_value(v));

    if (!class)
        return err_field(&w->err, "/class",
                         "类别是 service（服务与通讯）或 marketing（资讯营销）");
    c->class = (enum push_class) class;
    return RC_OK;
}

static enum rc read_title(struct work *w, const json_t *v, struct campaign *c)
{
    c->title = json_string_value(v);
    if (field_check_line(&w->err, "title", c->title, strlen(c->title), 1, CAMPAIGN_TITLE_MAX))
        return err_field(&w->err, "/title", "标题是 1 到 %d 个字的一行", CAMPAIGN_TITLE_MAX);
    return RC_OK;
}

static enum rc read_text(struct work *w, const json_t *v, struct campaign *c)
{
    c->text = json_string_value(v);
    if (field_check_text(&w->err, "text", c->text, strlen(c->text), 1, CAMPAIGN_BODY_MAX))
        return err_field(&w->err, "/text", "正文是 1 到 %d 个字", CAMPAIGN_BODY_MAX);
    return RC_OK;
}

/* Visible ASCII, so that nothing in it looks like something else. */
static bool good_link(const char *text)
{
    size_t n = strlen(text), host = sizeof "https://" - 1;

    for (const char *s = text; *s; s++)
        if (*s <= ' ' || *s > '~' || strchr("\"<>\\^`{|}", *s))
            return false;
    return n <= CAMPAIGN_LINK_MAX && !strncmp(text, "https://", host) &&
           strcspn(text + host, "/?#@:") > 0 && !strchr(text, '@');
}

static enum rc read_link(struct work *w, const json_t *v, struct campaign *c)
{
    c->link = json_string_value(v);
    if (*c->link && !good_link(c->link))
        return err_field(&w->err, "/link",
                         "链接要以 https:// 开头，最长 %d 字节；不写就是这条内容的页面",
                         CAMPAIGN_LINK_MAX);
    return RC_OK;
}

static enum rc read_picture(struct work *w, const json_t *v, struct campaign *c)
{
    uint8_t hash[HASH_BYTES];

    c->picture = json_string_value(v);
    if (*c->picture && !hex_parse(c->picture, strlen(c->picture), hash, sizeof hash))
        return err_field(&w->err, "/picture",
                         "图片是这条内容的题图或附件的 SHA-256（64 位小写十六进制）");
    return RC_OK;
}

static enum rc read_audience(struct work *w, const json_t *v, struct campaign *c)
{
    struct buf text = BUF_IN(w->mem);
    struct audience *a;
    enum rc rc = audience_parse(w, v, &a);

    if (rc)
        return rc;
    audience_print(a, &text);
    if (text.n > AUDIENCE_TEXT_MAX)
        return err_field(&w->err, "/audience", "范围写出来最多 %d 字节", AUDIENCE_TEXT_MAX);
    c->audience = text.p;
    return RC_OK;
}

static bool good_area(const char *code)
{
    return code && strlen(code) == 6 && strspn(code, "0123456789") == 6;
}

/* Each once: of two places the first would count, and the second mislead. */
static enum rc read_districts(struct work *w, const json_t *v, struct campaign *c)
{
    struct buf text = BUF_IN(w->mem);
    const json_t *code, *other;
    size_t i, k;

    json_array_foreach(v, i, code)
    {
        if (!good_area(json_string_value(code)))
            return err_field(&w->err, "/districts", "先后次序由区的区划代码（6 位数字）组成");
        json_array_foreach(v, k, other) if (k < i && json_equal(code, other)) return err_field(
            &w->err, "/districts", "%s 写了两次", json_string_value(code));
    }
    jx_canonical(&text, v);
    c->districts = text.p;
    return RC_OK;
}

static enum rc read_doubt(struct work *w, const json_t *v, struct campaign *c)
{
    const char *word = json_string_value(v);

    c->doubt = !strcmp(word, "resend") ? CAMPAIGN_RESEND : CAMPAIGN_SKIP;
    if (strcmp(word, campaign_doubt_word(c->doubt)))
        return err_field(&w->err, "/doubt",
                         "doubt 是 skip（不重发，留给消息列表）或 resend（重发）");
    return RC_OK;
}

static enum rc read_start(struct work *w, const json_t *v, struct campaign *c)
{
    const char *text = json_string_value(v);

    c->start = 0;
    if (*text && (clock_parse(text, strlen(text), &c->start) || c->start <= 0))
        return err_field(&w->err, "/start",
                         "开始的时间写成 2026-11-21T18:00:00+08:00；不写就是排期后立即开始");
    return RC_OK;
}

static enum rc read_ttl(struct work *w, const json_t *v, struct campaign *c)
{
    (void)w;
    c->ttl = json_integer_value(v);
    return RC_OK;
}

static enum rc read_pace(struct work *w, const json_t *v, struct campaign *c)
{
    (void)w;
    c->pace = json_integer_value(v);
    return RC_OK;
}

/* By name, as docs/reference has them. Of a new one the first must be there. */
static const struct member {
    struct jx_field field;
    bool must;
    enum rc (*read)(struct work *w, const json_t *v, struct campaign *c);
} members[] = {
    { { "audience", JX_OBJECT, false, 0, 0 }, true, read_audience },
    { { "class", JX_TEXT, false, 1, 20 }, true, read_class },
    { { "districts", JX_TEXTS, false, 0, CAMPAIGN_DISTRICTS }, false, read_districts },
    { { "doubt", JX_TEXT, false, 1, 20 }, false, read_doubt },
    { { "item", JX_TEXT, false, 1, 40 }, true, read_item },
    { { "link", JX_TEXT, false, 0, CAMPAIGN_LINK_MAX }, false, read_link },
    { { "pace", JX_INT, false, 0, CAMPAIGN_PACE_MAX }, false, read_pace },
    { { "picture", JX_TEXT, false, 0, 64 }, false, read_picture },
    { { "start", JX_TEXT, false, 0, 40 }, false, read_start },
    { { "text", JX_TEXT, false, 0, 0 }, true, read_text },
    { { "title", JX_TEXT, false, 0, 0 }, true, read_title },
    { { "ttl", JX_INT, false, CAMPAIGN_TTL_MIN, CAMPAIGN_TTL_MAX }, false, read_ttl },
};

enum { MEMBERS = sizeof members / sizeof *members };

static enum rc missing(struct work *w, const char *name)
{
    if (!strcmp(name, "item"))
        return err_field(&w->err, "/item",
                         "推送总是指向一条已发布的内容：随手写的通知，请先发布一条“消息”（kind "
                         "为 message），再推送它");
    return err_field(&w->err, arena_printf(w->mem, "/%s", name), "缺少 %s", name);
}

enum rc campaign_read(struct work *w, const json_t *body, bool new, struct campaign *c)
{
    struct jx_field wanted[MEMBERS + 1] = { 0 };
    enum rc rc;

    for (int i = 0; i < MEMBERS; i++)
        wanted[i] = members[i].field;
    if (new && !json_object_get(body, "item"))
        return missing(w, "item");
    if ((rc = jx_check(&w->err, body, wanted, "")))
        return rc;
    if (!new &&json_object_get(body, "item"))
        return err_field(&w->err, "/item", "推送不能改指另一条内容：请另起草一条");
    for (int i = 0; i < MEMBERS; i++) {
        const json_t *v = json_object_get(body, wanted[i].name);

        if (!v && new &&members[i].must)
            return missing(w, wanted[i].name);
        if (v && (rc = members[i].read(w, v, c)))
            return rc;
    }
    return RC_OK;
}
