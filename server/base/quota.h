/*
 * quota.h - how much of something one client may have within a time: a bucket each, in memory, which fills evenly and holds one time's worth.
 *
 * Two clients that meet share a bucket. A restart fills all, which gives nobody more than one time's worth.
 */
#ifndef BASE_QUOTA_H
#define BASE_QUOTA_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { QUOTA_BUCKETS = 1 << 14 };

struct quota_bucket {
    int64_t at, left; /* so much was in it at that second; at 0: it was never used */
};

struct quota {
    int64_t most; /* 0: no limit */
    int64_t seconds;
    pthread_mutex_t lock;
    struct quota_bucket buckets[QUOTA_BUCKETS];
};
#define QUOTA(most, seconds)                      \
    {                                             \
        most, seconds, PTHREAD_MUTEX_INITIALIZER, \
        {                                         \
            {                                     \
                0                                 \
            }                                     \
        }                                         \
    }

/* For another limit from now on: all buckets are full. */
void quota_set(struct quota *q, int64_t most);
/* Takes `amount`, all or nothing. `client`: an address, as a number that says nothing by itself. False: *wait seconds until there is so much, if there ever is. */
bool quota_take(struct quota *q, uint64_t client, int64_t amount, int64_t now, int64_t *wait);

#endif
