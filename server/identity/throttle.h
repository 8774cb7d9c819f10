/*
 * throttle.h - how often a secret may be guessed, by whom.
 *
 * Never by the account alone: whoever could use up an account's guesses could lock its owner out. Counted is what one client guesses at one
 * account, what it guesses wrong at all of them, and what all strangers together guess at one account. Who has signed in to
 * this account before, from this device, is no stranger: he has guesses of his own, whatever others do.
 *
 *     who                      free                then
 *     a known device           5 an hour           waits 1, 2, 4 … 60 minutes
 *     client and account       5 in 24 hours       the same
 *     client, all accounts     50 wrong an hour    the same
 *     strangers, one account   100 an hour         who is quiet goes on; others prove a code first (a second factor: 20, and all wait;
 *                                                  a code: what code.h says)
 *     quiet ones               1,000 in 24 hours   like others
 *
 * Quiet is a client that has not guessed at this account for a day, nor wrong at any for an hour: so the owner with a new device and the
 * right password is let in beside a flood, and a flood has one guess a day for each of its addresses.
 *
 * Whether there is such an account is not asked, so it cannot be found out either. A guess at an account counts before it is known to be wrong, or
 * a thousand at once would be one; what was right is given back. Of one client a hundred may be under way at once, for a whole office
 * comes from one address at nine in the morning.
 *
 * Pure: no store, no clock, no lock. Memory never grows, and nothing is forgotten for want of it: counts stand in a sketch (count-min, two rows
 * under a key by chance), where two names that meet may count for each other, and never less than is true.
 */
#ifndef IDENTITY_THROTTLE_H
#define IDENTITY_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

enum throttle_what { THROTTLE_PASSWORD, THROTTLE_FACTOR, THROTTLE_SMS };

struct throttle_guess {
    enum throttle_what what;
    uint64_t client;  /* an address, as a number that says nothing by itself */
    uint64_t account; /* what was typed for it, the same way */
    uint64_t device;  /* known to this account; 0: a stranger */
    bool quiet;       /* out: it counts among the quiet ones */
};

enum throttle_answer {
    THROTTLE_GO,
    THROTTLE_WAIT, /* *wait seconds */
    THROTTLE_BUSY, /* too many of this client's are under way at this moment */
    THROTTLE_CODE  /* strangers have guessed too much here: prove a code first. *wait as well */
};

struct throttle;

struct throttle *throttle_new(void);
void throttle_free(struct throttle *t); /* accepts NULL */
/* May this be guessed now? If so it counts, until one of the next three says what became of it. `now`: seconds of a clock that does
 * not go back. */
enum throttle_answer throttle_take(struct throttle *t, struct throttle_guess *g, int64_t now,
                                   int64_t *wait);
void throttle_right(struct throttle *t, const struct throttle_guess *g);
void throttle_wrong(struct throttle *t, const struct throttle_guess *g, int64_t now);
/* It could not be tried at all. */
void throttle_give_back(struct throttle *t, const struct throttle_guess *g);

#endif
