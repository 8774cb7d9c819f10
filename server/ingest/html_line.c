/*
 * html_line.c - text becomes Markdown that reads as the same text.
 *
 *     anywhere       \ *          escaped
 *     after a ]      (            escaped, or it would end a label
 *     in a label     [ ]          escaped
 *     in a table     |, and the first - of a cell that might be a rule
 *     line's start   "# "  "- "  "1. "  "|"
 *
 * Dropped, because no reader sees them or they make text read otherwise than it is: controls, soft
 * hyphens, zero-width spaces, marks of direction (the list of field.c for single lines).
 */
#include "server/ingest/html_line.h"

#include <ctype.h>

/* The code point at s, of at most n bytes, and its length. Bytes that are no UTF-8 are dropped. */
static int32_t code_point(const char *s, size_t n, size_t *len)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t more = *p < 0xc2 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : *p < 0xf5 ? 3 : 0;
    int32_t c = more ? *p & (0x3f >> more) : *p;

    *len = 1;
    if (n <= more || (!more && *p >= 0x80))
        return -1;
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return -1;
        c = c << 6 | (p[i] & 0x3f);
    }
    if ((more == 2 && c < 0x800) || (more == 3 && c < 0x10000) || c > 0x10ffff)
        return -1;
    *len = more + 1;
    return c;
}

static bool is_unseen(int32_t c)
{
    static const struct {
        int32_t from, to;
    } ranges[] = {
        { -1, 0x1f },       { 0x7f, 0x9f },     { 0xad, 0xad },     { 0x61c, 0x61c },
        { 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
        { 0xd800, 0xdfff }, { 0xfeff, 0xfeff }, { 0xfffe, 0xffff },
    };

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

/* As in `space`. */
static int blank(int32_t c)
{
    if (c == 0x3000)
        return 2;
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x202f || c == 0x205f || c == 0x2028 || c == 0x2029;
}

static bool needs_escape(const struct line *l, char c)
{
    switch (c) {
    case '\\':
    case '*': return true;
    case '[':
    case ']': return l->link;
    case '(': return l->last == ']';
    case '|': return l->cell;
    case '-': return l->cell && !l->said;
    default: return false;
    }
}

/* What was put off, now that something is seen. */
static void catch_up(struct line *l)
{
    bool close = l->bold && !l->bold_wanted && !l->link;

    if (close)
        buf_adds(&l->text, "**");
    if (l->space && l->text.n)
        buf_adds(&l->text, l->space == 2 ? "\u3000" : " ");
    if (l->bold_wanted && !l->bold && !l->link)
        buf_adds(&l->text, "**");
    if (!l->link)
        l->bold = l->bold_wanted;
    if (l->space || close)
        l->last = 0;
    l->space = 0;
    if (l->link_wanted && !l->link) {
        buf_addc(&l->text, '[');
        l->link = true;
        l->last = 0;
    }
}

void line_text(struct line *l, const char *s, size_t n)
{
    size_t len;

    for (size_t i = 0; i < n; i += len) {
        int32_t c = code_point(s + i, n - i, &len);
        int space = blank(c);

        if (space > l->space)
            l->space = space;
        if (space || is_unseen(c))
            continue;
        catch_up(l);
        if (len == 1 && needs_escape(l, s[i]))
            buf_addc(&l->text, '\\');
        l->said = l->said || s[i] != ':';
        buf_add(&l->text, s + i, len);
        l->last = len == 1 ? s[i] : 0;
    }
}

void line_picture(struct line *l, const char *words, const char *name)
{
    struct line alt = { .link = true, .cell = true };

    catch_up(l);
    line_text(&alt, words, strlen(words));
    buf_adds(&l->text, "![");
    buf_adds(&l->text, alt.text.n ? "" : "图片"); /* or it is none: a label is never empty */
    buf_add(&l->text, alt.text.p, alt.text.n);
    buf_printf(&l->text, "](sha256:%s)", name);
    l->last = 0;
    buf_done(&alt.text);
}

bool line_link_end(struct line *l, const char *address)
{
    bool written = l->link;

    if (written) {
        buf_adds(&l->text, "](");
        buf_adds(&l->text, address);
        buf_addc(&l->text, ')');
        l->last = 0;
    }
    l->link_wanted = l->link = false;
    return written;
}

/* Where a backslash makes a line's start mean nothing; -1: it means nothing. */
static int mark_at(const char *s, size_t n)
{
    size_t i = 0;

    if (n && *s == '|')
        return 0;
    if (n > 1 && *s == '-' && s[1] == ' ')
        return 0;
    while (i < n && s[i] == '#')
        i++;
    if (i && i < n && s[i] == ' ')
        return 0;
    for (i = 0; i < n && isdigit((unsigned char)s[i]);)
        i++;
    return i && i + 1 < n && s[i] == '.' && s[i + 1] == ' ' ? (int)i : -1;
}

void line_end(struct line *l, bool start)
{
    int at;

    l->space = 0;
    if (l->bold)
        buf_adds(&l->text, "**");
    l->bold = false;
    if (!start || (at = mark_at(l->text.p, l->text.n)) < 0)
        return;
    buf_addc(&l->text, '\\');
    memmove(l->text.p + at + 1, l->text.p + at, l->text.n - 1 - (size_t)at);
    l->text.p[at] = '\\';
}

void line_clear(struct line *l)
{
    l->text.n = 0;
    l->space = 0;
    l->last = 0;
    l->bold = l->link = l->said = false;
}
