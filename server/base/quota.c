/*
 * quota.c - what came since a bucket was looked at last is worked out when it is looked at again.
 */
#include "server/base/quota.h"

#include <string.h>

void quota_set(struct quota *q, int64_t most)
{
    pthread_mutex_lock(&q->lock);
    q->most = most;
    memset(q->buckets, 0, sizeof q->buckets);
    pthread_mutex_unlock(&q->lock);
}

static bool take(struct quota *q, uint64_t client, int64_t amount, int64_t now, int64_t *wait)
{
    struct quota_bucket *b = &q->buckets[client % QUOTA_BUCKETS];
    int64_t passed = now - b->at, came;

    if (!b->at || passed < 0 || passed > q->seconds)
        passed = q->seconds;
    came = passed * q->most / q->seconds;
    if (b->left + came >= q->most) {
        b->at = now;
        b->left = q->most;
    } else if (came) {
        b->at += came * q->seconds / q->most; /* the rest of a second stays */
        b->left += came;
    }
    *wait = b->at + (amount - b->left) * q->seconds / q->most - now;
    *wait = *wait < 1 ? 1 : *wait;
    if (b->left < amount)
        return false;
    b->left -= amount;
    return true;
}

bool quota_take(struct quota *q, uint64_t client, int64_t amount, int64_t now, int64_t *wait)
{
    bool taken;

    pthread_mutex_lock(&q->lock);
    *wait = 0;
    taken = !q->most || take(q, client, amount, now, wait);
    pthread_mutex_unlock(&q->lock);
    return taken;
}
