/*
 * dice.h - all randomness of a simulation: what comes out is a function of the seed.
 */
#ifndef TESTS_SIM_DICE_H
#define TESTS_SIM_DICE_H

#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* 0 to below-1. */
uint32_t dice_roll(struct dice *d, uint32_t below);
/* Once in `n`. */
static inline int dice_one_in(struct dice *d, uint32_t n)
{
    return dice_roll(d, n) == 0;
}
/* Others, that depend on these and on `salt`. */
struct dice dice_split(const struct dice *d, uint64_t salt);

/* From now on this process's libraries (sodium, OpenSSL) draw from these dice. */
void dice_rule(struct dice d);

#endif
