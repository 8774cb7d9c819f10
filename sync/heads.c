/*
 * heads.c - which streams there are, and what of them is not shown here, signed by the platform.
 *
 *     streams, withheld rows --> list --> sign --> row in `heads` --COMMIT--> bytes that loops serve
 *     heads of the streams, as they are shown ------------------------------> behind them
 *
 * A list is signed when it says something else, and every quarter of its lease. The notes behind
 * it are not part of what is signed: they are put there when somebody asks, so a new head costs
 * nothing here.
 *
 * The counter is the time, or one more than the last where that is higher. So a database that was
 * put back from a backup gives no counter a second time, though it forgot the last ones.
 */
#include "sync/heads.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/generation.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/store/db.h"
#include "sync/directory.h"
#include "sync/head.h"
#include "sync/live_state.h"
#include "sync/object.h"
#include "sync/verify.h"

enum {
    LIST_MAX = 16384, /* 64 streams at 32 + 64 bytes and some, and signatures */
    RETRY_US = 1000000,
    KEEP = 7 * 86400, /* a withheld list that was superseded */
    PURGE_EVERY = 3600,
};

struct list {
    struct wire_heads heads;
    char text[LIST_MAX];
    size_t n; /* 0: there is none yet */
};

static struct {
    struct keys *keys;
    uint32_t lease;
    bool stale;        /* something changed that the list does not say */
    bool renew;        /* another key is to sign it */
    bool failed;       /* the last attempt to sign; told once */
    int64_t failed_us; /* when, on clock_mono_us() */
    int64_t purged_us; /* when old withheld lists were last removed */
    uint64_t counter, time;
} state; /* the writer thread's */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list shown; /* behind the lock; the writer thread reads without it */

void heads_open(struct keys *k, uint32_t lease)
{
    state.keys = k;
    state.lease = lease;
    state.stale = state.renew = state.failed = false;
    state.counter = state.time = 0;
    state.failed_us = state.purged_us = 0;
    shown.n = 0;
}

void heads_close(void)
{
    shown.n = 0;
    state.keys = NULL;
}

/* ---- what others see ---- */

bool heads_values(struct wire_heads *out)
{
    bool any;

    pthread_mutex_lock(&lock);
    any = shown.n > 0;
    if (any)
        *out = shown.heads;
    pthread_mutex_unlock(&lock);
    return any;
}

/* A blank line and the stream's note; nothing if it has no head yet. */
static void add_note(struct buf *b, struct live *l, struct arena *mem, const char **etag)
{
    const char *note;
    struct err ignored;
    size_t n;

    *etag = NULL;
    if (head_now(l, &ignored, mem, &note, &n, etag))
        return;
    buf_addc(b, '\n');
    buf_add(b, note, n);
}

static void add_notes(struct buf *b, const struct wire_heads *list, struct arena *mem)
{
    const char *etag;

    for (size_t i = 0; i < list->n; i++) {
        struct live *l = live_find(list->stream[i].name);

        if (l) /* else it was dropped just now */
            add_note(b, l, mem, &etag);
    }
}

enum rc heads_now(struct err *e, struct arena *mem, const char *stream, const char **text,
                  size_t *n, const char **etag)
{
    struct live *l = stream ? live_find(stream) : NULL;
    struct buf b = BUF_IN(mem);
    struct wire_heads *list = arena_alloc(mem, sizeof *list);
    uint8_t hash[HASH_BYTES];
    char hex[HASH_TEXT];
    const char *head;

    if (stream && !l)
        return err_set(e, RC_NOT_FOUND, "there is no stream of that name");
    pthread_mutex_lock(&lock);
    *list = shown.heads;
    buf_add(&b, shown.text, shown.n);
    pthread_mutex_unlock(&lock);
    if (!b.n)
        return err_set(e, RC_BUSY, "the list of streams is being made");
    if (l) {
        add_note(&b, l, mem, &head);
        /* Both parts are told by their numbers. */
        *etag = arena_printf(mem, "\"%" PRIu64 ".%s", list->counter, head ? head + 1 : "-\"");
    } else {
        add_notes(&b, list, mem);
        sha256(b.p, b.n, hash);
        *etag = arena_printf(mem, "\"%.32s\"", hex_text(hash, sizeof hash, hex));
    }
    *text = b.p;
    *n = b.n;
    return RC_OK;
}

/* ---- what the list says ---- */

static const struct wire_heads_stream *listed(const struct wire_heads *h, const char *name)
{
    for (size_t i = 0; i < h->n; i++)
        if (!strcmp(h->stream[i].name, name))
            return &h->stream[i];
    return NULL;
}

static enum rc compose(struct work *w, struct wire_heads *h)
{
    enum rc rc = RC_OK;

    *h = (struct wire_heads){ .lease = state.lease };
    for (int i = 0; !rc && i < live_count(); i++) {
        struct live *l = live_at(i);
        struct wire_heads_stream *s = &h->stream[h->n];
        const struct wire_heads_stream *before;

        if (!l)
            continue;
        before = shown.n ? listed(&shown.heads, l->name) : NULL;
        memcpy(s->name, l->name, sizeof s->name);
        rc = withheld_make(w, l->no, before && before->has_withheld ? before->withheld : NULL,
                           &s->has_withheld, s->withheld);
        h->n++;
    }
    return rc;
}

static bool same_content(const struct wire_heads *a, const struct wire_heads *b)
{
    if (a->n != b->n || a->lease != b->lease)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct wire_heads_stream *x = &a->stream[i], *y = &b->stream[i];

        if (strcmp(x->name, y->name) || x->has_withheld != y->has_withheld ||
            (x->has_withheld && memcmp(x->withheld, y->withheld, WIRE_HASH)))
            return false;
    }
    return true;
}

static bool quarter_passed(void)
{
    return shown.n && clock_now() >= (int64_t)shown.heads.time + (shown.heads.lease + 3) / 4;
}

/* ---- signing ---- */

static void (*on_withheld)(const char *stream, uint64_t counter);

void sync_on_withheld(void (*fn)(const char *stream, uint64_t counter))
{
    on_withheld = fn;
}

/* Streams that are new in the list are no news for whoever follows others. */
static void tell_withheld(const struct wire_heads *before, const struct wire_heads *now)
{
    for (size_t i = 0; i < now->n && on_withheld; i++) {
        const struct wire_heads_stream *y = &now->stream[i], *x = listed(before, y->name);

        if (x && (x->has_withheld != y->has_withheld ||
                  (x->has_withheld && memcmp(x->withheld, y->withheld, WIRE_HASH) != 0)))
            on_withheld(y->name, now->counter);
    }
}

static void show(const struct list *l)
{
    struct wire_heads before = shown.heads;

    pthread_mutex_lock(&lock);
    shown = *l;
    pthread_mutex_unlock(&lock);
    state.counter = l->heads.counter;
    state.time = l->heads.time;
    generation_next(); /* the routes answer from the cache */
    tell_withheld(&before, &l->heads);
}

/* After the COMMIT. */
static void publish(void *arg)
{
    keys_show(state.keys); /* whoever meets the signature must be able to find its key */
    show(arg);
    state.stale = state.renew = false;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static enum rc sign_this(struct work *w, const struct wire_heads *content)
{
    struct list *l = arena_zalloc(w->mem, sizeof *l);
    char *room = arena_alloc(w->mem, WIRE_HEADS_MAX);
    uint64_t now = (uint64_t)clock_now();
    struct sync_err se;
    enum rc rc;

    l->heads = *content;
    l->heads.time = later(now, state.time);
    l->heads.counter = later(l->heads.time, state.counter + 1);
    if (wire_heads_print(&se, &l->heads, room, &l->n))
        return err_set(&w->err, RC_INTERNAL, "heads: %s", se.text);
    if ((rc = keys_sign_platform(state.keys, &w->err, room, &l->n, LIST_MAX)))
        return rc;
    memcpy(l->text, room, l->n);
    if ((rc = db_run(w, SQL_heads_set, "ib", (int64_t)l->heads.counter, l->text, l->n)))
        return rc;
    /* Twice in one transaction: the second must be higher, though the first is not shown yet. */
    state.counter = l->heads.counter;
    work_after_commit(w, publish, l);
    return RC_OK;
}

enum rc heads_sign(struct work *w, bool must)
{
    struct wire_heads h;
    enum rc rc = compose(w, &h);

    if (rc)
        return rc;
    if (!must && !state.renew && shown.n && same_content(&h, &shown.heads) &&
        !quarter_passed()) {
        state.stale = false;
        return RC_OK;
    }
    return sign_this(w, &h);
}

enum rc heads_withheld_changed(struct work *w, int64_t stream)
{
    if (!live_by_no(stream))
        return err_set(&w->err, RC_NOT_FOUND, "there is no stream of the number %" PRId64,
                       stream);
    return heads_sign(w, false);
}

/* ---- when ---- */

void heads_touch(void)
{
    state.stale = true;
}

void heads_renew(void)
{
    state.stale = state.renew = true;
}

static enum rc purge(struct work *w)
{
    static const uint8_t none[WIRE_HASH];
    int64_t horizon = clock_now() - KEEP;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < shown.heads.n && !rc; i++) {
        const struct wire_heads_stream *s = &shown.heads.stream[i];
        const struct live *l = live_find(s->name);

        if (l)
            rc = object_expire(w, l->no, "withheld", s->has_withheld ? s->withheld : none,
                               horizon, 0);
    }
    return rc;
}

static enum rc sign_due(struct work *w)
{
    return heads_sign(w, false);
}

static enum rc in_transaction(struct db *db, enum rc (*fn)(struct work *w))
{
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), db, "sync", RIGHT_ALL);
    if (!(rc = db_begin(&w))) {
        if ((rc = fn(&w)) || (rc = db_commit(&w)))
            db_rollback(db);
        else
            work_committed(&w);
    }
    if (rc && !state.failed)
        LOG(LOG_ERROR, "heads_not_signed", L_STR("reason", w.err.text));
    state.failed = rc != RC_OK;
    if (rc)
        state.failed_us = clock_mono_us();
    arena_free(w.mem);
    return rc;
}

void heads_tick(struct db *db)
{
    if (!shown.n || !state.keys ||
        (state.failed && clock_mono_us() - state.failed_us < RETRY_US))
        return;
    if ((state.stale || quarter_passed()) && in_transaction(db, sign_due))
        return;
    if (clock_mono_us() - state.purged_us >= (int64_t)PURGE_EVERY * 1000000 &&
        !in_transaction(db, purge))
        state.purged_us = clock_mono_us();
}

/* ---- an edge ---- */

static char *_Atomic edge_chain; /* the newest; those before stay, they are few and small */

bool heads_adopt(const char *text, size_t n)
{
    struct list *l = calloc(1, sizeof *l);
    struct wire_note note;
    struct sync_err e;
    size_t notes;
    bool ok;

    if (!l)
        memory_end();
    ok = n < sizeof l->text && !wire_heads_parse(&e, text, n, &l->heads, &note, &notes) &&
         notes == n;
    if (ok) {
        memcpy(l->text, text, n);
        l->n = n;
        show(l);
    }
    free(l);
    return ok;
}

void heads_adopt_keys(const char *chain, size_t n)
{
    const char *now = atomic_load(&edge_chain);
    char *copy;

    if (now && strlen(now) == n && !memcmp(now, chain, n))
        return;
    if (!(copy = strndup(chain, n)))
        memory_end();
    atomic_store(&edge_chain, copy);
    generation_next();
}

const char *heads_adopted_keys(size_t *n)
{
    const char *chain = atomic_load(&edge_chain);

    *n = chain ? strlen(chain) : 0;
    return chain;
}

/* ---- start ---- */

/* The stored list; l->n stays 0 if there is none that is ours. */
static enum rc stored(struct work *w, struct list *l)
{
    struct wire_note note;
    struct sync_err se;
    struct rows q;
    const char *p;
    size_t n, notes;
    enum rc rc = db_query(w, SQL_heads_newest, &q, "");

    if (rc)
        return rc;
    if (rows_next(&q) && (p = rows_blob(&q, 1, &n)) && n && n < sizeof l->text) {
        state.counter = (uint64_t)rows_int(&q, 0);
        if (!wire_heads_parse(&se, p, n, &l->heads, &note, &notes) && notes == n) {
            state.counter = later(state.counter, l->heads.counter);
            state.time = l->heads.time;
            if (keys_signed_platform(state.keys, &note, p)) {
                memcpy(l->text, p, n);
                l->n = n;
            }
        }
    }
    return rows_done(&q);
}

enum rc heads_resume(struct work *w)
{
    struct list *l = arena_zalloc(w->mem, sizeof *l);
    enum rc rc = stored(w, l);

    if (rc)
        return rc;
    if (l->n)
        show(l);
    return heads_sign(w, false);
}
