/*
 * mirror_status.h - how the last attempts to follow a stream went: a row a stream, told by the mirrors' thread, read by any.
 */
#ifndef CHANNEL_MIRROR_STATUS_H
#define CHANNEL_MIRROR_STATUS_H

#include <stdint.h>

#include "sync/follow.h"

enum { MIRROR_STATUS_TEXT = sizeof((struct sync_err *)0)->text + 128 /* a URL before it */ };

struct mirror_status {
    int64_t checked;  /* seconds: when the last attempt succeeded; 0: none since the start */
    int64_t failures; /* in a row */
    int64_t since;    /* seconds: when the first of them was; 0: none failed */
    char error[MIRROR_STATUS_TEXT]; /* why the last attempt failed; "" */
};

/* Stands for the name of a stream: the list of streams that an edge follows. */
#define MIRROR_STATUS_LIST ""

/* After an attempt: `failures` in a row, 0 if it succeeded. */
void mirror_status_tell(const char *stream, unsigned failures, const char *error);
/* All 0 and "" if nothing was told yet. */
void mirror_status_of(const char *stream, struct mirror_status *out);
/* It is followed no more. */
void mirror_status_forget(const char *stream);
void mirror_status_forget_all(void);

#endif
