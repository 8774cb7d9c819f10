/*
 * exchange.h - an exchange (docs/protocol/state.md) as the network sees it: each mutation and its result go to who keeps what is true of it.
 */
#ifndef TESTS_SIM_EXCHANGE_H
#define TESTS_SIM_EXCHANGE_H

#include "tests/sim/sim.h"

/* It is on its way. */
void exchange_asked(struct sim *s, const struct device *p, const struct message *ask);
/* A true answer to it, before the network harms it. */
void exchange_answered(struct sim *s, const struct device *p, const struct message *ask,
                       const struct message *answer);

#endif
