/*
 * keep.c - how much the user wants to hold: the horizon, and what is kept whatever the horizon.
 */
#include <string.h>

#include "clients/c/store.h"

enum tjzw_code tjzw_horizon(struct tjzw *t, const char *stream, uint64_t items,
                            struct tjzw_error *e)
{
    struct stream s;
    sqlite3_stmt *q;
    enum tjzw_code rc;

    if (items > INT64_MAX)
        return fail_with(e, TJZW_USAGE, "a horizon of more items than there can be");
    if ((rc = stream_find(t, stream, &s, e)))
        return rc;
    if (s.no == 0) {
        (*stream_asked(t, s.name))->s.wanted = items; /* written with the rest of it */
        return TJZW_OK;
    }
    if (s.wanted == items)
        return TJZW_OK;
    if (!(q = store_stmt(t, STMT_STREAM_WANTED, e)))
        return TJZW_STORE;
    sqlite3_bind_int64(q, 1, s.no);
    sqlite3_bind_int64(q, 2, (int64_t)items);
    return store_run(t, q, e);
}

enum tjzw_code item_find(struct tjzw *t, const uint8_t id[WIRE_ID], int64_t *stream,
                         struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(t, STMT_ITEM_FIND, e);
    enum tjzw_code rc = TJZW_OK;
    int code;

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_blob(q, 1, id, WIRE_ID, SQLITE_STATIC);
    code = sqlite3_step(q);
    if (code == SQLITE_ROW && stream)
        *stream = sqlite3_column_int64(q, 0);
    else if (code == SQLITE_DONE)
        rc = fail_with(e, TJZW_NOT_FOUND, "no such item is held");
    else if (code != SQLITE_ROW)
        rc = store_error(t, e);
    store_reset(q);
    return rc;
}

static enum tjzw_code with_id(struct tjzw *t, enum stmt which, int64_t stream,
                              const uint8_t id[WIRE_ID], struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(t, which, e);

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_int64(q, 1, stream);
    sqlite3_bind_blob(q, 2, id, WIRE_ID, SQLITE_STATIC);
    return store_run(t, q, e);
}

/* Not kept any more in any stream; what is below its horizon goes at once. */
static enum tjzw_code unkeep(struct tjzw *t, const uint8_t id[WIRE_ID], struct tjzw_error *e)
{
    struct stream s = { 0 };
    enum tjzw_code rc;

    while (!(rc = stream_next(t, s.no, &s, e)) && s.no)
        if ((rc = with_id(t, STMT_KEPT_DROP, s.no, id, e)) ||
            (rc = with_id(t, STMT_ITEM_UNKEEP, s.no, id, e)))
            return rc;
    return rc;
}

enum tjzw_code tjzw_keep(struct tjzw *t, const char *id, bool keep, struct tjzw_error *e)
{
    uint8_t raw[WIRE_ID];
    int64_t stream = 0;
    enum tjzw_code rc;

    if (!store_take_id(id, raw))
        return fail_with(e, TJZW_USAGE, "an id has 8-4-4-4-12 hex digits");
    if (!keep)
        return unkeep(t, raw, e);
    rc = item_find(t, raw, &stream, e);
    return rc ? rc : with_id(t, STMT_KEPT_PUT, stream, raw, e);
}
