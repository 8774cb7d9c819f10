/*
 * channel_thread.h - the thread "channels", which does what stands in the outbox (docs/channels.md).
 */
#ifndef CHANNEL_THREAD_H
#define CHANNEL_THREAD_H

#include <stdint.h>

/* The platform says that something of that account is decided: it is looked at soon. Any thread; without the thread nothing happens. */
void channel_hint(int64_t channel);

#endif
