/*
 * mirror_status.h - how the last attempts to follow a stream went: a row a stream, told by the mirrors' thread, read by any.
 */
#ifndef CHANNEL_MIRROR_STATUS_H
#define CHANNEL_MIRROR_STATUS_H

#include <stdint.h>

#include "sync/follow.h"

struct mirror_status {
    int64_t checked;  /* seconds: when the last attempt succeeded; 0: none since the start */
    int64_t failures; /* in a row */
    char error[sizeof((struct sync_err *)0)->text]; /* why the last attempt failed; "" */
};

/* After an attempt: `failures` in a row, 0 if it succeeded. */
void mirror_status_tell(const char *stream, unsigned failures, const char *error);
/* All 0 and "" if nothing was told yet. */
void mirror_status_of(const char *stream, struct mirror_status *out);
void mirror_status_forget_all(void);

#endif
