/*
 * follow.h - the pull engine: brings a store to a stream's newest signed head
 * (docs/protocol/sync.md section 10).
 *
 * It knows no disk and no network: the embedder lends it a store and a transport as callbacks.
 * It promises that nothing becomes visible that does not add up to a head signed by a trusted
 * key: all records of one run are applied in one transaction of the store, which is committed
 * only when the root computed from them is the signed one. Whatever was fetched before a kill
 * or a cut is kept in the store's parts and not fetched again.
 *
 * One run uses less than 32 MB, however much is followed: some 2 MB of its own, the zstd window (at
 * most 8 MB), what is new of directory, ancestry and withheld list (at most 4 MB each), and the
 * index (4 MB) or 2 MB to read a catch-up of differences. Little grows besides: some 500 bytes an
 * object that is fetched at one go, 150 a kept item; in a repair 32 an item held and 50 one that
 * differs. Bodies lie in the store's parts: all that is missing, or in_steps what one step needs,
 * eight bases (32 MiB of records) at most, the layers that reach into them and one catch-up. It is single-threaded; all callbacks are called on the caller's thread.
 * Needs sodium_init().
 */
#ifndef SYNC_FOLLOW_H
#define SYNC_FOLLOW_H

#include "sync/verify.h"
#include "sync/wire.h"

/* ---- the store ---- */

enum follow_value {
    FOLLOW_HEAD,      /* the note as served */
    FOLLOW_ETAG,      /* of that answer */
    FOLLOW_KEYS,      /* the key chain as served */
    FOLLOW_TRUST,     /* 32 bytes: the platform key believed in */
    FOLLOW_ANCESTRY,  /* the object the head names */
    FOLLOW_DIRECTORY, /* the object the head names: canonical JSON */
    FOLLOW_HEADS,     /* the platform's list of streams, with its signatures, without notes */
    FOLLOW_WITHHELD,  /* the object that list names for this stream; empty: none is withheld */
    FOLLOW_BELOW,     /* the horizon and the roots below it (merkle_below_print) */
    FOLLOW_VALUES,
};

enum { FOLLOW_ETAG_MAX = 80, FOLLOW_TEXT_MAX = 4 << 20 /* ancestry, directory, index */ };
enum { FOLLOW_WAIT_MAX = 86400 /* seconds: whatever an unsigned answer asks for */ };

/* A body, whole or so far; zeros if none is held. */
struct follow_part {
    uint64_t bytes;
    bool whole;
    char etag[FOLLOW_ETAG_MAX];
};

/* Bodies by URL path, outside any transaction; sync/spool.h keeps them as files. Every callback
 * returns SYNC_OK, or sets `e` to SYNC_STORE or SYNC_FULL, which ends the run. */
struct follow_parts {
    void *ctx;
    enum sync_rc (*find)(void *ctx, struct sync_err *e, const char *path,
                         struct follow_part *out);
    /* A write at 0 replaces what is held, any other continues it; n may be 0. */
    enum sync_rc (*write)(void *ctx, struct sync_err *e, const char *path, uint64_t at,
                          const void *bytes, size_t n, const char *etag, bool whole);
    /* May be called inside a transaction too. *n 0: the end. */
    enum sync_rc (*read)(void *ctx, struct sync_err *e, const char *path, uint64_t at,
                         void *out, size_t room, size_t *n);
    /* Drops every part but these; n 0: all. */
    enum sync_rc (*keep)(void *ctx, struct sync_err *e, const char *const *paths, size_t n);
};

typedef enum sync_rc follow_leaf_fn(void *ctx, struct sync_err *e, uint64_t born,
                                    const uint8_t leaf[WIRE_HASH]);

struct follow_item {
    uint64_t born, seq;
    uint8_t leaf[WIRE_HASH];
    const uint8_t *root; /* each_kept only */
};
typedef enum sync_rc follow_item_fn(void *ctx, struct sync_err *e,
                                    const struct follow_item *item);

/* The same holds here. */
struct follow_store {
    void *ctx;

    /* Copies a value of at most `room` bytes; *n 0: none is held. */
    enum sync_rc (*get)(void *ctx, struct sync_err *e, enum follow_value which, void *out,
                        size_t room, size_t *n);

    struct follow_parts parts;

    /*
     * Runs fn(fn_ctx) in one transaction, on whatever thread the store likes, while the caller
     * waits: SYNC_OK commits, and only that makes anything below visible to readers; any error
     * rolls back and is returned. Not nested.
     */
    enum sync_rc (*transact)(void *ctx, struct sync_err *e,
                             enum sync_rc (*fn)(void *fn_ctx, struct sync_err *e),
                             void *fn_ctx);

    /* The following are called inside of transact. */
    enum sync_rc (*put)(void *ctx, struct sync_err *e, enum follow_value which,
                        const void *bytes, size_t n);
    enum sync_rc (*held)(void *ctx, struct sync_err *e, uint64_t born,
                         uint64_t *seq); /* 0: none */
    /* The record counts: it replaces the one held for this born. An id held under another born
     * is SYNC_INVALID. Below the horizon it is a kept item. */
    enum sync_rc (*apply)(void *ctx, struct sync_err *e, const struct wire_frame *f,
                          const uint8_t *frame, const uint8_t *bytes,
                          const uint8_t leaf[WIRE_HASH]);
    /* Calls `fn` for every item applied in this transaction, ascending by born. */
    enum sync_rc (*changed)(void *ctx, struct sync_err *e, follow_leaf_fn *fn, void *fn_ctx);
    /* Forgets the items first ... last, kept ones too. */
    enum sync_rc (*forget)(void *ctx, struct sync_err *e, uint64_t first, uint64_t last);
    /* The horizon is `horizon` from now on: items below it go, except those the user keeps, which
     * become kept items proved by `below`. */
    enum sync_rc (*narrow)(void *ctx, struct sync_err *e, const struct merkle_below *below);
    /* The kept item at `born` is proved by the path to this root; NULL: not any more, so it is not
     * shown. */
    enum sync_rc (*proved)(void *ctx, struct sync_err *e, uint64_t born,
                           const uint8_t root[WIRE_HASH]);
    /* Forgets all tiles: the tree is built anew from the leaves that `each` gives. */
    enum sync_rc (*untile)(void *ctx, struct sync_err *e);
    /* Reading a tile that was never written is SYNC_NOT_HELD. */
    struct merkle_tiles tiles;

    /* The following also outside of it; they see what is committed there. */
    /* Items at or above the horizon, tombstones included, ascending by born, each with its leaf
     * computed anew from the frame and bytes that readers are shown. */
    enum sync_rc (*each)(void *ctx, struct sync_err *e, follow_item_fn *fn, void *fn_ctx);
    /* The same for kept items below the horizon; `root`: what proved it, NULL if nothing does. */
    enum sync_rc (*each_kept)(void *ctx, struct sync_err *e, follow_item_fn *fn, void *fn_ctx);
    /* Copies the record of the item at `born`, its frame and its bytes (WIRE_RECORD_MAX of room). *seq 0:
     * none; *n 0: what is held makes no record any more. */
    enum sync_rc (*record)(void *ctx, struct sync_err *e, uint64_t born, uint8_t *out,
                           size_t *n, uint64_t *seq);
};

/* ---- the transport ---- */

struct follow_get {
    /* the question */
    const char *path; /* from `/v1/sync/` on */
    uint64_t from;    /* above 0: `Range: bytes=from-`, with `If-Range: if_range` */
    const char *if_range;
    const char *if_none; /* NULL, or `If-None-Match` */
    bool past_caches;    /* `Cache-Control: no-cache` */
    enum sync_rc (*body)(struct follow_get *g, struct sync_err *e, const uint8_t *bytes,
                         size_t n);
    void *ctx; /* of body */

    /* the answer; status, range_from and etag are set before the first call of body */
    int status;                    /* 0: there was none */
    uint64_t range_from;           /* 206: first byte of Content-Range */
    uint64_t length;               /* of the whole body, as the answer tells; 0: not told */
    char etag[FOLLOW_ETAG_MAX];    /* strong, with its quotes; "" if there is none */
    uint32_t retry_after;          /* seconds; 0: not said */
    uint64_t bytes_down, bytes_up; /* HTTP bytes, headers included */
    struct sync_err err;           /* rc SYNC_OK: the body came whole; SYNC_NET: it did not */
};

struct follow_transport {
    void *ctx;
    /*
     * Performs all `n`, some side by side, and returns when every one has ended. A failed
     * request is told in its own `err`; the return value is for what ends the run: an error
     * returned by `body`, SYNC_CANCELLED, SYNC_USAGE.
     */
    enum sync_rc (*get)(void *ctx, struct sync_err *e, struct follow_get *gets, size_t n);
    /* Lets `ms` milliseconds pass, at most some 15 s. SYNC_CANCELLED: the run is to end. */
    enum sync_rc (*wait)(void *ctx, struct sync_err *e, uint32_t ms);
};

/* ---- a run ---- */

enum follow_phase { FOLLOW_ASKING, FOLLOW_FETCHING, FOLLOW_APPLYING };

struct follow_progress {
    enum follow_phase phase;
    uint64_t bytes, bytes_expected;     /* of bodies, as fetched; expected 0: not known */
    uint64_t records, records_expected; /* applied */
};

struct follow_options {
    const char *stream;
    const uint8_t *trust; /* 32 bytes: the platform's public key; NULL: the one held, else trust
                             on first use */
    enum wire_encoding encoding;
    bool repair;      /* believe nothing that is held: it is known to be damaged */
    uint64_t horizon; /* hold at least that many of the newest items; 0: all of them */
    bool in_steps;    /* a range of items is added base by base, soon some at once, newest
                         first, each step a transaction of its own. Always so with a horizon */
    bool plain;       /* no dz: for stores that hold no records, and for tests */
    /* NULL, or called when a head has been accepted and all that it needs of records was fetched,
     * before the transaction that shows it: a mirror fetches here what it will serve. */
    enum sync_rc (*prepare)(void *ctx, struct sync_err *e, const struct wire_head *head);
    void *prepare_ctx;
    /* A head that a hint named (its twin's path is asked for instead of the newest); NULL: none. */
    const char *twin;
    bool (*progress)(void *ctx, const struct follow_progress *p); /* NULL, or true to stop */
    void *progress_ctx;
};

struct follow_result {
    bool changed;     /* something new was committed (a new signature alone is not) */
    bool first_use;   /* `trust` was believed because it was the first one met */
    bool repaired;    /* what was held was compared with the signed tree, and what differed was
                      fetched */
    uint64_t horizon; /* the one held now; 0: everything */
    uint8_t trust[VERIFY_ED25519];
    struct wire_head head; /* the one held now; epoch 0: none */
    uint64_t records;      /* that counted */
    uint32_t requests, rounds;
    uint64_t bytes_down, bytes_up;
    uint32_t wait; /* seconds that the server asks to wait before the next run; 0: its say is
                      not known */
};

/*
 * Brings the store to the newest head, or fails and leaves what is visible as it was. `out` is
 * filled in both cases. SYNC_NET SYNC_BUSY SYNC_CANCELLED: try again later, fetched parts are
 * kept. SYNC_ROLLBACK SYNC_UNTRUSTED SYNC_MISMATCH SYNC_INVALID: the answers cannot be
 * believed, even fetched once more past every cache. SYNC_GONE: no such stream here. SYNC_STALE:
 * what the head names could not be had, though some seconds were waited for a newer one.
 */
enum sync_rc follow_run(struct sync_err *e, const struct follow_store *store,
                        const struct follow_transport *transport,
                        const struct follow_options *options, struct follow_result *out);

/*
 * Fetches one older item, proves it under the head that is held, and keeps it: for what lies below
 * the horizon. A run goes first if no head is held, or if the server has moved on from it.
 * SYNC_NOT_HELD: there is no such item in the stream.
 */
enum sync_rc follow_fetch_item(struct sync_err *e, const struct follow_store *store,
                               const struct follow_transport *transport,
                               const struct follow_options *options, const uint8_t id[WIRE_ID],
                               struct follow_result *out);

/* Seconds to wait after `failures` failed runs in a row: doubling from `poll`, at most an hour,
 * spread by `random`. */
uint32_t follow_backoff(uint32_t poll, unsigned failures, uint32_t random);

#endif
