/*
 * follow_engine.h - what the files of the pull engine share; nobody else includes it.
 */
#ifndef SYNC_FOLLOW_ENGINE_H
#define SYNC_FOLLOW_ENGINE_H

#include "sync/follow.h"

/* ---- follow_decode.c: encodings ---- */

typedef enum sync_rc decode_fn(void *ctx, struct sync_err *e, const uint8_t *bytes, size_t n);
struct decode;

/* `limit`: most bytes that may come out. Not for dz. */
struct decode *decode_new(enum wire_encoding encoding, uint64_t limit, decode_fn *fn,
                          void *ctx);
enum sync_rc decode_feed(struct sync_err *e, struct decode *d, const uint8_t *in, size_t n);
enum sync_rc decode_end(struct sync_err *e, struct decode *d);
void decode_free(struct decode *d);

/* ---- follow_dz.c: a catch-up as differences ---- */

struct dz_delta {
    uint64_t born, seq;         /* of the record that it gives */
    uint8_t name[WIRE_DZ_NAME]; /* its prefix's leaf begins so */
    uint32_t size;
};

struct dz_calls {
    void *ctx;
    /* A record, whole, as in a pack. */
    wire_record_fn *record;
    /* The record of that item with this name, into `out` (WIRE_RECORD_MAX). *held false: it is not held,
     * or what it is for is not wanted; the delta is passed over. */
    enum sync_rc (*prefix)(void *ctx, struct sync_err *e, const struct dz_delta *delta,
                           uint8_t *out, size_t *n, bool *held);
};
struct dz;

/* `limit`: most bytes of records in all; `most`: of records, at most 16,384. */
struct dz *dz_new(uint64_t limit, uint32_t most, const struct dz_calls *calls);
enum sync_rc dz_feed(struct sync_err *e, struct dz *d, const uint8_t *in, size_t n);
enum sync_rc dz_end(struct sync_err *e, struct dz *d);
void dz_free(struct dz *d);

/* ---- what is to be fetched ---- */

enum part_kind {
    PART_ANCESTRY,
    PART_DIRECTORY,
    PART_WITHHELD,
    PART_INDEX,
    PART_COVER,
    PART_OBJECT,
    PART_LOG,
    PART_ITEM,
};

struct part {
    enum part_kind kind;
    struct wire_url url;
    char path[WIRE_URL_MAX];
    uint64_t wire_max; /* most bytes of its body; of an object, all of them */
    uint64_t raw_max;  /* most bytes of what it decodes to */
    bool whole;
    bool has_leaf; /* an item whose leaf is known */
    uint8_t leaf[WIRE_HASH];
};

struct plan {
    struct part *parts;
    size_t n, room;
};

/* A text that was fetched, or NULL. Released with free(). */
struct text {
    char *at;
    size_t n;
};

enum mode {
    CATCH_UP, /* from the held head to the new one */
    FIRST,    /* nothing is held */
    WIDEN,    /* the same head, a lower horizon */
    REPAIR,   /* what differs from the signed tree goes first */
};

/* An item as the signed tree says it must be. */
struct truth {
    uint64_t born, seq; /* seq: a hint */
    uint8_t leaf[WIRE_HASH];
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
    bool must_repair; /* what is held is not to be built upon */
    bool no_twin;     /* the head of the hint was of no use */
    bool prepared;    /* the embedder has been told of the head */
    uint8_t item[WIRE_ID]; /* the one to be fetched: follow_fetch_item */

    /* what is held, as loaded when the round began or committed in it */
    char note[WIRE_HEAD_MAX];
    size_t note_len;
    struct wire_head held; /* epoch 0: none */
    char etag[FOLLOW_ETAG_MAX];
    char *keys; /* VERIFY_KEYS_MAX */
    size_t keys_len;
    char *list; /* WIRE_HEADS_MAX: the platform's list */
    size_t list_len;
    struct wire_heads listed; /* n 0: none */
    struct merkle_below below;
    bool has_trust, keys_fetched, foreign;

    /* what the server says */
    char *answer; /* WIRE_HEADS_MAX; its first new_list_len bytes are the list */
    size_t new_list_len;
    char new_note[WIRE_HEAD_MAX];
    size_t new_note_len;
    char new_etag[FOLLOW_ETAG_MAX];
    struct wire_head head;
    struct wire_heads heads;
    bool has_list; /* `heads` and new_list_len are of this round */
    enum verify_step step;
    bool head_known; /* this round has accepted a head */
    bool raced;      /* this round found that another process had moved the store: nothing was
                        done */
    bool too_large;  /* this round was refused a catch-up for its size */
    bool damaged;    /* this round found that the store does not add up */
    bool missed;     /* this round did not reach the signed root */
    bool rebuilt;    /* this transaction made the tree anew from what is held */
    uint32_t
        retry_after; /* seconds, said with the refusal that ended this round; 0: not said */
    struct text ancestry, directory, withheld, index;
    struct text cover_text;
    struct wire_cover cover; /* inside cover_text */
    uint64_t index_seq;

    /* one transaction */
    enum mode mode;
    struct plan plan;
    uint64_t cursor;          /* apply from here; 0 if nothing is built upon */
    struct merkle_below next; /* what lies below its horizon afterwards */
    struct truth *wrong;      /* REPAIR: the items that differ, ascending */
    size_t nwrong;
};

/* Room that is never refused. */
void *engine_alloc(size_t n);
/* The horizon that the options ask for, under the newest head. */
uint64_t engine_wanted(const struct engine *f);

/* ---- follow_ask.c: what is held, and the newest head ---- */

enum sync_rc ask_load(struct sync_err *e, struct engine *f);
/* SYNC_OK: f->head is signed, and may follow the one held. */
enum sync_rc ask_head(struct sync_err *e, struct engine *f);
/* Whether nothing at all is new. */
bool ask_same(const struct engine *f);
/* The hash of what the list withholds of our stream; NULL: nothing. */
const uint8_t *ask_withheld(const struct engine *f, const struct wire_heads *list);

/* ---- follow_plan.c: what a head asks for ---- */

struct part *plan_add(struct engine *f, enum part_kind kind, const struct wire_url *url,
                      uint64_t wire_max, uint64_t raw_max);
const struct part *plan_find(const struct engine *f, enum part_kind kind);
void plan_text(struct engine *f, enum part_kind kind, const uint8_t hash[WIRE_HASH]);
void plan_cover(struct engine *f);
void plan_log(struct engine *f, uint64_t cursor, enum wire_encoding encoding);
void plan_item(struct engine *f, uint64_t born, uint64_t seq, const uint8_t *leaf);
/* The objects with a first_born below `end` and a last_born from `first` on, of a seq above f->cursor. */
enum sync_rc plan_objects(struct sync_err *e, struct engine *f, uint64_t first, uint64_t end);
/* Texts that are new with this head; what else is planned comes with them. */
void plan_texts(struct engine *f);
enum sync_rc plan_take_texts(struct sync_err *e, struct engine *f);
/* Fetched and verified under the head, once a round. */
enum sync_rc plan_take_cover(struct sync_err *e, struct engine *f);
/* Fetched, checked and near enough to the head: f->index and f->index_seq. */
enum sync_rc plan_take_index(struct sync_err *e, struct engine *f);
/* Drops the parts that are not planned. */
enum sync_rc plan_keep(struct sync_err *e, struct engine *f);
enum sync_rc plan_epoch(struct sync_err *e, struct engine *f, bool *allowed);
/* From the held head to the new one; or, if nothing is held, to all of it or a first step. */
enum sync_rc plan_catch_up(struct sync_err *e, struct engine *f);

/* ---- follow_widen.c: horizons ---- */

/* Whether the first sync comes step by step. */
bool widen_in_steps(const struct engine *f);
/* The first step of a first sync, and the further ones of any; down to what is wanted. */
enum sync_rc widen_first(struct sync_err *e, struct engine *f);
enum sync_rc widen_on(struct sync_err *e, struct engine *f);

/* ---- follow_repair.c ---- */

enum sync_rc repair(struct sync_err *e, struct engine *f);

/* ---- follow_prove.c: tiles, and the items that are proved by them ---- */

struct tile {
    unsigned height;
    uint64_t index;
    uint8_t hash[WIRE_HASH];
    uint8_t at[WIRE_TILE_MAX];
};

/* Fetches and verifies all. */
enum sync_rc prove_tiles(struct sync_err *e, struct engine *f, struct tile *tiles, size_t n);
/* The kept items whose root has changed are not shown until they are proved again. In the
 * transaction; `all`: whatever proved them. */
enum sync_rc prove_none(struct sync_err *e, struct engine *f, bool all);
/* The same after the horizon moved up over leaves that are held: what a root proved, the one that
 * took it up proves. */
enum sync_rc prove_carry(struct sync_err *e, struct engine *f);
/* Whether some kept item is not proved. */
enum sync_rc prove_due(struct sync_err *e, struct engine *f, bool *due);
/* Proves those that are not, as far as it can be done now. */
enum sync_rc prove_kept(struct sync_err *e, struct engine *f);
/* Fetches the item under the head that is held, and keeps it. */
enum sync_rc prove_one(struct sync_err *e, struct engine *f, const uint8_t id[WIRE_ID]);

/* ---- follow_fetch.c: requests ---- */

enum { FETCH_BATCH = 32 };

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

/* At most FETCH_BATCH. */
enum sync_rc fetch_texts(struct sync_err *e, struct engine *f, struct fetch_text *texts,
                         size_t n);
/* Makes every part of the plan whole. */
enum sync_rc fetch_parts(struct sync_err *e, struct engine *f);
/* Asks the embedder whether to go on. */
enum sync_rc fetch_tick(struct sync_err *e, struct engine *f, enum follow_phase phase);

/* ---- follow_parts.c: what was fetched ---- */

/* Decodes a whole part and checks its hash if it has one. Not for dz. */
enum sync_rc part_decode(struct sync_err *e, struct engine *f, const struct part *p,
                         decode_fn *fn, void *ctx);
/* The same into fresh memory. Nothing happens if it is there already, or not planned. */
enum sync_rc part_text(struct sync_err *e, struct engine *f, enum part_kind kind,
                       struct text *out);
/* Every record of a log, object or item; `prefix` may be NULL if it is no dz. */
enum sync_rc part_records(struct sync_err *e, struct engine *f, const struct part *p,
                          const struct dz_calls *calls);
/* Whether its name or leaf says what it must be; and whether a whole one is that. */
bool part_has_proof(const struct part *p);
bool part_is_right(struct engine *f, const struct part *p);
/* After a failure: drops the parts that cannot be believed. */
enum sync_rc part_weed(struct sync_err *e, struct engine *f);

/* What a log asks for besides: found before the transaction. */
struct scan {
    bool below;            /* something below the horizon changed */
    struct truth *missing; /* without leaves; deltas that cannot be undone */
    size_t n;
};
enum { SCAN_MISSING = 32 /* more are not counted: n is one more then */ };
enum sync_rc part_scan(struct sync_err *e, struct engine *f, const struct part *log,
                       struct scan *out);
/* A delta's prefix, as in dz_calls; *counts: what it gives would count. */
enum sync_rc part_prefix(struct sync_err *e, struct engine *f, const struct dz_delta *delta,
                         uint8_t *out, size_t *n, bool *held, bool *counts);

/* ---- follow_apply.c: from bytes to a committed state ---- */

/* One transaction of f->mode, in which the plan's records are applied; afterwards what it made is
 * what is held. */
enum sync_rc apply_plan(struct sync_err *e, struct engine *f);
/* The horizon moves up to f->next.horizon, whose roots are made here. */
enum sync_rc apply_narrow(struct sync_err *e, struct engine *f);
/* In a transaction: SYNC_BUSY if another process has changed the store. */
enum sync_rc apply_still_held(struct sync_err *e, struct engine *f);
enum sync_rc apply_below(struct sync_err *e, struct engine *f);

#endif
