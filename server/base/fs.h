/*
 * fs.h - files that are either there whole or not at all.
 */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "server/base/arena.h"

/* Writes to a temporary name beside it, fsyncs, renames, fsyncs the directory. Root's file is the directory's owner's. */
enum rc fs_write(struct err *e, const char *path, const void *p, size_t n, unsigned mode);
/* The same piece by piece. What has begun is ended: with RC_OK it is there, with what went wrong it is not, and that is returned. */
struct fs_new {
    const char *path;
    char tmp[4096];
    int fd;
};
enum rc fs_begin(struct err *e, const char *path, unsigned mode, struct fs_new *out);
enum rc fs_add(struct err *e, const struct fs_new *f, const void *p, size_t n);
enum rc fs_end(struct err *e, struct fs_new *f, enum rc rc);
/* The whole file, NUL-terminated, at most `max` bytes. RC_NOT_FOUND if absent, RC_TOO_LARGE. */
enum rc fs_read(struct err *e, struct arena *mem, const char *path, size_t max, char **out,
                size_t *out_n);
enum rc fs_mkdirs(struct err *e, const char *path,
                  unsigned mode); /* and its parents; existing is fine */
bool fs_exists(const char *path);
enum rc fs_sync_dir(struct err *e, const char *path);

/* AUTO(fclosep) FILE *in = …; closes at the end of the scope. */
#define AUTO(fn) __attribute__((cleanup(fn)))
void fclosep(FILE **f);
void closep(int *fd); /* negative is nothing */

#endif
