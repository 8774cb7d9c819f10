/*
 * mirror_files.c - fetches what records name, by its hash, after the head was shown.
 *
 *     mirror_file --oldest due--> GET /v1/blobs/HASH, Range from what is there --> blob store (checks the hash) --> row goes
 *                                          \--failed--> due again in 1, 2, 4 ... minutes, at most an hour
 *                                           \--too long, it says--> due again in an hour, and not found until then
 *
 * A step ends after STEP_US, for the same thread asks for heads, and a takedown must not wait for a picture.
 * Whether anybody may have the file is asked when it is done too: a row that nobody names any more drops what was fetched.
 */
#include "server/channel/mirror_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/library/attachment.h"
#include "server/library/row.h"
#include "server/library/takedown.h"
#include "server/store/blob.h"
#include "server/store/writer.h"

enum {
    STEP_US = 2 * 1000 * 1000,
    RETRY_S = 60,
    RETRY_MOST_S = 3600,
    REFUSAL_MAX = 64 << 10 /* bytes of what is not the file */
};

struct fetch {
    const struct mirror_files *m;
    struct follow_get get;
    char path[16 + HASH_TEXT];
    uint8_t hash[HASH_BYTES];
    int64_t tries;
    int64_t size;   /* of the file; 0: not known yet */
    int64_t have;   /* on the disk */
    int64_t skip;   /* bytes of the answer that we have */
    size_t refused; /* bytes of an answer that is not the file */
    int64_t until;  /* mono_us */
    bool paused, too_long, done;
    struct buf piece;
    struct err err;
};

/* ---- one body ---- */

static enum rc flush(struct fetch *f)
{
    int64_t have = 0;
    enum rc rc = blob_chunk(&f->err, f->m->data, f->hash, f->size, f->have, f->piece.p,
                            f->piece.n, &have);

    f->piece.n = 0;
    if (rc)
        return rc;
    f->have = have;
    f->done = have == f->size;
    return RC_OK;
}

/* The answer's first byte: how long the file is, and where this begins. */
static enum sync_rc begin(struct fetch *f, struct sync_err *e)
{
    const struct follow_get *g = &f->get;

    f->size = (int64_t)g->length;
    if (!f->size || f->size > f->m->most_bytes) {
        f->too_long = f->size != 0;
        return sync_err_set(e, SYNC_INVALID,
                            f->size ? "it has %" PRId64 " bytes" : "its length is not told",
                            f->size);
    }
    if (g->status == 206 && (int64_t)g->range_from != f->have)
        return sync_err_set(e, SYNC_INVALID, "another range was answered");
    f->skip = g->status == 206 ? 0 : f->have;
    return SYNC_OK;
}

static enum sync_rc take(struct follow_get *g, struct sync_err *e, const uint8_t *p, size_t n)
{
    struct fetch *f = g->ctx;
    enum sync_rc sr;

    if (g->status != 200 && g->status != 206) {
        f->refused += n;
        return f->refused <= REFUSAL_MAX && clock_mono_us() <= f->until
                   ? SYNC_OK
                   : sync_err_set(e, SYNC_NET, "status %d, and no end", g->status);
    }
    if (!f->size && (sr = begin(f, e)))
        return sr;
    if (f->skip >= (int64_t)n) {
        f->skip -= (int64_t)n;
        return SYNC_OK;
    }
    p += f->skip;
    n -= (size_t)f->skip;
    f->skip = 0;
    if ((int64_t)(f->piece.n + n) > f->size - f->have)
        return sync_err_set(e, SYNC_INVALID, "it is longer than it says");
    while (n) {
        size_t room = BLOB_CHUNK_MAX - f->piece.n, step = n < room ? n : room;

        buf_add(&f->piece, p, step);
        p += step;
        n -= step;
        if (f->piece.n == BLOB_CHUNK_MAX && flush(f))
            return sync_err_set(e, SYNC_STORE, "%s", f->err.text);
    }
    f->paused = clock_mono_us() > f->until;
    return f->paused ? sync_err_set(e, SYNC_BUSY, "later more") : SYNC_OK;
}

static enum sync_rc get(struct fetch *f, struct sync_err *e)
{
    char hex[HASH_TEXT];
    enum sync_rc sr;

    snprintf(f->path, sizeof f->path, "/v1/blobs/%s", hex_text(f->hash, HASH_BYTES, hex));
    f->get = (struct follow_get){
        .path = f->path, .from = (uint64_t)f->have, .body = take, .ctx = f
    };
    f->until = clock_mono_us() + STEP_US;
    sr = f->m->transport->get(f->m->transport->ctx, e, &f->get, 1);
    if (f->piece.n && !f->err.rc && flush(f))
        return sync_err_set(e, SYNC_STORE, "%s", f->err.text);
    if (f->get.status == 416 && f->have) {
        /* An answer that was longer than the file left more than there is: it begins anew. */
        blob_forget_part(f->m->data, f->hash);
        return SYNC_OK;
    }
    if (sr || f->done)
        return f->paused || f->done ? SYNC_OK : sr;
    if (f->get.err.rc)
        return sync_err_set(e, SYNC_NET, "%s", f->get.err.text);
    return sync_err_set(e, SYNC_BUSY, "answered %d", f->get.status);
}

/* ---- its row ---- */

static enum rc settled(struct work *w, void *arg)
{
    struct fetch *f = arg;
    struct takedown t = { .files = &f->hash, .n = 1 };
    enum rc rc = db_run(w, SQL_mirror_file_done, "ib", f->m->stream, f->hash, sizeof f->hash);

    return rc ? rc : takedown_files(w, &t); /* goes again if nobody has it any more */
}

static enum rc postponed(struct work *w, void *arg)
{
    const struct fetch *f = arg;
    int64_t tries = f->tries < 0 ? 0 : f->tries; /* it was too long */
    int64_t wait = tries < 6 ? (int64_t)RETRY_S << tries : RETRY_MOST_S;

    if (f->too_long)
        return db_run(w, SQL_mirror_file_too_long, "ibi", f->m->stream, f->hash, sizeof f->hash,
                      clock_now() + RETRY_MOST_S);
    return db_run(w, SQL_mirror_file_later, "ibi", f->m->stream, f->hash, sizeof f->hash,
                  clock_now() + wait);
}

static enum sync_rc write_row(struct sync_err *e, struct fetch *f,
                              enum rc (*fn)(struct work *, void *))
{
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), NULL, "mirror", RIGHT_ALL);
    if ((rc = writer_call(&w, fn, f)))
        (void)sync_err_set(e, SYNC_STORE, "%s", w.err.text);
    arena_free(w.mem);
    return rc ? SYNC_STORE : SYNC_OK;
}

/* The one that has been due longest. *wanted: whether anybody may read it still. */
static enum sync_rc next(struct sync_err *e, struct fetch *f, bool *none, bool *wanted)
{
    struct work w;
    struct rows q;
    enum rc rc;

    work_init(&w, arena_new(), f->m->reader, "mirror", RIGHT_ALL);
    if (!(rc = db_query(&w, SQL_mirror_file_next, &q, "ii", f->m->stream, clock_now()))) {
        if (!(*none = !rows_next(&q))) {
            rc = row_bytes(&w, &q, 0, f->hash, sizeof f->hash);
            f->tries = rows_int(&q, 1);
        }
        rc = row_finish(&q, rc);
    }
    if (!rc && !*none) {
        rc = attachment_public(&w, f->hash);
        *wanted = !rc;
        rc = rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    if (rc)
        (void)sync_err_set(e, SYNC_STORE, "%s", w.err.text);
    arena_free(w.mem);
    return rc ? SYNC_STORE : SYNC_OK;
}

static void told_failed(const struct fetch *f, const struct sync_err *why)
{
    char hex[HASH_TEXT];

    if (!f->tries)
        LOG(LOG_WARN, f->too_long ? "mirror_file_too_long" : "mirror_file_failed",
            L_STR("file", hex_text(f->hash, HASH_BYTES, hex)), L_STR("reason", why->text));
}

enum sync_rc mirror_files_step(struct sync_err *e, const struct mirror_files *m, bool *none)
{
    struct fetch f = { .m = m };
    struct sync_err why = { 0 };
    bool wanted = false;
    enum sync_rc sr;

    *none = true;
    if ((sr = next(e, &f, none, &wanted)) || *none)
        return sr;
    if (!wanted || blob_exists(m->data, f.hash))
        return write_row(e, &f, settled);
    /* BLOB_MAX stands for the length, which only the answer tells. */
    (void)!blob_chunk(&f.err, m->data, f.hash, BLOB_MAX, 0, NULL, 0, &f.have);
    f.err = (struct err){ 0 };
    sr = get(&f, &why);
    buf_done(&f.piece);
    if (sr == SYNC_CANCELLED)
        return sync_err_set(e, sr, "%s", why.text);
    if (sr)
        told_failed(&f, &why);
    if (f.done)
        return write_row(e, &f, settled);
    return sr ? write_row(e, &f, postponed) : SYNC_OK;
}

/* ---- inside transactions ---- */

enum rc mirror_files_want(struct work *w, int64_t stream, const struct id *item)
{
    return db_run(w, SQL_mirror_file_want, "ibi", stream, item->b, sizeof item->b, clock_now());
}

enum rc mirror_files_forget(struct work *w, int64_t stream, int64_t first, int64_t last)
{
    enum rc rc = db_run(w, SQL_mirror_forget_files, "iii", stream, first, last);

    if (!rc)
        takedown_drops(w);
    return rc;
}

enum rc mirror_files_missing(struct work *w, const uint8_t hash[HASH_BYTES])
{
    struct rows q;
    enum rc rc =
        row_finish(&q, db_one(w, SQL_mirror_file_waits, &q, "b", hash, (size_t)HASH_BYTES));

    return rc ? rc
              : err_set(&w->err, RC_BUSY,
                        "the file is on its way here from the server that publishes it");
}
