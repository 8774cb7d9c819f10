/*
 * patrol.h - the log verified again and again, some rows a second, while the server runs.
 */
#ifndef HEALTH_PATROL_H
#define HEALTH_PATROL_H

#include "server/library/verify.h"

/* All 0 at first. */
struct patrol {
    int64_t stream; /* its number; 0: a round begins */
    struct verify_place at;
    int64_t found, found_before; /* faults in this round, and in the one before */
    char text[300];              /* the first of those found last */
};

/* The next `most` rows. `data` is the data directory. */
void patrol_step(struct patrol *p, struct work *w, const char *data, int64_t most);
/* What was found last: a fault is one until a whole round has found none. */
int64_t patrol_faults(const struct patrol *p);

#endif
