/*
 * stream_parts.c - bodies on their way, as rows of a few KB, written as they come: a killed process loses what was in flight and no
 * more. Nobody reads them as content.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/stream.h"

/* ---- parts ---- */

static enum sync_rc part_row(struct stream *s, struct sync_err *e, const char *path,
                             int64_t *no, struct follow_part *out)
{
    sqlite3_stmt *q = stream_stmt(s, STMT_PART_FIND, e);
    enum sync_rc rc;
    bool row;

    *no = 0;
    *out = (struct follow_part){ 0 };
    if (!q)
        return e->rc;
    sqlite3_bind_text(q, 2, path, -1, SQLITE_STATIC);
    if ((rc = stream_one(s, e, q, &row)))
        return rc;
    if (row) {
        *no = sqlite3_column_int64(q, 0);
        out->bytes = (uint64_t)sqlite3_column_int64(q, 1);
        out->whole = sqlite3_column_int(q, 2);
        strncpy(out->etag, (const char *)sqlite3_column_text(q, 3), sizeof out->etag - 1);
    }
    store_reset(q);
    return SYNC_OK;
}

enum sync_rc part_find(void *ctx, struct sync_err *e, const char *path, struct follow_part *out)
{
    int64_t no;

    return part_row(ctx, e, path, &no, out);
}

static enum sync_rc part_put(struct stream *s, struct sync_err *e, const char *path,
                             uint64_t bytes, const char *etag, bool whole, int64_t *no)
{
    sqlite3_stmt *q = stream_stmt(s, STMT_PART_PUT, e);
    enum sync_rc rc;
    bool row;

    if (!q)
        return e->rc;
    sqlite3_bind_text(q, 2, path, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 3, (int64_t)bytes);
    sqlite3_bind_int(q, 4, whole);
    sqlite3_bind_text(q, 5, etag, -1, SQLITE_STATIC);
    if ((rc = stream_one(s, e, q, &row)))
        return rc;
    *no = row ? sqlite3_column_int64(q, 0) : 0;
    store_reset(q);
    return SYNC_OK;
}

static enum sync_rc chunks_drop(struct stream *s, struct sync_err *e, int64_t part)
{
    sqlite3_stmt *q = stream_stmt(s, STMT_CHUNK_DROP, e);

    if (!q)
        return e->rc;
    sqlite3_bind_int64(q, 1, part);
    return stream_done(s, e, q);
}

static enum sync_rc part_write_in(struct stream *s, struct sync_err *e, const char *path,
                                  uint64_t at, const void *bytes, size_t n, const char *etag,
                                  bool whole)
{
    sqlite3_stmt *q;
    int64_t no = 0;
    enum sync_rc rc;

    if ((rc = part_put(s, e, path, at + n, etag, whole, &no)) ||
        (at == 0 && (rc = chunks_drop(s, e, no))))
        return rc;
    if (n == 0)
        return SYNC_OK;
    if (!(q = stream_stmt(s, STMT_CHUNK_PUT, e)))
        return e->rc;
    sqlite3_bind_int64(q, 1, no << 40 | (int64_t)at);
    sqlite3_bind_blob64(q, 2, bytes, n, SQLITE_STATIC);
    return stream_done(s, e, q);
}

enum sync_rc part_write(void *ctx, struct sync_err *e, const char *path, uint64_t at,
                        const void *bytes, size_t n, const char *etag, bool whole)
{
    struct stream *s = ctx;
    enum sync_rc rc;

    if ((rc = stream_simple(s, e, STMT_BEGIN)))
        return rc;
    if (!(rc = part_write_in(s, e, path, at, bytes, n, etag, whole)))
        rc = stream_simple(s, e, STMT_COMMIT);
    if (rc)
        stream_rollback(s);
    return rc;
}

/* The chunk that holds byte `at`, from there on. */
enum sync_rc part_read(void *ctx, struct sync_err *e, const char *path, uint64_t at, void *out,
                       size_t room, size_t *n)
{
    struct stream *s = ctx;
    struct follow_part part;
    size_t skip, len;
    sqlite3_stmt *q;
    int64_t no;
    enum sync_rc rc;
    bool row;

    *n = 0;
    if ((rc = part_row(s, e, path, &no, &part)) || at >= part.bytes)
        return rc;
    if (!(q = stream_stmt(s, STMT_CHUNK_AT, e)))
        return e->rc;
    sqlite3_bind_int64(q, 1, no << 40 | (int64_t)at);
    if ((rc = stream_one(s, e, q, &row)))
        return rc;
    skip = row ? (size_t)((no << 40 | (int64_t)at) - sqlite3_column_int64(q, 0)) : SIZE_MAX;
    len = row ? (size_t)sqlite3_column_bytes(q, 1) : 0;
    if (skip >= len) {
        store_reset(q);
        return sync_err_set(e, SYNC_STORE, "a part has a hole");
    }
    *n = len - skip < room ? len - skip : room;
    memcpy(out, (const char *)sqlite3_column_blob(q, 1) + skip, *n);
    store_reset(q);
    return SYNC_OK;
}

static bool is_kept(const char *path, const char *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(path, paths[i]) == 0)
            return true;
    return false;
}

static enum sync_rc part_drop(struct stream *s, struct sync_err *e, int64_t no)
{
    sqlite3_stmt *q;
    enum sync_rc rc;

    if ((rc = chunks_drop(s, e, no)))
        return rc;
    if (!(q = stream_stmt(s, STMT_PART_DROP, e)))
        return e->rc;
    sqlite3_bind_int64(q, 1, no);
    return stream_done(s, e, q);
}

enum sync_rc part_keep(void *ctx, struct sync_err *e, const char *const *paths, size_t n)
{
    struct stream *s = ctx;
    enum sync_rc rc;
    int64_t no = 0;
    bool row = true;

    while (row) {
        sqlite3_stmt *q = stream_stmt(s, STMT_PART_NEXT, e);
        bool keep = true;

        if (!q)
            return e->rc;
        sqlite3_bind_int64(q, 2, no);
        if ((rc = stream_one(s, e, q, &row)))
            return rc;
        if (row) {
            no = sqlite3_column_int64(q, 0);
            keep = is_kept((const char *)sqlite3_column_text(q, 1), paths, n);
        }
        store_reset(q);
        if (!keep && (rc = part_drop(s, e, no)))
            return rc;
    }
    return SYNC_OK;
}
