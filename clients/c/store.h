/*
 * store.h - the phone's SQLite store: opening, statements, and what the pull engine needs of
 * it. Inside libtjzw only.
 */
#ifndef TJZW_STORE_H
#define TJZW_STORE_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "clients/c/tjzw.h"
#include "clients/c/tjzw_me.h"
#include "sync/follow.h"
#include "sync/spool.h"

enum stmt {
#define STMT(name, sql) STMT_##name,
#include "clients/c/store.def"
#undef STMT
    STMTS
};

/* The texts that make a store of version n out of one of version n - 1, n from 1. */
extern const char *const store_schema[];
extern const int store_schema_version;

/* An entry that changed. */
struct change {
    char type[32], key[129];
};

struct tjzw {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *stmts[STMTS]; /* prepared when first used */
    atomic_bool stop;
    struct tjzw_transport transport; /* get NULL: the built-in one */
    struct net *net;                 /* of the built-in one; NULL until first used */
    struct net *events;              /* the same for hints, which come while others are asked */
    struct asked *asked;             /* what tjzw_follow was told and no sync has proved */
    tjzw_changed_fn *changed;        /* is told of a person's state; NULL: nobody */
    void *changed_ctx;
    struct change *changes; /* of the open transaction */
    size_t changes_n;
    bool all_changed;
    int64_t (*clock)(void); /* this device's, seconds since 1970; tests have their own */
};

/* A followed stream as its row says. */
struct stream {
    struct tjzw *t;
    int64_t no;
    char name[WIRE_STREAM_MAX + 1];
    char url[512];
    char cacert[512]; /* "": none */
    bool has_trust;
    uint8_t trust[VERIFY_ED25519];
    int64_t checked;
    bool damaged;
    uint64_t wanted,
        horizon;       /* newest items to hold (0: all); all born from there on are held */
    uint32_t poll;     /* seconds the server asked for after the last sync */
    int64_t tried;     /* when that ended, well or not */
    uint32_t failures; /* in a row */
    bool mending;      /* this run repairs: its first transaction takes the mark away */
    char parts[SPOOL_DIR_MAX]; /* see stream_parts */
};

/* Opens, checks and migrates. */
enum tjzw_code store_open(const char *path, struct tjzw *t, struct tjzw_error *e);
void store_close(struct tjzw *t);
/* Empties SQLite's log, which may hold what was deleted; not if a reader is in the middle of something. */
void store_forget_log(struct tjzw *t);
/* Only one process syncs a store; the lock goes with the process. *fd is closed by the caller.
 */
enum tjzw_code store_lock(const struct tjzw *t, int *fd, struct tjzw_error *e);

/* A statement, ready to be bound; NULL sets `e` to TJZW_STORE. Reset it with store_reset when
 * done. */
sqlite3_stmt *store_stmt(struct tjzw *t, enum stmt which, struct tjzw_error *e);
void store_reset(sqlite3_stmt *s);
/* Runs a statement that gives no rows, bound or not, and resets it. */
enum tjzw_code store_run(struct tjzw *t, sqlite3_stmt *s, struct tjzw_error *e);
/* Whether what sqlite said last is that there is no room. */
bool store_is_full(struct tjzw *t);
/* What sqlite said last, as one of ours. */
enum tjzw_code store_error(struct tjzw *t, struct tjzw_error *e);

/* What tjzw_follow was told of a stream: url, cacert and trust count; wanted while there is no row; the rest does not. */
struct asked {
    struct asked *next;
    struct stream s;
};

/* With what was asked in place of what is remembered, here and in stream_next. `no` is 0 while
 * nothing of it is in the store. TJZW_NOT_FOUND if it is not followed. */
enum tjzw_code stream_find(struct tjzw *t, const char *name, struct stream *out,
                           struct tjzw_error *e);
/* The one after `after` (0: the first); out->no 0: there is none. */
enum tjzw_code stream_next(struct tjzw *t, int64_t after, struct stream *out,
                           struct tjzw_error *e);
/* The one asked for by this name; NULL: none. */
struct asked **stream_asked(struct tjzw *t, const char *name);
/* Before a sync: writes what was asked of streams of which no state is held, so that a first
 * sync that is cut can go on. */
enum tjzw_code stream_begin(struct tjzw *t, struct tjzw_error *e);
/* After a sync that succeeded with it: writes what was asked of this one. */
enum tjzw_code stream_keep(struct stream *s, struct tjzw_error *e);
enum tjzw_code stream_head(struct stream *s, struct wire_head *out, char *note, size_t *n,
                           struct wire_note *signatures,
                           struct tjzw_error *e); /* epoch 0: none is held */

/* The newest time that was signed for any stream held; 0: none is. */
uint64_t store_signed(struct tjzw *t);
/* The later of this device's clock and the newest time that was signed for any stream held: a bound for a slow clock. */
uint64_t store_clock(struct tjzw *t);

/* Of a record: "2026-11-21", "2026-11-21 17:00" or "2026-11-21T17:00:00", in Beijing if no zone ("Z", "+08:00") stands behind it. 0: none of these, or NULL. */
int64_t store_time(const char *text);

/* The engine's callbacks; they live as long as the stream. */
struct follow_store stream_store(struct stream *s);
/* The directory object into the tables site and site_column, in the open transaction. */
enum sync_rc directory_take(struct stream *s, struct sync_err *e, const void *bytes, size_t n);

/* One item's row (a statement HELD_...) as the frame it was, which takes WIRE_FRAME_MAX at most; the bytes are f->length
 * in column 9. *n is set if it is one. */
enum sync_rc held_frame(sqlite3_stmt *s, struct sync_err *e, struct wire_frame *f,
                        uint8_t *frame, size_t *n);
/* As frame and leaf. */
enum sync_rc held_record(sqlite3_stmt *s, struct sync_err *e, struct wire_frame *f,
                         uint8_t leaf[WIRE_HASH]);

/* "8-4-4-4-12", either case, from an app: false if it is anything else. */
bool store_take_id(const char *text, uint8_t out[WIRE_ID]);
/* The other way. Anything but WIRE_ID bytes: dashes alone. */
void store_print_id(const void *id, size_t n, char out[37]);
/* TJZW_NOT_FOUND unless readers are shown an item of this id; its stream's number to *stream, if not NULL. */
enum tjzw_code item_find(struct tjzw *t, const uint8_t id[WIRE_ID], int64_t *stream,
                         struct tjzw_error *e);

/* errors.c */
enum tjzw_code fail_with(struct tjzw_error *e, enum tjzw_code code, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));
enum tjzw_code fail_sync(struct tjzw_error *e, const struct sync_err *why);

#endif
