/*
 * wechat_seen.c - a ring of the newest messages, and two tables of chains over it: by message, by nonce. The oldest makes room.
 */
#include "server/channel/wechat_seen.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "server/base/memory.h"
#include "server/base/secret.h"

enum { SUM = 32, CHAINS = 65536 /* a power of two */, NOBODY = -1 };

struct entry {
    int64_t at; /* seconds; 0: empty */
    uint8_t message[SUM], nonce[SUM];
    int next_message, next_nonce;
    char *answer;
    size_t n;
};

static struct {
    pthread_mutex_t lock;
    bool ready;
    int by_message[CHAINS], by_nonce[CHAINS], oldest;
    struct entry ring[WECHAT_SEEN];
    uint8_t key[SECRET_BYTES];
} seen = { .lock = PTHREAD_MUTEX_INITIALIZER };

bool wechat_in_time(const char *timestamp, int64_t now)
{
    size_t n = strlen(timestamp);
    int64_t at;

    if (!n || n > 12 || strspn(timestamp, "0123456789") != n)
        return false;
    at = strtoll(timestamp, NULL, 10);
    return at >= now - WECHAT_WINDOW && at <= now + WECHAT_WINDOW;
}

static void make_ready(void)
{
    if (seen.ready)
        return;
    secret_random(seen.key, sizeof seen.key);
    for (int i = 0; i < CHAINS; i++)
        seen.by_message[i] = seen.by_nonce[i] = NOBODY;
    seen.ready = true;
}

/* Lengths stand before texts, so that no two of them read the same. */
static void sum_of(int64_t channel, const char *const *parts, uint8_t out[SUM])
{
    struct buf b = BUF_HEAP;

    buf_printf(&b, "%" PRId64 " ", channel);
    for (; *parts; parts++)
        buf_printf(&b, "%zu %s ", strlen(*parts), *parts);
    secret_mac(seen.key, b.p, b.n, out);
    buf_done(&b);
}

static int chain_of(const uint8_t sum[SUM])
{
    return sum[0] | sum[1] << 8;
}

static void unlink_message(struct entry *e)
{
    int *at = &seen.by_message[chain_of(e->message)];

    while (*at != e - seen.ring)
        at = &seen.ring[*at].next_message;
    *at = e->next_message;
}

static void unlink_nonce(struct entry *e)
{
    int *at = &seen.by_nonce[chain_of(e->nonce)];

    while (*at != e - seen.ring)
        at = &seen.ring[*at].next_nonce;
    *at = e->next_nonce;
}

static void drop_answer(struct entry *e)
{
    if (e->answer)
        secret_wipe(e->answer, e->n);
    free(e->answer);
    e->answer = NULL;
}

static void drop(struct entry *e)
{
    if (!e->at)
        return;
    unlink_message(e);
    unlink_nonce(e);
    drop_answer(e);
    *e = (struct entry){ 0 };
}

/* A nonce is used up as long as its timestamp may be believed: twice the window, when its clock was ahead. */
static bool is_fresh(const struct entry *e, int64_t now)
{
    return e->at && e->at + 2 * WECHAT_WINDOW >= now;
}

static struct entry *find_message(const uint8_t sum[SUM], int64_t now)
{
    for (int i = seen.by_message[chain_of(sum)]; i != NOBODY; i = seen.ring[i].next_message)
        if (!memcmp(seen.ring[i].message, sum, SUM) && is_fresh(&seen.ring[i], now))
            return &seen.ring[i];
    return NULL;
}

/* Whose nonce it was; NULL: nobody's yet. */
static const struct entry *find_nonce(const uint8_t sum[SUM], int64_t now)
{
    for (int i = seen.by_nonce[chain_of(sum)]; i != NOBODY; i = seen.ring[i].next_nonce)
        if (!memcmp(seen.ring[i].nonce, sum, SUM) && is_fresh(&seen.ring[i], now))
            return &seen.ring[i];
    return NULL;
}

static void keep_answer(struct entry *e, const char *answer, size_t n)
{
    if (!(e->answer = malloc(n + 1)))
        memory_end();
    if (n)
        memcpy(e->answer, answer, n);
    e->n = n;
}

static struct entry *put(const uint8_t message[SUM], const uint8_t nonce[SUM], int64_t now)
{
    struct entry *e = &seen.ring[seen.oldest];
    int no = seen.oldest, *chain;

    seen.oldest = (seen.oldest + 1) % WECHAT_SEEN;
    drop(e);
    drop_answer(&seen.ring[(no + WECHAT_SEEN - WECHAT_KEPT) % WECHAT_SEEN]);
    e->at = now;
    memcpy(e->message, message, SUM);
    memcpy(e->nonce, nonce, SUM);
    chain = &seen.by_message[chain_of(message)];
    e->next_message = *chain;
    *chain = no;
    chain = &seen.by_nonce[chain_of(nonce)];
    e->next_nonce = *chain;
    *chain = no;
    return e;
}

static void sums(const struct wechat_coming *m, uint8_t message[SUM], uint8_t nonce[SUM])
{
    const char *const who[] = { "m", m->from, m->created, m->id, m->event, NULL };
    const char *const when[] = { "n", m->timestamp, m->nonce, NULL };

    sum_of(m->channel, who, message);
    sum_of(m->channel, when, nonce);
}

/* The same message under another nonce uses that one up as well. */
static void see_again(const struct entry *e, const uint8_t nonce[SUM], bool known, int64_t now,
                      struct buf *answer)
{
    uint8_t message[SUM];
    struct entry *other;

    if (e->answer)
        buf_add(answer, e->answer, e->n);
    if (known)
        return;
    memcpy(message, e->message, SUM);
    other = put(message, nonce, now);
    if (answer->n)
        keep_answer(other, answer->p, answer->n);
}

enum wechat_seen wechat_see(const struct wechat_coming *m, struct buf *answer)
{
    uint8_t message[SUM], nonce[SUM];
    const struct entry *e, *of_nonce;
    enum wechat_seen is = WECHAT_NEW;

    pthread_mutex_lock(&seen.lock);
    make_ready();
    sums(m, message, nonce);
    of_nonce = find_nonce(nonce, m->now);
    e = find_message(message, m->now);
    if (of_nonce && memcmp(of_nonce->message, message, SUM) != 0) {
        is = WECHAT_REPLAY;
    } else if (e) {
        is = WECHAT_AGAIN;
        see_again(e, nonce, of_nonce != NULL, m->now, answer);
    } else {
        put(message, nonce, m->now);
    }
    pthread_mutex_unlock(&seen.lock);
    return is;
}

void wechat_answered(const struct wechat_coming *m, const char *answer, size_t n)
{
    uint8_t message[SUM], nonce[SUM];
    struct entry *e;

    if (n > WECHAT_ANSWER_MAX)
        return;
    pthread_mutex_lock(&seen.lock);
    make_ready();
    sums(m, message, nonce);
    if ((e = find_message(message, m->now)) && !e->answer)
        keep_answer(e, answer, n);
    pthread_mutex_unlock(&seen.lock);
}

void wechat_forget_all(void)
{
    pthread_mutex_lock(&seen.lock);
    make_ready();
    for (int i = 0; i < WECHAT_SEEN; i++)
        drop(&seen.ring[i]);
    pthread_mutex_unlock(&seen.lock);
}
