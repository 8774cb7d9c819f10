/*
 * target.h - the target of a request, taken apart and decoded once.
 *
 * The path is at most 2 KB, the query 4 KB, at most 12 segments. Refused with RC_INVALID: a
 * path that does not begin with '/', a broken percent-encoding, NUL and other control
 * characters, an encoded '/', bytes that are not UTF-8, and the segments "." and ".." in any
 * encoding: no route needs them, and whoever sends them is after something else. Also an escape of
 * a letter, a digit, '-', '.', '_' or '~' in the path, and a '?' with nothing behind it: second names
 * of what has one.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/arena.h"

enum { TARGET_PATH_MAX = 2048, TARGET_QUERY_MAX = 4096, TARGET_SEGMENTS = 12 };

struct span {
    const char *p;
    size_t n;
};

struct target {
    const char *path;                     /* decoded, NUL-terminated */
    struct span segment[TARGET_SEGMENTS]; /* of path, without the slashes; "/" has none */
    int nsegments;
    struct span query; /* as received, after the '?'; p is NULL if there was none */
};

enum rc target_parse(struct err *e, struct arena *mem, const char *raw, size_t n,
                     struct target *out);
/*
 * Decodes percent-encoding (and, in a query, '+' as a space) into `out`, which holds n bytes.
 * The decoded length, or -1 for a broken encoding, a control character, or bytes that are not
 * UTF-8.
 */
long target_decode(const char *raw, size_t n, bool query, char *out);

#endif
