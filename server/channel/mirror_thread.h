/*
 * mirror_thread.h - the thread that follows, one for all mirrored streams (docs/mirror.md).
 *
 *     table mirror --> one thread --> follow_run() each `mirror_poll` --> mirror_store --> tables, tree, head
 */
#ifndef CHANNEL_MIRROR_THREAD_H
#define CHANNEL_MIRROR_THREAD_H

#include "server/base/conf.h"
#include "server/base/err.h"

/*
 * Seconds from a failed attempt to the next: follow_backoff(), but no longer than 10 s, or twenty times as long as
 * the attempt took. So a publisher that comes back, and a takedown with it, is met soon, and one that keeps
 * attempts waiting takes a twentieth of the thread's time from the others.
 */
uint32_t mirror_rest(uint32_t poll, unsigned failures, int64_t took_us, uint32_t random);

/* After sync_start(); `db_path` is the database. */
enum rc mirror_thread_start(struct err *e, const struct conf *c, const char *db_path);
/* Ends what is under way. While the writer still runs; accepts not having been started. */
void mirror_thread_stop(void);
/* After COMMIT: the table `mirror` is another. Any thread. */
void mirror_stir(void *unused);

#endif
