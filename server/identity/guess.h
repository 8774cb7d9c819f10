/*
 * guess.h - guesses at secrets of this server's accounts, slowed down together (throttle.h): at the sign-in, and at the old password before a
 * new one. On any thread.
 */
#ifndef IDENTITY_GUESS_H
#define IDENTITY_GUESS_H

#include "server/identity/throttle.h"

void guess_open(void);
void guess_close(void);
enum throttle_answer guess_take(struct throttle_guess *g, int64_t *wait);
void guess_was_wrong(const struct throttle_guess *g);
void guess_was_right(const struct throttle_guess *g);
void guess_was_lost(void *guess); /* nobody looked at it; for a password_errand's lost() */

#endif
