/*
 * withdrawal.h - how far a takedown has come, channel by channel: GET /v1/drafts/:id/withdrawal (docs/editorial.md).
 */
#ifndef API_WITHDRAWAL_H
#define API_WITHDRAWAL_H

#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/library/item.h"

/* What ended, and how. */
struct ended {
    struct item item;
    enum state state; /* withdrawn, expired, gone */
    int64_t at;
    const char *actor, *reason; /* reason NULL: none */
};

/* What a channel says of it. `total` and `waiting` count what the channel has of the item: subscribers, feeds, campaigns, files. */
struct coverage {
    enum coverage_state {
        COVERAGE_DONE,
        COVERAGE_WAITING,
        COVERAGE_FAILED,  /* waits, and was refused before */
        COVERAGE_NONE,    /* the channel never had it, or there is no such channel here */
        COVERAGE_UNKNOWN, /* others hold it, and nobody tells us */
        COVERAGE_STATES
    } state;
    int64_t total, waiting;
    const char *said; /* Chinese; NULL: nothing */
};

/* A row of the table of channels. `look` reads. */
struct withdrawal_channel {
    const char *word, *label;
    enum rc (*look)(struct work *w, const struct ended *e, struct coverage *out);
};

enum rc get_withdrawal(struct work *w, const struct request *rq, struct reply *rp);

#endif
