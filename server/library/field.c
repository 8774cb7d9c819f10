/*
 * field.c - the table of what an item may say, and the rules that all text obeys.
 *
 * Text is refused rather than mended: a hash of what the publisher wrote must be a hash of what
 * we show. Two kinds of characters are kept out. Control characters, because no reader shows
 * them. In single lines also those that turn the direction of reading, take no room or break
 * lines under another name: with them a title looks like another one, or escapes a search.
 */
#include "server/library/field.h"

#include <inttypes.h>
#include <string.h>

static const struct {
    const char *name, *label;
} kinds[KIND_COUNT] = {
    [KIND_ARTICLE] = { "article", "文章" },   [KIND_POLICY] = { "policy", "政策文件" },
    [KIND_NOTICE] = { "notice", "通知公告" }, [KIND_MESSAGE] = { "message", "消息" },
    [KIND_FAQ] = { "faq", "问答" },           [KIND_GUIDE] = { "guide", "办事指南" },
    [KIND_SURVEY] = { "survey", "问卷" },     [KIND_WARNING] = { "warning", "预警" },
};

const char *kind_name(enum item_kind kind)
{
    return kinds[kind].name;
}

const char *kind_label(enum item_kind kind)
{
    return kinds[kind].label;
}

int kind_parse(const char *name)
{
    for (int i = 0; i < KIND_COUNT; i++)
        if (!strcmp(kinds[i].name, name))
            return i;
    return -1;
}

static const char *const choices_audience[] = { "所有人", "登录用户", "实名用户", NULL };
static const char *const choices_level[] = { "红色", "橙色", "黄色", "蓝色", NULL };
static const char *const choices_msgType[] = { "Alert", "Update", "Cancel", NULL };
static const char *const choices_openType[] = { "主动公开", "依申请公开", "不予公开", NULL };
static const char *const choices_sharing[] = { "无条件共享", "有条件共享", "不予共享", NULL };
static const char *const choices_validity[] = { "有效", "修改", "废止", "失效", NULL };

enum {
    A = 1 << KIND_ARTICLE,
    P = 1 << KIND_POLICY,
    N = 1 << KIND_NOTICE,
    M = 1 << KIND_MESSAGE,
    F = 1 << KIND_FAQ,
    G = 1 << KIND_GUIDE,
    S = 1 << KIND_SURVEY,
    W = 1 << KIND_WARNING,
    ALL = A | P | N | M | F | G | S | W,
};

const struct field fields[FIELD_COUNT] = {
#define FIELD(field, type, kinds, min, max, label, meta) \
    { #field, FIELD_##type, kinds, min, max, label, meta, NULL },
#define CHOICE_FIELD(field, kinds, label) \
    { #field, FIELD_CHOICE, kinds, 0, 0, label, NULL, choices_##field },
#include "server/library/field.def"
#undef FIELD
#undef CHOICE_FIELD
};

int field_find(const char *name)
{
    int low = 0, high = FIELD_COUNT - 1;

    while (low <= high) {
        int mid = (low + high) / 2;
        int order = strcmp(name, fields[mid].name);

        if (!order)
            return mid;
        if (order < 0)
            high = mid - 1;
        else
            low = mid + 1;
    }
    return -1;
}

/* The code point at *s, which moves on; -1 for bytes that are not UTF-8. */
static int32_t next_char(const unsigned char **s, const unsigned char *end)
{
    const unsigned char *p = *s;
    int more = *p < 0x80   ? 0
               : *p < 0xc2 ? -1
               : *p < 0xe0 ? 1
               : *p < 0xf0 ? 2
               : *p < 0xf5 ? 3
                           : -1;
    int32_t c = more == 0 ? *p : more == 1 ? *p & 0x1f : more == 2 ? *p & 0x0f : *p & 0x07;

    if (more < 0 || end - p <= more)
        return -1;
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return -1;
        c = c << 6 | (p[i] & 0x3f);
    }
    if ((more == 2 && c < 0x800) || (more == 3 && c < 0x10000) || c > 0x10ffff ||
        (c >= 0xd800 && c <= 0xdfff))
        return -1;
    *s = p + more + 1;
    return c;
}

static bool is_control(int32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffe || c == 0xffff;
}

static bool misleads(int32_t c)
{
    static const struct {
        int32_t from, to;
    } ranges[] = {
        { 0x00ad, 0x00ad }, /* a hyphen that hides */
        { 0x061c, 0x061c }, { 0x200e, 0x200f }, { 0x202a, 0x202e },
        { 0x2066, 0x206f },                                         /* direction */
        { 0x200b, 0x200b }, { 0x2060, 0x2065 }, { 0xfeff, 0xfeff }, /* no width */
        { 0x2028, 0x2029 }, /* line breaks by another name */
    };

    for (size_t i = 0; c >= ranges[0].from && i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

static bool is_blank(int32_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == 0xa0 || c == 0x3000 || c == 0xfeff ||
           (c >= 0x2000 && c <= 0x200f);
}

static enum rc check(struct err *e, const char *name, const char *s, size_t n, int64_t min,
                     int64_t max, bool line)
{
    const unsigned char *p = (const unsigned char *)s, *end = p + n;
    int64_t count = 0;
    bool seen = false;

    for (; p < end; count++) {
        int32_t c = *p < 0x80 ? *p++ : next_char(&p, end);

        if (c < 0)
            return err_field(e, name, "%s is not valid UTF-8", name);
        if (is_control(c) && (line || (c != '\n' && c != '\t')))
            return err_field(e, name, "%s has the control character U+%04X", name, (unsigned)c);
        if (line && misleads(c))
            return err_field(e, name, "%s has U+%04X, which changes how it reads", name,
                             (unsigned)c);
        seen = seen || !is_blank(c);
    }
    if (count < min || count > max)
        return err_field(e, name, "%s should have %" PRId64 " to %" PRId64 " characters", name,
                         min, max);
    if (min > 0 && !seen)
        return err_field(e, name, "%s is blank", name);
    return RC_OK;
}

enum rc field_need_line(struct err *e, const char *name, const char *s, int64_t max)
{
    if (!s)
        return err_field(e, name, "%s is missing", name);
    return check(e, name, s, strlen(s), 1, max, true);
}

enum rc field_check_line(struct err *e, const char *name, const char *s, size_t n, int64_t min,
                         int64_t max)
{
    return check(e, name, s, n, min, max, true);
}

enum rc field_check_text(struct err *e, const char *name, const char *s, size_t n, int64_t min,
                         int64_t max)
{
    return check(e, name, s, n, min, max, false);
}
