/*
 * live.h - this server's own streams while it runs: what is kept in memory to sign and to serve
 * them.
 *
 *     change log --(after COMMIT)--> tree --> head --> phones
 *                                      \--> objects --> index --/
 *
 * Order of life: sync_watch(), writer_start(), sync_start(), …, sync_stop(), the worker pool
 * ends, writer_stop(), sync_done().
 */
#ifndef SYNC_LIVE_H
#define SYNC_LIVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/base/conf.h"
#include "server/base/pool.h"
#include "server/base/work.h"

struct live;

/* Before writer_start(): asks to hear of changes and of time passing. */
void sync_watch(void);
/*
 * fn() is called, on the writer thread, when a head with a new `cut` is shown: whoever keeps
 * answers (server/http/cache.h) forgets them. Before writer_start().
 */
void sync_on_cut(void (*fn)(void));
/*
 * fn() is called, on the writer thread, with every head from the moment it is shown: at the start, after
 * a change, and when it is signed anew. Before writer_start(); NULL: nobody listens.
 */
struct wire_head;
void sync_on_head(void (*fn)(const struct wire_head *h));
/*
 * After writer_start(), before anybody is served: founds the stream (founding.h), loads its
 * keys and its tree, and signs a head if what was stored is not the state of the log. `workers`
 * build objects in the background; NULL: nobody does.
 */
enum rc sync_start(struct err *e, const struct conf *conf, struct pool *workers);
/*
 * Waits until the newest head says all that was committed and the index is as near as it should
 * be; with `tidy` also until nothing is left to be joined and compressed at leisure. For
 * commands, after a large import. RC_BUSY after `most_ms`.
 */
enum rc sync_settle(struct err *e, bool tidy, int64_t most_ms);
/* No new background work from now on. Before the pool is freed. */
void sync_stop(void);
/* Frees everything. After writer_stop(). */
void sync_done(void);

/* NULL: this server has no such stream. On any thread. */
struct live *live_find(const char *name);
struct live *live_by_no(int64_t no);
struct live *live_own(void); /* the one that was started; NULL before */

const char *live_name(const struct live *l);
int64_t live_no(const struct live *l);
const char *live_data(const struct live *l); /* the data directory */
struct keys;
const struct keys *live_keys(const struct live *l);
struct covers;
struct covers *live_covers(struct live *l);

#endif
