/*
 * xml.c - between the marks, everything passes one function.
 *
 * XML 1.0 section 2.2: no control characters but tab, line feed and carriage return, no U+FFFE, no U+FFFF. A carriage return would be read as a
 * line feed, so it is written as a reference.
 */
#include "api/xml.h"

#include <string.h>

static const char UNKNOWN[] = "\xef\xbf\xbd";

/* What stands for the byte at `s`; NULL: itself. *n is how many bytes of the text it replaces. */
static const char *instead(const char *s, size_t *n)
{
    unsigned char c = (unsigned char)*s;

    *n = 1;
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\r': return "&#13;";
    case 0xef: /* U+FFFE and U+FFFF are EF BF BE and EF BF BF */
        if ((unsigned char)s[1] != 0xbf || ((unsigned char)s[2] & 0xfe) != 0xbe)
            return NULL;
        *n = 3;
        return UNKNOWN;
    default: return c < ' ' && c != '\t' && c != '\n' ? UNKNOWN : NULL;
    }
}

void xml_text(struct buf *out, const char *s)
{
    const char *from = s;
    size_t n;

    for (; s && *s; s += n) {
        const char *other = instead(s, &n);

        if (!other)
            continue;
        buf_add(out, from, (size_t)(s - from));
        buf_adds(out, other);
        from = s + n;
    }
    if (s)
        buf_add(out, from, (size_t)(s - from));
}

void xml_element(struct buf *out, const char *name, const char *text)
{
    if (!text)
        return;
    buf_printf(out, "<%s>", name);
    xml_text(out, text);
    buf_printf(out, "</%s>\n", name);
}
