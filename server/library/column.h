/*
 * column.h - columns (栏目): the tree in which a site's items stand.
 */
#ifndef LIBRARY_COLUMN_H
#define LIBRARY_COLUMN_H

#include "server/base/work.h"

enum {
    COLUMN_DEPTH_MAX = 8,
    COLUMN_NAME_MAX = 64,
    COLUMN_PATH_MAX = COLUMN_DEPTH_MAX * (COLUMN_NAME_MAX + 1)
};

struct column {
    int64_t no; /* its number in the stream's directory; never used twice */
    int64_t site;
    int64_t parent; /* 0: top level */
    const char *name;
    const char *path;                   /* names from the root, joined by '/' */
    const char *type;                   /* ColumnType of 国办发〔2017〕47号 */
    const char *description, *keywords; /* NULL: none */
    int64_t period_days;                /* must be updated within; 0: no rule */
    int64_t position;                   /* among its siblings, ascending */
    bool open;
    int64_t created;
};

struct column_type {
    const char *name;
    int64_t period_days;
    const char *const
        *hints; /* a column whose name holds one of these is of this type; NULL-terminated */
};
extern const struct column_type column_types[]; /* the last has no name */

/*
 * The column at `path` ("A/B") of the site. With `create`, it and its missing parents are made,
 * with type and period as their names suggest. RC_INVALID for a bad path, RC_NOT_FOUND,
 * RC_CONFLICT if it is closed and `create` is set, RC_FORBIDDEN if it would be made without
 * RIGHT_EDIT.
 */
enum rc column_at(struct work *w, int64_t site, const char *path, bool create,
                  struct column *out);
enum rc column_by_no(struct work *w, int64_t no, struct column *out);
/* Name, type, description, keywords, period, position, open; by no. A new name changes the
 * paths below it. */
enum rc column_edit(struct work *w, const struct column *in);
/* In the editors' order, in w->mem: children behind their parent, siblings by position, then by
 * number; closed ones too. */
enum rc column_list(struct work *w, int64_t site, struct column **out, int *n);
/* "1-64 characters each, no control characters, at most 8 levels": RC_INVALID says which rule
 * is broken. */
enum rc column_path_check(struct err *e, const char *path);

#endif
