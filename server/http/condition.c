/*
 * condition.c - entity tags and ranges as clients write them.
 */
#include "server/http/condition.h"

#include <stdint.h>
#include <string.h>

/* ---- entity tags ---- */

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* The end of the entity tag at p, where its quoted part begins in `quoted`; NULL if there is none. */
static const char *read_etag(const char *p, const char *end, const char **quoted)
{
    const char *close;

    if (end - p > 2 && p[0] == 'W' && p[1] == '/')
        p += 2;
    if (p == end || *p != '"' || !(close = memchr(p + 1, '"', (size_t)(end - p) - 1)))
        return NULL;
    *quoted = p;
    return close + 1;
}

bool condition_lists(const char *list, size_t n, const char *etag)
{
    const char *end = list + n, *p = skip_blanks(list, end), *quoted;
    size_t etag_n = strlen(etag);
    bool found = false;

    if (p < end && *p == '*')
        return skip_blanks(p + 1, end) == end;
    while (p < end) {
        if (*p != ',') { /* an empty element is allowed */
            if (!(p = read_etag(p, end, &quoted)))
                return false;
            found = found || ((size_t)(p - quoted) == etag_n && !memcmp(quoted, etag, etag_n));
            p = skip_blanks(p, end);
            if (p < end && *p != ',')
                return false;
        }
        p = skip_blanks(p + (p < end), end);
    }
    return found;
}

/* ---- ranges ---- */

/* A number too large for any content is as good as the largest. */
static bool read_number(const char **p, const char *end, size_t *out)
{
    const char *first = *p;
    size_t n = 0;

    for (; *p < end && **p >= '0' && **p <= '9'; ++*p)
        n = n > SIZE_MAX / 10 - 1 ? SIZE_MAX : n * 10 + (size_t)(**p - '0');
    *out = n;
    return *p > first;
}

enum condition_range condition_range(const char *value, size_t n, size_t len, size_t *from,
                                     size_t *part)
{
    const char *p = value, *end = value + n;
    size_t first = 0, last = 0;
    bool has_first, has_last;

    if (n < 7 || memcmp(p, "bytes=", 6))
        return RANGE_NONE;
    p += 6;
    has_first = read_number(&p, end, &first);
    if (p == end || *p++ != '-')
        return RANGE_NONE;
    has_last = read_number(&p, end, &last);
    if (p != end || (!has_first && !has_last) || (has_first && has_last && last < first))
        return RANGE_NONE;
    if (!has_first) { /* the last so many */
        *part = last < len ? last : len;
        *from = len - *part;
        return last && len ? RANGE_PART : RANGE_OUTSIDE;
    }
    if (first >= len)
        return RANGE_OUTSIDE;
    *from = first;
    *part = (has_last && last < len ? last + 1 : len) - first;
    return RANGE_PART;
}
