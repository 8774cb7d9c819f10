/*
 * mend.c - who asks for a file that is not there gets 503, and has it made.
 *
 *     FREE --(asked for)--> WAITING --(a worker)--> made: FREE
 *                              ^--(asked, 10 s later)-- FAILED
 *
 * It is made by those who serve requests, one file at a time, and only in the encoding that was asked for: a phone
 * waits for it. What the newest index still names and what it superseded are alike here. A file that
 * the log or another zlib gives differently cannot come back under its name: then the index is built anew (index.c).
 */
#include "sync/mend.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "sync/live_state.h"
#include "sync/rebuild.h"

enum { WANTED_MAX = 64, RETRY_US = 10 * 1000000 };

struct wanted {
    enum { FREE, WAITING, FAILED } state;
    uint8_t hash[HASH_BYTES];
    enum wire_encoding encoding;
    int64_t failed_us;
};

struct mend {
    struct live *live;
    struct pool *pool;
    void (*cannot)(struct live *l);
    atomic_bool stopped;
    pthread_mutex_t lock; /* for what follows */
    bool active;
    struct wanted wanted[WANTED_MAX];
    struct pool_job job;
};

/* With the lock. */
static struct wanted *first(struct mend *m)
{
    for (int i = 0; i < WANTED_MAX; i++)
        if (m->wanted[i].state == WAITING)
            return &m->wanted[i];
    return NULL;
}

/* With the lock: a full queue is tried again when somebody asks again. */
static void submit(struct mend *m)
{
    m->active = first(m) && !atomic_load(&m->stopped) && pool_submit(m->pool, &m->job);
}

static void settle(struct mend *m, struct wanted *a, const struct work *w, enum rc rc)
{
    bool failed = rc && rc != RC_NOT_FOUND && !atomic_load(&m->stopped);
    char hex[HASH_TEXT];

    if (failed)
        LOG(LOG_ERROR, "object_not_mended", L_STR("stream", m->live->name),
            L_STR("object", hex_text(a->hash, HASH_BYTES, hex)), L_STR("reason", w->err.text));
    if (failed && rc == RC_CORRUPT)
        m->cannot(m->live);
    pthread_mutex_lock(&m->lock);
    a->state = failed ? FAILED : FREE;
    a->failed_us = clock_mono_us();
    submit(m);
    pthread_mutex_unlock(&m->lock);
}

static void run(struct pool_job *job, struct db *db)
{
    struct mend *m = (struct mend *)((char *)job - offsetof(struct mend, job));
    struct wanted *a;
    struct work w;

    pthread_mutex_lock(&m->lock);
    a = first(m); /* nobody but us takes it away */
    pthread_mutex_unlock(&m->lock);
    work_init(&w, arena_new(), db, "sync", RIGHT_ALL);
    settle(m, a, &w,
           rebuild_file(&w, m->live->data, m->live->no, a->hash, a->encoding, &m->stopped));
    arena_free(w.mem);
}

/* With the lock: its place, or a free one; NULL: there is none, or it has just failed. */
static struct wanted *place(struct mend *m, const uint8_t hash[HASH_BYTES],
                            enum wire_encoding encoding)
{
    struct wanted *free = NULL;
    int64_t now = clock_mono_us();

    for (int i = 0; i < WANTED_MAX; i++) {
        struct wanted *a = &m->wanted[i];
        bool rests = a->state == FAILED && now - a->failed_us < RETRY_US;

        if (a->state != FREE && a->encoding == encoding && !memcmp(a->hash, hash, HASH_BYTES))
            return rests ? NULL : a;
        if (!free && a->state != WAITING && !rests)
            free = a;
    }
    return free;
}

void mend_ask(struct mend *m, const uint8_t hash[HASH_BYTES], enum wire_encoding encoding)
{
    struct wanted *a;

    if (!m->pool)
        return;
    pthread_mutex_lock(&m->lock);
    if ((a = place(m, hash, encoding)) && a->state != WAITING) {
        *a = (struct wanted){ .state = WAITING, .encoding = encoding };
        memcpy(a->hash, hash, HASH_BYTES);
    }
    if (!m->active)
        submit(m);
    pthread_mutex_unlock(&m->lock);
}

struct mend *mend_new(struct live *l, struct pool *pool, void (*cannot)(struct live *l))
{
    struct mend *m = calloc(1, sizeof *m);

    if (!m)
        memory_end();
    m->live = l;
    m->pool = pool;
    m->cannot = cannot;
    m->job.run = run;
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void mend_stop(struct mend *m)
{
    atomic_store(&m->stopped, true);
}

void mend_free(struct mend *m)
{
    if (!m)
        return;
    pthread_mutex_destroy(&m->lock);
    free(m);
}
