/*
 * purge_hook.h - tells the caches in front of us which answers they must forget (setting
 * purge_hook).
 */
#ifndef CHANNEL_PURGE_HOOK_H
#define CHANNEL_PURGE_HOOK_H

#include "server/store/db.h"

/*
 * From now on the tick sends. `hook`: the URL that is told, "" for none; `origin`: what citizens
 * see before a path, "https://www.example.cn". Both outlive purge_hook_stop(). RC_INVALID if
 * `hook` is no http or https URL. After client_start().
 */
enum rc purge_hook_start(struct err *e, const char *hook, const char *origin);
/* On the writer thread, about twice a second (writer_tick). */
void purge_hook_tick(struct db *db, void *arg);
/* After client_stop() and writer_stop(). Accepts not having been started. */
void purge_hook_stop(void);

#endif
