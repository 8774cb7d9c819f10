/*
 * status.c - how much is held, from when on, and how fresh it is.
 */
#include <string.h>

#include "clients/c/stream.h"
#include "clients/c/sync.h"

static enum tjzw_code count(struct stream *s, enum stmt which, uint64_t *out,
                            struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(s->t, which, e);
    enum tjzw_code rc = TJZW_OK;
    int code;

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_int64(q, 1, s->no);
    code = sqlite3_step(q);
    for (int i = 0; code == SQLITE_ROW && i < sqlite3_column_count(q); i++)
        out[i] = (uint64_t)sqlite3_column_int64(q, i);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        rc = store_error(s->t, e);
    store_reset(q);
    return rc;
}

static enum tjzw_code status_trust(struct stream *s, struct tjzw_status *out,
                                   struct tjzw_error *e)
{
    struct follow_store store = stream_store(s);
    uint8_t trust[VERIFY_ED25519];
    struct sync_err why;
    size_t n;

    if (s->has_trust) {
        wire_hex(s->trust, sizeof s->trust, out->trust);
        return TJZW_OK;
    }
    if (store.get(s, &why, FOLLOW_TRUST, trust, sizeof trust, &n))
        return fail_sync(e, &why);
    if (n == sizeof trust)
        wire_hex(trust, sizeof trust, out->trust);
    return TJZW_OK;
}

static void status_freshness(struct tjzw *t, const struct wire_head *head,
                             struct tjzw_status *out)
{
    uint64_t now = store_clock(t);

    out->signed_at = (int64_t)head->time;
    out->fresh_for = (uint32_t)verify_fresh_for(head, now);
    out->behind = out->fresh_for ? 0 : now - head->time - head->lease;
    wire_cursor_print((struct wire_cursor){ head->epoch, head->seq }, out->cursor);
}

enum { PUBLISHED, TOMBSTONES, OLDER, WITHHELD, KEPT, COUNTS };

static enum tjzw_code status_counts(struct stream *s, struct tjzw_status *out,
                                    struct tjzw_error *e)
{
    uint64_t items[COUNTS] = { 0 }, since = 0;
    enum tjzw_code rc;

    if ((rc = count(s, STMT_ITEM_COUNT, items, e)) ||
        (rc = count(s, STMT_ITEM_SINCE, &since, e)))
        return rc;
    out->pending = spool_bytes(stream_parts(s));
    out->items = items[PUBLISHED];
    out->tombstones = items[TOMBSTONES];
    out->older = items[OLDER];
    out->withheld = items[WITHHELD];
    out->kept = items[KEPT];
    out->since = (int64_t)since;
    return TJZW_OK;
}

enum tjzw_code tjzw_status(struct tjzw *t, const char *stream, struct tjzw_status *out,
                           struct tjzw_error *e)
{
    struct tjzw_status status = { 0 };
    struct wire_note signatures;
    struct wire_head head;
    char note[WIRE_HEAD_MAX];
    struct stream s;
    enum tjzw_code rc;
    size_t n;

    if ((rc = stream_find(t, stream, &s, e)) ||
        (rc = stream_head(&s, &head, note, &n, &signatures, e)) ||
        (rc = status_counts(&s, &status, e)) || (rc = status_trust(&s, &status, e)))
        return rc;
    memcpy(status.stream, s.name, sizeof status.stream);
    memcpy(status.url, s.url, sizeof status.url);
    status.checked_at = s.checked;
    status.damaged = s.damaged;
    status.horizon = s.wanted;
    status.all = s.horizon == 0 && head.epoch;
    status.due = sync_due(&s, t->clock());
    if (head.epoch)
        status_freshness(t, &head, &status);
    *out = status;
    return TJZW_OK;
}
