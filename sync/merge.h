/*
 * merge.h - the rules by which two states of the same thing become one. Pure; shared by server,
 * phones and mirrors.
 */
#ifndef SYNC_MERGE_H
#define SYNC_MERGE_H

#include <stdbool.h>
#include <stdint.h>

/* The apply rule (docs/protocol/sync.md section 2): does a record of `seq` count where one of
 * `held` stands? held 0: none is held. */
bool merge_counts(uint64_t held, uint64_t seq);

#endif
