/*
 * export.c - one long query in one snapshot: the records as they are, in the order of ids.
 */
#include "server/library/export.h"

#include "server/library/row.h"

static enum rc walk(struct work *w, int64_t stream,
                    enum rc (*line)(void *arg, const void *bytes, size_t n), void *arg)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_item_export, &q, "b", "", (size_t)0)))
        return rc;
    while (!rc && rows_next(&q)) {
        size_t n;
        const void *bytes = rows_blob(&q, 1, &n);

        if (!stream || rows_int(&q, 2) == stream)
            rc = line(arg, bytes, n);
    }
    return row_finish(&q, rc);
}

enum rc export_published(struct work *w, int64_t stream,
                         enum rc (*line)(void *arg, const void *bytes, size_t n), void *arg)
{
    enum rc rc;

    if ((rc = db_begin_read(w)))
        return rc;
    rc = walk(w, stream, line, arg);
    db_end_read(w->db);
    return rc;
}
