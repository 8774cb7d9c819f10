/*
 * head.c - signs the state of the log, so that nobody on the way can change, hide or roll it
 * back.
 *
 *     published --COMMIT--> tree, seq, cut (memory) --[debounce]--> sign --> row in `head`
 *     withdrawn --COMMIT--> tree, seq, cut (memory) --------------> sign --> row in `head`
 *                                            row in `head` --COMMIT--> note that loops serve
 *
 * A head speaks of what memory holds (tree, seq and cut), and memory holds only what was committed:
 * the observer of the log fills it after COMMIT. So it does not matter that the transaction
 * that stores a head may carry changes that are not committed yet. The bytes are in the table
 * before anybody sees them, and DATA/epoch says how far we have come before that (founding.c).
 * Hence after any crash the newest stored head is the highest that any phone can hold, and it
 * is served again as it stood.
 *
 * Takedown first: what takes something away (a tombstone, a purge) waits for no debounce. It is
 * signed and shown between its COMMIT and its answer, once for all that one COMMIT holds. A
 * purge must not wait in any case: it ends the catch-ups of the cut before, so until a head
 * names the new one nobody could follow.
 *
 * A head is signed at once after the first change, then not before the debounce has passed; and
 * anew, with the same content, whenever a quarter of its lease has. Its time never goes back,
 * even if the clock does.
 *
 * Held back: a reader far behind needs the index and then one catch-up from there, which may
 * span WIRE_CATCHUP_MAX changes. While an import outruns the index, the older head stays (and
 * is renewed), so that whatever head is shown, everybody can reach it. Unless something was
 * purged: then the older head leads nowhere, and those far behind wait for the index.
 */
#include "sync/head.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/generation.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/store/db.h"
#include "sync/directory.h"
#include "sync/founding.h"
#include "sync/live_state.h"
#include "sync/object.h"
#include "sync/verify.h"

enum { KEEP = 7 * 86400, PURGE_EVERY = 3600, CLOCK_OFF_MAX = 300 }; /* seconds */

/* ---- what others see ---- */

enum rc head_now(struct live *l, struct err *e, struct arena *mem, const char **note, size_t *n,
                 const char **etag)
{
    struct shown *copy = arena_alloc(mem, sizeof *copy);

    pthread_mutex_lock(&l->lock);
    *copy = l->shown;
    pthread_mutex_unlock(&l->lock);
    if (!copy->n)
        return err_set(e, RC_BUSY, "the first head of this stream is being made");
    *note = copy->note;
    *n = copy->n;
    *etag = copy->etag;
    return RC_OK;
}

bool head_values(struct live *l, struct wire_head *out)
{
    bool any;

    pthread_mutex_lock(&l->lock);
    any = l->shown.n > 0;
    if (any)
        *out = l->head;
    pthread_mutex_unlock(&l->lock);
    return any;
}

enum rc head_twin(struct work *w, struct live *l, uint64_t epoch, uint64_t seq, uint64_t sign,
                  const char **note, size_t *n)
{
    struct rows q;
    enum rc rc;

    rc = db_one(w, SQL_sync_head_twin, &q, "iiii", l->no, (int64_t)epoch, (int64_t)seq,
                (int64_t)sign);
    if (!rc)
        *note = rows_dup_blob(w, &q, 0, n);
    if ((rc = rows_done(&q)) == RC_NOT_FOUND)
        return err_set(&w->err, rc,
                       "no head %" PRIu64 ".%" PRIu64 ".%" PRIu64
                       " is kept: begin with the newest",
                       epoch, seq, sign);
    return rc;
}

enum rc head_known(struct work *w, struct live *l, uint64_t epoch, uint64_t seq)
{
    struct wire_head now;
    struct rows q;
    bool fresh = false;
    enum rc rc;

    if (!head_values(l, &now))
        now.lease = 0;
    else if (now.epoch == epoch && now.seq == seq)
        return RC_OK;
    if ((rc = db_query(w, SQL_sync_head_of, &q, "iii", l->no, (int64_t)epoch, (int64_t)seq)))
        return rc;
    if (rows_next(&q))
        fresh = rows_int(&q, 0) + now.lease >= clock_now();
    if ((rc = rows_done(&q)))
        return rc;
    return fresh ? RC_OK
                 : err_set(&w->err, RC_NOT_FOUND,
                           "no head %" PRIu64 ".%" PRIu64 " is in its lease", epoch, seq);
}

/* ---- what a head says ---- */

/* A head on its way through the transaction. */
struct signing {
    struct live *l;
    struct wire_head head;
    char note[WIRE_HEAD_MAX];
    size_t n;
    struct buf cover; /* empty: one that was kept before */
};

static enum rc chain_at(struct work *w, struct live *l, uint8_t out[HASH_BYTES])
{
    struct rows q;
    const void *p;
    size_t n;
    enum rc rc;

    if (!l->seq) {
        verify_chain_first(l->name, out);
        return RC_OK;
    }
    rc = db_one(w, SQL_sync_chain_at, &q, "ii", l->no, (int64_t)l->seq);
    if (!rc && (p = rows_blob(&q, 0, &n)) && n == HASH_BYTES)
        memcpy(out, p, n);
    else if (!rc)
        rc = err_set(&w->err, RC_CORRUPT, "change %" PRIu64 " has no chain hash", l->seq);
    enum rc end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc stream_row(struct work *w, struct live *l, struct wire_head *h,
                          uint64_t *index_seq)
{
    struct rows q;
    const void *p;
    size_t n = 0;
    enum rc rc = db_one(w, SQL_sync_stream_by_no, &q, "i", l->no);

    if (!rc) {
        h->epoch = (uint64_t)rows_int(&q, 0);
        *index_seq = (uint64_t)rows_int(&q, 3);
        p = rows_blob(&q, 4, &n);
        h->has_index = p && n == WIRE_HASH;
        if (h->has_index)
            memcpy(h->index, p, n);
    }
    return rows_done(&q);
}

/* The state of the log as a head would say it now; `sign` and `time` are left open. */
static enum rc compose(struct work *w, struct live *l, struct wire_head *h, uint64_t *index_seq)
{
    enum rc rc;

    *h = (struct wire_head){ .seq = l->seq, .lease = l->lease, .poll = l->poll, .cut = l->cut };
    memcpy(h->stream, l->name, sizeof h->stream);
    if ((rc = stream_row(w, l, h, index_seq)) || (rc = chain_at(w, l, h->chain)))
        return rc;
    h->size = tree_size(l->tree);
    tree_root(l->tree, h->root);
    if ((rc = ancestry_make(w, l->no, l->has_head ? l->head.ancestry : NULL, h->ancestry)))
        return rc;
    if (l->has_head && !l->directory_new) {
        memcpy(h->directory, l->head.directory, sizeof h->directory);
        return RC_OK;
    }
    return directory_make(w, l->no, l->has_head ? l->head.directory : NULL, h->directory);
}

/* Whether two heads say the same, whenever they say it. */
static bool same_content(const struct wire_head *a, const struct wire_head *b)
{
    return !strcmp(a->stream, b->stream) && a->epoch == b->epoch && a->seq == b->seq &&
           a->lease == b->lease && a->poll == b->poll && a->cut == b->cut &&
           a->size == b->size && a->has_index == b->has_index &&
           !memcmp(a->root, b->root, WIRE_HASH) && !memcmp(a->chain, b->chain, WIRE_HASH) &&
           !memcmp(a->ancestry, b->ancestry, WIRE_HASH) &&
           (!a->has_index || !memcmp(a->index, b->index, WIRE_HASH)) &&
           !memcmp(a->directory, b->directory, WIRE_HASH);
}

static bool quarter_passed(const struct live *l)
{
    return l->has_head && clock_now() >= (int64_t)l->head.time + (l->lease + 3) / 4;
}

/* ---- signing ---- */

static void (*on_head)(const struct wire_head *h);

void sync_on_head(void (*fn)(const struct wire_head *h))
{
    on_head = fn;
}

void head_show(struct live *l, const struct wire_head *h, const char *note, size_t n)
{
    pthread_mutex_lock(&l->lock);
    l->head = *h;
    memcpy(l->shown.note, note, n);
    l->shown.n = n;
    snprintf(l->shown.etag, sizeof l->shown.etag, "\"%" PRIu64 ".%" PRIu64 ".%" PRIu64 "\"",
             h->epoch, h->seq, h->sign);
    pthread_mutex_unlock(&l->lock);
    l->has_head = true;
    generation_next(); /* the head route answers from the cache */
    if (on_head)
        on_head(h);
}

static void (*on_cut)(void);

void sync_on_cut(void (*fn)(void))
{
    on_cut = fn;
}

void head_forget_answers(void)
{
    if (on_cut)
        on_cut();
}

/* After the COMMIT: what the table holds is what everybody sees. */
static void publish(void *arg)
{
    struct signing *s = arg;
    struct live *l = s->l;
    bool cut = l->has_head && s->head.cut != l->head.cut;

    if (s->cover.n)
        cover_keep(l->covers, s->head.epoch, s->head.seq, s->cover.p, s->cover.n);
    keys_show(l->keys); /* whoever meets the signature must be able to find its key */
    head_show(l, &s->head, s->note, s->n);
    l->floor = s->head.time;
    l->renew = false;
    l->stale = l->seq != s->head.seq;
    l->urgent = false;
    l->signed_ms = clock_now_ms();
    if (cut)
        head_forget_answers();
    if (l->is_default)
        metric_set(METRIC_head_seq, (int64_t)s->head.seq);
    metric_add(METRIC_heads_signed, 1);
}

static void published_directory(void *arg)
{
    ((struct live *)arg)->directory_new = false;
}

static enum rc store(struct work *w, struct signing *s)
{
    const struct wire_head *h = &s->head;
    enum rc rc;

    rc = founding_mark(&w->err, w->mem, s->l->data, s->l->name, h->epoch, h->seq);
    if (rc)
        return rc;
    return db_run(w, SQL_sync_head_add, "iiiiiibb", s->l->no, (int64_t)h->epoch,
                  (int64_t)h->seq, (int64_t)h->sign, (int64_t)h->time, (int64_t)h->cut,
                  h->chain, sizeof h->chain, s->note, s->n);
}

/*
 * The number of this signing. The table knows more than memory: two jobs of one transaction may both
 * sign, and neither is shown before the COMMIT.
 */
static enum rc number(struct work *w, struct live *l, struct wire_head *h)
{
    struct rows q;
    enum rc rc =
        db_query(w, SQL_sync_head_of, &q, "iii", l->no, (int64_t)h->epoch, (int64_t)h->seq);

    if (rc)
        return rc;
    h->sign = rows_next(&q) ? (uint64_t)rows_int(&q, 1) + 1 : 1;
    return rows_done(&q);
}

/* Time and number of the signing, the signature, the row. `of_tree`: the content is the tree's as
 * it is now. */
static enum rc sign_this(struct work *w, struct live *l, const struct wire_head *content,
                         bool of_tree)
{
    struct signing *s = arena_zalloc(w->mem, sizeof *s);
    struct sync_err se;
    enum rc rc;

    s->l = l;
    s->head = *content;
    s->cover = BUF_IN(w->mem);
    if (of_tree)
        tree_cover(l->tree, &s->cover);
    s->head.time = (uint64_t)clock_now() > l->floor ? (uint64_t)clock_now() : l->floor;
    if ((rc = number(w, l, &s->head)))
        return rc;
    if (wire_head_print(&se, &s->head, s->note, &s->n))
        return err_set(&w->err, RC_INTERNAL, "head: %s", se.text);
    if ((rc = keys_sign(l->keys, &w->err, l->name, s->note, &s->n)) || (rc = store(w, s)))
        return rc;
    work_after_commit(w, publish, s);
    return RC_OK;
}

/* Whether the older head must stay until the index has come nearer. */
static bool held_back(const struct live *l, const struct wire_head *h, uint64_t index_seq)
{
    uint64_t base = h->has_index ? index_seq : 0;

    if (l->has_head && l->head.cut != h->cut)
        return false;
    return h->seq > base && h->seq - base > WIRE_CATCHUP_MAX && index_will_come(l->index);
}

enum rc head_sign(struct work *w, struct live *l, bool must)
{
    struct wire_head h;
    uint64_t index_seq;
    enum rc rc;

    if ((rc = compose(w, l, &h, &index_seq)))
        return rc;
    if (held_back(l, &h, index_seq)) {
        if (!l->has_head || l->head.epoch != h.epoch)
            return RC_OK;
        h = l->head;
    } else if (l->directory_new) {
        work_after_commit(w, published_directory, l);
    }
    if (!must && !l->renew && l->has_head && same_content(&h, &l->head) && !quarter_passed(l))
        return RC_OK;
    return sign_this(w, l, &h, h.seq == l->seq);
}

/* ---- when ---- */

static bool debounced(const struct live *l)
{
    int64_t passed = clock_now_ms() - l->signed_ms;

    return passed < 0 || passed >= l->debounce_ms;
}

static enum rc run_sign(struct work *w, void *arg)
{
    return head_sign(w, arg, false);
}

/* A failure is told when it begins, not at every attempt. */
static void attempted(struct live *l, struct work *w, enum rc rc)
{
    if (rc && rc != l->failed)
        LOG(LOG_ERROR, "head_not_signed", L_STR("stream", l->name), L_INT("seq", l->seq),
            L_STR("reason", w->err.text));
    l->failed = rc;
    if (rc)
        l->signed_ms = clock_now_ms();
}

static void job_done(struct writer_job *job)
{
    struct live *l = job->arg;

    attempted(l, &l->job_work, job->rc);
    l->queued = false;
    arena_free(l->job_work.mem);
}

static void submit(struct live *l)
{
    work_init(&l->job_work, arena_new(), NULL, "sync", RIGHT_ALL);
    l->job =
        (struct writer_job){ .w = &l->job_work, .run = run_sign, .done = job_done, .arg = l };
    l->queued = writer_submit(&l->job);
    if (!l->queued)
        arena_free(l->job_work.mem); /* the next tick tries again */
}

/* Runs fn in a transaction of its own. */
static void in_transaction(struct live *l, struct db *db,
                           enum rc (*fn)(struct work *, struct live *),
                           void (*after)(struct live *, struct work *, enum rc))
{
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), db, "sync", RIGHT_ALL);
    if (!(rc = db_begin(&w))) {
        if ((rc = fn(&w, l)) || (rc = db_commit(&w)))
            db_rollback(db);
        else
            work_committed(&w);
    }
    after(l, &w, rc);
    arena_free(w.mem);
}

static enum rc tick_sign(struct work *w, struct live *l)
{
    return head_sign(w, l, false);
}

/* Whether memory has heard of all that the last COMMIT held. */
static enum rc heard_all(struct work *w, struct live *l, bool *all)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_sync_stream_by_no, &q, "i", l->no);

    *all = !rc && (uint64_t)rows_int(&q, 1) == l->seq;
    return rows_done(&q);
}

static enum rc sign_urgent(struct work *w, struct live *l)
{
    bool all;
    enum rc rc = heard_all(w, l, &all);

    return rc || !all ? rc : head_sign(w, l, false);
}

void head_touch(struct live *l)
{
    if (l->urgent) {
        index_retire(l->index, l->db);
        in_transaction(l, l->db, sign_urgent, attempted);
    } else if (!l->queued && debounced(l))
        submit(l);
}

static enum rc tick_purge(struct work *w, struct live *l)
{
    int64_t horizon = (int64_t)l->head.time - KEEP;
    enum rc rc;

    if (!l->has_head)
        return RC_OK;
    if ((rc = db_run(w, SQL_sync_head_purge, "ii", l->no, horizon)) ||
        (rc = object_expire(w, l->no, "ancestry", l->head.ancestry, horizon, 0)))
        return rc;
    return object_expire(w, l->no, "directory", l->head.directory, horizon, 0);
}

static void purged(struct live *l, struct work *w, enum rc rc)
{
    l->purged = clock_mono_us();
    if (rc)
        LOG(LOG_ERROR, "heads_not_purged", L_STR("stream", l->name),
            L_STR("reason", w->err.text));
}

void head_tick(struct live *l, struct db *db)
{
    if (!l->mirrored && !l->queued && debounced(l) &&
        (l->stale || l->renew || l->directory_new || quarter_passed(l)))
        in_transaction(l, db, tick_sign, attempted);
    if (!l->mirrored) {
        index_retire(l->index, db);
        index_kick(l->index, l->seq);
    }
    if (clock_mono_us() - l->purged >= (int64_t)PURGE_EVERY * 1000000)
        in_transaction(l, db, tick_purge, purged);
}

enum rc head_flush(struct live *l, struct err *e)
{
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), NULL, "sync", RIGHT_ALL);
    if ((rc = writer_call(&w, run_sign, l)))
        *e = w.err;
    arena_free(w.mem);
    return rc;
}

/* ---- start ---- */

/* The newest stored head; out->n stays 0 if there is none. */
static enum rc stored(struct work *w, struct live *l, struct wire_head *h, struct signing *out,
                      bool *ours)
{
    struct wire_note note;
    struct sync_err se;
    struct rows q;
    enum rc rc, end;
    const char *p;
    size_t n;

    if ((rc = db_query(w, SQL_sync_head_newest, &q, "i", l->no)))
        return rc;
    if (rows_next(&q) && (p = rows_blob(&q, 0, &n))) {
        if (n >= WIRE_HEAD_MAX || wire_head_parse(&se, p, n, h, &note) ||
            strcmp(h->stream, l->name))
            rc = err_set(&w->err, RC_CORRUPT, "the newest stored head is damaged");
        else {
            memcpy(out->note, p, n);
            out->n = n;
            *ours = keys_signed(l->keys, l->name, &note, p);
        }
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc head_resume(struct work *w, struct live *l)
{
    struct signing last = { 0 };
    struct wire_head h = { 0 }, row = { 0 };
    uint64_t index_seq;
    bool ours = false;
    enum rc rc;

    if ((rc = stored(w, l, &h, &last, &ours)) || (rc = stream_row(w, l, &row, &index_seq)))
        return rc;
    if (h.epoch > row.epoch || (h.epoch == row.epoch && h.seq > l->seq))
        return err_set(&w->err, RC_CORRUPT,
                       "head %" PRIu64 ".%" PRIu64 " was signed, but the log is at %" PRIu64
                       ".%" PRIu64 ": restore the database with 'tjzw restore'",
                       h.epoch, h.seq, row.epoch, l->seq);
    l->floor = h.time;
    if ((int64_t)l->floor > clock_now() + CLOCK_OFF_MAX)
        LOG(LOG_WARN, "head_from_the_future", L_STR("stream", l->name),
            L_INT("seconds", (int64_t)l->floor - clock_now()), L_STR("mend", "tjzw doctor"));
    l->purged = clock_mono_us() - (int64_t)PURGE_EVERY * 1000000; /* the first tick does it */
    l->directory_new = true;
    l->stale = true;
    /* One that is not ours any more (another key, another epoch) is not shown. */
    if (last.n && h.epoch == row.epoch && ours) {
        if (h.seq == l->seq)
            cover_take(l->covers, l->tree, h.epoch, h.seq);
        head_show(l, &h, last.note, last.n);
    }
    return head_sign(w, l, false);
}
