/*
 * marks.h - what can be filtered by, as words of the same index: each begins with ':', which no word of a text has, so that
 * nothing that is typed, and may go on, is the beginning of one.
 *
 *     :s:1:12   site 12 of stream 1      :k:faq         kind       :t: :o: :v: and 16 hex digits  theme, organ, validity
 *     :c:1:34   column 34 of stream 1    :y:2024        year       :a:120101  区划代码 that the record names    :x:1  in 公开目录
 *
 * Sites and columns have the numbers of their stream's own directory, as the log has them; those here may change with a mirror's directory.
 */
#ifndef SEARCH_MARKS_H
#define SEARCH_MARKS_H

#include <inttypes.h>

#include "server/base/buf.h"

enum mark { MARK_THEME = 't', MARK_ORGAN = 'o', MARK_VALIDITY = 'v' };

/* A text of any length, by its hash. */
static inline void mark_text(struct buf *out, enum mark m, const char *s, size_t n)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)s[i]) * 1099511628211u;
    buf_printf(out, ":%c:%016" PRIx64, (char)m, h);
}

static inline void mark_place(struct buf *out, char what, int64_t stream, int64_t no)
{
    buf_printf(out, ":%c:%" PRId64 ":%" PRId64, what, stream, no);
}

#endif
