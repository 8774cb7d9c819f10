/*
 * follow_engine.h - what the files of the pull engine share; nobody else includes it.
 */
#ifndef SYNC_FOLLOW_ENGINE_H
#define SYNC_FOLLOW_ENGINE_H

#include "sync/follow.h"

/* ---- follow_decode.c: encodings ---- */

typedef enum sync_rc decode_fn(void *ctx, struct sync_err *e, const uint8_t *bytes, size_t n);
struct decode;

/* `limit`: most bytes that may come out. */
struct decode *decode_new(enum wire_encoding encoding, uint64_t limit, decode_fn *fn,
                          void *ctx);
enum sync_rc decode_feed(struct sync_err *e, struct decode *d, const uint8_t *in, size_t n);
enum sync_rc decode_end(struct sync_err *e, struct decode *d);
void decode_free(struct decode *d);

/* ---- what is to be fetched ---- */

enum part_kind { PART_ANCESTRY, PART_DIRECTORY, PART_INDEX, PART_OBJECT, PART_LOG };

struct part {
    enum part_kind kind;
    struct wire_url url;
    char path[WIRE_URL_MAX];
    uint64_t wire_max; /* most bytes of its body; of an object, all of them */
    uint64_t raw_max;  /* most bytes of what it decodes to */
    bool whole;
};

struct plan {
    struct part *parts;
    size_t n, room;
};

struct engine {
    const struct follow_store *store;
    const struct follow_transport *transport;
    const struct follow_options *options;
    struct follow_result *out;
    struct follow_progress progress;
    bool past_caches; /* no cache is believed any more */
    bool fresh_head;  /* no cache is asked for the head and the keys any more */
    bool by_objects;  /* the catch-up from our cursor is too large: what the index has first */
    bool damaged;     /* what is held is not to be built upon */

    /* what is held, as loaded when the round began */
    char note[WIRE_HEAD_MAX];
    size_t note_len;
    struct wire_head held; /* epoch 0: none */
    char etag[FOLLOW_ETAG_MAX];
    char *keys; /* VERIFY_KEYS_MAX */
    size_t keys_len;
    bool has_trust, keys_fetched;

    /* what the server says */
    char new_note[WIRE_HEAD_MAX];
    size_t new_note_len;
    char new_etag[FOLLOW_ETAG_MAX];
    struct wire_head head;
    enum verify_step step;
    uint64_t cursor; /* apply from here; 0 after starting over */
    bool start_over; /* nothing that is held stays */
    bool head_known; /* this round has accepted a head */
    bool raced;      /* this round found that another process had moved the store: nothing was
                        done */
    bool too_large;  /* this round was refused a catch-up for its size */
    uint32_t
        retry_after; /* seconds, said with the refusal that ended this round; 0: not said */
    struct plan plan;
    char *ancestry, *directory; /* fetched anew, else NULL */
    size_t ancestry_len, directory_len;
};

struct part *plan_add(struct engine *f, enum part_kind kind, const struct wire_url *url,
                      uint64_t wire_max, uint64_t raw_max);

/* ---- follow_fetch.c: requests ---- */

/* One small answer into memory. An answer other than 200 (and 304, if if_none) is an error by
 * kind. */
struct fetch_text {
    const char *path;
    const char *if_none;
    char *out;
    size_t room, n;
    int status;
    char etag[FOLLOW_ETAG_MAX];
};

enum sync_rc fetch_texts(struct sync_err *e, struct engine *f, struct fetch_text *texts,
                         size_t n);
/* Makes every part of the plan whole. */
enum sync_rc fetch_parts(struct sync_err *e, struct engine *f);
/* Asks the embedder whether to go on. */
enum sync_rc fetch_tick(struct sync_err *e, struct engine *f, enum follow_phase phase);

/* ---- follow_apply.c: from bytes to a committed state ---- */

/* Decodes a whole part and checks its hash if it has one. */
enum sync_rc part_decode(struct sync_err *e, struct engine *f, const struct part *p,
                         decode_fn *fn, void *ctx);
/* The same into fresh memory, released with free(). */
enum sync_rc part_text(struct sync_err *e, struct engine *f, const struct part *p, char **text,
                       size_t *n);
/* One transaction from the held head to the new one. */
enum sync_rc apply_plan(struct sync_err *e, struct engine *f);
/* After a failure: drops the parts that cannot be believed. */
enum sync_rc weed_parts(struct sync_err *e, struct engine *f);

#endif
