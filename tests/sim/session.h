/*
 * session.h - refresh tokens as the network sees them: each is exchanged once, and nobody loses his session by that.
 */
#ifndef TESTS_SIM_SESSION_H
#define TESTS_SIM_SESSION_H

#include "tests/sim/sim.h"

struct sessions *sessions_new(void);

/* What a refresh was answered; 0: the server ended over it, and may have exchanged the token. */
void session_refresh(struct sim *s, const struct device *p, const struct message *ask,
                     int status);

#endif
