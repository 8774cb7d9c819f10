/*
 * live.c - start, end, and the two things that move a stream: a change was committed, time
 * passed.
 *
 * Everything that changes after the start changes on the writer thread: the observer of the log
 * runs there after COMMIT, ticks run there between transactions, and heads are signed there. So
 * the tree and its seq need no lock; what loops and workers see of it is the head, behind a
 * small one.
 *
 * Not here: how a stream is found by others (roll.c), mirrored ones (live_mirror.c).
 */
#include "sync/live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/memory.h"
#include "server/library/change.h"
#include "server/library/stream.h"
#include "server/library/takedown.h"
#include "server/store/db.h"
#include "sync/founding.h"
#include "sync/head.h"
#include "sync/heads.h"
#include "sync/live_state.h"
#include "sync/roll.h"

enum { TICK_MS = 50 };

/* The writer thread's, but before the start and after the end. */
static struct live *lives;
static struct keys *keys;
static const struct conf *conf; /* of the start; NULL before and after */
static struct pool *builders, *workers;

/* ---- what is asked of one ---- */

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

bool live_is_mirrored(const struct live *l)
{
    return l->mirrored;
}

struct keys *sync_keys(void)
{
    return keys;
}

struct covers *live_covers(struct live *l)
{
    return l->covers;
}

/* ---- what moves it, on the writer thread ---- */

static struct live *own_by_no(int64_t no)
{
    struct live *l = live_by_no(no);

    return l && !l->mirrored ? l : NULL;
}

static void on_change(const struct change_told *t)
{
    struct live *l = own_by_no(t->stream);

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
    struct live *l = own_by_no(stream);

    if (!l)
        return;
    l->directory_new = true;
    head_touch(l);
}

static void on_tick(struct db *db, void *arg)
{
    const struct roll *r = roll_now();

    (void)arg;
    for (int i = 0; i < r->n; i++)
        head_tick(r->live[i], db);
    if (r->n) /* else it is just being opened */
        heads_tick(db);
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

/* The stream is found by others only when all of it is committed. */
static enum rc start_own(struct work *w, const char *name)
{
    struct live *l = live_new(name, false);
    enum rc rc;

    l->db = w->db;
    l->is_default = !strcmp(name, conf->streams.v[0]);
    if ((rc = sync_founding(w, l->data, l->name, &l->no)) || (rc = takedown_replay(w, l->no)) ||
        (rc = load(w, l)) || (rc = head_resume(w, l)))
        return rc;
    /* Last: what was written above is in the tree already, and the observer must not tell it again. */
    work_after_commit(w, roll_enter, l);
    return RC_OK;
}

static void show_default(void *arg)
{
    (void)arg;
    if (conf->streams.n)
        roll_set_own(live_find(conf->streams.v[0]));
}

static bool is_ours(const char *name)
{
    for (int i = 0; i < conf->streams.n; i++)
        if (!strcmp(conf->streams.v[i], name))
            return true;
    return false;
}

/* What the database holds fits what the setting says. */
static enum rc check_settled(struct work *w)
{
    struct stream *s;
    int n, all = conf->streams.n;
    enum rc rc;

    if ((rc = stream_list(w, &s, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        all += s[i].mirrored;
        if (s[i].mirrored && is_ours(s[i].name))
            return err_set(&w->err, RC_CONFLICT,
                           "streams: %s is another server's, which this one mirrors: take it "
                           "out of the setting",
                           s[i].name);
        if (!s[i].mirrored && s[i].seq && !is_ours(s[i].name))
            return err_set(&w->err, RC_CONFLICT,
                           "streams: the library holds %" PRId64
                           " changes of the stream %s: name it in the setting",
                           s[i].seq, s[i].name);
    }
    if (all > WIRE_STREAMS_MAX)
        return err_set(&w->err, RC_CONFLICT, "streams: %d with the mirrored ones; %d at most",
                       all, WIRE_STREAMS_MAX);
    return RC_OK;
}

/* On the writer thread. */
static enum rc start(struct work *w, void *arg)
{
    enum rc rc = check_settled(w);

    (void)arg;
    for (int i = 0; i < conf->streams.n && !rc; i++)
        rc = start_own(w, conf->streams.v[i]);
    if (rc || (rc = live_mirror_load_all(w)))
        return rc;
    work_after_commit(w, show_default, NULL);
    return RC_OK;
}

/* When all streams are found. */
static enum rc list(struct work *w, void *arg)
{
    (void)arg;
    return keys ? heads_resume(w) : RC_OK;
}

static void live_free(struct live *l)
{
    index_free(l->index);
    tree_free(l->tree);
    covers_free(l->covers);
    pthread_mutex_destroy(&l->lock);
    free(l->data);
    free(l);
}

struct live *live_new(const char *name, bool mirrored)
{
    struct live *l = calloc(1, sizeof *l);

    if (!l || !(l->data = strdup(conf->data)))
        memory_end();
    l->mirrored = mirrored;
    memcpy(l->name, name, strnlen(name, WIRE_STREAM_MAX));
    l->debounce_ms = conf->head_debounce;
    l->lease = (uint32_t)(conf->head_lease / 1000);
    l->poll = (uint32_t)(conf->head_poll / 1000);
    l->keys = keys;
    pthread_mutex_init(&l->lock, NULL);
    l->tree = tree_new();
    l->covers = covers_new();
    l->index = index_new(l, mirrored ? NULL : builders, mirrored ? NULL : workers,
                         conf->index_changes);
    l->older = lives;
    lives = l;
    return l;
}

/* A head with both signatures, as large as it will be. */
static bool fits(const char *name, const struct conf *c)
{
    struct wire_head h = { .epoch = 9999999999,
                           .seq = 9999999999,
                           .sign = 999999,
                           .time = 9999999999,
                           .lease = (uint32_t)(c->head_lease / 1000),
                           .poll = (uint32_t)(c->head_poll / 1000),
                           .cut = 999999999,
                           .size = 9999999999,
                           .has_index = true };
    const struct wire_sig ed25519 = { .algorithm = "ed25519", .len = 64 };
    const struct wire_sig sm2 = { .algorithm = "sm2", .len = 64 };
    char text[WIRE_HEAD_MAX];
    struct sync_err e;
    size_t n;

    memcpy(h.stream, name, strlen(name) + 1);
    return !wire_head_print(&e, &h, text, &n) &&
           !wire_sig_append(&e, &ed25519, text, &n, sizeof text) &&
           !wire_sig_append(&e, &sm2, text, &n, sizeof text);
}

static enum rc check_conf(struct err *e, const struct conf *c)
{
    if ((!c->streams.n && !*c->edge_of) || (c->streams.n && *c->edge_of) ||
        c->streams.n > WIRE_STREAMS_MAX)
        return err_set(e, RC_INVALID, "streams: a server has 1 to %d", WIRE_STREAMS_MAX);
    for (int i = 0; i < c->streams.n; i++) {
        const char *name = c->streams.v[i];

        if (!wire_stream_ok(name, strlen(name)))
            return err_set(e, RC_INVALID,
                           "streams: '%.40s' is no name for one: a-z, 0-9 and -, at most %d, "
                           "and not \"heads\"",
                           name, WIRE_STREAM_MAX);
        if (c->sign_sm2 && !fits(name, c))
            return err_set(e, RC_INVALID,
                           "sign_sm2: with two signatures a head of the stream %s would have "
                           "%d bytes or more: give it a shorter name",
                           name, WIRE_HEAD_MAX);
        for (int k = 0; k < i; k++)
            if (!strcmp(name, c->streams.v[k]))
                return err_set(e, RC_INVALID, "streams: %s stands twice", name);
    }
    if (c->head_lease < 4000 || c->head_lease / 1000 > INT32_MAX ||
        c->head_poll / 1000 > INT32_MAX)
        return err_set(e, RC_INVALID, "head_lease should be at least 4s");
    return RC_OK;
}

static enum rc open_keys(struct err *e)
{
    enum rc rc;

    if (*conf->edge_of) { /* it signs nothing */
        heads_open(NULL, 0);
        return RC_OK;
    }
    rc = keys_open(e, conf->data, &keys);
    for (int i = 0; i < conf->streams.n && !rc; i++)
        rc = keys_own(keys, e, conf->streams.v[i], conf->sign_sm2);
    if (!rc)
        heads_open(keys, (uint32_t)(conf->head_lease / 1000));
    return rc;
}

static enum rc on_writer(struct err *e, enum rc (*fn)(struct work *, void *), void *arg)
{
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), NULL, "sync", RIGHT_ALL);
    if ((rc = writer_call(&w, fn, arg)))
        *e = w.err;
    arena_free(w.mem);
    return rc;
}

static void forget_all(void)
{
    roll_forget();
    while (lives) {
        struct live *older = lives->older;

        live_free(lives);
        lives = older;
    }
    heads_close();
    keys_close(keys);
    keys = NULL;
    conf = NULL;
}

enum rc sync_start(struct err *e, const struct conf *c, struct pool *leisure,
                   struct pool *urgent)
{
    enum rc rc;

    if ((rc = check_conf(e, c)))
        return rc;
    conf = c;
    builders = leisure;
    workers = urgent;
    if ((rc = open_keys(e)) || (rc = on_writer(e, start, NULL)) ||
        (rc = on_writer(e, list, NULL)))
        forget_all();
    return rc;
}

/* ---- for those who wait ---- */

struct settling {
    bool tidy, done;
};

/* On the writer thread. */
static enum rc look(struct work *w, void *arg)
{
    struct settling *s = arg;
    const struct roll *r = roll_now();
    enum rc rc = RC_OK;

    s->done = true;
    for (int i = 0; i < r->n && !rc; i++) {
        struct live *l = r->live[i];

        if (l->mirrored || (l->has_head && l->head.seq == l->seq && !l->directory_new &&
                            index_settled(l->index, l->seq, s->tidy)))
            continue;
        s->done = false;
        rc = head_sign(w, l, false);
    }
    return rc;
}

enum rc sync_settle(struct err *e, bool tidy, int64_t most_ms)
{
    struct settling s = { .tidy = tidy };
    int64_t until = clock_mono_us() + most_ms * 1000;
    enum rc rc = RC_OK;

    while (!rc && !s.done) {
        if (!(rc = on_writer(e, look, &s)) && !s.done && clock_mono_us() > until)
            rc =
                err_set(e, RC_BUSY, "objects are still being made; the server goes on with it");
        if (!rc && !s.done)
            usleep(TICK_MS * 1000);
    }
    return rc;
}

/* On the writer thread. */
static enum rc sign_first(struct work *w, void *arg)
{
    bool *done = arg;
    const struct roll *r = roll_now();
    enum rc rc = RC_OK;

    *done = true;
    for (int i = 0; i < r->n && !rc; i++) {
        if (r->live[i]->mirrored || r->live[i]->has_head)
            continue;
        *done = false;
        rc = head_sign(w, r->live[i], false);
    }
    return rc;
}

void sync_show(int64_t most_ms)
{
    int64_t until = clock_mono_us() + most_ms * 1000;
    bool done = false;
    struct err e;

    /* Who cannot sign is told by the tick, which tries again. */
    while ((on_writer(&e, sign_first, &done) || !done) && clock_mono_us() < until)
        usleep(TICK_MS * 1000);
}

/* ---- another key ---- */

static void show_keys(void *arg)
{
    (void)arg;
    keys_show(keys);
}

static enum rc rotate_platform(struct work *w)
{
    const struct roll *r = roll_now();
    const char *names[WIRE_STREAMS_MAX];
    int n = 0;
    enum rc rc;

    names[n++] = live_own()->name; /* the first: it is signed anew in any case */
    for (int i = 0; i < r->n; i++)
        if (r->live[i] != live_own())
            names[n++] = r->live[i]->name;
    if ((rc = keys_rotate_platform(keys, &w->err, names, n)))
        return rc;
    heads_renew();
    return heads_sign(w, false);
}

static enum rc rotate_stream(struct work *w, const char *name)
{
    struct live *l = live_find(name);
    enum rc rc;

    if (!l)
        return err_set(&w->err, RC_NOT_FOUND, "there is no stream \"%.40s\"", name);
    if (l->mirrored)
        return err_set(&w->err, RC_CONFLICT,
                       "the stream %s is another server's, mirrored here: its key is there",
                       name);
    if ((rc = keys_rotate_stream(keys, &w->err, name)))
        return rc;
    l->renew = true;
    return head_sign(w, l, false);
}

enum rc sync_rotate(struct work *w, const char *role)
{
    static const char prefix[] = "stream:";
    bool qualified = !strncmp(role, prefix, sizeof prefix - 1);

    if (!live_own())
        return err_set(&w->err, RC_BUSY, "the keys are being loaded");
    work_after_commit(w, show_keys, NULL);
    if (!strcmp(role, "platform"))
        return rotate_platform(w);
    return rotate_stream(w, role + (qualified ? sizeof prefix - 1 : 0));
}

void sync_stop(void)
{
    const struct roll *r = roll_now();

    for (int i = 0; i < r->n; i++)
        index_stop(r->live[i]->index);
}

void sync_done(void)
{
    change_observe(NULL);
    forget_all();
}
