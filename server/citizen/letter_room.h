/*
 * letter_room.h - how much of the disk files may take that no letter names yet, where it is a stranger who sends them.
 *
 * Anybody may be a guest, and as many as he likes, so a guest's own day is no bound: what counts is his client address, and what all files together take that wait for
 * their letter. Who has signed in is held up by neither: his phone number is the bound (letter_file.h).
 */
#ifndef CITIZEN_LETTER_ROOM_H
#define CITIZEN_LETTER_ROOM_H

#include "server/base/work.h"

/* Bytes a day of guests behind one client, and bytes that wait above which no guest sends more; 0: no limit. Before the threads start. */
void letter_room_open(int64_t guests_per_client, int64_t waiting);
/* On a worker: a piece of `n` bytes comes, of whoever w->who is. `client`: an address, as a number that says nothing by itself. RC_TOO_MANY, RC_FULL: not of a guest, for now. */
enum rc letter_room_take(struct work *w, uint64_t client, int64_t n);
/* On the writer's thread, now and then: what waits in fact, with what lies in the directory of uploads under way. */
enum rc letter_room_measure(struct work *w, const char *parts);

#endif
