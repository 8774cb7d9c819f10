/*
 * crowd.c - a table of clients, four to a set, a mutex to a group of sets.
 *
 * A client keeps its place as long as it has a connection, and its debt until another one needs the place: whoever hangs up and comes
 * again has no fresh credit. Who finds all places of its set taken is let in uncounted: to be counted as
 * one with strangers would let them lock it out. The set is chosen by a hash under a random key
 * (limit.c), so that nobody can aim at it.
 *
 * What a client has spent is one number, as in limit.c: when it would all be paid back.
 *
 * The bodies of a client have two bounds, and so have all: above the lower one only who has little gets in, so that what a few
 * hoard shuts nobody out who sends an ordinary one.
 */
#include "server/http/crowd.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "server/base/memory.h"
#include "server/base/metric.h"
#include "server/http/limit.h"

enum { SETS = 4096, WAYS = 4, LOCKS = 64, SECOND_US = 1000 * 1000, SAVED_US = 2 * SECOND_US };

enum {
    CONNECTIONS_MOST = 1 << 20,
    SPARE_FILES = 256, /* for databases, objects, outbound connections */
    CONNECTION_BYTES =
        64 << 10, /* with TLS, and a request or two: half the memory is for these */
};

/* Bytes of bodies; what is for little ones comes on top. */
enum {
    BODIES_ALL = 64 << 20,
    BODIES_ALL_LITTLE = 16 << 20,
    BODIES_CLIENT = 12 << 20,
    BODIES_CLIENT_LITTLE = 4 << 20,
};

/* Open streams. Each is 5.2 KB of libh2o's, whatever is asked: its struct, and a block of its pool (./dev attack --only idle: what 200 connections
 * take without these bounds). An eighth of the memory is for them. */
enum { STREAM_BYTES = 5300, STREAMS_CLIENT = 4096, STREAMS_LEAST = 2 * STREAMS_CLIENT };

struct crowd_client {
    uint64_t tag; /* limit_client(); 0: free */
    int64_t connections;
    _Atomic int64_t even_at; /* microseconds: when it owes nothing any more */
    _Atomic int64_t unread;  /* bytes; 0 when it has no connection */
    _Atomic int64_t bodies;  /* likewise */
    _Atomic int64_t streams; /* likewise */
};

static struct crowd_client clients[SETS][WAYS];
static pthread_mutex_t locks[LOCKS];
static pthread_once_t made = PTHREAD_ONCE_INIT;
static struct crowd_conf limits;
static _Atomic int64_t all, all_bodies, all_streams;
static int64_t streams_max = STREAMS_LEAST;

static void make_locks(void)
{
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
}

int64_t crowd_room(int64_t wanted, uint64_t files)
{
    int64_t most = files > CONNECTIONS_MOST  ? CONNECTIONS_MOST
                   : files > 2 * SPARE_FILES ? (int64_t)files - SPARE_FILES
                                             : SPARE_FILES / 2;
    int64_t room = wanted ? wanted : memory_limit() / 2 / CONNECTION_BYTES;

    return room && room < most ? room : most;
}

void crowd_init(const struct crowd_conf *conf)
{
    pthread_once(&made, make_locks);
    limits = *conf;
    streams_max = memory_limit() / 8 / STREAM_BYTES;
    if (streams_max < STREAMS_LEAST)
        streams_max = STREAMS_LEAST;
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

bool crowd_carry(struct crowd_client *c, int64_t bytes, bool little)
{
    int64_t in_all =
        atomic_fetch_add_explicit(&all_bodies, bytes, memory_order_relaxed) + bytes;
    int64_t its =
        c ? atomic_fetch_add_explicit(&c->bodies, bytes, memory_order_relaxed) + bytes : 0;

    metric_add(METRIC_bodies_held, bytes);
    return bytes < 0 || (in_all <= BODIES_ALL + (little ? BODIES_ALL_LITTLE : 0) &&
                         its <= BODIES_CLIENT + (little ? BODIES_CLIENT_LITTLE : 0));
}

bool crowd_open(struct crowd_client *c, int64_t streams)
{
    int64_t in_all =
        atomic_fetch_add_explicit(&all_streams, streams, memory_order_relaxed) + streams;
    int64_t its =
        c ? atomic_fetch_add_explicit(&c->streams, streams, memory_order_relaxed) + streams : 0;

    metric_add(METRIC_streams_open, streams);
    return streams < 0 || (in_all <= streams_max && its <= STREAMS_CLIENT);
}
