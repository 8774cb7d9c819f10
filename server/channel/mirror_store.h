/*
 * mirror_store.h - a followed stream in our own tables, as the pull engine (sync/follow.h) sees it.
 *
 *     engine --> transact --> BEGIN  records, leaves, items, head  COMMIT --> tree and head that everybody sees
 *
 * The tables are those of our own streams, so that catch-ups, covers, tiles, lists and pages are made by
 * the same code. What the engine does in one transaction is one job of the writer: all of it is there
 * after a crash, or nothing.
 *
 * One thread uses a store; inside of transact the writer thread does, while that one waits.
 */
#ifndef CHANNEL_MIRROR_STORE_H
#define CHANNEL_MIRROR_STORE_H

#include "server/base/work.h"
#include "sync/follow.h"
#include "sync/live.h"

struct mirror_store;

/* `reader` is a read connection of the thread that uses the store. Both live longer than it. */
struct mirror_store *mirror_store_new(struct live *l, struct db *reader);
void mirror_store_free(struct mirror_store *s); /* accepts NULL */
struct follow_store mirror_store_callbacks(struct mirror_store *s);

/*
 * For follow_options.prepare: fetches what a head names and we are to serve, the index and its objects in
 * all encodings. `transport` is the run's. SYNC_NET, SYNC_BUSY: it cannot be had now.
 */
struct mirror_prepare {
    struct mirror_store *store;
    const struct follow_transport *transport;
};
enum sync_rc mirror_prepare(void *prepare, struct sync_err *e, const struct wire_head *head);

/* Inside a transaction: forgets all that is held of the stream but for the rows of live_mirror_drop(). */
enum rc mirror_store_forget(struct work *w, int64_t stream);
/* After COMMIT, the folder of the bodies on their way. What a run that ends just then leaves is swept when the stream is followed anew. */
void mirror_parts_drop(void *dir);
/* Versions that no reader of a head that is still known needs. Inside a transaction. */
enum rc mirror_store_sweep(struct work *w, int64_t stream, int64_t epoch);
/* Inside a transaction: the item's rows as its newest record says; after it was withheld, or is not any more. */
enum rc mirror_item_show(struct work *w, int64_t stream, uint64_t born);

#endif
