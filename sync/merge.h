/*
 * merge.h - the rules by which two states of the same thing become one. Pure; shared by server,
 * phones and mirrors. Examples that any client can run: tests/vectors/merge.
 */
#ifndef SYNC_MERGE_H
#define SYNC_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The apply rule (docs/protocol/sync.md section 2): does a record of `seq` count where one of
 * `held` stands? held 0: none is held. */
bool merge_counts(uint64_t held, uint64_t seq);

/* ---- a person's own state: docs/protocol/state.md section 4 ---- */

enum merge_rule { MERGE_LAST, MERGE_OLDEST, MERGE_UNION };

enum { MERGE_MAX = 16384 }; /* room for any union, with its quotes and its end */

/*
 * What stands after `written` is written over `held`. Both are canonical JSON that state_value_ok() let pass, or NULL: nothing stands there, it is removed. The answer
 * is one of the two, or stands in `out`.
 */
const char *merge_value(enum merge_rule rule, const char *held, const char *written,
                        char out[MERGE_MAX]);

/* How many of `n` entries go, those with the lowest seq first, where `most` may stand. */
int merge_surplus(enum merge_rule rule, int n, int most);

/*
 * Sets of numbers from 0 to 4095, as text: "0-17,40,102-4095". Read in any order, with overlaps; written ascending, as few ranges as will do, and "40", not "40-40". Not empty.
 */
bool merge_ranges_ok(const char *text, size_t n);
bool merge_ranges_have(const char *text, size_t n, unsigned number);

#endif
