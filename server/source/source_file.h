/*
 * source_file.h - a picture or attachment that a source's text names by an address: whether we have it, and if not why.
 *
 * As a row keeps it: [{"hash":…,"name":…,"said":…,"size":…,"state":"wanted|fetched|failed","type":…,"url":…}], which is also how a status shows it.
 */
#ifndef SOURCE_SOURCE_FILE_H
#define SOURCE_SOURCE_FILE_H

#include "server/base/buf.h"
#include "server/base/err.h"
#include "server/base/id.h"

enum { SOURCE_FILES_MAX = 100 /* of a text */ };

enum source_file_state { FILE_WANTED, FILE_FETCHED, FILE_FAILED };

struct source_file {
    const char *url;  /* absolute */
    const char *name; /* what a citizen's computer will call it */
    enum source_file_state state;
    char hash[HASH_TEXT]; /* FETCHED: lower-case hex */
    const char *type;     /* … its media type */
    int64_t size;         /* … bytes */
    const char *said;     /* FAILED: why, in Chinese; NULL: nothing yet */
};

void source_files_write(struct buf *out, const struct source_file *files, int n);
/* What source_files_write() made. Texts in `mem`. */
enum rc source_files_read(struct err *e, struct arena *mem, const char *text,
                          struct source_file **out, int *n);
/* NULL: it is not among them. */
const struct source_file *source_file_find(const struct source_file *files, int n,
                                           const char *url);
/* Adds what a file behind that address may be called: the last part of its path, without what no name may have; "文件" if nothing is left. */
void source_file_name(struct buf *out, const char *url);

#endif
