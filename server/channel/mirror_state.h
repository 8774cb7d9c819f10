/*
 * mirror_state.h - the inside of struct mirror_store, for the files mirror_*.c.
 */
#ifndef CHANNEL_MIRROR_STATE_H
#define CHANNEL_MIRROR_STATE_H

#include "server/base/buf.h"
#include "server/base/id.h"
#include "server/channel/mirror_store.h"
#include "server/store/db.h"

struct mirror_touched { /* an item whose record was applied in the open transaction */
    uint64_t born, seq;
    uint8_t leaf[WIRE_HASH];
};

struct mirror_store {
    struct live *live;
    int64_t no;
    const char *name;
    const char *data; /* the data directory */
    struct db *reader;
    char parts[512]; /* directory of the bodies on their way */

    /* The open transaction's. */
    struct work *w; /* NULL: there is none */
    struct buf touched;
    bool sorted; /* by born, each once */
    bool directory_new;

    /* Between prepare and the transaction: objects that the other server has purged. */
    struct buf gone; /* hashes */
};

/* ---- mirror_store.c ---- */

enum sync_rc mirror_get(void *ctx, struct sync_err *e, enum follow_value which, void *out,
                        size_t room, size_t *n);
/* What was applied in the open transaction: ascending by born, of one that came twice only the newest. */
struct mirror_touched *mirror_touched(struct mirror_store *s, size_t *n);

/* ---- mirror_commit.c ---- */

/* All that follows from what the engine wrote, at the end of the transaction; after COMMIT it is shown. */
enum sync_rc mirror_settle(struct mirror_store *s, struct sync_err *e);

/* ---- mirror_items.c: inside a transaction ---- */

/* Sites and columns as the directory names them. RC_INVALID. */
enum rc mirror_directory(struct work *w, int64_t stream, const char *stream_name,
                         const char *text, size_t n);
/* The item at `born` as its newest record says. RC_INVALID: its id stands at another place of the stream. */
enum rc mirror_item_show(struct work *w, int64_t stream, uint64_t born);

/* That many items more of the stream are published. */
enum rc mirror_gain(struct work *w, int64_t stream, int64_t items);

/* ---- errors ---- */

/* SYNC_FULL, SYNC_INVALID or SYNC_STORE, with the sentence. */
enum sync_rc mirror_failed(struct sync_err *e, enum rc rc, const struct err *why);

#endif
