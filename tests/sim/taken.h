/*
 * taken.h - which mutations the server said it has taken: a device's n has one content and one seq for ever.
 */
#ifndef TESTS_SIM_TAKEN_H
#define TESTS_SIM_TAKEN_H

#include "tests/sim/sim.h"

struct taken {
    int owner, phone, stay; /* stay: the how-manieth of a person on that phone */
    char device[24];
    int64_t n, seq;
    char content[224];
};

struct takens *takens_new(void);

/* open: in which order the key was written nobody saw, so the same words may have been written by another person. */
void taken_add(struct sim *s, const struct taken *t, bool open);
void taken_forget(struct sim *s); /* a restore may have lost all of it */
/* What he has written he writes once more, as another account. */
void taken_disown(struct sim *s, int owner);

#endif
