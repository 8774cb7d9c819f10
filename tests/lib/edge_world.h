/*
 * edge_world.h - the edge with a small table of its own: handlers that say what they were asked,
 * fail in one way each, or wait until they are let go. world.h with these routes.
 */
#ifndef TESTS_EDGE_WORLD_H
#define TESTS_EDGE_WORLD_H

#include <stdatomic.h>

#include "tests/lib/world.h"

extern atomic_int edge_world_calls; /* of the handlers that a test counts */
extern atomic_int edge_world_held;  /* 1: /slow and /cached-slow wait */
extern atomic_int
    edge_world_works; /* of /weight/N and /file/N (answers of N bytes): not over yet */

int edge_world_set_up(void **state); /* cmocka's; *state is a struct world */
int edge_world_set_up_with(void **state, const struct world_conf *conf);
int edge_world_tear_down(void **state);

#endif
