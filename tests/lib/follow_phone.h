/*
 * follow_phone.h - a phone for the tests of the pull engine, with its oracle: whatever is visible
 * in the store must at any time be exactly the state at the head the store holds, which the fake
 * server once signed.
 */
#ifndef TESTS_LIB_FOLLOW_PHONE_H
#define TESTS_LIB_FOLLOW_PHONE_H

#include "tests/lib/fake_net.h"
#include "tests/lib/memory_store.h"

struct phone {
    struct memory_store *store;
    struct fake_net net;
    const uint8_t *trust;
    enum wire_encoding encoding;
    bool repair, in_steps, plain; /* of follow_options, as are the next three */
    uint64_t horizon;
    const char *twin;
    enum sync_rc (*prepare)(void *ctx, struct sync_err *e, const struct wire_head *head);
    void *prepare_ctx;
    struct follow_result last;
    struct sync_err err;
};

struct phone phone_new(struct fake *server);
void phone_done(struct phone *p);
enum sync_rc phone_sync(struct phone *p);
enum sync_rc phone_fetch_item(struct phone *p, uint64_t born);
/* Whether the store shows it: at or above the horizon, or kept and proved. */
bool phone_shows(const struct phone *p, uint64_t born);
/* What is visible is exactly what the server signed for the head that is held. Returns that head. */
struct wire_head phone_check(const struct phone *p);
/* Syncs, and holds the newest head then. */
void phone_must_sync(struct phone *p);

/* A server that has published so many items and signed a head. */
struct fake *a_server(unsigned items);
/* One whose first item is further behind than a catch-up reaches, with an index. */
struct fake *a_long_log(void);
void fake_publish_some(struct fake *s, unsigned n);

#endif
