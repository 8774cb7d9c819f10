/*
 * sealed_file.h - a file whose bytes are sealed (seal.h): too long for one value, so it is a row of them.
 *
 *     file      record *
 *     record    sealed bytes 4 | bytes 4 | value of seal.h           numbers big-endian; at most SEALED_PIECE bytes in each
 *     bound     column, and as owner the place of the record's first byte; ~place in the last record of a file that is whole
 *
 * So no record can be moved, left out or taken from another file, and none is missing at the end. Bytes that were never sealed do not touch the disk.
 */
#ifndef CITIZEN_SEALED_FILE_H
#define CITIZEN_SEALED_FILE_H

#include "server/base/work.h"

enum { SEALED_PIECE = 65536 };

struct sealed_file {
    const char *path;
    const char *column; /* of seal.h: what it is bound to */
    const uint8_t *own; /* its own key, SECRET_BYTES; NULL: the keys of personal fields */
    bool grows;         /* records are still being added: none is the last */
};

/* At once, durably. `n` > 0. */
enum rc sealed_file_write(struct work *w, const struct sealed_file *f, const void *p, size_t n);
/* Who gets what a file holds, piece after piece: `p` is good until it returns, and what it returns but RC_OK ends the reading. */
struct sealed_taker {
    enum rc (*take)(void *arg, const char *p, size_t n);
    void *arg;
};
/* RC_NOT_FOUND; RC_CORRUPT: it is not what was sealed, or has more than `max` bytes; by then some pieces may have been given. */
enum rc sealed_file_each(struct work *w, const struct sealed_file *f, size_t max,
                         struct sealed_taker to);
/* Another file of the same bytes, sealed as that one is. */
enum rc sealed_file_copy(struct work *w, const struct sealed_file *from, size_t max,
                         const struct sealed_file *to);
/* All of it, NUL-terminated in w->mem; fails as sealed_file_each(). */
enum rc sealed_file_read(struct work *w, const struct sealed_file *f, size_t max, char **out,
                         size_t *n);

/* ---- of one that grows, opened for reading and writing ---- */

/* How many bytes it holds, and where the last whole record ends: what stands behind it was torn. */
enum rc sealed_file_measure(struct err *e, int fd, int64_t *bytes, int64_t *end);
/* Adds `n` bytes as those from `at` on, durably; on failure the file is as before. */
enum rc sealed_file_add(struct work *w, const struct sealed_file *f, int fd, int64_t at,
                        const void *p, size_t n);

#endif
