/*
 * compact.h - tombstones that nobody needs go, and devices that nobody hears of.
 */
#ifndef CITIZEN_COMPACT_H
#define CITIZEN_COMPACT_H

#include "server/base/work.h"

enum { COMPACT_AFTER = 366 * 86400 /* seconds that a tombstone stands at most */ };

/* On the writer: the account's tombstones that all its phones have read. */
enum rc compact_account(struct work *w, int64_t account);

struct db;
/* On the writer's thread: once a minute, and every time as long as there is more, what is older than COMPACT_AFTER. */
void compact_tick(struct db *db, void *unused);

#endif
