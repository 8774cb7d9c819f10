/*
 * mirror_thread.h - the thread that follows, one for all mirrored streams (docs/mirror.md).
 *
 *     table mirror --> one thread --> follow_run() each `mirror_poll` --> mirror_store --> tables, tree, head
 */
#ifndef CHANNEL_MIRROR_THREAD_H
#define CHANNEL_MIRROR_THREAD_H

#include "server/base/conf.h"
#include "server/base/err.h"

/* After sync_start(); `db_path` is the database. */
enum rc mirror_thread_start(struct err *e, const struct conf *c, const char *db_path);
/* Ends what is under way. While the writer still runs; accepts not having been started. */
void mirror_thread_stop(void);
/* After COMMIT: the table `mirror` is another. Any thread. */
void mirror_stir(void *unused);

#endif
