/*
 * takedown.c - a takedown's effects that are not rows of the item.
 *
 *     takedown_begin()  the item's files, while its rows still name them
 *         ... change_write(), rows of item, revision, attachment ...
 *     takedown_end()    the journal's line (fsync); files that nobody has: rows of blob_drop;
 *                       URLs that held the text: rows of purge_url
 *     COMMIT
 *     after it          the files go; the tick takes the rows of blob_drop away
 *
 * A crash after COMMIT leaves rows of blob_drop, and the first tick of the next start removes
 * their files. A file that somebody attached again meanwhile stays.
 *
 * The tick also removes, once an hour, what is left of uploads that nobody went on with.
 *
 * What the database deleted is overwritten there, but stands in its write-ahead log until the
 * tick has that written back.
 *
 * The journal's line stands before the COMMIT. If that does not come, the tick, which runs
 * between transactions, finds the line still waiting and writes its `void`; after a crash the
 * next start does (replay.c).
 */
#include "server/library/takedown.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/identity/party_reach.h"
#include "server/library/attachment.h"
#include "server/library/purge_url.h"
#include "server/library/row.h"
#include "server/store/blob.h"

enum {
    DROPS_AT_ONCE = 200,
    SWEEP_EVERY = 3600,    /* seconds */
    ABANDONED = 24 * 3600, /* a file whose upload went no further for so long */
    SHELF_EVERY = 300,     /* seconds: all shelves in 21 hours */
    UNNAMED = 7 * 86400    /* a file that no revision has named so long after it was sent */
};

/* A line whose COMMIT has not been seen. */
struct pending {
    struct pending *next;
    struct journal_line line;
};

static struct { /* the writer's thread only */
    char data[PATH_MAX];
    struct pending *pending;
    bool drops;       /* there may be rows of blob_drop */
    bool lingers;     /* the database's log may still hold the text */
    bool told_failed; /* a failure is told when it begins */
    int64_t swept;    /* when uploads were last swept; 0: not since the start */
    int64_t shelf;    /* the last one that was looked through, counted since 1970 */
} takedown;

static void forget_pending(void)
{
    while (takedown.pending) {
        struct pending *p = takedown.pending;

        takedown.pending = p->next;
        free(p);
    }
}

enum rc takedown_begin(struct work *w, const struct id *item, struct takedown *out)
{
    struct buf b = BUF_IN(w->mem);
    uint8_t hash[HASH_BYTES];
    struct rows q;
    enum rc rc = db_query(w, SQL_takedown_files, &q, "b", item->b, sizeof item->b);

    if (rc)
        return rc;
    while (!rc && rows_next(&q))
        if (!(rc = row_bytes(w, &q, 0, hash, sizeof hash)))
            buf_add(&b, hash, sizeof hash);
    if ((rc = row_finish(&q, rc)))
        return rc;
    out->files = (void *)b.p;
    out->n = (int)(b.n / HASH_BYTES);
    return RC_OK;
}

enum rc takedown_forget_before(struct work *w, const struct id *item, int64_t rev)
{
    enum rc rc = db_run(w, SQL_takedown_forget_revisions, "bi", item->b, sizeof item->b, rev);

    if (!rc)
        rc = db_run(w, SQL_check_result_forget_before, "bi", item->b, sizeof item->b, rev);
    if (!rc)
        rc = db_run(w, SQL_review_forget_before, "bi", item->b, sizeof item->b, rev);
    return rc ? rc : db_run(w, SQL_takedown_forget_files, "bi", item->b, sizeof item->b, rev);
}

/* ---- the journal ---- */

static void linger(void *arg)
{
    (void)arg;
    takedown.lingers = true;
}

void takedown_lingers(struct work *w)
{
    work_after_commit(w, linger, NULL);
}

/* After COMMIT. `arg` is where the pointer stands, for the tick may have been quicker. */
static void came_to_pass(void *arg)
{
    takedown.lingers = true;
    for (struct pending **at = &takedown.pending; *at; at = &(*at)->next)
        if (*at == arg) {
            *at = (*at)->next;
            free(arg);
            return;
        }
}

static enum rc write_down(struct work *w, const struct item *it, enum journal_verb verb,
                          int64_t rev, const char *reason)
{
    struct pending *p;
    struct stream s;
    enum rc rc;

    if (!journal_is_open() || party_is_tried(w))
        return RC_OK;
    if ((rc = stream_by_no(w, it->stream, &s)))
        return rc;
    if (!(p = calloc(1, sizeof *p)))
        memory_end();
    p->line = (struct journal_line){ .epoch = s.epoch,
                                     .seq = it->seq,
                                     .verb = verb,
                                     .item = it->id,
                                     .rev = rev,
                                     .reason = reason ? reason : "",
                                     .at = clock_now() };
    memcpy(p->line.stream, s.name, sizeof p->line.stream);
    if ((rc = journal_append(&w->err, &p->line, 1))) {
        free(p);
        return rc;
    }
    p->line.reason = ""; /* it lives only as long as the work */
    p->next = takedown.pending;
    takedown.pending = p;
    work_after_commit(w, came_to_pass, p);
    return RC_OK;
}

static void void_pending(void)
{
    struct err e = { 0 };

    for (const struct pending *p = takedown.pending; p; p = p->next) {
        struct journal_line l = p->line;

        l.verb = JOURNAL_VOID;
        l.item = (struct id){ 0 };
        l.rev = 0;
        if (journal_append(&e, &l, 1))
            return; /* the next tick, or the next start, tries again */
        LOG(LOG_WARN, "takedown_void", L_STR("stream", l.stream), L_INT("seq", l.seq));
    }
    forget_pending();
}

/* ---- files ---- */

static enum rc is_used(struct work *w, const uint8_t hash[HASH_BYTES])
{
    struct rows q;
    enum rc rc = db_one(w, SQL_takedown_file_used, &q, "b", hash, (size_t)HASH_BYTES);

    return row_finish(&q, rc);
}

static enum rc remove_file(struct err *e, const uint8_t hash[HASH_BYTES])
{
    enum rc rc = blob_remove(e, takedown.data, hash);

    return rc == RC_NOT_FOUND ? RC_OK : rc; /* it may never have been sent */
}

/* After COMMIT: at once, and the tick sees to those that could not be removed. */
static void remove_files(void *arg)
{
    const struct takedown *t = arg;
    struct err e = { 0 };

    for (int i = 0; i < t->n; i++)
        if (remove_file(&e, t->files[i]))
            LOG(LOG_WARN, "blob_not_removed", L_STR("why", e.text));
    takedown.drops = true;
}

static void see_to_drops(void *arg)
{
    (void)arg;
    takedown.drops = true;
}

void takedown_drops(struct work *w)
{
    work_after_commit(w, see_to_drops, NULL);
}

enum rc takedown_files(struct work *w, const struct takedown *t)
{
    struct takedown *drop = arena_zalloc(w->mem, sizeof *drop);
    char name[HASH_TEXT];
    enum rc rc;

    drop->files = arena_alloc(w->mem, ((size_t)t->n + 1) * HASH_BYTES);
    for (int i = 0; i < t->n; i++) {
        if (attachment_public(w, t->files[i]) &&
            (rc = purge_url_add(w, "/v1/blobs/%s", hex_text(t->files[i], HASH_BYTES, name))))
            return rc;
        if ((rc = is_used(w, t->files[i])) == RC_OK)
            continue;
        if (rc != RC_NOT_FOUND ||
            (rc = db_run(w, SQL_blob_drop_add, "b", t->files[i], (size_t)HASH_BYTES)))
            return rc;
        memcpy(drop->files[drop->n++], t->files[i], HASH_BYTES);
    }
    if (drop->n && *takedown.data)
        work_after_commit(w, remove_files, drop);
    return RC_OK;
}

enum rc takedown_waiting(struct work *w, int64_t *files)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_blob_drop_waiting, &q, "");

    if (!rc)
        *files = rows_int(&q, 0);
    return row_finish(&q, rc);
}

static enum rc drop_one(struct work *w, const uint8_t hash[HASH_BYTES])
{
    enum rc rc = is_used(w, hash);

    if (rc == RC_NOT_FOUND)
        rc = remove_file(&w->err, hash);
    return rc ? rc : db_run(w, SQL_blob_drop_done, "b", hash, (size_t)HASH_BYTES);
}

static enum rc drop_waiting(struct work *w, bool *more)
{
    struct buf b = BUF_IN(w->mem);
    uint8_t hash[HASH_BYTES];
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_blob_drop_all, &q, "i", (int64_t)DROPS_AT_ONCE)))
        return rc;
    while (!rc && rows_next(&q))
        if (!(rc = row_bytes(w, &q, 0, hash, sizeof hash)))
            buf_add(&b, hash, sizeof hash);
    rc = row_finish(&q, rc);
    for (size_t at = 0; !rc && at < b.n; at += HASH_BYTES)
        rc = drop_one(w, (const uint8_t *)b.p + at);
    *more = b.n == (size_t)DROPS_AT_ONCE * HASH_BYTES;
    return rc;
}

static void drop_tick(struct db *db)
{
    struct work w;
    bool more = true;
    enum rc rc;

    work_init(&w, arena_new(), db, "clock", RIGHT_PUBLISH);
    if (!(rc = db_begin(&w)) && ((rc = drop_waiting(&w, &more)) || (rc = db_commit(&w))))
        db_rollback(db);
    if (rc && !takedown.told_failed)
        LOG(LOG_ERROR, "blobs_not_removed", L_STR("why", w.err.text));
    takedown.told_failed = rc != RC_OK;
    takedown.drops = rc || more;
    arena_free(w.mem);
}

/* Uploads that were begun and given up: nobody but us knows of their files. */
static void sweep_uploads(void)
{
    int64_t now = clock_now();
    struct err e = { 0 };
    int n;

    if (takedown.swept && takedown.swept <= now && now < takedown.swept + SWEEP_EVERY)
        return;
    takedown.swept = now;
    if (blob_sweep(&e, takedown.data, now - ABANDONED, &n))
        LOG(LOG_ERROR, "uploads_not_swept", L_STR("reason", e.text));
    else if (n)
        LOG(LOG_INFO, "uploads_swept", L_INT("files", n));
}

static enum rc drop_unnamed(struct work *w, int shelf, int *removed)
{
    uint8_t(*hash)[HASH_BYTES] = arena_alloc(w->mem, (size_t)DROPS_AT_ONCE * HASH_BYTES);
    int n;
    enum rc rc = blob_shelf(&w->err, takedown.data, shelf, clock_now() - UNNAMED, DROPS_AT_ONCE,
                            hash, &n);

    for (int i = 0; i < n && !rc; i++) {
        rc = is_used(w, hash[i]);
        if (rc == RC_NOT_FOUND && !(rc = remove_file(&w->err, hash[i])))
            ++*removed;
    }
    return rc;
}

/* Files that were sent, and that nobody wanted in the end. One shelf at a time, by the clock: no start begins anew. */
static void sweep_shelf(struct db *db)
{
    int64_t now = clock_now() / SHELF_EVERY;
    int removed = 0;
    struct work w;

    if (now == takedown.shelf)
        return;
    takedown.shelf = now;
    work_init(&w, arena_new(), db, "clock", RIGHT_PUBLISH);
    if (drop_unnamed(&w, (int)(now % BLOB_SHELVES), &removed))
        LOG(LOG_ERROR, "unnamed_files_not_removed", L_STR("why", w.err.text));
    if (removed)
        LOG(LOG_INFO, "unnamed_files_removed", L_INT("files", removed));
    arena_free(w.mem);
}

void takedown_tick(struct db *db, void *arg)
{
    (void)arg;
    if (*takedown.data) {
        sweep_uploads();
        sweep_shelf(db);
    }
    if (takedown.pending)
        void_pending();
    if (takedown.drops && *takedown.data)
        drop_tick(db);
    if (takedown.lingers)
        takedown.lingers = !db_forget_log(db);
}

/* ---- URLs ---- */

static enum rc item_urls(struct work *w, const struct item *it)
{
    static const struct {
        const char *before, *after;
    } own[] = { { "/a/", "" },
                { "/a/", "/large" },
                { "/a/", "/text" },
                { "/v1/items/", "" },
                { "/v1/items/", "/revisions" } };
    char id[ID_TEXT];
    enum rc rc;

    id_text(&it->id, id);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if ((rc = purge_url_add(w, "%s%s%s", own[i].before, id, own[i].after)))
            return rc;
    for (int64_t rev = 1; rev <= it->rev; rev++)
        if ((rc = purge_url_add(w, "/v1/items/%s/revisions/%" PRId64, id, rev)))
            return rc;
    return RC_OK;
}

static enum rc list_urls(struct work *w, const struct item *it)
{
    static const char *const shared[] = { "/", "/large", "/v1/items", "/feeds/*" };
    enum rc rc;

    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        if ((rc = purge_url_add(w, "%s", shared[i])))
            return rc;
    if ((rc = purge_url_add(w, "/columns/%" PRId64, it->col)))
        return rc;
    return purge_url_add(w, "/v1/columns/%" PRId64 "/items", it->col);
}

/* The item alone, in every epoch there was: what a cache holds of an older one says the same. */
static enum rc alone_urls(struct work *w, const struct stream *s, int64_t born)
{
    struct buf epochs = BUF_IN(w->mem);
    const int64_t *epoch;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_ancestry_all, &q, "i", s->no)))
        return rc;
    while (rows_next(&q)) {
        int64_t e = rows_int(&q, 0);

        buf_add(&epochs, &e, sizeof e);
    }
    rc = rows_done(&q);
    epoch = (const int64_t *)(const void *)epochs.p;
    for (size_t i = 0; i < epochs.n / sizeof *epoch && !rc; i++)
        rc = purge_url_add(w, "/v1/sync/%s/item/%" PRId64 "/%" PRId64 ".*", s->name, epoch[i],
                           born);
    return rc;
}

/*
 * Who asked for which catch-up is not known, so it is all of them. That costs nobody anything: their
 * URLs carry the cut, and nobody asks for one of an older cut again.
 */
static enum rc sync_urls(struct work *w, const struct item *it)
{
    struct stream s;
    enum rc rc;

    if ((rc = stream_by_no(w, it->stream, &s)) ||
        (rc = purge_url_add(w, "/v1/sync/%s/log/*", s.name)))
        return rc;
    return alone_urls(w, &s, it->born);
}

enum rc takedown_forget_answers(struct work *w)
{
    enum rc rc = db_run(w, SQL_idempotency_forget_bodies, "");

    return rc ? rc : db_run(w, SQL_party_sandbox_forget_answers, "");
}

enum rc takedown_end(struct work *w, const struct takedown *t, const struct item *it,
                     enum journal_verb verb, int64_t rev, const char *reason)
{
    enum rc rc;

    if ((rc = takedown_files(w, t)) || (rc = item_urls(w, it)) || (rc = list_urls(w, it)) ||
        (rc = sync_urls(w, it)) ||
        (verb != JOURNAL_WITHDRAW && (rc = takedown_forget_answers(w))))
        return rc;
    return write_down(w, it, verb, rev, reason);
}

/* ---- start and end ---- */

enum rc takedown_open(struct err *e, const char *data)
{
    if ((size_t)snprintf(takedown.data, sizeof takedown.data, "%s", data) >=
        sizeof takedown.data)
        return err_set(e, RC_INVALID, "the data directory's path is too long");
    takedown.drops = takedown.lingers = true;
    takedown.told_failed = false;
    takedown.swept = 0;
    return journal_open(e, data);
}

void takedown_close(void)
{
    if (takedown.pending)
        void_pending();
    forget_pending();
    journal_close();
    *takedown.data = '\0';
}
