/*
 * turns.h - a process of many threads in which one runs at a time, and time is what the simulator says.
 *
 * A thread goes on until it has to wait (for a lock, a condition, the end of another thread, a time, the network). Who is next among those
 * that could go on is a matter of the dice; the main thread is next only when nobody else is. So the same dice give the
 * same run, and when the main thread is back nothing is left to be done at this time.
 *
 * Nothing waits for real time: a thread that sleeps goes on when the clock, a number in memory that all processes of a simulation share,
 * has come that far. When all wait for a time and the main thread does too, the clock jumps to the first of them.
 */
#ifndef TESTS_SIM_TURNS_H
#define TESTS_SIM_TURNS_H

#include <stdint.h>

#include "tests/sim/dice.h"

/* Microseconds since 1970 as all processes see it: memory that is shared. Before the first fork. */
extern int64_t *turns_now_us;

/* This process's own clock on the wall is so far beside it, from now on. */
void turns_wall(int64_t beside_us);

/* In a process that was just forked, by its only thread: takes part from now on. */
void turns_begin(struct dice d);
/* The main thread waits until nobody else can go on. */
void turns_rest(void);

#endif
