/*
 * link.h - one call of the library that uses the network. Inside libtjzw only.
 */
#ifndef TJZW_LINK_H
#define TJZW_LINK_H

#include "clients/c/store.h"

struct link {
    struct tjzw *t;
    const struct stream *stream;
    const struct tjzw_sync_options *options;
    struct tjzw_transport transport;
    uint64_t began, deadline; /* ms of the monotonic clock; deadline 0: none */
    int lock;                 /* that only one process syncs a store; -1: not held */
    bool untrusted;           /* some request failed at the server's certificate */
    enum sync_rc body_rc;     /* of the body that ended a batch */
    struct sync_err body_err;
};

uint64_t link_now_ms(void); /* of the monotonic clock */

/* Locks the store (TJZW_LOCKED) and chooses the transport. options NULL: the defaults; they and t
 * must outlive the link. */
enum tjzw_code link_open(struct link *l, struct tjzw *t,
                         const struct tjzw_sync_options *options, struct tjzw_error *e);
/* Whatever ran, SQLite's log is emptied: it may hold what that run heard to be withdrawn. */
void link_close(struct link *l);
/* The transport and the deadline alone, for what needs no lock; began, options and t are set. */
void link_attach(struct link *l);
/* What follows goes to the server of this stream. */
void link_to(struct link *l, const struct stream *s);
/* tjzw_stop was called, or time is up. ctx: the link. */
bool link_must_stop(void *ctx);

/* struct follow_transport and follow_options.progress with the link as context. */
enum sync_rc link_get(void *ctx, struct sync_err *e, struct follow_get *gets, size_t n);
enum sync_rc link_wait(void *ctx, struct sync_err *e, uint32_t ms);
bool link_progress(void *ctx, const struct follow_progress *p);

#endif
