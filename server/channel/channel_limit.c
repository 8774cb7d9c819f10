/*
 * channel_limit.c - see the header.
 */
#include "server/channel/channel_limit.h"

#include <stdlib.h>

#include "server/base/clock.h"

static const struct row {
    const char *kind;
    struct channel_limit limit;
} rows[] = {
#define WECHAT "wechat"
#define WEIBO  "weibo"
#define CHANNEL_LIMIT(kind, field, from, most, counted, source) \
    { kind, { CHANNEL_##field, CHANNEL_##counted, from, most, source } },
#include "server/channel/channel_limit.def"
#undef CHANNEL_LIMIT
};

static const char *const names[][2] = {
    [CHANNEL_TITLE] = { "title", "标题" },   [CHANNEL_BYLINE] = { "byline", "作者" },
    [CHANNEL_DIGEST] = { "digest", "摘要" }, [CHANNEL_BODY] = { "body", "正文" },
    [CHANNEL_LINK] = { "link", "原文链接" }, [CHANNEL_PICTURE] = { "picture", "图片" },
    [CHANNEL_COVER] = { "cover", "封面" },
};

/* The newest that has begun, or the first of all. */
static const struct row *in_force(const char *kind, enum channel_field field,
                                  enum channel_counted as, int32_t day)
{
    const struct row *found = NULL;

    for (const struct row *r = rows; r < rows + sizeof rows / sizeof *rows; r++) {
        if (strcmp(r->kind, kind) != 0 || r->limit.field != field || r->limit.counted != as)
            continue;
        if (!found || r->limit.from <= day)
            found = r;
    }
    return found;
}

int channel_limits(const char *kind, enum channel_field field, int32_t day,
                   struct channel_limit out[static 3])
{
    int n = 0;

    for (int as = CHANNEL_CHARACTERS; as <= CHANNEL_BYTES; as++) {
        const struct row *r = in_force(kind, field, (enum channel_counted)as, day);

        if (r)
            out[n++] = r->limit;
    }
    return n;
}

int64_t channel_count(enum channel_counted as, const char *text, size_t n)
{
    int64_t halves = 0, points = 0;

    for (size_t i = 0; i < n; i++) {
        points += ((uint8_t)text[i] & 0xc0) != 0x80;
        halves += (uint8_t)text[i] < 0x80 ? 1 : ((uint8_t)text[i] & 0xc0) != 0x80 ? 2 : 0;
    }
    switch (as) {
    case CHANNEL_CHARACTERS: return points;
    case CHANNEL_HALVES: return (halves + 1) / 2;
    case CHANNEL_BYTES: return (int64_t)n;
    }
    return (int64_t)n;
}

const char *channel_field_name(enum channel_field field)
{
    return names[field][0];
}

const char *channel_field_chinese(enum channel_field field)
{
    return names[field][1];
}

const char *channel_unit(enum channel_counted as)
{
    return as == CHANNEL_BYTES ? "字节" : "字";
}

int32_t channel_day(int64_t seconds)
{
    char text[CLOCK_TEXT];

    clock_day(seconds, text); /* 2026-11-21 */
    return (int32_t)(strtol(text, NULL, 10) * 10000 + strtol(text + 5, NULL, 10) * 100 +
                     strtol(text + 8, NULL, 10));
}
