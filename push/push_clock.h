/*
 * push_clock.h - what becomes of campaigns when somebody sets the wall clock, by more than a few seconds.
 *
 *     ahead, back    what waits to be tried again and what runs is told of it (run_shift()): it lasts as long as it was to
 *     ahead, a leap  what was to begin in the time that never was, waits for somebody's word: it may be early by as much as late, and it is not all sent at once
 *     back           whatever has not begun is before us again
 *
 * Known by the clock that never goes back, of this process: what passed while there was none is no jump. The thread of push's, and the writer's while that waits for it.
 */
#ifndef PUSH_PUSH_CLOCK_H
#define PUSH_PUSH_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/work.h"

void push_clock_forget(void);
/* Several times a second, so that a leap is told from time that passed. Whether the clock was set since the last look. */
bool push_clock_look(void);
/* By how much, that no row knows of yet; 0: not. Once rows do and that was committed, push_clock_told(). */
int64_t push_clock_jumped_ms(void);
void push_clock_told(int64_t ms);
/* Whether the clock leapt over that moment (seconds), and words for it, in w->mem. Until push_clock_landed(): all that was due by then has begun, or waits. */
bool push_clock_leapt(int64_t start);
const char *push_clock_why(struct work *w);
void push_clock_landed(void);

#endif
