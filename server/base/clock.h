/*
 * clock.h - the server's only reader of time. Tests set it; nobody else here calls time() or
 * clock_gettime().
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_now(void);     /* seconds since 1970 UTC */
int64_t clock_now_ms(void);  /* milliseconds since 1970 UTC */
int64_t clock_mono_us(void); /* microseconds on a clock that never goes back */
/* The wall clock less the one that never goes back: another number when somebody has set the wall clock, by so much. */
int64_t clock_offset_ms(void);
int64_t clock_ran_us(pthread_t thread); /* so long it has had a processor in all its life */
void clock_sleep_ms(int64_t ms);        /* or a signal's while less; never on a loop */
/* From now on the wall clock stands at `seconds` (tests); clock_unset() lets it run again. */
void clock_set(int64_t seconds);
void clock_unset(void);
/* All clocks go on by that (tests): the wall clock, if it stands, and the one that never goes back. For who waits on none of them. */
void clock_skip(int64_t ms);
/* Whether the kernel says that somebody keeps the wall clock right (adjtimex(2)); true, too, if it does not say. */
bool clock_is_kept(void);

enum { CLOCK_TEXT = 32 };
/* "2026-11-21T10:00:00+08:00": Beijing time, which has had no summer time since 1991. Writes at
 * most CLOCK_TEXT bytes; returns out. */
char *clock_text(int64_t seconds, char out[CLOCK_TEXT]);
/* "2026-11-21 10:00", as 国办发〔2017〕47号 wants PubDate. */
char *clock_minute(int64_t seconds, char out[CLOCK_TEXT]);
/* "2026-11-21" in Beijing. */
char *clock_day(int64_t seconds, char out[CLOCK_TEXT]);
/*
 * Reads "YYYY-MM-DD", "YYYY-MM-DD HH:MM", "YYYY-MM-DDTHH:MM:SS" with "Z" or "+HH:MM" (Beijing
 * when absent). 0, or -1 for anything else, days that do not exist, and years outside
 * 1900..2200.
 */
int clock_parse(const char *text, size_t n, int64_t *out);

#endif
