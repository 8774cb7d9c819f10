/*
 * crowd.c - a table of clients, four to a set, a mutex to a group of sets.
 *
 * A client keeps its place as long as it has a connection, and its debt until another one needs the place: whoever hangs up and comes
 * again has no fresh credit. Who finds all places of its set taken is let in uncounted: to be counted as
 * one with strangers would let them lock it out. The set is chosen by a hash under a random key
 * (limit.c), so that nobody can aim at it.
 *
 * What a client has spent is one number, as in limit.c: when it would all be paid back.
 */
#include "server/http/crowd.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "server/http/limit.h"

enum { SETS = 4096, WAYS = 4, LOCKS = 64, SECOND_US = 1000 * 1000, SAVED_US = 2 * SECOND_US };

struct crowd_client {
    uint64_t tag; /* limit_client(); 0: free */
    int64_t connections;
    _Atomic int64_t even_at; /* microseconds: when it owes nothing any more */
    _Atomic int64_t unread;  /* bytes; 0 when it has no connection */
};

static struct crowd_client clients[SETS][WAYS];
static pthread_mutex_t locks[LOCKS];
static pthread_once_t made = PTHREAD_ONCE_INIT;
static struct crowd_conf limits;
static _Atomic int64_t all;

static void make_locks(void)
{
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
}

void crowd_init(const struct crowd_conf *conf)
{
    pthread_once(&made, make_locks);
    limits = *conf;
}

/* Its place; a free one, or of those without a connection the one that owes least. NULL: all are taken. */
static struct crowd_client *place_of(struct crowd_client *set, uint64_t tag)
{
    struct crowd_client *best = NULL;

    for (int i = 0; i < WAYS; i++) {
        if (set[i].tag == tag)
            return &set[i];
        if (!set[i].connections && (!best || set[i].even_at < best->even_at))
            best = &set[i];
    }
    if (best) {
        best->tag = tag;
        best->even_at = 0;
    }
    return best;
}

bool crowd_enter(bool operators)
{
    int64_t before = atomic_fetch_add_explicit(&all, 1, memory_order_relaxed);
    bool in = operators || !limits.connections_max || before < limits.connections_max;

    if (!in)
        atomic_fetch_sub_explicit(&all, 1, memory_order_relaxed);
    return in;
}

bool crowd_join(const struct sockaddr *who, struct crowd_client **out)
{
    uint64_t tag = limit_client(who);
    pthread_mutex_t *lock = &locks[tag % SETS % LOCKS];
    struct crowd_client *c;
    bool in;

    pthread_mutex_lock(lock);
    c = place_of(clients[tag % SETS], tag);
    in = !c || !limits.per_client || c->connections < limits.per_client;
    if (c && in)
        c->connections++;
    pthread_mutex_unlock(lock);
    if (in)
        *out = c;
    return in;
}

void crowd_leave(struct crowd_client *c)
{
    pthread_mutex_t *lock;

    atomic_fetch_sub_explicit(&all, 1, memory_order_relaxed);
    if (!c)
        return;
    lock = &locks[c->tag % SETS % LOCKS];
    pthread_mutex_lock(lock);
    c->connections--;
    pthread_mutex_unlock(lock);
}

/* What is refused costs nothing, so that a client gets even however hard it tries. */
bool crowd_spend(struct crowd_client *c, int64_t credits, int64_t now_us)
{
    int64_t was, then;

    if (!c || !limits.credits)
        return true;
    was = atomic_load_explicit(&c->even_at, memory_order_relaxed);
    do {
        then = (was > now_us ? was : now_us) + credits * SECOND_US / limits.credits;
        if (then > now_us + SAVED_US)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(
        &c->even_at, &was, then, memory_order_relaxed, memory_order_relaxed));
    return true;
}

void crowd_hold(struct crowd_client *c, int64_t bytes)
{
    if (c)
        atomic_fetch_add_explicit(&c->unread, bytes, memory_order_relaxed);
}

bool crowd_is_laden(const struct crowd_client *c)
{
    return c && limits.unread &&
           atomic_load_explicit(&c->unread, memory_order_relaxed) >= limits.unread;
}
