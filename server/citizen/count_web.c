/*
 * count_web.c - an open table of items and days; two of them, so that the loops fill one while the writer writes the other.
 *
 *     loop: count_web_seen() --> filling          tick: filling becomes writing --> rows --> COMMIT --> empty
 *                                                                               \-> failed: tried again
 *
 * A table that is full counts what is in it and loses what is new (tjzw_reads_lost): 16,384 items read within five seconds.
 */
#include "server/citizen/count_web.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/metric.h"
#include "server/base/sketch.h"
#include "server/citizen/count.h"
#include "server/store/writer.h"

enum { SLOTS = 1 << 15, FILL = SLOTS / 2 };

struct seen {
    struct id item;
    int64_t day; /* 0: the slot is free */
    uint32_t reads, apart;
};

struct table {
    int n;
    struct seen slots[SLOTS];
};

static struct {
    pthread_mutex_t lock; /* of all but `writing`, which is the writer's */
    int64_t per_address;
    int64_t today;
    struct sketch *readers; /* who read what today */
    struct table *filling, *writing;
} here = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct table *table_new(void)
{
    struct table *t = calloc(1, sizeof *t);

    if (!t)
        memory_end();
    return t;
}

void count_web_open(int64_t per_address)
{
    pthread_mutex_lock(&here.lock);
    here.per_address = per_address;
    here.today = 0;
    if (!here.filling) {
        here.readers = sketch_new();
        here.filling = table_new();
        here.writing = table_new();
    }
    memset(here.filling, 0, sizeof *here.filling);
    memset(here.writing, 0, sizeof *here.writing);
    pthread_mutex_unlock(&here.lock);
}

/* An item's UUID ends in random bytes. NULL: no room. */
static struct seen *find(struct table *t, const struct id *item, int64_t day)
{
    uint64_t hash;
    size_t at;

    memcpy(&hash, item->b + ID_BYTES - sizeof hash, sizeof hash);
    for (at = (hash ^ (uint64_t)day) % SLOTS; t->slots[at].day; at = (at + 1) % SLOTS)
        if (t->slots[at].day == day && !memcmp(&t->slots[at].item, item, sizeof *item))
            return &t->slots[at];
    if (t->n >= FILL)
        return NULL;
    t->n++;
    t->slots[at] = (struct seen){ .item = *item, .day = day };
    return &t->slots[at];
}

static bool is_flood(const struct id *item, uint64_t client, int64_t today)
{
    struct {
        struct id item;
        uint64_t client;
    } who = { *item, client };

    if (!here.per_address)
        return false;
    if (here.today != today)
        sketch_clear(here.readers);
    here.today = today;
    return sketch_meet(here.readers, &who, sizeof who) >= here.per_address;
}

void count_web_seen(const struct id *item, uint64_t client)
{
    int64_t today = count_day(clock_now());
    struct seen *s;

    pthread_mutex_lock(&here.lock);
    s = here.filling ? find(here.filling, item, today) : NULL;
    if (!s)
        metric_add(METRIC_reads_lost, 1);
    else if (is_flood(item, client, today))
        s->apart++;
    else
        s->reads++;
    pthread_mutex_unlock(&here.lock);
}

/* ---- into the database ---- */

static void swap(void)
{
    struct table *empty = here.writing;

    pthread_mutex_lock(&here.lock);
    here.writing = here.filling;
    here.filling = empty;
    pthread_mutex_unlock(&here.lock);
}

enum rc count_web_write(struct work *w)
{
    if (!here.filling)
        return RC_OK;
    if (!here.writing->n)
        swap();
    for (int i = 0, left = here.writing->n; i < SLOTS && left; i++) {
        const struct seen *s = &here.writing->slots[i];
        struct count c = { s->item, s->day, COUNT_WEB, s->reads, s->apart };
        int64_t apart;
        enum rc rc;

        if (!s->day)
            continue;
        left--;
        if ((rc = count_add(w, &c, &apart)))
            return rc;
    }
    return RC_OK;
}

void count_web_done(bool written)
{
    if (written && here.writing && here.writing->n)
        memset(here.writing, 0, sizeof *here.writing);
}

static enum rc write_last(struct work *w, void *unused)
{
    (void)unused;
    return count_web_write(w);
}

/* Twice: what could not be written before, and what came since. */
void count_web_finish(void)
{
    struct arena *mem = arena_new();
    struct work w;
    enum rc rc = RC_OK;

    work_init(&w, mem, NULL, "system", RIGHT_READ);
    for (int i = 0; i < 2 && !rc; i++) {
        rc = writer_call(&w, write_last, NULL);
        count_web_done(!rc);
    }
    if (rc)
        LOG(LOG_ERROR, "counts_failed", L_STR("why", w.err.text));
    arena_free(mem);
}
