/*
 * tally.h - what staff see of many people and of nobody by name: how often items were read, and how useful they were.
 */
#ifndef TESTS_SIM_TALLY_H
#define TESTS_SIM_TALLY_H

#include "tests/sim/sim.h"

struct tallies *tallies_new(void);
void tallies_free(struct tallies *t);

/* A phone counts a read of that item, or may have, if it ended over it. */
void tally_read(struct sim *s, const char *item);
/* A phone's report: on its way; and what it was answered: status 0: the server ended over it. */
void tally_asked(struct sim *s, const struct device *p, const struct message *ask);
void tally_answered(struct sim *s, const struct message *ask, int status, const char *answer);
void tally_backed_up(struct sim *s);
void tally_restored(struct sim *s);

/* No faults any more: what is read from now on arrives. */
void tally_last(struct sim *s, const char *item);
/* When all has been exchanged: what the server counted. */
void tally_audit(struct sim *s);

#endif
