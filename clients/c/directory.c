/*
 * directory.c - the directory object in the store's tables, and an item's row as the record it
 * was.
 *
 * Members that a later server adds are passed over; an entry that lacks what we need is an
 * error, because it was signed.
 */
#include <jansson.h>
#include <string.h>

#include "clients/c/store.h"

static enum sync_rc put_site(struct stream *s, struct sync_err *e, const json_t *site)
{
    sqlite3_stmt *q = store_stmt(s->t, STMT_SITE_PUT, NULL);
    const char *name = json_string_value(json_object_get(site, "name"));
    struct tjzw_error why;

    if (!name || !json_is_integer(json_object_get(site, "no")))
        return sync_err_set(e, SYNC_INVALID, "directory: a site without name or number");
    if (!q)
        return sync_err_set(e, SYNC_STORE, "%s", sqlite3_errmsg(s->t->db));
    sqlite3_bind_int64(q, 1, s->no);
    sqlite3_bind_int64(q, 2, json_integer_value(json_object_get(site, "no")));
    sqlite3_bind_text(q, 3, name, -1, SQLITE_TRANSIENT);
    return store_run(s->t, q, &why) ? sync_err_set(e, SYNC_STORE, "%s", why.detail) : SYNC_OK;
}

static enum sync_rc put_column(struct stream *s, struct sync_err *e, const json_t *column)
{
    sqlite3_stmt *q = store_stmt(s->t, STMT_COLUMN_PUT, NULL);
    const char *path = json_string_value(json_object_get(column, "path"));
    const char *type = json_string_value(json_object_get(column, "type"));
    struct tjzw_error why;

    if (!path || !json_is_integer(json_object_get(column, "no")) ||
        !json_is_integer(json_object_get(column, "site")))
        return sync_err_set(e, SYNC_INVALID,
                            "directory: a column without path, number or site");
    if (!q)
        return sync_err_set(e, SYNC_STORE, "%s", sqlite3_errmsg(s->t->db));
    sqlite3_bind_int64(q, 1, s->no);
    sqlite3_bind_int64(q, 2, json_integer_value(json_object_get(column, "no")));
    sqlite3_bind_int64(q, 3, json_integer_value(json_object_get(column, "site")));
    sqlite3_bind_text(q, 4, path, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(q, 5, type ? type : "", -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(q, 6, json_integer_value(json_object_get(column, "position")));
    return store_run(s->t, q, &why) ? sync_err_set(e, SYNC_STORE, "%s", why.detail) : SYNC_OK;
}

static enum sync_rc clear(struct stream *s, struct sync_err *e)
{
    static const enum stmt both[] = { STMT_SITE_WIPE, STMT_COLUMN_WIPE };
    struct tjzw_error why;

    for (size_t i = 0; i < 2; i++) {
        sqlite3_stmt *q = store_stmt(s->t, both[i], NULL);

        if (q)
            sqlite3_bind_int64(q, 1, s->no);
        if (!q || store_run(s->t, q, &why))
            return sync_err_set(e, SYNC_STORE, "%s", sqlite3_errmsg(s->t->db));
    }
    return SYNC_OK;
}

enum sync_rc directory_take(struct stream *s, struct sync_err *e, const void *bytes, size_t n)
{
    json_t *directory = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, NULL), *entry;
    enum sync_rc rc = SYNC_OK;
    size_t i;

    if (!json_is_object(directory))
        rc = sync_err_set(e, SYNC_INVALID, "directory: not a JSON object");
    else
        rc = clear(s, e);
    if (!rc)
        json_array_foreach(json_object_get(directory, "sites"), i,
                           entry) if ((rc = put_site(s, e, entry))) break;
    if (!rc)
        json_array_foreach(json_object_get(directory, "columns"), i,
                           entry) if ((rc = put_column(s, e, entry))) break;
    json_decref(directory);
    return rc;
}

enum sync_rc held_frame(sqlite3_stmt *s, struct sync_err *e, struct wire_frame *f,
                        uint8_t *frame, size_t *n)
{
    *f = (struct wire_frame){
        .born = (uint64_t)sqlite3_column_int64(s, 0),
        .seq = (uint64_t)sqlite3_column_int64(s, 1),
        .op = (uint8_t)sqlite3_column_int(s, 2),
        .flags = (uint8_t)sqlite3_column_int(s, 3),
        .site = (uint32_t)sqlite3_column_int64(s, 5),
        .column = (uint32_t)sqlite3_column_int64(s, 6),
        .date = sqlite3_column_int64(s, 7),
        .title = (const char *)sqlite3_column_text(s, 8),
        .title_len = (uint16_t)sqlite3_column_bytes(s, 8),
        .length = (uint32_t)sqlite3_column_bytes(s, 9),
    };
    if (sqlite3_column_bytes(s, 4) != WIRE_ID)
        return sync_err_set(e, SYNC_INVALID, "an id of %d bytes", sqlite3_column_bytes(s, 4));
    memcpy(f->id, sqlite3_column_blob(s, 4), WIRE_ID);
    return wire_frame_encode(e, f, frame, n);
}

enum sync_rc held_record(sqlite3_stmt *s, struct sync_err *e, struct wire_frame *f,
                         uint8_t leaf[WIRE_HASH])
{
    uint8_t frame[WIRE_FRAME_MAX];
    enum sync_rc rc;
    size_t n;

    if ((rc = held_frame(s, e, f, frame, &n)))
        return rc;
    verify_record(frame, n, sqlite3_column_blob(s, 9), f->length, leaf);
    return SYNC_OK;
}
