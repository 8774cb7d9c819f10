/*
 * live.c - start, end, and the two things that move a stream: a change was committed, time
 * passed.
 *
 * Everything that changes after the start changes on the writer thread: the observer of the log
 * runs there after COMMIT, ticks run there between transactions, and heads are signed there. So
 * the tree and its seq need no lock; what loops and workers see of it is the head, behind a
 * small one.
 */
#include "sync/live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/library/change.h"
#include "server/library/takedown.h"
#include "server/store/db.h"
#include "sync/founding.h"
#include "sync/head.h"
#include "sync/live_state.h"

enum { TICK_MS = 50 };

/* One stream of our own today; mirrored ones will stand beside it. */
static _Atomic(struct live *) own;

struct live *live_own(void)
{
    return atomic_load_explicit(&own, memory_order_acquire);
}

struct live *live_find(const char *name)
{
    struct live *l = live_own();

    return l && !strcmp(l->name, name) ? l : NULL;
}

struct live *live_by_no(int64_t no)
{
    struct live *l = live_own();

    return l && l->no == no ? l : NULL;
}

const char *live_name(const struct live *l)
{
    return l->name;
}

const char *live_data(const struct live *l)
{
    return l->data;
}

int64_t live_no(const struct live *l)
{
    return l->no;
}

const struct keys *live_keys(const struct live *l)
{
    return l->keys;
}

struct covers *live_covers(struct live *l)
{
    return l->covers;
}

/* ---- what moves it, on the writer thread ---- */

static void on_change(const struct change_told *t)
{
    struct live *l = live_by_no(t->stream);

    if (!l)
        return;
    tree_put(l->tree, t->born, (uint64_t)t->seq, t->leaf);
    l->seq = (uint64_t)t->seq;
    if (t->flags & CHANGE_PURGE) {
        l->cut++;
        index_purge(l->index, t->born, l->seq);
    }
    l->urgent |= t->op != CHANGE_PUT || t->flags & CHANGE_PURGE;
    l->stale = true;
    head_touch(l);
}

static void on_directory(int64_t stream)
{
    struct live *l = live_by_no(stream);

    if (!l)
        return;
    l->directory_new = true;
    head_touch(l);
}

static void on_tick(struct db *db, void *arg)
{
    struct live *l = live_own();

    (void)arg;
    if (l)
        head_tick(l, db);
}

void sync_watch(void)
{
    static const struct change_observer observer = { on_change, on_directory };

    change_observe(&observer);
    writer_tick(TICK_MS, on_tick, NULL);
}

/* ---- start and end ---- */

static enum rc load(struct work *w, struct live *l)
{
    struct rows q;
    uint64_t seq = 0, index_seq = 0;
    enum rc rc = db_one(w, SQL_sync_stream_by_no, &q, "i", l->no);

    if (!rc) {
        seq = (uint64_t)rows_int(&q, 1);
        l->cut = (uint64_t)rows_int(&q, 2);
        index_seq = (uint64_t)rows_int(&q, 3);
    }
    if ((rc = rows_done(&q)) || (rc = tree_load(w, l->no, l->tree, &l->seq)))
        return rc;
    if (l->seq != seq)
        return err_set(&w->err, RC_CORRUPT,
                       "the log of %s ends at %" PRIu64 ", its leaves at %" PRIu64
                       "; 'tjzw verify' names the fault",
                       l->name, seq, l->seq);
    return index_resume(l->index, w, index_seq);
}

static void show(void *arg)
{
    atomic_store_explicit(&own, (struct live *)arg, memory_order_release);
}

/* On the writer thread. The stream is found by others only when all of it is committed. */
static enum rc start(struct work *w, void *arg)
{
    struct live *l = arg;
    enum rc rc;

    l->db = w->db;
    if ((rc = sync_founding(w, l->data, l->name, &l->no)) || (rc = takedown_replay(w, l->no)) ||
        (rc = load(w, l)) || (rc = head_resume(w, l)))
        return rc;
    work_after_commit(w, show, l);
    return RC_OK;
}

static void live_free(struct live *l)
{
    index_free(l->index);
    tree_free(l->tree);
    covers_free(l->covers);
    keys_close(l->keys);
    pthread_mutex_destroy(&l->lock);
    free(l->data);
    free(l);
}

static struct live *live_new(const struct conf *conf, struct pool *workers)
{
    struct live *l = calloc(1, sizeof *l);

    if (!l || !(l->data = strdup(conf->data)))
        abort();
    memcpy(l->name, conf->stream, strnlen(conf->stream, WIRE_STREAM_MAX));
    l->debounce_ms = conf->head_debounce;
    l->lease = (uint32_t)(conf->head_lease / 1000);
    l->poll = (uint32_t)(conf->head_poll / 1000);
    pthread_mutex_init(&l->lock, NULL);
    l->tree = tree_new();
    l->covers = covers_new();
    l->index = index_new(l, workers, conf->index_changes);
    return l;
}

enum rc sync_start(struct err *e, const struct conf *conf, struct pool *workers)
{
    struct live *l;
    struct work w;
    enum rc rc;

    if (!wire_stream_ok(conf->stream, strlen(conf->stream)))
        return err_set(e, RC_INVALID,
                       "stream: '%.40s' is no name for one: a-z, 0-9 and -, at most %d",
                       conf->stream, WIRE_STREAM_MAX);
    if (conf->head_lease < 4000 || conf->head_lease / 1000 > INT32_MAX ||
        conf->head_poll / 1000 > INT32_MAX)
        return err_set(e, RC_INVALID, "head_lease should be at least 4s");
    l = live_new(conf, workers);
    work_init(&w, arena_new(), NULL, "sync", RIGHT_ALL);
    if ((rc = keys_open(e, l->data, l->name, &l->keys))) {
        live_free(l);
    } else if ((rc = writer_call(&w, start, l))) {
        *e = w.err;
        live_free(l);
    }
    arena_free(w.mem);
    return rc;
}

struct settling {
    struct live *live;
    bool tidy, done;
};

/* On the writer thread. */
static enum rc look(struct work *w, void *arg)
{
    struct settling *s = arg;
    struct live *l = s->live;

    s->done = l->has_head && l->head.seq == l->seq && !l->directory_new &&
              index_settled(l->index, l->seq, s->tidy);
    return s->done ? RC_OK : head_sign(w, l, false);
}

enum rc sync_settle(struct err *e, bool tidy, int64_t most_ms)
{
    struct settling s = { .live = live_own(), .tidy = tidy };
    int64_t until = clock_mono_us() + most_ms * 1000;
    enum rc rc = RC_OK;

    while (!rc && !s.done) {
        struct work w;

        work_init(&w, arena_new(), NULL, "sync", RIGHT_ALL);
        if ((rc = writer_call(&w, look, &s)))
            *e = w.err;
        else if (!s.done && clock_mono_us() > until)
            rc =
                err_set(e, RC_BUSY, "objects are still being made; the server goes on with it");
        arena_free(w.mem);
        if (!rc && !s.done)
            usleep(TICK_MS * 1000);
    }
    return rc;
}

void sync_stop(void)
{
    struct live *l = live_own();

    if (l)
        index_stop(l->index);
}

void sync_done(void)
{
    struct live *l = atomic_exchange(&own, NULL);

    change_observe(NULL);
    if (l)
        live_free(l);
}
