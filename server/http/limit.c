/*
 * limit.c - a table of buckets, four to a set, a mutex to a group of sets.
 *
 * An address chooses its set by a hash under a random key, so that nobody can aim at another's
 * set. A bucket stores when it would be full again (the virtual time of GCRA): one number says
 * both how much is left and when it was last used.
 */
#include "server/http/limit.h"

#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "server/base/secret.h"

enum { SETS = 4096, WAYS = 4, LOCKS = 64, MINUTE_US = 60 * 1000 * 1000 };

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

/* IPv4 in its four bytes, also when it comes mapped into IPv6; IPv6 without its lower half; all
 * others are one client. */
uint64_t limit_client(const struct sockaddr *client)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)client;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)client;
    uint8_t bytes[9] = { (uint8_t)client->sa_family };
    uint64_t hash;

    if (client->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
        bytes[0] = AF_INET;
        memcpy(bytes + 1, six->sin6_addr.s6_addr + 12, 4);
    } else if (client->sa_family == AF_INET6) {
        memcpy(bytes + 1, six->sin6_addr.s6_addr, 8);
    } else if (client->sa_family == AF_INET) {
        memcpy(bytes + 1, &four->sin_addr, 4);
    }
    crypto_shorthash((uint8_t *)&hash, bytes, sizeof bytes, key);
    return hash ? hash : 1;
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

struct verdict limit_take(const struct sockaddr *client, int64_t now_ms)
{
    uint64_t tag = limit_client(client);
    unsigned set = tag % SETS;
    int64_t now = now_ms * 1000, cost = MINUTE_US / (quota ? quota : 1);
    struct verdict v = { .allowed = true, .quota = quota };
    struct bucket *b;
    int64_t debt; /* microseconds' worth of requests not yet paid back, at most a minute's */

    if (!quota)
        return v;
    pthread_mutex_lock(&locks[set % LOCKS]);
    b = bucket_of(buckets[set], tag);
    debt = b->full_at > now ? b->full_at - now : 0;
    v.allowed = debt + cost <= MINUTE_US;
    if (v.allowed) {
        debt += cost;
        b->full_at = now + debt;
    }
    pthread_mutex_unlock(&locks[set % LOCKS]);
    v.remaining = (MINUTE_US - debt) / cost;
    v.reset = ((v.allowed ? debt : debt + cost - MINUTE_US) + 999999) / 1000000;
    return v;
}
