/*
 * index.c - the state as a list of bases, each some thousand neighbouring items in one pack.
 *
 *     plan --> build one object --> ... --> store the index and sign, together --> sweep
 *
 * A build is a chain of short jobs on the worker pool, each of which queues the next, so that
 * requests get their turn between two objects. It is made as of one seq, S, though each step
 * has its own snapshot: a step takes of every item the last change up to S.
 *
 * What stays: a base in whose range nothing changed since the index before. What is made again:
 * regions, that is runs of neighbouring bases that changed, and the open end of the log. A
 * region is cut into equal objects of at most 4 MiB; the open end into full ones and a rest.
 * Cuts fall on multiples of 64 where they can, because a tile of the tree is that wide.
 *
 * In a hurry - the log runs so far ahead that heads are held back (head.c) - objects are half
 * as large and compressed quickly. Small neighbours are joined when there is time again: the
 * joint object has another content, so another name, and no URL ever answers other bytes.
 *
 * A crash at any point: objects that no index names yet are taken by the next sweep, or found
 * there and used if the same build is made again.
 *
 * Not here: layers. What others wrote of them is understood (wire.h), but bases replace them.
 */
#include "sync/index.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "server/store/db.h"
#include "sync/head.h"
#include "sync/index_plan.h"
#include "sync/live_state.h"
#include "sync/object.h"
#include "sync/pack.h"

enum {
    KEEP_SECONDS = 7 * 86400, /* a slow first sync may take that long */
    KEEP_INDEXES = 32,        /* an import makes one a second: they need not all stay */
    RETRY_US = 10 * 1000000,
};

struct index {
    struct live *live;
    struct pool *workers;
    int64_t every;
    pthread_mutex_t lock; /* for what follows */
    bool stopped, active, untidy;
    uint64_t cut;      /* seq of the newest takedown that objects may still hold; 0: none */
    uint64_t wanted;   /* seq that somebody cannot reach but by objects; 0: none */
    int64_t failed_us; /* when the last build failed; 0: it did not */
    uint64_t reached;  /* seq of the newest index */
    struct pool_job job;
    struct build *build; /* the worker's while active */
};

/* ---- building ---- */

/* Where a pack may be cut back to. */
static void cut_back(struct pack *p, const struct pack *mark)
{
    struct buf body = p->body;

    *p = *mark;
    body.n = mark->body.n;
    p->body = body;
}

/* Records of the region's next object, from r->first on. */
static enum rc fill(struct err *e, struct rows *q, const struct region *r, struct pack *p)
{
    struct pack mark = *p;
    enum rc rc;

    while (rows_next(q)) {
        struct pack before = *p;

        if ((rc = pack_add(e, p, q)))
            return rc;
        if (p->last_born != r->first + p->records - 1)
            return err_set(e, RC_CORRUPT, "item number %" PRIu64 " has no change",
                           r->first + p->records - 1);
        if (p->body.n > WIRE_PACK_MAX && p->records > 1) {
            cut_back(p, mark.records ? &mark : &before);
            return RC_OK;
        }
        if ((p->last_born + 1) % 64 == 0) {
            mark = *p;
            if (p->body.n >= r->target)
                return RC_OK;
        }
    }
    return RC_OK;
}

static enum rc build_object(struct work *w, struct live *l, struct build *b, int level)
{
    struct region *r = &b->region[b->at];
    struct wire_object o = { .kind = WIRE_BASE };
    struct pack p;
    struct rows q;
    enum rc rc, end;

    if ((rc = db_query(w, SQL_sync_records, &q, "iiii", l->no, (int64_t)r->first,
                       (int64_t)r->last, (int64_t)b->seq)))
        return rc;
    pack_init(&p, WIRE_PACK_MAX);
    rc = fill(&w->err, &q, r, &p);
    end = rows_done(&q);
    if (!rc && !(rc = end) && !p.records)
        rc = err_set(&w->err, RC_CORRUPT, "item number %" PRIu64 " has no change", r->first);
    if (!rc) {
        pack_end(&p);
        o.first_born = p.first_born, o.last_born = p.last_born;
        o.lowest_seq = p.lowest_seq, o.highest_seq = p.highest_seq;
        rc = object_write(&w->err, l->data, p.body.p, p.body.n, level, &o);
    }
    pack_done(&p);
    if (rc)
        return rc;
    build_keep(b, &o);
    r->first = o.last_born + 1;
    if (r->first > r->last)
        b->at++;
    return RC_OK;
}

static enum rc build_next(struct work *w, struct live *l, struct build *b)
{
    struct stream_now now;
    enum rc rc = plan_stream(w, l, &now);

    b->overtaken = !rc && !b->hurry && plan_in_hurry(&now);
    if (rc || b->overtaken)
        return rc;
    return build_object(w, l, b, b->hurry ? PACK_HURRY : PACK_BEST);
}

/* ---- the end of a build ---- */

static int by_born(const void *a, const void *b)
{
    const struct wire_object *x = a, *y = b;

    return x->first_born < y->first_born ? -1 : x->first_born > y->first_born;
}

static void print_index(const struct build *b, struct buf *out)
{
    char line[WIRE_INDEX_LINE];

    buf_add(out, line, wire_index_head_print(b->seq, line));
    for (size_t i = 0; i < b->objects; i++)
        buf_add(out, line, wire_object_print(&b->object[i], line));
}

struct finishing {
    struct live *live;
    const struct build *build;
    bool cut; /* what the objects before held must go at once */
};

static void finished(void *arg)
{
    const struct finishing *f = arg;

    index_reached(f->live->index, f->build->seq);
}

/* On the writer thread: the index, its place in the stream's row, and the head that names it,
 * in one transaction. */
static enum rc finish(struct work *w, void *arg)
{
    struct finishing *f = arg;
    struct live *l = f->live;
    struct buf text = BUF_IN(w->mem);
    uint8_t hash[HASH_BYTES];
    int64_t horizon = f->cut ? INT64_MAX : clock_now() - KEEP_SECONDS;
    enum rc rc;

    print_index(f->build, &text);
    if ((rc = object_put(w, l->no, "index", text.p, text.n, hash)) ||
        (rc = db_change(w, SQL_sync_stream_set_index, "iib", l->no, (int64_t)f->build->seq,
                        hash, sizeof hash)) ||
        (rc = object_expire(w, l->no, "index", hash, horizon, KEEP_INDEXES)))
        return rc;
    work_after_commit(w, finished, f);
    return head_sign(w, l, false);
}

/* Nothing to do if nothing changed since the index before. */
static bool is_new(const struct index *x, const struct build *b)
{
    return b->regions || b->seq != x->reached;
}

static bool cut_within(struct index *x, uint64_t seq)
{
    bool within;

    pthread_mutex_lock(&x->lock);
    within = x->cut && x->cut <= seq;
    pthread_mutex_unlock(&x->lock);
    return within;
}

static void end_cut(struct index *x, uint64_t seq)
{
    pthread_mutex_lock(&x->lock);
    if (x->cut <= seq)
        x->cut = 0;
    pthread_mutex_unlock(&x->lock);
    head_forget_answers(); /* somebody may have asked for an old object meanwhile */
}

static enum rc end_build(struct index *x, struct work *w)
{
    struct build *b = x->build;
    struct finishing f = { x->live, b, cut_within(x, b->seq) };
    bool made = is_new(x, b);
    int removed = 0;
    enum rc rc;

    if (b->objects)
        qsort(b->object, b->objects, sizeof *b->object, by_born);
    if (made && (rc = writer_call(w, finish, &f)))
        return rc;
    if ((rc = object_sweep(w, x->live->data, x->live->no, &removed)))
        return rc;
    LOG(made ? LOG_INFO : LOG_DEBUG, "index_made", L_STR("stream", x->live->name),
        L_INT("seq", b->seq), L_INT("objects", b->objects), L_INT("files_removed", removed));
    if (f.cut)
        end_cut(x, b->seq);
    pthread_mutex_lock(&x->lock);
    x->untidy = b->hurry && plan_untidy(b); /* a build at leisure has joined what it could */
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
    if (x->build)
        arena_free(x->build->mem);
    x->build = NULL;
}

static enum rc begin(struct index *x, struct work *w)
{
    struct arena *mem = arena_new();

    x->build = arena_zalloc(mem, sizeof *x->build);
    x->build->mem = mem;
    return in_snapshot(w, x->live, x->build, plan_make);
}

/* One step of the build; *more says whether there is another. */
static enum rc step(struct index *x, struct work *w, bool *more)
{
    enum rc rc;

    *more = true;
    if (!x->build || x->build->overtaken) {
        drop_build(x);
        rc = begin(x, w);
    } else if (x->build->at < x->build->regions) {
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
    if (rc)
        LOG(LOG_ERROR, "index_not_made", L_STR("stream", x->live->name),
            L_STR("reason", w->err.text));
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
    more = more && !x->stopped;
    pthread_mutex_unlock(&x->lock);
    if (!more || !pool_submit(x->workers, job))
        settle(x, &w, rc);
    arena_free(w.mem);
}

static bool is_due(const struct index *x, uint64_t seq)
{
    return (int64_t)(seq - x->reached) >= x->every || (x->cut && x->reached) ||
           x->wanted > x->reached;
}

void index_kick(struct index *x, uint64_t seq)
{
    pthread_mutex_lock(&x->lock);
    if (x->workers && !x->stopped && !x->active &&
        (!x->failed_us || clock_mono_us() - x->failed_us > RETRY_US) &&
        (x->untidy || is_due(x, seq))) {
        x->job.run = run;
        x->active = pool_submit(x->workers, &x->job);
    }
    pthread_mutex_unlock(&x->lock);
}

void index_reached(struct index *x, uint64_t seq)
{
    pthread_mutex_lock(&x->lock);
    x->reached = seq;
    pthread_mutex_unlock(&x->lock);
}

void index_cut(struct index *x, uint64_t seq)
{
    pthread_mutex_lock(&x->lock);
    x->cut = seq;
    pthread_mutex_unlock(&x->lock);
}

void index_want(struct index *x, uint64_t seq)
{
    pthread_mutex_lock(&x->lock);
    x->wanted = seq > x->wanted ? seq : x->wanted;
    pthread_mutex_unlock(&x->lock);
}

void index_resume(struct index *x, uint64_t seq)
{
    x->reached = seq;
    x->untidy = seq > 0;
}

bool index_settled(struct index *x, uint64_t seq, bool tidy)
{
    bool settled;

    pthread_mutex_lock(&x->lock);
    settled = !x->workers || (!is_due(x, seq) && (!tidy || (!x->active && !x->untidy)));
    pthread_mutex_unlock(&x->lock);
    return settled;
}

bool index_will_come(const struct index *x)
{
    struct index *m = (struct index *)x; /* the lock is no part of its value */
    bool will;

    /* Also when it was told to stop: then the next start makes it, and no head must be ahead of it. */
    pthread_mutex_lock(&m->lock);
    will = m->workers && (m->active || !m->failed_us);
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

struct index *index_new(struct live *l, struct pool *workers, int64_t every)
{
    struct index *x = calloc(1, sizeof *x);

    if (!x)
        abort();
    x->live = l;
    x->workers = workers;
    x->every = every < 1 ? 1 : every > WIRE_CATCHUP_MAX ? WIRE_CATCHUP_MAX : every;
    pthread_mutex_init(&x->lock, NULL);
    return x;
}

void index_stop(struct index *x)
{
    pthread_mutex_lock(&x->lock);
    x->stopped = true;
    pthread_mutex_unlock(&x->lock);
}

void index_free(struct index *x)
{
    if (!x)
        return;
    drop_build(x);
    pthread_mutex_destroy(&x->lock);
    free(x);
}
