/*
 * websub_flight.c - see the header.
 */
#include "server/websub/websub_flight.h"

#include <pthread.h>

enum { TIMEOUT_MS = 10000, ANSWER_MAX = 1024 /* bytes; more is not read */ };

static struct {
    bool private_net;
    void (*stir)(void *);
    int flying;
    pthread_mutex_t lock; /* for what landed */
    struct flight *landed;
} air = { .lock = PTHREAD_MUTEX_INITIALIZER };

void flight_open(bool private_net, void (*stir)(void *))
{
    air.private_net = private_net;
    air.stir = stir;
}

int flight_count(void)
{
    return air.flying;
}

static void on_landed(struct client_request *rq)
{
    struct flight *f = rq->arg;

    pthread_mutex_lock(&air.lock);
    f->next = air.landed;
    air.landed = f;
    pthread_mutex_unlock(&air.lock);
    air.stir(NULL);
}

struct flight *flight_new(void)
{
    struct arena *mem = arena_new();
    struct flight *f = arena_zalloc(mem, sizeof *f);

    f->mem = mem;
    return f;
}

void flight_free(struct flight *f)
{
    client_request_done(&f->rq);
    arena_free(f->mem);
}

bool flight_launch(struct flight *f, struct host *host)
{
    f->rq.headers = f->headers;
    f->rq.answer_max = ANSWER_MAX;
    f->rq.timeout_ms = TIMEOUT_MS;
    f->rq.public_only = !air.private_net;
    f->rq.done = on_landed;
    f->rq.arg = f;
    if (!client_send(&f->rq)) {
        flight_free(f);
        return false;
    }
    host->flying++;
    air.flying++;
    return true;
}

struct flight *flight_landed(void)
{
    struct flight *all;

    pthread_mutex_lock(&air.lock);
    all = air.landed;
    air.landed = NULL;
    pthread_mutex_unlock(&air.lock);
    for (struct flight *f = all; f; f = f->next) {
        (f->sub ? f->sub->host : f->ask->host)->flying--;
        air.flying--;
    }
    return all;
}
