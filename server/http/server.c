/*
 * server.c - loops, listeners, connections.
 *
 *     SERVING --stop--> DRAINING: GOAWAY, idle ones closed --deadline--> CUTTING
 *                          \-----all gone, all requests home-----> ENDED <--/
 *
 * A loop's context and its h2o sockets are made in the thread that runs it: libh2o keeps
 * recycled buffers by thread, and mixing them corrupts memory silently. Each loop has listening
 * sockets of its own on the shared ports, and the kernel spreads the connections; only after an upgrade that changed
 * the number of loops one has several, or two share one. The admin socket belongs to the first loop.
 *
 * libh2o does not tell its connections' list, so each has a record (connection.h). All are accepted by one function, accept_some().
 */
#include "server/http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/metric.h"
#include "server/http/canary.h"
#include "server/http/connection.h"
#include "server/http/crowd.h"
#include "server/http/edge.h"
#include "server/http/frame.h"
#include "server/http/listen.h"
#include "server/http/sse_reader.h"
#include "server/http/tls.h"
#include "server/http/watch.h"

enum {
    ACCEPT_AT_ONCE = 16,
    POLL_MS = 50,      /* while stopping */
    HESITANT_MS = 500, /* likewise, for who has connected and not asked yet */
    IDLE_MS = 60 * 1000,
    HANDSHAKE_MS = 5 * 1000,
    REQUEST_MS = 15 * 60 * 1000, /* HTTP/1, from the answer before: patience.c is sooner */
    CUT_GRACE_MS = 3 * 1000,     /* for a loop to notice that its connections were cut */
};

struct listener {
    int fd;
    enum origin origin;
    h2o_socket_t *sock; /* NULL: not opened yet, or not any more */
    h2o_accept_ctx_t accept;
    h2o_hostconf_t *hosts[2];
    struct loop *loop;
};

struct loop {
    struct server *server;
    pthread_t thread;
    h2o_context_t ctx;
    struct edge_loop edge;
    h2o_multithread_receiver_t bell; /* wakes the loop when it is to stop */
    h2o_multithread_message_t ring, new_tls;
    struct pulse pulse;
    struct listener *listeners;
    int nlisteners;
    struct connections connections;
    h2o_timeout_entry_t tick; /* once a second */
    bool
        deaf; /* none can be accepted: it tries again when a connection has closed, or at the next tick */
    bool told; /* to stop */
    bool draining;
    int64_t hesitant_until_us; /* while draining */
};

struct server {
    h2o_globalconf_t global;
    h2o_hostconf_t *hosts[ORIGIN_COUNT];
    SSL_CTX *tls;            /* changed only while every loop waits to be told of it */
    _Atomic int64_t tls_end; /* when its certificate ends; 0: there is none */
    char *tls_cert, *tls_key, *keys_dir;
    bool tls_is_kept; /* it began with the pair of the server before it */
    sem_t told_of_tls;
    struct endpoint endpoints[CONF_LIST_MAX];
    char urls[CONF_LIST_MAX][LISTEN_URL];
    int nendpoints;
    char *admin;
    struct loop *loops;
    int nloops;
    pthread_barrier_t ready;
    sem_t drained;   /* each loop posts it when nothing is left */
    sem_t may_close; /* and waits for this before it takes its context apart */
    bool running;
    int64_t deadline_us; /* set before the bells are rung */
    size_t body_max;
    struct networks trusted;
};

/* ---- connections ---- */

static void listen_again(struct loop *loop);

static void one_less(struct connections *all)
{
    struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, connections, all);

    if (loop->deaf)
        listen_again(loop);
}

/* Without this a listener would spin when no connection can be accepted, for want of descriptors, say: it is readable all the
 * same. */
static void go_deaf(struct loop *loop, const char *why)
{
    loop->deaf = true;
    for (int i = 0; i < loop->nlisteners; i++)
        if (loop->listeners[i].sock)
            h2o_socket_read_stop(loop->listeners[i].sock);
    LOG(LOG_WARN, "not_accepting", L_STR("why", why),
        L_INT("connections", loop->connections.count));
}

/* The next one would fail too. Any other error may be that of one client. */
static bool is_want(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void accept_some(h2o_socket_t *sock, const char *error)
{
    struct listener *listener = sock->data;
    h2o_socket_t *accepted;
    int failed = 0;

    if (error)
        return;
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        errno = EAGAIN;
        if ((accepted = h2o_evloop_socket_accept(sock))) {
            connection_new(&listener->loop->connections, accepted, &listener->accept);
            continue;
        }
        if (errno == EAGAIN)
            return;
        metric_add(METRIC_accepts_failed, 1);
        if (is_want(errno) || ++failed == ACCEPT_AT_ONCE) {
            go_deaf(listener->loop, strerror(errno));
            return;
        }
    }
}

static void listen_again(struct loop *loop)
{
    loop->deaf = false;
    for (int i = 0; i < loop->nlisteners && !loop->draining; i++)
        if (loop->listeners[i].sock)
            h2o_socket_read_start(loop->listeners[i].sock, accept_some);
}

static void on_tick(h2o_timeout_entry_t *tick)
{
    struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, tick, tick);

    if (loop->deaf)
        listen_again(loop);
    connections_tick(&loop->connections);
    h2o_timeout_link(loop->ctx.loop, &loop->ctx.one_sec_timeout, tick);
}

/* ---- the end of a loop ---- */

/* An HTTP/1.1 connection without a request; libh2o would leave it open. Who has just connected, or has begun to ask, may have an answer
 * yet: for him it would look as if nobody served. */
static int cut_if_idle(h2o_req_t *req, void *p)
{
    const struct loop *loop = p;
    bool hesitant = clock_mono_us() < loop->hesitant_until_us;

    if (req->version == 0 && !(hesitant && connection_may_ask(req)))
        connection_cut(req->conn->callbacks->get_socket(req->conn));
    return 0;
}

static void drain(struct loop *loop)
{
    loop->draining = true;
    loop->hesitant_until_us = clock_mono_us() + HESITANT_MS * 1000;
    for (int i = 0; i < loop->nlisteners; i++) {
        h2o_socket_read_stop(loop->listeners[i].sock);
        h2o_socket_close(loop->listeners[i].sock);
        loop->listeners[i].sock = NULL;
    }
}

/* GOAWAY, and a second later the last one. libh2o tells those whom it has at that moment, and only once; the handshakes
 * of others may end later. */
static void send_away(h2o_context_t *ctx)
{
    if (h2o_timeout_is_linked(&ctx->http2._graceful_shutdown_timeout))
        return;
    ctx->http2._graceful_shutdown_timeout.cb = NULL;
    h2o_context_request_shutdown(ctx);
}

/* One round of stopping; false when nothing is left. */
static bool still_stopping(struct loop *loop)
{
    h2o_globalconf_t *global = &loop->server->global;

    if (!loop->draining)
        drain(loop);
    send_away(&loop->ctx);
    sse_stop();
    if (clock_mono_us() >= loop->server->deadline_us)
        connections_cut(&loop->connections);
    else
        global->http1.callbacks.foreach_request(&loop->ctx, cut_if_idle, loop);
    return loop->connections.count > 0 || loop->edge.away > 0;
}

/* ---- the life of a loop ---- */

static void open_listener(struct loop *loop, struct listener *l)
{
    struct server *s = loop->server;

    l->loop = loop;
    l->hosts[0] = s->hosts[l->origin];
    l->accept = (h2o_accept_ctx_t){ .ctx = &loop->ctx, .hosts = l->hosts };
    if (l->origin == ORIGIN_TLS) {
        SSL_CTX_up_ref(s->tls);
        l->accept.ssl_ctx = s->tls;
    }
    l->sock = h2o_evloop_socket_create(loop->ctx.loop, l->fd, H2O_SOCKET_FLAG_DONT_READ);
    l->sock->data = l;
    h2o_socket_read_start(l->sock, accept_some);
}

static void take_new_tls(struct loop *loop)
{
    SSL_CTX *tls = loop->server->tls;

    for (int i = 0; i < loop->nlisteners; i++) {
        h2o_accept_ctx_t *accept = &loop->listeners[i].accept;

        if (!accept->ssl_ctx)
            continue;
        SSL_CTX_free(accept->ssl_ctx); /* connections have references of their own */
        SSL_CTX_up_ref(tls);
        accept->ssl_ctx = tls;
    }
    sem_post(&loop->server->told_of_tls);
}

static void on_bell(h2o_multithread_receiver_t *bell, h2o_linklist_t *messages)
{
    struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, bell, bell);

    while (!h2o_linklist_is_empty(messages)) {
        h2o_linklist_t *message = messages->next;

        h2o_linklist_unlink(message);
        if (message == &loop->new_tls.link)
            take_new_tls(loop);
        else
            loop->told = true;
    }
}

static void open_loop(struct loop *loop)
{
    struct server *s = loop->server;

    h2o_context_init(&loop->ctx, h2o_evloop_create(), &s->global);
    h2o_multithread_register_receiver(loop->ctx.queue, &loop->bell, on_bell);
    edge_loop_init(&loop->edge, &loop->ctx);
    pulse_open(&loop->pulse, loop->ctx.queue);
    loop->connections = (struct connections){ .ctx = &loop->ctx,
                                              .leaving = &loop->draining,
                                              .body_max = s->body_max,
                                              .trusted = &s->trusted,
                                              .closed = one_less };
    connections_init(&loop->connections);
    loop->tick.cb = on_tick;
    h2o_timeout_link(loop->ctx.loop, &loop->ctx.one_sec_timeout, &loop->tick);
    for (int i = 0; i < loop->nlisteners; i++)
        open_listener(loop, &loop->listeners[i]);
}

static void close_loop(struct loop *loop)
{
    for (int i = 0; i < loop->nlisteners; i++)
        SSL_CTX_free(loop->listeners[i].accept.ssl_ctx);
    pulse_close(&loop->pulse);
    edge_loop_done(&loop->edge);
    h2o_timeout_unlink(&loop->tick);
    /* Its second GOAWAY may still be due though nobody is left to get it. */
    h2o_timeout_unlink(&loop->ctx.http2._graceful_shutdown_timeout);
    h2o_multithread_unregister_receiver(loop->ctx.queue, &loop->bell);
    h2o_context_dispose(&loop->ctx);
    h2o_evloop_destroy(loop->ctx.loop);
}

/* The context ends in its thread too, for an empty socket buffer points into the thread's own
 * storage. */
static void *run_loop(void *arg)
{
    struct loop *loop = arg;

    pthread_setname_np(pthread_self(), "loop");
    open_loop(loop);
    pthread_barrier_wait(&loop->server->ready);
    while (!loop->told || still_stopping(loop))
        h2o_evloop_run(loop->ctx.loop, loop->told ? POLL_MS : INT32_MAX);
    sem_post(&loop->server->drained);
    sem_wait(&loop->server->may_close);
    close_loop(loop);
    return NULL;
}

/* ---- the server ---- */

static void set_crowd(struct crowd_conf crowd)
{
    struct rlimit files = { .rlim_cur = RLIM_INFINITY };

    getrlimit(RLIMIT_NOFILE, &files);
    crowd.connections_max = crowd_room(crowd.connections_max, files.rlim_cur);
    crowd_init(&crowd);
}

static void configure(struct server *s, const struct server_conf *conf)
{
    h2o_config_init(&s->global);
    s->global.server_name = h2o_iovec_init("", 0);
    /* Above it HTTP/1 answers 413 as soon as the length is known, and HTTP/2 REFUSED_STREAM, which clients repeat at once;
     * the meter ends them before. */
    s->global.max_request_entity_size = conf->body_max + FRAME_BODY_SLACK;
    s->global.handshake_timeout = HANDSHAKE_MS;
    s->global.http1.req_timeout = REQUEST_MS;
    s->global.http1.upgrade_to_http2 = 0;
    s->global.http2.idle_timeout = IDLE_MS;
    edge_install(&s->global, s->hosts);
}

static void close_fds(struct server *s)
{
    for (int l = 0; l < s->nloops; l++)
        for (int i = 0; i < s->loops[l].nlisteners; i++)
            close(s->loops[l].listeners[i].fd);
}

static void add_listener(struct loop *loop, int fd, enum origin origin)
{
    loop->listeners = h2o_mem_realloc(loop->listeners,
                                      sizeof *loop->listeners * (size_t)(loop->nlisteners + 1));
    loop->listeners[loop->nlisteners++] = (struct listener){ .fd = fd, .origin = origin };
}

/* Each loop gets its own of a URL. Where there are more than loops one gets several, for connections wait in each; where
 * there are fewer two accept from the same. */
static enum rc deal(struct err *e, struct server *s, const int *fds, int held,
                    enum origin origin)
{
    for (int k = 0; k < held || k < s->nloops; k++) {
        int fd = k < held ? fds[k] : fcntl(fds[k % held], F_DUPFD_CLOEXEC, 0);

        if (fd < 0)
            return err_errno(e, "share a listening socket");
        add_listener(&s->loops[k % s->nloops], fd, origin);
    }
    return RC_OK;
}

static enum rc take_sockets(struct err *e, struct server *s, const struct sockets *sockets)
{
    enum rc rc = RC_OK;

    for (int i = 0; i < sockets->n && !rc; i++) {
        s->endpoints[i] = sockets->at[i];
        endpoint_url(&sockets->at[i], s->urls[i]);
        rc = deal(e, s, sockets->fds[i], sockets->held[i],
                  sockets->at[i].tls ? ORIGIN_TLS : ORIGIN_PLAIN);
    }
    s->nendpoints = sockets->n;
    return rc;
}

static char *copy_of(const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        memory_end();
    return copy;
}

static enum rc open_all(struct err *e, struct server *s, const struct server_conf *conf)
{
    bool tls = false;
    int admin;
    enum rc rc;

    if (conf->sockets && (rc = take_sockets(e, s, conf->sockets)))
        return rc;
    for (int i = 0; i < s->nendpoints; i++)
        tls |= s->endpoints[i].tls;
    s->tls_cert = copy_of(conf->tls_cert);
    s->tls_key = copy_of(conf->tls_key);
    s->keys_dir = copy_of(conf->keys_dir);
    s->tls_is_kept = conf->again;
    if (tls &&
        (rc = tls_open_kept(e, s->tls_cert, s->tls_key, s->keys_dir, &s->tls_is_kept, &s->tls)))
        return rc;
    s->tls_end = tls ? tls_end(s->tls) : 0;
    if (!conf->admin)
        return RC_OK;
    if ((rc = endpoint_open_unix(e, conf->admin, &admin)))
        return rc;
    add_listener(&s->loops[0], admin, ORIGIN_ADMIN);
    s->admin = copy_of(conf->admin);
    return RC_OK;
}

static struct server *server_new(int loops, const struct server_conf *conf)
{
    struct server *s = h2o_mem_alloc(sizeof *s);

    *s = (struct server){ .nloops = loops,
                          .body_max = conf->body_max,
                          .trusted = conf->trusted };
    s->loops = h2o_mem_alloc(sizeof *s->loops * (size_t)loops);
    for (int l = 0; l < loops; l++)
        s->loops[l] = (struct loop){ .server = s };
    return s;
}

static void release(struct server *s)
{
    SSL_CTX_free(s->tls);
    for (int l = 0; l < s->nloops; l++)
        free(s->loops[l].listeners);
    free(s->tls_cert);
    free(s->tls_key);
    free(s->keys_dir);
    free(s->admin);
    free(s->loops);
    free(s);
}

/* Signals are for the main thread: one that arrives in a loop would end its wait for nothing.
 */
static void launch(struct server *s)
{
    sigset_t all, before;

    sigfillset(&all);
    sigdelset(&all, watch_signal());
    sigdelset(&all, SIGSYS); /* what is refused comes by it (server/confine.c) */
    sem_init(&s->drained, 0, 0);
    sem_init(&s->told_of_tls, 0, 0);
    sem_init(&s->may_close, 0, 0);
    pthread_barrier_init(&s->ready, NULL, (unsigned)s->nloops + 1);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int l = 0; l < s->nloops; l++)
        if (pthread_create(&s->loops[l].thread, NULL, run_loop, &s->loops[l]))
            h2o_fatal("no thread for a loop");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_barrier_wait(&s->ready);
    watch_start(&s->loops->pulse, s->nloops, sizeof *s->loops);
}

enum rc server_open(struct err *e, const struct server_conf *conf, struct server **out)
{
    struct server *s;
    enum rc rc;

    if ((rc = canary_check(e)))
        return rc;
    s = server_new(conf->sockets ? conf->sockets->loops : 1, conf);
    if ((rc = open_all(e, s, conf))) {
        close_fds(s);
        release(s);
        return rc;
    }
    configure(s, conf);
    set_crowd(conf->crowd);
    *out = s;
    return RC_OK;
}

void server_run(struct server *s)
{
    signal(SIGPIPE, SIG_IGN);
    launch(s);
    s->running = true;
}

enum rc server_reload_tls(struct server *s, struct err *e)
{
    SSL_CTX *fresh, *old = s->tls;
    bool kept = false;
    enum rc rc;

    if (!old)
        return RC_OK;
    if ((rc = tls_open_kept(e, s->tls_cert, s->tls_key, s->keys_dir, &kept, &fresh)))
        return rc;
    s->tls = fresh;
    s->tls_end = tls_end(fresh);
    for (int l = 0; l < s->nloops; l++)
        h2o_multithread_send_message(&s->loops[l].bell, &s->loops[l].new_tls);
    for (int l = 0; l < s->nloops; l++)
        while (sem_wait(&s->told_of_tls))
            ;
    SSL_CTX_free(old);
    return RC_OK;
}

int64_t server_tls_end(const struct server *s)
{
    return s->tls_end;
}

bool server_tls_is_kept(const struct server *s)
{
    return s->tls && s->tls_is_kept;
}

struct conf_list server_urls(const struct server *s)
{
    struct conf_list urls = { .n = s->nendpoints };

    for (int i = 0; i < urls.n; i++)
        urls.v[i] = s->urls[i];
    return urls;
}

static bool wait_until(sem_t *sem, const struct timespec *at)
{
    while (sem_clockwait(sem, CLOCK_MONOTONIC, at))
        if (errno != EINTR)
            return false;
    return true;
}

bool server_stop(struct server *s, int64_t deadline_ms)
{
    int64_t deadline_us = clock_mono_us() + deadline_ms * 1000,
            last_us = deadline_us + CUT_GRACE_MS * 1000;
    struct timespec last = { last_us / 1000000, last_us % 1000000 * 1000 };
    bool ended = true;

    if (s->admin)
        unlink(s->admin);
    if (!s->running)
        return true;
    watch_stop(); /* from now on the deadline counts */
    s->deadline_us = deadline_us;
    for (int l = 0; l < s->nloops; l++)
        h2o_multithread_send_message(&s->loops[l].bell, &s->loops[l].ring);
    for (int l = 0; l < s->nloops; l++)
        ended &= wait_until(&s->drained, &last);
    return ended;
}

static void end_loops(struct server *s)
{
    for (int l = 0; l < s->nloops; l++)
        sem_post(&s->may_close);
    for (int l = 0; l < s->nloops; l++)
        pthread_join(s->loops[l].thread, NULL);
    sem_destroy(&s->drained);
    sem_destroy(&s->told_of_tls);
    sem_destroy(&s->may_close);
    pthread_barrier_destroy(&s->ready);
}

void server_free(struct server *s)
{
    if (!s)
        return;
    if (s->running)
        end_loops(s);
    else
        close_fds(s);
    h2o_config_dispose(&s->global);
    release(s);
}
