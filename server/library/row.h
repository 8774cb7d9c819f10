/*
 * row.h - the two ends every query of the library has.
 */
#ifndef LIBRARY_ROW_H
#define LIBRARY_ROW_H

#include "server/store/db.h"

/* Closes a query whose rows were read with `rc`: the first thing that went wrong counts. */
static inline enum rc row_finish(struct rows *q, enum rc rc)
{
    enum rc end = rows_done(q);

    return rc ? rc : end;
}

/* A blob of exactly `n` bytes into `out`; RC_CORRUPT for any other. */
static inline enum rc row_bytes(struct work *w, const struct rows *q, int column, void *out,
                                size_t n)
{
    size_t have;
    const void *p = rows_blob(q, column, &have);

    if (!p || have != n)
        return err_set(&w->err, RC_CORRUPT, "%s: column %d should have %d bytes",
                       sql_name(q->sql), column, (int)n);
    __builtin_memcpy(out, p, n);
    return RC_OK;
}

#endif
