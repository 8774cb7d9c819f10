/*
 * session_table.c - chained buckets in shards, each with a lock of its own.
 *
 * A session's number is random, so its lowest bits name its shard and the next ones its bucket. A shard doubles its
 * buckets when it holds as many sessions. Memory for 100,000 sessions: 20 MB.
 */
#include "server/identity/session_table.h"

#include <pthread.h>
#include <stdlib.h>

#include "server/base/memory.h"
#include "server/base/metric.h"
#include "server/base/secret.h"

enum { SHARD_BITS = 6, SHARDS = 1 << SHARD_BITS, BUCKETS_MIN = 16 };

struct node {
    struct node *next;
    struct session_entry e;
};

static struct shard {
    pthread_mutex_t lock;
    struct node **buckets;
    size_t size, n; /* buckets, a power of two; sessions */
} shards[SHARDS] = { [0 ... SHARDS - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER } };

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (!p)
        memory_end();
    return p;
}

static struct shard *lock(int64_t id)
{
    struct shard *s = &shards[(uint64_t)id % SHARDS];

    pthread_mutex_lock(&s->lock);
    return s;
}

static void unlock(struct shard *s)
{
    pthread_mutex_unlock(&s->lock);
}

static struct node **bucket(const struct shard *s, int64_t id)
{
    return &s->buckets[(uint64_t)id >> SHARD_BITS & (s->size - 1)];
}

/* The link that leads to it, or to the end of its chain; NULL: the shard is empty. */
static struct node **find(const struct shard *s, int64_t id)
{
    struct node **at = s->size ? bucket(s, id) : NULL;

    while (at && *at && (*at)->e.id != id)
        at = &(*at)->next;
    return at;
}

static void grow(struct shard *s)
{
    struct shard old = *s;

    s->size = old.size ? 2 * old.size : BUCKETS_MIN;
    s->buckets = zeroed(s->size, sizeof *s->buckets);
    for (size_t i = 0; i < old.size; i++)
        for (struct node *n = old.buckets[i], *next; n; n = next) {
            struct node **to = bucket(s, n->e.id);

            next = n->next;
            n->next = *to;
            *to = n;
        }
    free(old.buckets);
}

int64_t session_over(const struct session_entry *e)
{
    int64_t idle = e->used + e->idle;

    return idle < e->ends ? idle : e->ends;
}

static bool opens(const struct session_entry *e, const uint8_t *hash, int64_t now)
{
    bool right = false;

    for (int i = 0; i < 2; i++)
        right |= secret_equal(e->pass[i].hash, hash, 32) && now < e->pass[i].ends;
    return right && now < session_over(e);
}

bool session_table_check(int64_t id, const uint8_t hash[32], int64_t use_at,
                         struct session_entry *out)
{
    struct shard *s = lock(id);
    struct node **at = find(s, id);
    bool good = at && *at && opens(&(*at)->e, hash, use_at);

    if (good) {
        if ((*at)->e.used < use_at)
            (*at)->e.used = use_at;
        *out = (*at)->e;
    }
    unlock(s);
    return good;
}

bool session_table_get(int64_t id, struct session_entry *out)
{
    struct shard *s = lock(id);
    struct node **at = find(s, id);
    bool there = at && *at;

    if (there)
        *out = (*at)->e;
    unlock(s);
    return there;
}

void session_table_put(const struct session_entry *e)
{
    struct shard *s = lock(e->id);
    struct node **at;

    if (s->n >= s->size)
        grow(s);
    at = find(s, e->id);
    if (!*at) {
        *at = zeroed(1, sizeof **at);
        s->n++;
        metric_add(METRIC_sessions, 1);
    }
    (*at)->e = *e;
    unlock(s);
}

void session_table_drop(int64_t id)
{
    struct shard *s = lock(id);
    struct node **at = find(s, id), *gone = at ? *at : NULL;

    if (gone) {
        *at = gone->next;
        s->n--;
        metric_add(METRIC_sessions, -1);
    }
    unlock(s);
    free(gone);
}

static void empty(struct shard *s)
{
    for (size_t i = 0; i < s->size; i++)
        for (struct node *n = s->buckets[i], *next; n; n = next) {
            next = n->next;
            free(n);
        }
    free(s->buckets);
    metric_add(METRIC_sessions, -(int64_t)s->n);
    s->buckets = NULL;
    s->size = s->n = 0;
}

void session_table_empty(void)
{
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&shards[i].lock);
        empty(&shards[i]);
        unlock(&shards[i]);
    }
}

static bool each(struct shard *s, bool (*fn)(void *arg, struct session_entry *e), void *arg)
{
    for (size_t i = 0; i < s->size; i++)
        for (struct node *n = s->buckets[i]; n; n = n->next)
            if (!fn(arg, &n->e))
                return false;
    return true;
}

void session_table_each(bool (*fn)(void *arg, struct session_entry *e), void *arg)
{
    bool go = true;

    for (int i = 0; i < SHARDS && go; i++) {
        pthread_mutex_lock(&shards[i].lock);
        go = each(&shards[i], fn, arg);
        unlock(&shards[i]);
    }
}
