/*
 * limit.c - a table of buckets, four to a set, a mutex to a group of sets.
 *
 * An address chooses its set by a hash under a random key, so that nobody can aim at another's
 * set. A bucket stores when it would be full again (the virtual time of GCRA): one number says
 * both how much is left and when it was last used.
 *
 * Over IPv6 a request takes from two buckets, the network's first: who may use 65,536 addresses would otherwise have as many times
 * a client's due, and all places of the table. What the address then is refused goes back to its network, for whoever shares that.
 */
#include "server/http/limit.h"

#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "server/base/secret.h"

enum {
    SETS = 4096,
    WAYS = 4,
    LOCKS = 64,
    MINUTE_US = 60 * 1000 * 1000,
    ADDRESS = 8,
    NETWORK = 6
};

struct bucket {
    uint64_t tag;    /* the address's hash; 0: free */
    int64_t full_at; /* microseconds: when nothing more was taken it is full by then */
};

static struct bucket buckets[SETS][WAYS];
static pthread_mutex_t locks[LOCKS];
static uint8_t key[crypto_shorthash_KEYBYTES];
static int64_t quota;

void limit_init(int64_t per_minute)
{
    static bool made;

    assert(per_minute >= 0 && per_minute <= MINUTE_US);
    for (int i = 0; i < LOCKS && !made; i++)
        pthread_mutex_init(&locks[i], NULL);
    made = true;
    secret_random(key, sizeof key);
    memset(buckets, 0, sizeof buckets);
    quota = per_minute;
}

bool limit_is_on(void)
{
    return quota > 0;
}

static uint64_t hash_of(sa_family_t family, const void *address, uint8_t n)
{
    uint8_t bytes[2 + ADDRESS] = { (uint8_t)family, n };
    uint64_t hash;

    memcpy(bytes + 2, address, n);
    crypto_shorthash((uint8_t *)&hash, bytes, sizeof bytes, key);
    return hash ? hash : 1;
}

/* IPv6 that is not IPv4 in its clothes, or NULL. */
static const uint8_t *ipv6_of(const struct sockaddr *client)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)client;

    return client->sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)
               ? six->sin6_addr.s6_addr
               : NULL;
}

/* IPv4 in its four bytes, also when it comes mapped into IPv6; IPv6 without its lower half; all
 * others are one client. */
uint64_t limit_client(const struct sockaddr *client)
{
    const struct sockaddr_in6 *mapped = (const struct sockaddr_in6 *)(const void *)client;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)client;
    const uint8_t *six = ipv6_of(client);

    if (six)
        return hash_of(AF_INET6, six, ADDRESS);
    if (client->sa_family == AF_INET6)
        return hash_of(AF_INET, mapped->sin6_addr.s6_addr + 12, 4);
    return hash_of(client->sa_family, &four->sin_addr, client->sa_family == AF_INET ? 4 : 0);
}

static int64_t cost_of(int64_t per_minute)
{
    return per_minute < MINUTE_US ? MINUTE_US / per_minute : 1;
}

/* The client's bucket, or the one that was silent longest, emptied for it. */
static struct bucket *bucket_of(struct bucket *set, uint64_t tag)
{
    struct bucket *oldest = set;

    for (int i = 0; i < WAYS; i++) {
        if (set[i].tag == tag)
            return &set[i];
        if (set[i].full_at < oldest->full_at)
            oldest = &set[i];
    }
    *oldest = (struct bucket){ .tag = tag };
    return oldest;
}

/* One of `per_minute`. */
static struct verdict take(uint64_t tag, int64_t per_minute, int64_t now)
{
    int64_t cost = cost_of(per_minute);
    struct verdict v = { .name = "default", .window = 60, .quota = per_minute };
    pthread_mutex_t *lock = &locks[tag % SETS % LOCKS];
    struct bucket *b;
    int64_t debt; /* microseconds' worth of requests not yet paid back, at most a minute's */

    pthread_mutex_lock(lock);
    b = bucket_of(buckets[tag % SETS], tag);
    debt = b->full_at > now ? b->full_at - now : 0;
    v.allowed = debt + cost <= MINUTE_US;
    if (v.allowed) {
        debt += cost;
        b->full_at = now + debt;
    }
    pthread_mutex_unlock(lock);
    v.remaining = (MINUTE_US - debt) / cost;
    v.reset = ((v.allowed ? debt : debt + cost - MINUTE_US) + 999999) / 1000000;
    return v;
}

static void give_back(uint64_t tag, int64_t per_minute)
{
    pthread_mutex_t *lock = &locks[tag % SETS % LOCKS];

    pthread_mutex_lock(lock);
    bucket_of(buckets[tag % SETS], tag)->full_at -= cost_of(per_minute);
    pthread_mutex_unlock(lock);
}

struct verdict limit_take(const struct sockaddr *client, int64_t now_ms)
{
    const uint8_t *six = ipv6_of(client);
    uint64_t network = six ? hash_of(AF_INET6, six, NETWORK) : 0;
    struct verdict v = { .allowed = true }, wide = v;

    if (!quota)
        return v;
    if (network)
        wide = take(network, quota * LIMIT_NETWORK, now_ms * 1000);
    wide.network = true;
    if (!wide.allowed)
        return wide;
    v = take(limit_client(client), quota, now_ms * 1000);
    if (network && !v.allowed)
        give_back(network, quota * LIMIT_NETWORK);
    return v;
}
