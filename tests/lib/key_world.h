/*
 * key_world.h - the service with three programs, whose keys have every right that a key may have: a test key, a team's and a live one.
 */
#ifndef TESTS_KEY_WORLD_H
#define TESTS_KEY_WORLD_H

#include "tests/lib/all_rows.h"
#include "tests/lib/phone_state.h"

extern const char *trial, *team, *live; /* headers with their keys */

int key_world_set_up(void **state);
int key_world_tear_down(void **state);

struct answer as(struct world *t, const char *key, enum method m, const char *target,
                 const char *body);
/* The same, and no row was changed but those of the sandbox and what is written of every request. */
struct answer tried(struct world *t, const char *key, enum method m, const char *target,
                    const char *body);

/* Letters to the organisation heping. */
#define L1 "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11"
#define L2 "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a12"
#define L3 "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a13"
#define L4 "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a14"
/* The n-th mutation of DEVICE_A. */
void write_letter(struct world *t, const struct person *p, int n, const char *key,
                  const char *category);

#endif
