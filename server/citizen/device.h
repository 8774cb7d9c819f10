/*
 * device.h - a phone of a citizen: which of its mutations were taken, what became of them, and how far it has read.
 */
#ifndef CITIZEN_DEVICE_H
#define CITIZEN_DEVICE_H

#include "server/base/work.h"

enum {
    DEVICES_MOST =
        50, /* of one account: one more makes room at the expense of the one that was silent longest */
    DEVICE_RESULTS_MOST =
        2000, /* that a phone leaves unacknowledged, before nothing more is taken */
    DEVICE_HASHES_KEPT = 500,      /* of acknowledged mutations, to know them again */
    DEVICE_HASH = 16,              /* bytes that tell a mutation */
    DEVICE_AWAKE = 90 * 86400,     /* seconds after which nobody waits for it to read on */
    DEVICE_FORGOTTEN = 400 * 86400 /* … and after which it is forgotten */
};

struct device {
    bool here;     /* it has a row */
    int64_t n;     /* the last mutation that was taken */
    int64_t acked; /* … and whose result the phone has */
    int64_t seq;   /* how far it has read */
    int64_t heard; /* when it was heard of last, to a day */
};

/* RC_OK with *out all zero: nobody knows it. */
enum rc device_get(struct work *w, int64_t account, const char *device, struct device *out);

/* ---- on the writer ---- */

/* What the phone says it has is acknowledged now; more than was taken counts as all of it. */
enum rc device_ack(struct work *w, int64_t account, const char *device, struct device *d,
                   int64_t acked);
/* It has come further; and: it is heard of on a new day, perhaps for the first time. The day has a place in an index, which a device need not change each time. */
enum rc device_move(struct work *w, int64_t account, const char *device,
                    const struct device *d);
enum rc device_hear(struct work *w, int64_t account, const char *device, struct device *d);

/* The result of the mutation n, which was just taken. */
enum rc device_result_put(struct work *w, int64_t account, const char *device, int64_t n,
                          const uint8_t hash[DEVICE_HASH], const char *body);
/* *same: it was this very mutation that was taken under n; *body (in w->mem) is NULL if its result was acknowledged. */
enum rc device_result_get(struct work *w, int64_t account, const char *device, int64_t n,
                          const uint8_t hash[DEVICE_HASH], bool *same, const char **body);

/* How far all of the account's phones have read that are still waited for; 0 if there is none. */
enum rc device_slowest(struct work *w, int64_t account, int64_t *seq);

/* Some that were silent for too long go. */
enum rc device_forget_silent(struct work *w, int most, int *n);

#endif
