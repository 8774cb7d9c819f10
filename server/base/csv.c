/*
 * csv.c - every text in quotes: simple, and what looks like a number stays a text.
 */
#include "server/base/csv.h"

#include <string.h>

void csv_begin(struct buf *out)
{
    buf_adds(out, "\xef\xbb\xbf");
}

static void separate(struct buf *out)
{
    const char *end = out->n ? &out->p[out->n - 1] : NULL;

    if (end && *end != '\n' && *end != '\xbf')
        buf_addc(out, ',');
}

/* "=HYPERLINK(…)" in a title would run on the machine of who opens the table. */
static bool is_formula(const char *text)
{
    return *text && strchr("=+-@\t\r", *text);
}

void csv_text(struct buf *out, const char *text)
{
    separate(out);
    buf_addc(out, '"');
    if (text && is_formula(text))
        buf_addc(out, '\'');
    for (; text && *text; text++) {
        if (*text == '"')
            buf_addc(out, '"');
        buf_addc(out, *text);
    }
    buf_addc(out, '"');
}

void csv_int(struct buf *out, int64_t v)
{
    separate(out);
    buf_int(out, v);
}

void csv_end(struct buf *out)
{
    buf_adds(out, "\r\n");
}
