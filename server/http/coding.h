/*
 * coding.h - a body that came packed (Content-Encoding), unpacked within bounds.
 */
#ifndef HTTP_CODING_H
#define HTTP_CODING_H

#include <stddef.h>

#include "server/base/arena.h"
#include "server/base/err.h"

/*
 * `coding`: the header field's value, NULL: none. *out, NUL-terminated, is the body itself if it was not packed, else in `mem`. RC_TOO_LARGE as soon as it has more than `max` bytes, whatever it
 * says of itself; RC_INVALID: it is damaged, cut short or followed by more, or of another coding than gzip and zstd.
 */
enum rc coding_unpack(struct err *e, struct arena *mem, const char *coding, const char *body,
                      size_t n, size_t max, const char **out, size_t *out_n);

#endif
