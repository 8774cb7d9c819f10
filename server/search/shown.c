/*
 * shown.c - phrases are found in the folded text and marked in the original, by the places that fold() keeps.
 */
#include "server/search/shown.h"

#include <stdlib.h>
#include <string.h>

enum {
    MARKS_MOST = 64, /* of a title or a snippet */
    BEFORE = 30,     /* characters of a snippet before the phrase, and in all */
    ALL = 110
};

struct span {
    size_t from, to; /* bytes of the original */
};

static int by_place(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    return x->from != y->from ? (x->from < y->from ? -1 : 1) : 0;
}

/* Of the original, where the character begins that follows the folded byte `i`. */
static size_t end_of(const struct folded *f, size_t i, const char *s, size_t n)
{
    size_t at = f->at[i - 1];

    (void)i;
    at++;
    while (at < n && ((unsigned char)s[at] & 0xc0) == 0x80)
        at++;
    return at;
}

static int find_spans(const struct folded *f, const char *s, size_t n, const struct query *q,
                      struct span out[MARKS_MOST])
{
    int count = 0;

    for (int i = 0; i < q->n; i++) {
        const struct phrase *p = &q->v[i];
        size_t at = 0;

        while (count < MARKS_MOST &&
               (at = words_find(f->p, f->n, at, p->p, p->n, p->prefix)) != SIZE_MAX) {
            out[count++] = (struct span){ f->at[at], end_of(f, at + p->n, s, n) };
            at += p->n;
        }
    }
    qsort(out, (size_t)count, sizeof *out, by_place);
    return count;
}

static void put(struct buf *out, const char *s, size_t n)
{
    for (size_t i = 0, k; i < n; i = k + 1) {
        for (k = i; k < n && s[k] != '\n' && s[k] != '\t'; k++)
            ;
        buf_html(out, s + i, k - i);
        if (k < n)
            buf_addc(out, ' ');
    }
}

static void put_marked(struct buf *out, const char *s, size_t n, const struct span *v,
                       int count)
{
    size_t at = 0;

    for (int i = 0; i < count; i++) {
        size_t from = v[i].from < at ? at : v[i].from, to = v[i].to;

        if (to <= at || from >= n)
            continue;
        to = to > n ? n : to;
        put(out, s + at, from - at);
        buf_adds(out, "<mark>");
        put(out, s + from, to - from);
        buf_adds(out, "</mark>");
        at = to;
    }
    put(out, s + at, n - at);
}

void shown_marked(struct arena *mem, struct buf *out, const char *s, size_t n,
                  const struct query *q)
{
    struct span v[MARKS_MOST];
    struct folded f;

    fold(mem, s, n, true, &f);
    put_marked(out, s, n, v, find_spans(&f, s, n, q, v));
}

/* `chars` characters back, or to a line's end not less than that. */
static size_t back(const char *s, size_t at, int chars)
{
    while (at && chars) {
        at--;
        chars -= ((unsigned char)s[at] & 0xc0) != 0x80;
    }
    return at;
}

static size_t forth(const char *s, size_t n, size_t at, int chars)
{
    while (at < n && chars) {
        at++;
        while (at < n && ((unsigned char)s[at] & 0xc0) == 0x80)
            at++;
        chars--;
    }
    return at;
}

static size_t first_place(const struct folded *f, const struct query *q)
{
    size_t first = SIZE_MAX;

    for (int i = 0; i < q->n; i++) {
        size_t at = words_find(f->p, f->n, 0, q->v[i].p, q->v[i].n, q->v[i].prefix);

        first = at < first ? at : first;
    }
    return first == SIZE_MAX ? 0 : f->at[first];
}

void shown_snippet(struct arena *mem, struct buf *out, const char *s, size_t n,
                   const struct query *q)
{
    size_t from, to;
    struct folded f;

    fold(mem, s, n, true, &f);
    from = back(s, f.n ? first_place(&f, q) : 0, BEFORE);
    to = forth(s, n, from, ALL);
    while (to > from && (s[to - 1] == '\n' || s[to - 1] == ' '))
        to--;
    if (from)
        buf_adds(out, "…");
    shown_marked(mem, out, s + from, to - from, q);
    if (to + 1 < n)
        buf_adds(out, "…");
}
