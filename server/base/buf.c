/*
 * buf.c - a growing string. Growth doubles, so a long text costs few copies; in an arena the
 * outgrown pieces stay until the arena goes.
 */
#include "server/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <h2o/memory.h>
#include <sodium.h>

#include "server/base/memory.h"

void buf_done(struct buf *b)
{
    if (!b->mem)
        free(b->p);
    *b = (struct buf){ .mem = b->mem };
}

static void grow(struct buf *b, size_t more)
{
    size_t cap = b->cap ? b->cap : 128;
    char *p;

    while (cap <= b->n + more)
        cap *= 2;
    if (b->mem) {
        p = arena_alloc(b->mem, cap);
        if (b->n)
            memcpy(p, b->p, b->n);
    } else {
        p = h2o_mem_realloc(b->p, cap);
    }
    p[b->n] = '\0';
    b->p = p;
    b->cap = cap;
}

void buf_reserve(struct buf *b, size_t more)
{
    if (b->n + more >= b->cap)
        grow(b, more);
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    buf_reserve(b, n);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_addc(struct buf *b, char c)
{
    buf_reserve(b, 1);
    b->p[b->n++] = c;
    b->p[b->n] = '\0';
}

/* By printf the numbers of a short answer cost more than all its words. */
void buf_int(struct buf *b, int64_t v)
{
    char digits[20], *end = digits + sizeof digits, *first = end;
    uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;

    do
        *--first = (char)('0' + left % 10);
    while (left /= 10);
    if (v < 0)
        buf_addc(b, '-');
    buf_add(b, first, (size_t)(end - first));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        memory_end(); /* all that printing to memory can want */
    buf_reserve(b, (size_t)n);
    va_start(ap, fmt);
    vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

void buf_hex(struct buf *b, const void *p, size_t n)
{
    buf_reserve(b, 2 * n);
    sodium_bin2hex(b->p + b->n, 2 * n + 1, p, n);
    b->n += 2 * n;
}

void buf_base64(struct buf *b, const void *p, size_t n)
{
    size_t len =
        sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL); /* counts the NUL */

    buf_reserve(b, len);
    sodium_bin2base64(b->p + b->n, len, p, n, sodium_base64_VARIANT_ORIGINAL);
    b->n += len - 1;
}

static const char *html_escape(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

void buf_html(struct buf *b, const char *s, size_t n)
{
    size_t from = 0;

    buf_reserve(b, n);
    for (size_t i = 0; i < n; i++) {
        const char *escape = html_escape(s[i]);

        if (!escape)
            continue;
        buf_add(b, s + from, i - from);
        buf_adds(b, escape);
        from = i + 1;
    }
    buf_add(b, s + from, n - from);
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

void buf_url(struct buf *b, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_unreserved(s[i]))
            buf_addc(b, s[i]);
        else
            buf_printf(b, "%%%02X", (unsigned char)s[i]);
    }
}
