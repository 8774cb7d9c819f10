/*
 * vectors.h - the examples in tests/vectors/sync, which another language wrote from the protocol page alone.
 *
 * Whatever is not as expected fails the test that runs.
 */
#ifndef TESTS_LIB_VECTORS_H
#define TESTS_LIB_VECTORS_H

#include <jansson.h>

#include "sync/verify.h"

/* A file by its name; the caller releases it. */
json_t *load(const char *name);
const char *text(const json_t *o, const char *name);
uint64_t number(const json_t *o, const char *name);
/* Returns the number of bytes. */
size_t unhex(const char *hex, uint8_t *out);
/* The same to new memory. */
uint8_t *unhex_new(const char *hex, size_t *n);
void assert_hash(const json_t *o, const char *name, const uint8_t hash[WIRE_HASH]);

#endif
