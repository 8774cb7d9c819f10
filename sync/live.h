/*
 * live.h - the streams of this server while it runs: what is kept in memory to sign and to serve
 * them.
 *
 *     OWN       change log --(after COMMIT)--> tree --> head --> phones
 *                                                \--> objects --> index --/
 *     MIRRORED  what another server signed --(after COMMIT)--> tree, head --> phones
 *
 * Our own streams (setting `streams`) have keys, sign, and build an index. A mirrored one's heads
 * are handed in by whoever follows it: live_mirror_*().
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
#include "server/base/id.h"
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
 * After writer_start(), before anybody is served: founds our own streams (founding.h), loads keys
 * and trees, and signs a head where what was stored is not the state of the log; loads the
 * mirrored streams that the database knows. `leisure` builds objects in the background, `urgent`, which
 * may be the same, those that a purge waits for; both NULL: nobody does.
 */
enum rc sync_start(struct err *e, const struct conf *conf, struct pool *leisure,
                   struct pool *urgent);
/*
 * Waits, for all own streams, until the newest head says all that was committed and the index is as near as it should
 * be; with `tidy` also until nothing is left to be joined and compressed at leisure. For
 * commands, after a large import. RC_BUSY after `most_ms`.
 */
enum rc sync_settle(struct err *e, bool tidy, int64_t most_ms);
/* Signs the first heads of all own streams that have none yet, and waits for them: one may be held back for an index.
 * After `most_ms` those are 503 for a while. */
void sync_show(int64_t most_ms);
/* No new background work from now on. Before the pool is freed. */
void sync_stop(void);
/* Frees everything. After writer_stop(). */
void sync_done(void);

/*
 * Inside a transaction, on the writer thread: another key for `role` ("platform", a stream's name, or
 * "stream:NAME"), and what it signs: the list of heads, the stream's head. Everybody sees both and the chain after COMMIT. What
 * could not be signed is signed by the next tick. RC_NOT_FOUND, RC_CONFLICT (a mirrored stream), RC_FULL.
 */
enum rc sync_rotate(struct work *w, const char *role);
/* The keys of this server: there while it has streams. */
struct keys;
struct keys *sync_keys(void);

/*
 * All streams, by name (roll.c). Any thread; what they answer lives until sync_done(), also when the
 * stream was dropped meanwhile.
 */
struct live *live_find(const char *name); /* NULL: this server has no such stream */
struct live *live_by_no(int64_t no);
int live_count(void);
struct live *live_at(
    int i); /* ascending by name; NULL from live_count() on: one may just have gone */
/* The default stream: the first of the setting `streams`. New sites go there unless they name
 * another. NULL before the start. */
struct live *live_own(void);

const char *live_name(const struct live *l);
int64_t live_no(const struct live *l);
const char *live_data(const struct live *l); /* the data directory */
struct covers;
struct covers *live_covers(struct live *l);
bool live_is_mirrored(const struct live *l);

/* ---- mirrored streams: on the writer thread ---- */

struct wire_head;
/*
 * Inside a transaction: the mirrored stream of that name, from its rows, or a new one without
 * any. After COMMIT it is found by everybody, with the newest head of the table `head`, if there
 * is one. RC_CONFLICT: it is one of our own; RC_INVALID: no name for a stream, or there are 64.
 */
enum rc live_mirror_add(struct work *w, const char *name, struct live **out);
/*
 * After the COMMIT of the transaction that stored them. Leaves first, in any order of born, places
 * that are not known yet between them too; then the head that speaks of them, which everybody sees
 * from now on. A tree of another size than the head's is cut or filled.
 */
void live_mirror_leaf(struct live *l, uint64_t born, uint64_t seq,
                      const uint8_t leaf[HASH_BYTES]);
void live_mirror_show(struct live *l, const struct wire_head *h, const char *note, size_t n);
/* Inside a transaction: forgets the stream's row and what sync/ keeps of it (heads, leaves, ancestry, small
 * objects). After COMMIT nobody finds it. Items and records are the caller's. */
enum rc live_mirror_drop(struct work *w, struct live *l);

#endif
