/*
 * stream.h - what the files of the store's engine side share. Inside libtjzw only.
 */
#ifndef TJZW_STREAM_H
#define TJZW_STREAM_H

#include "clients/c/store.h"

/* What sqlite said last, as one of the engine's. */
enum sync_rc stream_failed(struct stream *s, struct sync_err *e);
/* A statement with the stream's number as ?1; NULL sets `e`. */
sqlite3_stmt *stream_stmt(struct stream *s, enum stmt which, struct sync_err *e);
/* Runs a statement that gives no rows, and resets it. */
enum sync_rc stream_done(struct stream *s, struct sync_err *e, sqlite3_stmt *q);
/* Steps once: *row says whether there was one. If not, the statement is reset. */
enum sync_rc stream_one(struct stream *s, struct sync_err *e, sqlite3_stmt *q, bool *row);
/* A statement with nothing bound but the stream. */
enum sync_rc stream_simple(struct stream *s, struct sync_err *e, enum stmt which);
/* Ends the open transaction, if there is one still. */
void stream_rollback(struct stream *s);

/* The folder of the bodies on their way, STORE-parts/NAME; it lives as long as `s`. */
const char *stream_parts(struct stream *s);

/* stream_kept.c: callbacks of struct follow_store, */
enum sync_rc kept_narrow(void *ctx, struct sync_err *e, const struct merkle_below *below);
enum sync_rc kept_proved(void *ctx, struct sync_err *e, uint64_t born,
                         const uint8_t root[WIRE_HASH]);
enum sync_rc kept_each(void *ctx, struct sync_err *e, follow_item_fn *fn, void *fn_ctx);
enum sync_rc kept_each_below(void *ctx, struct sync_err *e, follow_item_fn *fn, void *fn_ctx);
/* whether a row of the statements HELD_... is proved and still has the leaf it was proved with; */
bool kept_proof_holds(sqlite3_stmt *held, const uint8_t leaf[WIRE_HASH]);
/* and what is put there: FOLLOW_BELOW and FOLLOW_WITHHELD into columns and rows. */
enum sync_rc kept_take_below(struct stream *s, struct sync_err *e, const uint8_t *bytes,
                             size_t n);
enum sync_rc kept_take_withheld(struct stream *s, struct sync_err *e, const char *text,
                                size_t n);

#endif
