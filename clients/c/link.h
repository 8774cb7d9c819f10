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

/*
 * What a function of the library does on the network, from its beginning to its end: locks the store (TJZW_LOCKED), runs `run` on a link, and empties SQLite's log,
 * which may hold what that run heard to be withdrawn. options NULL: the defaults. out may be NULL; `run` gets one that is all zero, and adds to it.
 */
typedef enum tjzw_code link_fn(struct link *l, const void *what, struct tjzw_sync_result *out,
                               struct tjzw_error *e);
enum tjzw_code link_run(struct tjzw *t, const struct tjzw_sync_options *options, link_fn *run,
                        const void *what, struct tjzw_sync_result *out, struct tjzw_error *e);
/* The transport and the deadline alone, for what needs no lock; began, options and t are set. */
void link_attach(struct link *l);
/* What follows goes to the server of this stream. */
void link_to(struct link *l, const struct stream *s);
/* What follows verifies the server's certificate with this PEM file; "": with what the system trusts. */
void link_trust(struct link *l, const char *cacert);
/* tjzw_stop was called, or time is up. ctx: the link. */
bool link_must_stop(void *ctx);

/* struct follow_transport and follow_options.progress with the link as context. */
enum sync_rc link_get(void *ctx, struct sync_err *e, struct follow_get *gets, size_t n);
enum sync_rc link_wait(void *ctx, struct sync_err *e, uint32_t ms);
bool link_progress(void *ctx, const struct follow_progress *p);

#endif
