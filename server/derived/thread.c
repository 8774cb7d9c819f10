/*
 * thread.c - takes what was committed, whenever something was, and cleans up when there is nothing to take.
 *
 * What fails is tried again, after 1, 2, 4 … 30 s, and told once; the alert `derived` says how long it has been so.
 */
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>

#include "server/base/clock.h"
#include "server/base/generation.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/base/thread.h"
#include "server/derived/state.h"

enum {
    NICENESS = 10,
    GATHER_MS = 10, /* what is published together is taken together */
    LOOK_MS = 1000,
    AGAIN_MS = 1000,
    AGAIN_MOST_MS = 30000
};

static struct {
    struct db *library;
    pthread_t thread;
    bool running;
    int64_t again_ms; /* 0: nothing failed */
} me;

static void failed(const struct work *w)
{
    if (!me.again_ms)
        LOG(LOG_ERROR, "derived_failed", L_STR("why", w->err.text));
    me.again_ms = !me.again_ms                      ? AGAIN_MS
                  : me.again_ms < AGAIN_MOST_MS / 2 ? 2 * me.again_ms
                                                    : AGAIN_MOST_MS;
}

static void went_well(void)
{
    if (me.again_ms)
        LOG(LOG_INFO, "derived_works_again", L_INT("after_s", derived_age()));
    me.again_ms = 0;
    atomic_store(&derived.behind, 0);
    atomic_store(&derived.oldest, 0);
}

/* What a long way took is given back to the system, which malloc would keep. */
static void give_back(int turns)
{
    if (turns > 1)
        malloc_trim(0);
}

/* All there is to take, of the other streams too when one fails. */
static enum rc take_all(struct work *w)
{
    bool more = true;
    enum rc rc = RC_OK;
    int turns = 0;

    if (!atomic_load(&derived.behind))
        atomic_store(&derived.behind, clock_mono_us());
    for (; more && !atomic_load(&derived.stop); turns++) {
        rc = derived_turn(w, &more);
        metric_set(METRIC_derived_behind_seconds, derived_age());
    }
    if (!rc && !more)
        went_well();
    give_back(turns);
    metric_set(METRIC_derived_behind_seconds, derived_age());
    return rc;
}

/* Steps of cleaning, until something else is to be done. *more: it is not finished. */
static enum rc wipe(struct work *w, uint64_t seen, bool *more)
{
    enum rc rc = RC_OK;

    do
        rc = derived_wipe(w, false, more);
    while (*more && !rc && !atomic_load(&derived.stop) && generation_now() == seen);
    return rc;
}

static int64_t pause_ms(enum rc rc, bool more)
{
    return rc ? me.again_ms : more ? GATHER_MS : LOOK_MS;
}

static void *follow(void *unused)
{
    setpriority(PRIO_PROCESS, 0, NICENESS); /* on Linux a thread's own */
    while (!atomic_load(&derived.stop)) {
        uint64_t seen = generation_now();
        bool more = false;
        struct work w;
        enum rc rc;

        work_init(&w, arena_new(), me.library, "derived", RIGHT_ALL);
        if ((rc = take_all(&w)) || (rc = wipe(&w, seen, &more)))
            failed(&w);
        arena_free(w.mem);
        generation_wait(rc ? generation_now() : seen, pause_ms(rc, more), &derived.stop);
        if (!rc)
            clock_sleep_ms(GATHER_MS);
    }
    return unused;
}

enum rc derived_start(struct err *e, const char *db_path)
{
    enum rc rc = db_open(e, db_path, DB_READ, &me.library);

    if (rc)
        return rc;
    me.again_ms = 0;
    if ((rc = thread_start(e, "derived", follow, NULL, &me.thread))) {
        db_close(me.library);
        return rc;
    }
    me.running = true;
    return RC_OK;
}

void derived_stop(void)
{
    if (!me.running)
        return;
    atomic_store(&derived.stop, true);
    generation_nudge();
    pthread_join(me.thread, NULL);
    db_close(me.library);
    me.running = false;
}
