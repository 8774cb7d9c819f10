/*
 * world.h - a whole server without a socket: a data directory, a writer, workers, the edge, one
 * loop on the test's own thread.
 *
 *     struct world *t = world_open(routes);
 *     assert_int_equal(ask(t, GET, "/v1/items", NULL).status, 200);
 *     world_close(t);
 *
 * Requests enter libh2o by a connection that is no socket, so a test is as quick as the
 * handler. One world at a time; the clock stands at WORLD_NOW until the test moves it with
 * clock_set().
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "server/http/edge.h"
#include "server/http/gate.h"
#include "server/http/route.h"

enum { WORLD_NOW = 1795000000 };

struct world;

/* What a test may want otherwise; zeroes are the defaults. */
struct world_conf {
    int64_t rate_limit; /* 0: none */
    int queue_max;      /* 0: 100 */
    size_t cache_size;  /* 0: 16 MB */
    struct conf_list cors;
    const char *edge_of;         /* NULL: it is none */
    const char *trusted_proxies; /* one network; NULL: none */
    void (*before_writer)(void); /* registers ticks */
    const char *dir; /* a data directory that is there, and stays; NULL: a new one */
    struct pool *
        pool; /* of a service that stands already (server/service.h): the edge alone is opened */
};

struct world *world_open(const struct route *routes);
struct world *world_open_with(const struct route *routes, const struct world_conf *conf);
void world_close(struct world *t);
const char *world_dir(const struct world *t);
struct arena *world_mem(struct world *t); /* lives as long as the world */
struct pool *world_pool(struct world *t); /* the workers */

struct ask {
    const char *headers; /* lines "name: value", or NULL */
    const char *body;    /* or NULL */
    size_t body_len;     /* 0: strlen(body) */
    enum origin origin;  /* ORIGIN_ADMIN: the operator asks */
    const char *client;  /* IPv4 address; NULL: 127.0.0.1 */
    const char *method;  /* one that enum method does not know */
};

struct answer {
    int status;
    const char *headers; /* lines "name: value", content-length included */
    const char *body;    /* NUL-terminated */
    size_t len;
};

/* Runs the loop until the answer is there. `how` may be NULL. What the answer points to lives
 * as long as the world. */
struct answer ask(struct world *t, enum method m, const char *target, const struct ask *how);
/* Sees every answer of ask() from now on. */
typedef void world_check(struct world *t, enum method m, const char *target,
                         const struct answer *a);
void world_check_answers(struct world *t, world_check *check);
/* "" if absent. */
const char *answer_header(struct world *t, const struct answer *a, const char *name);

#define HEADER(a, name) answer_header(t, &(a), name)

/* Knows one token, "editor", who may edit. */
extern const struct gate_source world_editor;
#define AS_EDITOR "authorization: Bearer editor\n"

/* The same in steps, for clients that ask together or hang up. */
struct asking;
struct asking *ask_begin(struct world *t, enum method m, const char *target,
                         const struct ask *how);
struct answer ask_end(struct world *t, struct asking *a);
void ask_hang_up(struct world *t, struct asking *a);
/* For answers without an end: what has come so far; whether it was ended. */
struct answer ask_so_far(struct world *t, struct asking *a);
bool ask_is_over(const struct asking *a);
/* A peer that takes no bytes: what was sent to it last stays on the way until it takes some again. */
void ask_stall(struct asking *a, bool stalled);
void world_turn(struct world *t);   /* one round of the loop, at most 10 ms */
void world_settle(struct world *t); /* until no request is on another thread */

#endif
