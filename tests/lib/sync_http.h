/*
 * sync_http.h - a publishing server behind the real route table, without a socket and without
 * background work (world.h), for tests of delta-sync over HTTP. The stream is called main.
 */
#ifndef TESTS_SYNC_HTTP_H
#define TESTS_SYNC_HTTP_H

#include "server/base/conf.h"
#include "server/base/id.h"
#include "sync/live.h"
#include "sync/wire.h"
#include "tests/lib/world.h"

struct sync_http {
    struct world *world;
    struct conf conf;
    int64_t site;
    struct id id[300];
    int items;
};

int sync_http_set_up(void **state); /* cmocka's */
int sync_http_tear_down(void **state);
/* As when the server starts again: nothing of sync or of the cache is in memory any more. */
void sync_http_restart(struct sync_http *f);

/* Publishes an item there is, or a new one if `item` is the number of items; COMMIT has passed. */
void put_bytes(struct sync_http *f, int item, unsigned flags, const char *bytes, size_t n);
void put(struct sync_http *f, int item, unsigned flags); /* seven bytes */
struct wire_head head(void);                             /* the newest, signed now if need be */

struct answer get(struct sync_http *f, const char *target, const char *headers);
void assert_header(struct sync_http *f, const struct answer *a, const char *name,
                   const char *value);
/* 200, cached for ever, with ranges and a strong ETag. */
void assert_forever(struct sync_http *f, const struct answer *a);
/* The status with its problem type, not to be kept, and with the way to the newest head. */
void assert_refused(struct sync_http *f, const char *target, int status);

struct refusal {
    const char *format; /* of the target; the epoch goes in */
    int status;
};

void assert_all_refused(struct sync_http *f, const struct refusal *cases, size_t n,
                        uint64_t epoch);

#endif
