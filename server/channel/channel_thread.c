/*
 * channel_thread.c - see the header.
 */
#include "server/channel/channel_thread.h"

void channel_hint(int64_t channel)
{
    (void)channel;
}
