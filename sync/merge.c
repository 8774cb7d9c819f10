/*
 * merge.c - one rule so far: the higher seq wins.
 *
 * seq is given in the order of commit by the one server that may, so nothing else (no clock, no
 * order of arrival) decides. That makes applying idempotent and free of order: records may come
 * twice, from objects and catch-ups that overlap, and in any sequence.
 */
#include "sync/merge.h"

bool merge_counts(uint64_t held, uint64_t seq)
{
    return seq > held;
}
