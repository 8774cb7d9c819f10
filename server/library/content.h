/*
 * content.h - what an editor may write of an item, checked and in canonical form.
 *
 * Every way in (an import line, an editor's form, a stored draft, a published record) passes
 * content_read(), so there is one place where text is let in.
 */
#ifndef LIBRARY_CONTENT_H
#define LIBRARY_CONTENT_H

#include <jansson.h>

#include "server/base/arena.h"
#include "server/base/buf.h"
#include "server/base/id.h"
#include "server/library/field.h"

enum {
    CONTENT_MAX =
        256 * 1024 -
        4096, /* canonical bytes: with the library's own fields a record stays below 262,144 */
    CONTENT_FILES_MAX = 100
};

struct slice {
    const char *p; /* NULL: absent */
    size_t n;
};

struct content_file {
    uint8_t hash[HASH_BYTES];
    const char *name, *type;
    int64_t size;
};

struct asked; /* ruling.h */

struct content {
    enum item_kind kind;
    struct slice value[FIELD_COUNT]; /* canonical JSON of each value */
    const char *title, *summary;     /* as plain text; summary may be NULL */
    bool dated;                      /* source_date counts */
    int64_t source_date; /* seconds: the day the source says it was first published */
    int64_t expires;     /* seconds; 0: never */
    const struct content_file *files;
    int files_n;
    uint8_t
        hash[HASH_BYTES]; /* SHA-256 of what content_write() gives: equal content, equal hash */
    const struct asked *asked; /* what the rules said of it before; NULL: nobody asked them */
};

/*
 * Reads the fields of `object`; members named in `also` (NULL-terminated, may be NULL; "x-*" is
 * all that begin so) and the library's own are passed over, any other unknown member is
 * refused. RC_INVALID or RC_TOO_LARGE with the field. Everything in `out` lives in `mem`, texts
 * as long as `object`.
 */
enum rc content_read(struct err *e, struct arena *mem, enum item_kind kind,
                     const json_t *object, const char *const *also, struct content *out);
/* The same from text with a member "kind": an editor's form, a draft we stored, a record's
 * bytes. */
enum rc content_parse(struct err *e, struct arena *mem, const char *text, size_t n,
                      struct content *out);
/* The editable fields and the kind as one canonical object. */
void content_write(const struct content *c, struct buf *out);
/* "发文字号 looks unusual" and the like, for an editor; NULL when there is nothing to say.
 * Never a reason to refuse. */
const char *content_warning(const struct content *c);

#endif
