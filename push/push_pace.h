/*
 * push_pace.h - campaigns that have a pace of their own, beside that of their vendors: at most PUSH_PACES at a time. The thread of push's, in memory: after a start each begins anew.
 */
#ifndef PUSH_PUSH_PACE_H
#define PUSH_PUSH_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum { PUSH_PACES = 32 };

/* For struct run_limits: nothing of this run now. */
bool push_pace_rests(void *unused, int64_t run);
/* So many devices of it were taken; pace: devices a second, 0: it has none. */
void push_pace_count(int64_t run, int64_t pace, int n);
void push_pace_forget(void);

#endif
