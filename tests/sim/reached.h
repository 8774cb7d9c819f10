/*
 * reached.h - how often a run took each of the rare paths of reached.def: what is never taken is not tested.
 */
#ifndef TESTS_SIM_REACHED_H
#define TESTS_SIM_REACHED_H

enum path {
#define REACHED(name, what, towns) PATH_##name,
#include "tests/sim/reached.def"
#undef REACHED
    PATH_COUNT
};

/* In memory that all processes of a run share; before the first fork. */
void reached_begin(void);
void reached(enum path which);
/* A line each: "reached COUNT NAME: what", and "!" behind what so many towns must have met and have not. */
unsigned reached_print(unsigned towns);

#endif
