/*
 * letter_clock.h - what becomes of a letter when nobody does anything.
 */
#ifndef CITIZEN_LETTER_CLOCK_H
#define CITIZEN_LETTER_CLOCK_H

struct db;
/* On the writer's thread, now and then: what was settled long ago is closed, and a writer who did not complete his letter in time is waited for no more. */
void letter_tick(struct db *db, void *unused);

/* A writer_tick of a second: letter_tick() once a minute, and each second while there are more letters than it takes at once. */
void letter_clock(struct db *db, void *unused);

#endif
