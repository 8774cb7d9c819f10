/*
 * cursor.h - how far a device has read of its account's state, as text.
 *
 *     EPOCH.SEQ          it holds the state as of SEQ
 *     EPOCH.SEQ.SINCE    it is being given all there is, and has got as far as SEQ; the giving began when the state stood at SINCE
 *
 * Numbers without zeros before them, of at most 15 digits. Devices take it for opaque.
 */
#ifndef CITIZEN_CURSOR_H
#define CITIZEN_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buf.h"

enum { CURSOR_TEXT = 48 + 3 };

struct cursor {
    int64_t epoch, seq;
    int64_t since; /* -1: it is not being given all */
};

bool cursor_read(const char *text, struct cursor *out);
void cursor_put(struct buf *out, const struct cursor *c);

#endif
