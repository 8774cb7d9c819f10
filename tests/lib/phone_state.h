/*
 * phone_state.h - a phone of a citizen in a service world: what it asks of POST /v1/me/sync, and what of the answer a test looks at.
 */
#ifndef TESTS_PHONE_STATE_H
#define TESTS_PHONE_STATE_H

#include <jansson.h>

#include "tests/lib/people.h"

#define DEVICE_A "AAAAAAAAAAAAAAAAAAAAAA"
#define DEVICE_B "BBBBBBBBBBBBBBBBBBBBBA"
#define ITEM_1   "main/0190b1c2-0000-7000-8000-000000000001"
#define ITEM_2   "main/0190b1c2-0000-7000-8000-000000000002"

/* The answer, which must be 200, in world_mem(). */
json_t *exchange(struct world *t, const struct person *p, const char *body);
/* One mutation under that n: members of it without the n. */
json_t *bring(struct world *t, const struct person *p, const char *device, int64_t n,
              const char *mutation);

const char *cursor_of(const json_t *answer);
int64_t number_of(const json_t *answer, const char *member);
/* "refused:key", "done", "known" of the i-th result; "" if there is none. */
const char *result_of(struct world *t, const json_t *answer, size_t i);
/* The value of an entry in the answer as text, "null" if it is gone; "" if it is not in there. */
const char *value_of(struct world *t, const json_t *answer, const char *type, const char *key);
size_t entries_of(const json_t *answer);

#endif
