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
 * One run uses about 1 MB, the zstd window (at most 8 MB), and the index and directory (at most
 * 4 MB each). It is single-threaded; all callbacks are called on the caller's thread. Needs
 * sodium_init().
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
    FOLLOW_VALUES,
};

enum { FOLLOW_ETAG_MAX = 80, FOLLOW_TEXT_MAX = 4 << 20 /* ancestry, directory, index */ };

/* A body, whole or so far; zeros if none is held. */
struct follow_part {
    uint64_t bytes;
    bool whole;
    char etag[FOLLOW_ETAG_MAX];
};

typedef enum sync_rc follow_leaf_fn(void *ctx, struct sync_err *e, uint64_t born,
                                    const uint8_t leaf[WIRE_HASH]);

/* Every callback returns SYNC_OK, or sets `e` to SYNC_STORE or SYNC_FULL, which ends the run.
 */
struct follow_store {
    void *ctx;

    /* Copies a value of at most `room` bytes; *n 0: none is held. */
    enum sync_rc (*get)(void *ctx, struct sync_err *e, enum follow_value which, void *out,
                        size_t room, size_t *n);

    /* Bodies by URL path, outside any transaction. A write at 0 replaces what is held, any
     * other continues it; n may be 0. */
    enum sync_rc (*part_find)(void *ctx, struct sync_err *e, const char *path,
                              struct follow_part *out);
    enum sync_rc (*part_write)(void *ctx, struct sync_err *e, const char *path, uint64_t at,
                               const void *bytes, size_t n, const char *etag, bool whole);
    /* May be called inside a transaction too. *n 0: the end. */
    enum sync_rc (*part_read)(void *ctx, struct sync_err *e, const char *path, uint64_t at,
                              void *out, size_t room, size_t *n);
    /* Drops every part but these; n 0: all. */
    enum sync_rc (*part_keep)(void *ctx, struct sync_err *e, const char *const *paths,
                              size_t n);

    /* One transaction: only commit makes anything below visible to readers. */
    enum sync_rc (*begin)(void *ctx, struct sync_err *e);
    enum sync_rc (*put)(void *ctx, struct sync_err *e, enum follow_value which,
                        const void *bytes, size_t n);
    enum sync_rc (*held)(void *ctx, struct sync_err *e, uint64_t born,
                         uint64_t *seq); /* 0: none */
    /* The record counts: it replaces the one held for this born. An id held under another born
     * is SYNC_INVALID. */
    enum sync_rc (*apply)(void *ctx, struct sync_err *e, const struct wire_frame *f,
                          const uint8_t *frame, const uint8_t *bytes,
                          const uint8_t leaf[WIRE_HASH]);
    /* Calls `fn` for every item applied in this transaction, ascending by born. */
    enum sync_rc (*changed)(void *ctx, struct sync_err *e, follow_leaf_fn *fn, void *fn_ctx);
    enum sync_rc (*wipe)(void *ctx, struct sync_err *e); /* forgets all items and tiles */
    struct merkle_tiles tiles;
    enum sync_rc (*commit)(void *ctx, struct sync_err *e);
    void (*rollback)(void *ctx);
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
    bool start_over; /* build upon nothing that is held: it is known to be damaged */
    bool (*progress)(void *ctx, const struct follow_progress *p); /* NULL, or true to stop */
    void *progress_ctx;
};

struct follow_result {
    bool changed;      /* something new was committed (a new signature alone is not) */
    bool first_use;    /* `trust` was believed because it was the first one met */
    bool started_over; /* everything was fetched again: the log's history is another one */
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

/* Seconds to wait after `failures` failed runs in a row: doubling from `poll`, at most an hour,
 * spread by `random`. */
uint32_t follow_backoff(uint32_t poll, unsigned failures, uint32_t random);

#endif
