/*
 * service.h - all of the server but its sockets and what goes out: opened in order, closed in reverse.
 *
 *     directory --> writer --> keys --> workers, builder --> sign-in --> streams, heads
 *
 * app.c puts sockets, demo data and what asks others around it; the simulation (tests/sim) puts phones around the same.
 */
#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

#include "server/base/conf.h"
#include "server/base/work.h"

struct service {
    const struct conf *conf;
    bool serves;          /* people come: not a command that needs the library */
    struct pool *workers; /* answer requests */
    struct pool
        *builder; /* one thread that compresses objects when nobody else needs the core */
    struct passwords *passwords;
    bool writing;
    char db_path[4096];
};

/* Who fails leaves what stood before it, and service_stop() and service_done() take down just that. The settings must outlive it. */
enum rc service_open(struct err *e, const struct conf *c, bool serves, struct service *out);
/* The routes, and who may come in by which; before the edge is made. */
enum rc service_route(struct err *e, const struct service *s);
/* What the server says of itself, as soon as it is known where it is. */
enum rc service_describe(struct err *e, const struct service *s, const char *origin, bool demo);

/*
 * Nothing works any more, and what was queued is written. Before the server goes. False: the builder, which steps back for everybody, got no
 * processor in time and still stands in the midst of it; then nothing may be taken down, only left.
 */
bool service_stop(struct service *s);
/* After it. */
void service_done(void);

#endif
