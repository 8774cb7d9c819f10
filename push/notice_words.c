/*
 * notice_words.c - reading a template, and filling its places.
 *
 * A pattern is walked once to fill it, and in the same way to check it, with the longest values that there may be: so what was approved cannot turn out not to fit.
 */
#include "push/notice_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/library/field.h"

/* ---- types ---- */

static bool is_of(const char *s, const char *set)
{
    return *s && !s[strspn(s, set)];
}

static bool is_number(const char *s)
{
    return is_of(s + (*s == '-'), "0123456789.,");
}

static bool is_code(const char *s)
{
    return is_of(s, "-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

/* Whether it is `form` with digits for its zeros. */
static bool has_form(const char *s, const char *form)
{
    for (; *form; form++, s++)
        if (*form == '0' ? *s < '0' || *s > '9' : *s != *form)
            return false;
    return !*s;
}

static bool is_day(const char *s)
{
    static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int month = (s[5] - '0') * 10 + s[6] - '0', day = (s[8] - '0') * 10 + s[9] - '0';
    int year = (s[0] - '0') * 1000 + (s[1] - '0') * 100 + (s[2] - '0') * 10 + s[3] - '0';
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
           (leap || month != 2 || day < 29);
}

static bool is_date(const char *s)
{
    return has_form(s, "0000-00-00") && is_day(s);
}

static bool is_time(const char *s)
{
    return has_form(s, "0000-00-00 00:00") && is_day(s) &&
           (s[11] - '0') * 10 + s[12] - '0' < 24 && s[14] < '6';
}

static bool is_line(const char *s)
{
    struct err unused;

    return !field_check_line(&unused, "", s, strlen(s), 1, NOTICE_VALUE_MAX);
}

static const struct type {
    const char *word, *chinese;
    bool (*fits)(const char *s);
    int most;     /* characters, if the template does not say; 0: it must */
    bool in_link; /* may stand in an address */
} types[] = {
    [NOTICE_LINE] = { "text", "一行文字", is_line, 0, false },
    [NOTICE_NUMBER] = { "number", "数字", is_number, 0, true },
    [NOTICE_CODE] = { "code", "字母、数字和 - _", is_code, 0, true },
    [NOTICE_DATE] = { "date", "日期，如 2026-11-21", is_date, 10, true },
    [NOTICE_TIME] = { "time", "时间，如 2026-11-21 09:30", is_time, 16, false },
};

enum { TYPES = sizeof types / sizeof *types };

static int type_find(const char *word)
{
    for (int i = 0; i < TYPES; i++)
        if (!strcmp(types[i].word, word))
            return i;
    return -1;
}

static int characters(const char *s)
{
    int n = 0;

    for (; *s; s++)
        n += (*s & 0xc0) != 0x80;
    return n;
}

/* ---- words ---- */

bool notice_word_ok(const char *word)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

    return *word && !strchr("_-", *word) && strlen(word) <= NOTICE_WORD_MAX &&
           strspn(word, set) == strlen(word);
}

static bool place_name_ok(const char *name)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

    return *name >= 'a' && *name <= 'z' && strlen(name) <= NOTICE_PLACE_MAX &&
           strspn(name, set) == strlen(name);
}

static enum rc read_place(struct work *w, const char *name, const json_t *value,
                          struct notice_words *t)
{
    static const struct jx_field members[] = { { "most", JX_INT, false, 1, NOTICE_VALUE_MAX },
                                               { "type", JX_TEXT, true, 1, 20 },
                                               { 0 } };
    const char *at;
    enum rc rc;
    int type;

    if (!place_name_ok(name))
        return err_field(&w->err, "/places",
                         "空位的名称是小写字母开头的字母、数字和 _，最多 %d 个",
                         NOTICE_PLACE_MAX);
    at = arena_printf(w->mem, "/places/%s", name);
    if (t->places == NOTICE_PLACES)
        return err_field(&w->err, "/places", "一个模板最多 %d 个空位", NOTICE_PLACES);
    if (!json_is_object(value))
        return err_field(&w->err, at, "空位写成 {\"type\":\"text\",\"most\":20}");
    if ((rc = jx_check(&w->err, value, members, at)))
        return rc;
    if ((type = type_find(jx_text(value, "type"))) < 0)
        return err_field(&w->err, at, "type 是 text、number、code、date、time 之一");
    if (!types[type].most && !jx_int(value, "most", 0))
        return err_field(&w->err, at, "这一类空位要写明最多几个字：most");
    t->place[t->places++] = (struct notice_place){
        .name = name,
        .type = (enum notice_type)type,
        .most = types[type].most ? types[type].most : (int)jx_int(value, "most", 0),
    };
    return RC_OK;
}

static enum rc read_places(struct work *w, const json_t *body, struct notice_words *t)
{
    json_t *places = json_object_get(body, "places"), *value;
    const char *name;
    enum rc rc = RC_OK;

    json_object_foreach(places, name,
                        value) if ((rc = read_place(w, name, value, t))) return rc;
    return rc;
}

static int place_find(const struct notice_words *t, const char *name, size_t n)
{
    for (int i = 0; i < t->places; i++)
        if (strlen(t->place[i].name) == n && !memcmp(t->place[i].name, name, n))
            return i;
    return -1;
}

/* A place's name as a sentence may show it: only if it could be one. */
static const char *shown(struct work *w, const char *name, size_t n)
{
    const char *one = arena_strndup(w->mem, name, n);

    return place_name_ok(one) ? arena_printf(w->mem, " {%s} ", one) : "";
}

/* ---- patterns ---- */

struct walk {
    const char *at;           /* of the field, "/text" */
    const char *const *value; /* by place */
    unsigned used;            /* bits of places that it had */
    bool link;
};

static enum rc put_place(struct work *w, const struct notice_words *t, const char *name,
                         size_t n, struct walk *k, struct buf *out)
{
    int i = place_find(t, name, n);

    if (i < 0)
        return err_field(&w->err, k->at, "空位%s没有在 places 里说明", shown(w, name, n));
    if (k->link && !types[t->place[i].type].in_link)
        return err_field(&w->err, k->at, "链接里只能放 code、number、date 的空位，{%s} 不是",
                         t->place[i].name);
    k->used |= 1U << i;
    buf_adds(out, k->value[i]);
    return RC_OK;
}

static enum rc walk(struct work *w, const struct notice_words *t, const char *pattern,
                    struct walk *k, const char **text)
{
    struct buf out = BUF_IN(w->mem);

    for (const char *s = pattern; *s;) {
        size_t n = strcspn(s, "{}");
        enum rc rc;

        buf_add(&out, s, n);
        s += n;
        if (!*s)
            break;
        n = strcspn(s + 1, "{}");
        if (*s == '}' || s[1 + n] != '}')
            return err_field(&w->err, k->at, "大括号只用来写空位：{名称}");
        if ((rc = put_place(w, t, s + 1, n, k, &out)))
            return rc;
        s += n + 2;
    }
    *text = out.p ? out.p : "";
    return RC_OK;
}

/* ---- as it is drafted ---- */

/* The longest that may stand there. */
static const char *longest(struct work *w, const struct notice_place *p)
{
    struct buf b = BUF_IN(w->mem);

    for (int i = 0; i < p->most; i++)
        buf_adds(&b, p->type == NOTICE_LINE ? "例" : "8");
    return b.p;
}

static enum rc check_lengths(struct work *w, const struct notice_filled *f)
{
    if (field_check_line(&w->err, "title", f->title, strlen(f->title), 1, NOTICE_TITLE_MAX))
        return err_field(&w->err, "/title", "标题是一行，填满以后最多 %d 个字，现在有 %d 个",
                         NOTICE_TITLE_MAX, characters(f->title));
    if (f->text &&
        field_check_text(&w->err, "text", f->text, strlen(f->text), 1, NOTICE_TEXT_MAX))
        return err_field(&w->err, "/text", "正文填满以后最多 %d 个字，现在有 %d 个",
                         NOTICE_TEXT_MAX, characters(f->text));
    if (f->link && strlen(f->link) > NOTICE_LINK_MAX)
        return err_field(&w->err, "/link", "链接填满以后最多 %d 个字节", NOTICE_LINK_MAX);
    return RC_OK;
}

static enum rc fill(struct work *w, const struct notice_words *t, const char *const *value,
                    struct notice_filled *out, unsigned *used)
{
    struct walk title = { "/title", value, 0, false }, text = { "/text", value, 0, false },
                link = { "/link", value, 0, true };
    enum rc rc;

    *out = (struct notice_filled){ 0 };
    if ((rc = walk(w, t, t->title, &title, &out->title)) ||
        (t->text && (rc = walk(w, t, t->text, &text, &out->text))) ||
        (t->link && (rc = walk(w, t, t->link, &link, &out->link))))
        return rc;
    *used = title.used | text.used | link.used;
    return RC_OK;
}

static enum rc check_patterns(struct work *w, const struct notice_words *t)
{
    const char *value[NOTICE_PLACES];
    struct notice_filled f;
    unsigned used;
    enum rc rc;

    for (int i = 0; i < t->places; i++)
        value[i] = longest(w, &t->place[i]);
    if ((rc = fill(w, t, value, &f, &used)) || (rc = check_lengths(w, &f)))
        return rc;
    for (int i = 0; i < t->places; i++)
        if (!(used >> i & 1U))
            return err_field(&w->err, "/places", "空位 {%s} 没有用到", t->place[i].name);
    return RC_OK;
}

const char *notice_words_host(struct work *w, const struct notice_words *t)
{
    const char *host = t->link ? t->link + strlen("https://") : NULL;

    return host ? arena_strndup(w->mem, host, strcspn(host, "/")) : NULL;
}

/* https, and the host is written out: what is filled in stands behind it. */
static enum rc check_link(struct work *w, const struct notice_words *t)
{
    static const char set[] = "-.0123456789abcdefghijklmnopqrstuvwxyz";
    const char *host;
    size_t n;

    if (!t->link)
        return RC_OK;
    if (t->has_item)
        return err_field(&w->err, "/link", "链接和内容（item）只写一个");
    host = t->link + strlen("https://");
    if (strncmp(t->link, "https://", strlen("https://")) || !(n = strspn(host, set)) ||
        host[n] != '/')
        return err_field(&w->err, "/link",
                         "链接以 https://域名/ 开头，域名里没有空位、端口和用户名");
    for (const char *s = t->link; *s; s++)
        if (*s <= ' ' || *s > '~' || strchr("\"<>\\^`|", *s))
            return err_field(&w->err, "/link", "链接只有可见的 ASCII 字符");
    return RC_OK;
}

static enum rc read_item(struct work *w, const json_t *body, struct notice_words *t)
{
    const char *id = jx_text(body, "item");

    t->has_item = id != NULL;
    if (id && !id_parse(id, strlen(id), &t->item))
        return err_field(&w->err, "/item", "这不是内容的编号");
    return RC_OK;
}

enum rc notice_words_read(struct work *w, const json_t *body, struct notice_words *out)
{
    static const struct jx_field members[] = {
        { "days", JX_INT, false, 1, NOTICE_DAYS_MAX },
        { "group", JX_TEXT, true, 1, NOTICE_WORD_MAX },
        { "item", JX_TEXT, false, ID_TEXT - 1, ID_TEXT - 1 },
        { "label", JX_TEXT, true, 1, NOTICE_LABEL_MAX },
        { "link", JX_TEXT, false, 1, NOTICE_LINK_MAX },
        { "mandatory", JX_BOOL, false, 0, 0 },
        { "places", JX_OBJECT, false, 0, 0 },
        { "text", JX_TEXT, false, 1, NOTICE_TEXT_MAX },
        { "title", JX_TEXT, true, 1, NOTICE_TITLE_MAX + NOTICE_PLACES * NOTICE_PLACE_MAX },
        { "ttl", JX_INT, false, NOTICE_TTL_MIN, NOTICE_TTL_MAX },
        { 0 },
    };
    struct notice_words t;
    enum rc rc;

    if ((rc = jx_check(&w->err, body, members, "")))
        return rc;
    t = (struct notice_words){ .title = jx_text(body, "title"),
                               .text = jx_text(body, "text"),
                               .link = jx_text(body, "link"),
                               .group = jx_text(body, "group"),
                               .label = jx_text(body, "label"),
                               .mandatory = jx_bool(body, "mandatory", false),
                               .days = jx_int(body, "days", NOTICE_DAYS_MAX),
                               .ttl = jx_int(body, "ttl", NOTICE_TTL_USUAL) };
    if (!notice_word_ok(t.group))
        return err_field(&w->err, "/group", "组名是小写字母、数字、- 和 _，最多 %d 个",
                         NOTICE_WORD_MAX);
    if (field_check_line(&w->err, "label", t.label, strlen(t.label), 1, NOTICE_LABEL_MAX))
        return err_field(&w->err, "/label", "这一组的名称是一行，最多 %d 个字",
                         NOTICE_LABEL_MAX);
    if ((rc = read_item(w, body, &t)) || (rc = read_places(w, body, &t)) ||
        (rc = check_link(w, &t)) || (rc = check_patterns(w, &t)))
        return rc;
    *out = t;
    return RC_OK;
}

/* ---- as it is sent ---- */

static enum rc read_value(struct work *w, const struct notice_place *p, const json_t *values,
                          const char **out)
{
    const char *at = arena_printf(w->mem, "/values/%s", p->name), *text;
    const json_t *value = json_object_get(values, p->name);

    if (!value)
        return err_field(&w->err, at, "模板要求填写 {%s}：%s，最多 %d 个字", p->name,
                         types[p->type].chinese, p->most);
    text = json_string_value(value);
    if (!text || strlen(text) != json_string_length(value) || !types[p->type].fits(text))
        return err_field(&w->err, at, "{%s} 应是%s", p->name, types[p->type].chinese);
    if (characters(text) > p->most)
        return err_field(&w->err, at, "{%s} 最多 %d 个字，现在有 %d 个", p->name, p->most,
                         characters(text));
    *out = text;
    return RC_OK;
}

static enum rc refuse_unknown(struct work *w, const struct notice_words *t,
                              const json_t *values)
{
    json_t *value;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)values, name, value)
    {
        if (place_find(t, name, strlen(name)) < 0)
            return err_field(&w->err, "/values", "模板里没有这个空位%s",
                             shown(w, name, strlen(name)));
    }
    return RC_OK;
}

enum rc notice_words_fill(struct work *w, const struct notice_words *t, const json_t *values,
                          struct notice_filled *out)
{
    const char *value[NOTICE_PLACES];
    unsigned used;
    enum rc rc;

    if ((rc = refuse_unknown(w, t, values)))
        return rc;
    for (int i = 0; i < t->places; i++)
        if ((rc = read_value(w, &t->place[i], values, &value[i])))
            return rc;
    return fill(w, t, value, out, &used);
}
