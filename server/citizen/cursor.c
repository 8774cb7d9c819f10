/*
 * cursor.c - two numbers, or three.
 */
#include "server/citizen/cursor.h"

enum { DIGITS = 15 };

/* A number at *at, which moves behind it. */
static bool read_number(const char **at, int64_t *out)
{
    const char *p = *at;
    int64_t v = 0;

    while (*p >= '0' && *p <= '9' && p - *at <= DIGITS)
        v = v * 10 + (*p++ - '0');
    if (p == *at || p - *at > DIGITS || (**at == '0' && p - *at > 1))
        return false;
    *at = p;
    *out = v;
    return true;
}

bool cursor_read(const char *text, struct cursor *out)
{
    struct cursor c = { .since = -1 };

    if (!read_number(&text, &c.epoch) || *text++ != '.' || !read_number(&text, &c.seq))
        return false;
    if (*text == '.' && (text++, !read_number(&text, &c.since)))
        return false;
    if (*text)
        return false;
    *out = c;
    return true;
}

void cursor_put(struct buf *out, const struct cursor *c)
{
    buf_int(out, c->epoch);
    buf_addc(out, '.');
    buf_int(out, c->seq);
    if (c->since < 0)
        return;
    buf_addc(out, '.');
    buf_int(out, c->since);
}
