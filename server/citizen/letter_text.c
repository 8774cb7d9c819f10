/*
 * letter_text.c - a walk over code points with a table of those that show nothing.
 */
#include "server/citizen/letter_text.h"

#include <stdint.h>
#include <string.h>

/* White space and Default_Ignorable_Code_Point of Unicode 15, as far as a letter may meet them. */
static const struct {
    uint32_t first, last;
} blank[] = {
    { 0x00, 0x20 },     { 0x7f, 0xa0 },     { 0xad, 0xad },       { 0x34f, 0x34f },
    { 0x61c, 0x61c },   { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },   { 0x180b, 0x180f },
    { 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f },   { 0x2800, 0x2800 },
    { 0x3000, 0x3000 }, { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
    { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
};

static bool is_blank(uint32_t c)
{
    for (size_t i = 0; i < sizeof blank / sizeof *blank; i++)
        if (blank[i].first <= c && c <= blank[i].last)
            return true;
    return false;
}

/* Overrides and isolates (UAX #9) make text read otherwise than it is stored. */
static bool is_turn(uint32_t c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* C0 and C1, and two that are no characters: the messages that carry these texts take none of them. */
static bool is_control(uint32_t c, bool lines)
{
    if (c == '\n' || c == '\t')
        return !lines;
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffe || c == 0xffff;
}

static uint32_t next(const char **p)
{
    unsigned char c = (unsigned char)*(*p)++;
    int more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    uint32_t v = more ? c & (0x3fu >> more) : c;

    for (; more && (**p & 0xc0) == 0x80; more--)
        v = v << 6 | (unsigned char)(*(*p)++ & 0x3f);
    return v;
}

size_t letter_text_visible(const char *text)
{
    size_t n = 0;

    while (*text)
        n += !is_blank(next(&text));
    return n;
}

const char *letter_text_lines(struct arena *mem, const char *text)
{
    char *copy, *out;

    if (!text || !strchr(text, '\r'))
        return text;
    copy = out = arena_strdup(mem, text);
    for (; *text; text++)
        if (*text != '\r')
            *out++ = *text;
        else if (text[1] != '\n')
            *out++ = '\n';
    *out = '\0';
    return copy;
}

enum rc letter_text_check(struct err *e, const char *field, const char *what, const char *text,
                          size_t most, bool lines)
{
    size_t n = 0;

    for (const char *p = text; *p; n++) {
        uint32_t c = next(&p);

        if (is_control(c, lines) || is_turn(c))
            return err_field(e, field, "%s里有不能显示的控制字符，请删去后再提交", what);
    }
    if (n > most)
        return err_field(e, field, "%s太长：%zu 字，最多 %zu 字", what, n, most);
    if (!letter_text_visible(text))
        return err_field(e, field, "%s里没有看得见的文字", what);
    return RC_OK;
}
