/*
 * roll.h - the streams that everybody finds, for those who start and end them.
 *
 *     start, mirror add --(COMMIT)--> roll_enter      mirror remove --(COMMIT)--> roll_leave
 *
 * Whoever only looks needs live.h: live_find(), live_by_no(), live_count(), live_at() and live_own() read the roll.
 */
#ifndef SYNC_ROLL_H
#define SYNC_ROLL_H

#include <stdbool.h>

#include "sync/wire.h"

struct live;

struct roll {
    struct roll *older;
    int n;
    struct live *live[WIRE_STREAMS_MAX]; /* ascending by name */
};

/* Any thread. It stays as it is until roll_forget(). */
const struct roll *roll_now(void);
bool roll_has_room(void); /* whether one more stream fits */

/* On the writer thread, after COMMIT: everybody finds this struct live, or nobody any more. */
void roll_enter(void *live);
void roll_leave(void *live);
/* The default stream, live_own(). */
void roll_set_own(struct live *l);

/* Nobody looks any more: nothing is found, and all rolls go. The streams are the caller's. */
void roll_forget(void);

#endif
