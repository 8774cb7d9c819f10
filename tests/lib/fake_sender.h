/*
 * fake_sender.h - sender.h without vendors: what a test says of each message becomes of it. It stands in for push/sender.c, in the test's own program.
 */
#ifndef TESTS_FAKE_SENDER_H
#define TESTS_FAKE_SENDER_H

#include <stdatomic.h>

#include "push/sender.h"

struct fake_sender {
    atomic_uint on; /* bits of transports */
    int room;       /* jobs at once */
    /* On the push thread: what becomes of one; called once for each message that leaves. */
    enum push_verdict_kind (*answer)(const struct push_message *m, const char *token);
    _Atomic enum vendor_recall recalls[TRANSPORT_COUNT];
    atomic_bool holds; /* nothing leaves and nothing comes home, until it is false */
};

/* One at a time; never fails. `how` outlives it; `on` and `holds` may be changed while it runs. */
struct sender *fake_sender_open(struct fake_sender *how);

#endif
