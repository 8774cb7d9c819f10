/*
 * channel_flight.h - one request to a platform: what it needs, what came of it. The thread "channels" only.
 */
#ifndef CHANNEL_FLIGHT_H
#define CHANNEL_FLIGHT_H

#include "server/channel/channel_platform.h"
#include "server/channel/channel_thread.h"
#include "server/http/client.h"

enum { FLIGHTS_MOST = 32, FLIGHT_MS = 20000 };

struct channel_flight {
    struct channel_flight *next, *landed; /* of those under way; of those that came back */
    struct arena *mem;
    struct client_request rq;
    const char *headers[2];
    const struct channel_platform *platform;
    struct channel_account account;
    struct channel_credentials secrets;
    const char *grant; /* NULL: none */
    struct channel_task task;
    struct channel_version version;
    const char *base;
    enum channel_step step;
    uint8_t picture[HASH_BYTES]; /* of the step picture */
    bool for_grant;              /* it asks for an access token, and does no step */
    bool intended;
    bool unbuilt; /* it could not be asked, for that is missing */
    /* What came of it. */
    struct channel_heard heard;
    int64_t grant_seconds;
    const char *new_grant;
};

struct channel_flight *channel_flight_new(void);
void channel_flight_free(struct channel_flight *f);
/* What is to be done for this task, and with what. Not RC_OK: nothing, now. A request for an access token is built at once. */
enum rc channel_flight_prepare(struct channel_flight *f, struct work *w, int64_t task,
                               const struct channel_conf *conf);
void channel_flight_build(struct channel_flight *f, struct work *w);
/* After it landed: f->heard. */
void channel_flight_judge(struct channel_flight *f);
/* In a writer's job. RC_NOT_FOUND: the row was decided otherwise. */
enum rc channel_flight_settle(struct work *w, struct channel_flight *f);

#endif
