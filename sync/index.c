/*
 * index.c - the state as a list of objects: bases, each some thousand neighbouring items in one
 * pack, and layers, what changed since.
 *
 *     plan --> build one object --> ... --> plan layers --> build one --> ...
 *          --> store the index and sign, together --> sweep
 *
 * A build is a chain of jobs, an object each, of which each queues the next: at leisure on the
 * builder, a thread that steps back for others; after a purge on the workers, where requests get
 * their turn between two objects. It is made as of one seq, S, though each step
 * has its own snapshot: a step takes of every item the last change up to S. What is to be done
 * is decided in index_plan.c and index_layers.c, and done in index_build.c.
 *
 * In a hurry - the log runs so far ahead that heads are held back (head.c) - bases are half
 * as large and compressed quickly. Small neighbours are joined when there is time again: the
 * joint object has another content, so another name, and no URL ever answers other bytes.
 *
 * A build that is urgent waits for none at leisure: that one stops within some 60 ms, in the middle of a compression.
 *
 * A purge: the objects that hold what it withdrew are marked in the table gone_object before
 * its command is answered, and are 410 from that COMMIT on, also after a crash; those at work
 * when it came are marked by the transaction that would show them. Then a build is urgent: it makes
 * again what is gone and nothing else. However many purges came meanwhile, that is one build.
 *
 * A crash at any point: objects that no index names yet are taken by the next sweep, or made
 * again under the same name.
 */
#include "sync/index.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/store/db.h"
#include "server/store/disk.h"
#include "sync/head.h"
#include "sync/index_build.h"
#include "sync/index_gone.h"
#include "sync/index_plan.h"
#include "sync/live_state.h"
#include "sync/mend.h"
#include "sync/object.h"

enum {
    KEEP_SECONDS = 7 * 86400, /* a slow first sync may take that long */
    KEEP_INDEXES = 32,        /* an import makes one a second: they need not all stay */
    RETRY_US = 10 * 1000000,
};

struct index {
    struct live *live;
    struct pool *leisure, *urgent; /* NULL: nobody builds in the background */
    int64_t every;
    struct buf purges;    /* struct purge: not yet marked; the writer thread's */
    pthread_mutex_t lock; /* for what follows */
    bool stopped, active, untidy;
    atomic_bool yield; /* a build at leisure is to stop in the middle of its step */
    bool missing;      /* somebody asked for a file that cannot be made again as it was */
    struct mend *mend;
    uint64_t cut;      /* seq of the newest purge that a gone object waits for; 0: none */
    uint64_t wanted;   /* seq that somebody cannot reach but by objects; 0: none */
    int64_t failed_us; /* when the last build failed; 0: it did not */
    uint64_t reached;  /* seq of the newest index */
    struct pool_job job;
    struct build *build; /* the worker's while active */
};

static uint64_t pending_cut(struct index *x)
{
    uint64_t cut;

    pthread_mutex_lock(&x->lock);
    cut = x->cut;
    pthread_mutex_unlock(&x->lock);
    return cut;
}

/* ---- the end of a build ---- */

static void print_parts(const struct parts *parts, struct buf *out)
{
    char line[WIRE_INDEX_LINE];

    for (size_t i = 0; i < parts->n; i++)
        buf_add(out, line, wire_object_print(&parts->p[i].o, line));
}

static void print_index(const struct build *b, struct buf *out)
{
    char line[WIRE_INDEX_LINE];

    buf_add(out, line, wire_index_head_print(b->seq, line));
    print_parts(&b->base, out);
    print_parts(&b->layer, out);
}

static enum rc store_parts(struct work *w, struct live *l, const struct parts *parts)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < parts->n && !rc; i++) {
        const struct part *p = &parts->p[i];

        /* The same bytes may have been marked though they never held the text, or long ago. */
        if (p->built)
            rc = db_run(w, SQL_gone_object_back, "b", p->o.hash, (size_t)HASH_BYTES);
        if (!rc && p->fresh)
            rc = part_store(w, l->no, p);
    }
    return rc;
}

struct finishing {
    struct live *live;
    const struct build *build;
    bool made;       /* else only files were mended */
    uint64_t cut;    /* the newest purge that came meanwhile and hit what was built */
    struct buf died; /* hashes */
};

static void finished(void *arg)
{
    const struct finishing *f = arg;
    struct index *x = f->live->index;

    pthread_mutex_lock(&x->lock);
    x->reached = f->build->seq;
    if (f->cut > x->cut)
        x->cut = f->cut;
    pthread_mutex_unlock(&x->lock);
    if (f->died.n)
        head_forget_answers();
}

/* Purges after S: what was built meanwhile may hold what they withdrew. */
static enum rc mark_meanwhile(struct work *w, struct finishing *f)
{
    struct buf purges = BUF_IN(w->mem);
    enum rc rc = gone_since(w, f->live->no, f->build->seq, &purges);
    const struct purge *p = (const struct purge *)(const void *)purges.p;
    size_t n = purges.n / sizeof *p;

    f->died = BUF_IN(w->mem);
    if (rc || (rc = gone_mark(w, f->live->no, p, n, &f->died)))
        return rc;
    f->cut = f->died.n ? p[n - 1].seq : 0;
    return RC_OK;
}

/* On the writer thread: the index, the rows of its objects, its place in the stream's row, and
 * the head that names it, in one transaction. */
static enum rc finish(struct work *w, void *arg)
{
    struct finishing *f = arg;
    struct live *l = f->live;
    const struct build *b = f->build;
    struct buf text = BUF_IN(w->mem);
    uint8_t hash[HASH_BYTES];
    enum rc rc;

    if (l->index->purges.n)
        return err_set(&w->err, RC_BUSY, "what a purge withdrew could not be marked yet");
    if ((rc = store_parts(w, l, &b->base)) || (rc = store_parts(w, l, &b->layer)) ||
        (rc = mark_meanwhile(w, f)))
        return rc;
    work_after_commit(w, finished, f);
    if (!f->made)
        return RC_OK;
    print_index(b, &text);
    if ((rc = object_put(w, l->no, "index", text.p, text.n, hash)) ||
        (rc = db_change(w, SQL_sync_stream_set_index, "iib", l->no, (int64_t)b->seq, hash,
                        sizeof hash)) ||
        (rc = object_expire(w, l->no, "index", hash, clock_now() - KEEP_SECONDS, KEEP_INDEXES)))
        return rc;
    return head_sign(w, l, false);
}

/* Nothing to do if nothing changed since the index before. */
static bool is_new(const struct index *x, const struct build *b)
{
    return b->changed || b->seq != x->reached;
}

static bool any_built(const struct parts *parts)
{
    for (size_t i = 0; i < parts->n; i++)
        if (parts->p[i].built)
            return true;
    return false;
}

/* ---- what nobody needs any more ---- */

struct pruning {
    struct live *live;
    struct buf hashes;
};

static bool is_in(const struct parts *parts, const uint8_t hash[HASH_BYTES])
{
    for (size_t i = 0; i < parts->n; i++)
        if (!memcmp(parts->p[i].o.hash, hash, HASH_BYTES))
            return true;
    return false;
}

static enum rc prune(struct work *w, void *arg)
{
    struct pruning *p = arg;
    enum rc rc = RC_OK;

    for (size_t at = 0; at < p->hashes.n && !rc; at += HASH_BYTES) {
        const uint8_t *hash = (const uint8_t *)p->hashes.p + at;

        if (!(rc = object_gone(w, p->live->no, hash)))
            rc = db_run(w, SQL_index_object_drop, "bi", hash, (size_t)HASH_BYTES, p->live->no);
    }
    return rc;
}

/* Objects that no stored index names, and gone ones that the newest has replaced: they are gone
 * for ever, first in the table, then on the disk. */
static enum rc prune_objects(struct work *w, struct live *l, const struct build *b)
{
    struct pruning p = { l, BUF_IN(w->mem) };
    struct hashes named;
    struct part *part;
    size_t n;
    enum rc rc;

    if ((rc = object_named(w, l->no, &named)) || (rc = part_list(w, l->no, &part, &n)))
        return rc;
    for (size_t i = 0; i < n; i++)
        if ((part[i].gone || !hashes_have(&named, part[i].o.hash)) &&
            !is_in(&b->base, part[i].o.hash) && !is_in(&b->layer, part[i].o.hash))
            buf_add(&p.hashes, part[i].o.hash, HASH_BYTES);
    if (p.hashes.n && (rc = writer_call(w, prune, &p)))
        return rc;
    for (size_t at = 0; at < p.hashes.n; at += HASH_BYTES)
        object_unlink(w->mem, l->data, (const uint8_t *)p.hashes.p + at);
    return RC_OK;
}

static enum rc end_build(struct index *x, struct work *w)
{
    struct build *b = x->build;
    struct finishing f = { .live = x->live, .build = b, .made = is_new(x, b) };
    int removed = 0;
    enum rc rc;

    if ((f.made || any_built(&b->base) || any_built(&b->layer)) &&
        (rc = writer_call(w, finish, &f)))
        return rc;
    if ((rc = prune_objects(w, x->live, b)) ||
        (rc = object_sweep(w, x->live->data, 1, &removed)))
        return rc;
    LOG(f.made ? LOG_INFO : LOG_DEBUG, "index_made", L_STR("stream", x->live->name),
        L_INT("seq", b->seq), L_INT("bases", b->base.n), L_INT("layers", b->layer.n),
        L_INT("files_removed", removed));
    pthread_mutex_lock(&x->lock);
    if (x->cut == b->planned_cut)
        x->cut = 0; /* else it came while the plan looked, or later */
    /* A build at leisure has joined what it could. */
    x->untidy = (b->hurry || b->urgent) && plan_untidy(b);
    pthread_mutex_unlock(&x->lock);
    return RC_OK;
}

/* ---- step by step ---- */

static enum rc in_snapshot(struct work *w, struct live *l, struct build *b,
                           enum rc (*fn)(struct work *, struct live *, struct build *))
{
    enum rc rc = db_begin_read(w);

    if (rc)
        return rc;
    rc = fn(w, l, b);
    db_end_read(w->db);
    return rc;
}

static void drop_build(struct index *x)
{
    if (!x->build)
        return;
    arena_free(x->build->mem);
    x->build = NULL;
    object_writing(-1);
}

static enum rc begin(struct index *x, struct work *w)
{
    struct arena *mem = arena_new(), *own = w->mem;
    enum rc rc;

    object_writing(1);
    x->build = arena_zalloc(mem, sizeof *x->build);
    x->build->mem = mem;
    pthread_mutex_lock(&x->lock);
    x->build->planned_cut = x->cut;
    x->missing = false; /* the plan looks */
    atomic_store(&x->yield, x->stopped);
    pthread_mutex_unlock(&x->lock);
    x->build->urgent = x->build->planned_cut > 0;
    x->build->yield = x->build->urgent ? NULL : &x->yield;
    w->mem = mem; /* the plan outlives the step */
    rc = in_snapshot(w, x->live, x->build, plan_make);
    w->mem = own;
    return rc;
}

/* One step of the build; *more says whether there is another. */
static enum rc step(struct index *x, struct work *w, bool *more)
{
    enum rc rc;

    *more = true;
    if (!x->build || x->build->overtaken) {
        drop_build(x);
        rc = begin(x, w);
    } else if (!build_is_done(x->build)) {
        x->build->cut = pending_cut(x);
        rc = in_snapshot(w, x->live, x->build, build_next);
    } else {
        *more = false;
        rc = end_build(x, w);
    }
    if (rc)
        *more = false;
    if (!*more)
        drop_build(x);
    return rc;
}

static void settle(struct index *x, struct work *w, enum rc rc)
{
    pthread_mutex_lock(&x->lock);
    x->active = false;
    x->failed_us = rc ? clock_mono_us() : 0;
    pthread_mutex_unlock(&x->lock);
    disk_note(rc);
    if (rc)
        LOG(LOG_ERROR, "index_not_made", L_STR("stream", x->live->name),
            L_STR("reason", w->err.text));
}

/*
 * With the lock. What a purge waits for is made by those who serve requests: it is short, and the builder may have
 * stepped back for others, or be at work for another stream.
 */
static bool submit(struct index *x)
{
    if (x->stopped)
        return false;
    return (x->cut && pool_submit(x->urgent, &x->job)) || pool_submit(x->leisure, &x->job);
}

static void run(struct pool_job *job, struct db *db)
{
    struct index *x = (struct index *)((char *)job - offsetof(struct index, job));
    struct work w;
    bool more;
    enum rc rc;

    work_init(&w, arena_new(), db, "sync", RIGHT_ALL);
    rc = step(x, &w, &more);
    pthread_mutex_lock(&x->lock);
    more = more && submit(x);
    pthread_mutex_unlock(&x->lock);
    if (!more)
        settle(x, &w, rc);
    arena_free(w.mem);
}

/* Objects at leisure leave a disk that is full to others; those that a purge waits for do not wait. */
static bool has_room(const struct index *x)
{
    return x->cut || !disk_state();
}

static bool is_due(const struct index *x, uint64_t seq)
{
    return (int64_t)(seq - x->reached) >= x->every || (x->cut && x->reached) ||
           x->wanted > x->reached;
}

void index_kick(struct index *x, uint64_t seq)
{
    pthread_mutex_lock(&x->lock);
    if (x->leisure && !x->stopped && !x->active && has_room(x) &&
        (!x->failed_us || clock_mono_us() - x->failed_us > RETRY_US) &&
        (x->untidy || x->missing || is_due(x, seq))) {
        x->job.run = run;
        x->active = submit(x);
    }
    pthread_mutex_unlock(&x->lock);
}

/* ---- purges ---- */

void index_purge(struct index *x, uint64_t born, uint64_t seq)
{
    struct purge p = { born, seq };

    buf_add(&x->purges, &p, sizeof p);
}

/* Inside a transaction. Nothing happens before all is told that the last COMMIT held: one pass for a
 * thousand purges. */
static enum rc mark(struct index *x, struct work *w, struct buf *died, bool *all_told)
{
    const struct purge *p = (const struct purge *)(const void *)x->purges.p;
    struct stream_now now;
    enum rc rc = plan_stream(w, x->live, &now);

    *all_told = !rc && now.seq == x->live->seq;
    if (rc || !*all_told)
        return rc;
    return gone_mark(w, x->live->no, p, x->purges.n / sizeof *p, died);
}

static void marked(struct index *x, const struct buf *died)
{
    const struct purge *p = (const struct purge *)(const void *)x->purges.p;
    uint64_t last = p[x->purges.n / sizeof *p - 1].seq;

    x->purges.n = 0;
    if (!died->n)
        return;
    pthread_mutex_lock(&x->lock);
    x->cut = last;
    atomic_store(&x->yield, true);
    pthread_mutex_unlock(&x->lock);
    head_forget_answers();
    index_kick(x, x->live->seq);
}

void index_retire(struct index *x, struct db *db)
{
    struct work w;
    struct buf died;
    bool all_told;
    enum rc rc;

    if (!x->purges.n)
        return;
    work_init(&w, arena_new(), db, "sync", RIGHT_ALL);
    died = BUF_IN(w.mem);
    if (!(rc = db_begin(&w))) {
        if ((rc = mark(x, &w, &died, &all_told)) || (rc = db_commit(&w)))
            db_rollback(db);
        else if (all_told)
            marked(x, &died);
    }
    if (rc)
        LOG(LOG_ERROR, "objects_not_retired", L_STR("stream", x->live->name),
            L_STR("reason", w.err.text));
    arena_free(w.mem);
}

void index_want(struct index *x, uint64_t seq)
{
    pthread_mutex_lock(&x->lock);
    x->wanted = seq > x->wanted ? seq : x->wanted;
    pthread_mutex_unlock(&x->lock);
}

enum rc index_resume(struct index *x, struct work *w, uint64_t seq)
{
    struct buf died = BUF_IN(w->mem);
    bool all_told;
    enum rc rc = gone_since(w, x->live->no, seq, &x->purges);

    x->reached = seq;
    x->untidy = seq > 0;
    if (rc || !x->purges.n || (rc = mark(x, w, &died, &all_told)))
        return rc;
    /* Also if they had been marked before the end: then their index is still to be made. */
    x->cut = ((const struct purge *)(const void *)(x->purges.p + x->purges.n))[-1].seq;
    x->purges.n = 0;
    return RC_OK;
}

enum rc index_read(struct work *w, struct live *l, const uint8_t hash[HASH_BYTES],
                   enum wire_encoding encoding, const char **p, size_t *n)
{
    struct index *x = l->index;
    enum rc rc = object_read(w, l->data, hash, encoding, p, n);

    if (rc == RC_BUSY)
        mend_ask(x->mend, hash, encoding);
    return rc;
}

/* An index with another object in its place. */
static void cannot_mend(struct live *l)
{
    struct index *x = l->index;

    pthread_mutex_lock(&x->lock);
    x->missing = true;
    pthread_mutex_unlock(&x->lock);
}

bool index_settled(struct index *x, uint64_t seq, bool tidy)
{
    bool settled;

    pthread_mutex_lock(&x->lock);
    settled = !x->leisure || (!is_due(x, seq) && (!tidy || (!x->active && !x->untidy)));
    pthread_mutex_unlock(&x->lock);
    return settled;
}

bool index_will_come(const struct index *x)
{
    struct index *m = (struct index *)x; /* the lock is no part of its value */
    bool will;

    /* Also when it was told to stop: then the next start makes it, and no head must be ahead of it. */
    pthread_mutex_lock(&m->lock);
    will = m->leisure && (m->active || !m->failed_us);
    pthread_mutex_unlock(&m->lock);
    return will;
}

enum rc index_build(struct live *l, struct err *e, struct db *db)
{
    bool more = true;
    enum rc rc = RC_OK;

    while (more && !rc) {
        struct work w;

        work_init(&w, arena_new(), db, "sync", RIGHT_ALL);
        rc = step(l->index, &w, &more);
        if (rc)
            *e = w.err;
        arena_free(w.mem);
    }
    return rc;
}

/* ---- life ---- */

struct index *index_new(struct live *l, struct pool *leisure, struct pool *urgent,
                        int64_t every)
{
    struct index *x = calloc(1, sizeof *x);

    if (!x)
        memory_end();
    x->live = l;
    x->leisure = leisure;
    x->urgent = urgent;
    x->mend = mend_new(l, urgent, cannot_mend);
    x->every = every < 1 ? 1 : every > WIRE_CATCHUP_MAX ? WIRE_CATCHUP_MAX : every;
    pthread_mutex_init(&x->lock, NULL);
    return x;
}

void index_stop(struct index *x)
{
    mend_stop(x->mend);
    pthread_mutex_lock(&x->lock);
    x->stopped = true;
    atomic_store(&x->yield, true);
    pthread_mutex_unlock(&x->lock);
}

void index_free(struct index *x)
{
    if (!x)
        return;
    drop_build(x);
    mend_free(x->mend);
    buf_done(&x->purges);
    pthread_mutex_destroy(&x->lock);
    free(x);
}
