/*
 * query.c - see the header.
 */
#include "server/search/query.h"

#include <string.h>

static enum rc check(struct err *e, const char *s, size_t n)
{
    size_t chars = 0;

    for (size_t i = 0; i < n; i++) {
        if (!s[i])
            return err_field(e, "q", "q holds a character that is none");
        chars += ((unsigned char)s[i] & 0xc0) != 0x80;
    }
    if (chars > QUERY_CHARS_MAX)
        return err_field(e, "q", "q has at most %d characters", QUERY_CHARS_MAX);
    return RC_OK;
}

static bool is_there(const struct query *q, const char *p, size_t n)
{
    for (int i = 0; i < q->n; i++)
        if (q->v[i].n == n && !memcmp(q->v[i].p, p, n))
            return true;
    return false;
}

static void add_phrase(struct query *q, struct buf *match, const char *p, size_t n, bool prefix)
{
    struct phrase *ph = &q->v[q->n];

    if (!n || q->n == QUERY_PHRASES_MAX || is_there(q, p, n))
        return;
    *ph = (struct phrase){ .p = p, .n = n, .prefix = prefix };
    if (q->n)
        buf_adds(match, " AND ");
    ph->words = words_ask(match, p, n, prefix);
    q->looks = q->looks || ph->words > 1 || n > WORD_MAX;
    q->n++;
}

enum rc query_parse(struct err *e, struct arena *mem, const char *s, size_t n, bool typing,
                    struct query *out)
{
    struct buf match = BUF_IN(mem);
    struct query q = { 0 };
    struct folded f;
    enum rc rc;

    if ((rc = check(e, s, n)))
        return rc;
    fold(mem, s, n, false, &f);
    for (size_t i = 0; i < f.n;) {
        const char *blank = memchr(f.p + i, ' ', f.n - i);
        size_t end = blank ? (size_t)(blank - f.p) : f.n;

        add_phrase(&q, &match, f.p + i, end - i, typing && end == f.n && n && s[n - 1] != ' ');
        i = end + 1;
    }
    if (!q.n)
        return err_field(e, "q", "q names nothing to search for: letters or digits are needed");
    q.match = match.p;
    *out = q;
    return RC_OK;
}

bool query_holds(const struct query *q, const struct folded *text)
{
    for (int i = 0; i < q->n; i++)
        if (words_find(text->p, text->n, 0, q->v[i].p, q->v[i].n, q->v[i].prefix) == SIZE_MAX)
            return false;
    return true;
}
