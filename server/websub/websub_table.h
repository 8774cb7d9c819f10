/*
 * websub_table.h - who is told of which feed, and what was asked of the hub and is not verified yet (tables websub, websub_ask).
 *
 *     asked --(the callback says yes)--> subscription --(lease ends, 410, unsubscribed, no such feed)--> gone
 *
 * Secrets are sealed; here they are open. What writes runs in a job of the writer.
 */
#ifndef WEBSUB_TABLE_H
#define WEBSUB_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/work.h"
#include "server/websub/websub_wire.h"

enum {
    WEBSUB_CHAIN = 8,          /* bytes */
    WEBSUB_MOST = 100000,      /* subscriptions */
    WEBSUB_HOST_MOST = 100,    /* … of one host and topic */
    WEBSUB_ASKS_OF_HOST = 100, /* that wait to be verified */
    WEBSUB_ASK_KEPT = 86400    /* seconds */
};

/* A place in a feed's own count (docs/feeds.md). */
struct websub_place {
    int64_t n;
    uint8_t chain[WEBSUB_CHAIN];
};

/* Texts in w->mem. */
struct websub_ask {
    int64_t no;
    enum websub_mode mode;
    const char *topic; /* path of a feed: "/feeds/columns/17.atom" */
    const char *callback, *host;
    const char *reason; /* of a refusal; else NULL */
    const char *secret; /* NULL: none */
    int64_t lease;      /* seconds */
};

struct websub_row {
    int64_t no;
    const char *topic, *callback, *host, *secret;
    int64_t since, ends; /* seconds */
    struct websub_place place;
    unsigned failures;
    int64_t again_ms; /* not before; 0: at once */
    bool damaged;     /* its secret does not open */
};

/* RC_TOO_MANY: so many of that host wait, or have that topic. */
enum rc websub_ask_add(struct work *w, const struct websub_ask *ask);
/* The next after `after`, at most `most`. */
enum rc websub_ask_list(struct work *w, int64_t after, int most, struct websub_ask **out,
                        int *n);
enum rc websub_ask_drop(struct work *w, int64_t no);

/*
 * The callback said yes: the subscription begins at `place`, or goes on where it is and has a new lease and secret. *out has its number, end and place. RC_NOT_FOUND: the question
 * is gone.
 */
enum rc websub_put(struct work *w, int64_t ask, const struct websub_place *place,
                   struct websub_row *out);
enum rc websub_leave(struct work *w, const char *topic, const char *callback);
/* Acknowledged up to there, or failed again. */
enum rc websub_set(struct work *w, int64_t no, const struct websub_place *place,
                   unsigned failures, int64_t again_ms);
enum rc websub_drop(struct work *w, int64_t no);
/* Of the feed at `path` (without its format): who is subscribed, and has not acknowledged its row n. */
struct websub_behind {
    int64_t all, behind, failed; /* failed: of those behind */
};
enum rc websub_behind(struct work *w, const char *path, int64_t n, struct websub_behind *out);
/* Rows after number `after`. `secrets` false: for who only looks; then they are NULL. */
enum rc websub_list(struct work *w, int64_t after, int most, bool secrets,
                    struct websub_row **out, int *n);

#endif
