/*
 * buf.h - bytes that grow: one writer for JSON, HTML, logs and the wire.
 *
 * With an arena the memory is the arena's; without one it is the heap's, and buf_done() frees
 * it. `p` is always NUL-terminated once something was written (the NUL is not counted).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/base/arena.h"

struct buf {
    char *p;
    size_t n, cap;
    struct arena *mem; /* NULL: heap */
};

#define BUF_HEAP      ((struct buf){ 0 })
#define BUF_IN(arena) ((struct buf){ .mem = (arena) })

void buf_done(struct buf *b); /* frees a heap buffer, forgets an arena one */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_addc(struct buf *b, char c);
void buf_int(struct buf *b, int64_t v); /* decimal */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_hex(struct buf *b, const void *p, size_t n);    /* lower-case hex */
void buf_base64(struct buf *b, const void *p, size_t n); /* RFC 4648 section 4, padded */
void buf_html(struct buf *b, const char *s,
              size_t n); /* text escaped for HTML content and quoted attributes */
void buf_url(struct buf *b, const char *s,
             size_t n); /* percent-encoded but for unreserved characters */

/* Here, so that the length of a literal is known when it is compiled. */
static inline void buf_adds(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

#endif
