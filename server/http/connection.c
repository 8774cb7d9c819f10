/*
 * connection.c - from accept to close.
 *
 *     accept --> too many in all? --> trusted proxy? --yes--> its header: the client, or the proxy for many
 *                     |                     \--no---> the peer is the client      |
 *                     |                                       \--> too many of one client? --> guard --> libh2o
 *                     \--> closed                                         \--> closed
 *
 * Who comes over TLS pays for the handshake beforehand, for a signature is made before we know whether he means it; a ticket gives most of
 * it back (guard.c).
 *
 * Who may not come in is closed at once, for the kernel's queue would fill with those whom nobody takes. From the header on the client's
 * address is the socket's (h2o_socket_setpeername): nobody behind us need know of proxies of this kind.
 *
 * A guard stands on each socket from the moment libh2o has it (guard.h), and tells the record when it has closed. Before that the
 * record itself is told.
 *
 * Over HTTP/1 libh2o does not read while an answer is made, so it would learn of a client that has hung up when
 * it writes to it. We look at each tick, so that what nobody waits for is not begun.
 */
#include "server/http/connection.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/http/crowd.h"
#include "server/http/guard.h"
#include "server/http/introduction.h"
#include "server/http/patience.h"
#include "server/http/proxy.h"
#include "server/http/stream.h"

enum { INTRODUCTION_MS = 3000, STALLED_MOST = 1000 };

struct connection {
    h2o_linklist_t link;
    struct connections *all;
    h2o_socket_t *sock;
    h2o_accept_ctx_t *way;
    SSL_CTX *
        tls; /* of it: libh2o makes the SSL of it only when the first bytes have come, and holds no reference until then */
    struct crowd_client *client; /* NULL: nobody's */
    struct guard *guard;         /* NULL: libh2o does not have it yet */
    uint64_t came_ms;
    struct patience patience;
    bool ended; /* there was none left */
};

static struct connection *at(h2o_linklist_t *link)
{
    return H2O_STRUCT_FROM_MEMBER(struct connection, link, link);
}

void connections_init(struct connections *all)
{
    h2o_linklist_init_anchor(&all->list);
    all->count = 0;
}

static void connection_closed(void *p)
{
    struct connection *c = p;
    struct connections *all = c->all;

    h2o_linklist_unlink(&c->link);
    crowd_leave(c->client);
    SSL_CTX_free(c->tls);
    free(c);
    all->count--;
    metric_add(METRIC_connections, -1);
    all->closed(all);
}

/* ---- coming in ---- */

static void hand_on(struct connection *c, bool is_many)
{
    struct guard_conf guard = { .body_max = c->all->body_max,
                                .leaving = c->all->leaving,
                                .is_many = is_many,
                                .client = c->client,
                                .closed = connection_closed,
                                .of = c };

    c->guard = guard_new(c->sock, &guard);
    if ((c->tls = c->way->ssl_ctx))
        SSL_CTX_up_ref(c->tls);
    h2o_accept(c->way, c->sock);
}

static void come_as(struct connection *c, const struct sockaddr *client)
{
    enum metric why;

    if (!crowd_join(client, &c->client)) {
        why = METRIC_crowd_shed_client;
    } else if (c->way->ssl_ctx && !crowd_spend(c->client, CROWD_HANDSHAKE, clock_mono_us())) {
        why = METRIC_crowd_shed_hasty;
    } else {
        hand_on(c, false);
        return;
    }
    metric_add(why, 1);
    h2o_socket_close(c->sock);
}

/* A proxy that a proxy brings is one all the same. */
static void come_behind(struct connection *c, struct sockaddr_storage *client)
{
    struct sockaddr *who = (struct sockaddr *)client;

    metric_add(METRIC_proxy_clients, 1);
    h2o_socket_setpeername(c->sock, who,
                           who->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                      : sizeof(struct sockaddr_in));
    if (networks_have(c->all->trusted, who))
        hand_on(c, true);
    else
        come_as(c, who);
}

static void on_introduction(h2o_socket_t *sock, const char *unused)
{
    struct connection *c = sock->data;
    struct sockaddr_storage client;
    enum introduced how = introduction_take(h2o_socket_get_fd(sock), &client);

    (void)unused;
    if (how == INTRODUCED_LATER)
        return;
    if (how == INTRODUCED_BADLY || how == INTRODUCED_GONE) {
        metric_add(METRIC_proxy_refused, how == INTRODUCED_BADLY);
        h2o_socket_close(sock);
        return;
    }
    h2o_socket_read_stop(sock);
    h2o_socket_dont_read(sock, 0);
    if (how == INTRODUCED_CLIENT)
        come_behind(c, &client);
    else
        hand_on(c, true);
}

/* The loop only tells when there is something to look at. */
static void await_introduction(struct connection *c)
{
    c->sock->data = c;
    h2o_socket_dont_read(c->sock, 1);
    h2o_socket_read_start(c->sock, on_introduction);
}

void connection_new(struct connections *all, h2o_socket_t *sock, h2o_accept_ctx_t *way)
{
    struct sockaddr_storage peer = { 0 };
    struct sockaddr *who = (struct sockaddr *)&peer;
    struct connection *c;
    bool operators;

    h2o_socket_getpeername(sock, who);
    operators = who->sa_family == AF_UNIX;
    if (!crowd_enter(operators)) {
        metric_add(METRIC_crowd_shed_all, 1);
        h2o_socket_close(sock);
        return;
    }
    c = h2o_mem_alloc(sizeof *c);
    *c = (struct connection){
        .all = all, .sock = sock, .way = way, .came_ms = h2o_now(all->ctx->loop)
    };
    sock->on_close.cb = connection_closed;
    sock->on_close.data = c;
    h2o_linklist_insert(&all->list, &c->link);
    all->count++;
    metric_add(METRIC_connections, 1);
    if (operators)
        hand_on(c, false);
    else if (networks_have(all->trusted, who))
        await_introduction(c);
    else
        come_as(c, who);
}

/* NULL: a request that came over no socket of ours. */
static const struct connection *connection_of(const h2o_req_t *req)
{
    h2o_socket_t *(*get)(h2o_conn_t *) = req->conn->callbacks->get_socket;

    return get ? guard_owner(get(req->conn)) : NULL;
}

struct crowd_client *connection_client(const h2o_req_t *req)
{
    const struct connection *c = connection_of(req);

    return c ? c->client : NULL;
}

bool connection_may_ask(const h2o_req_t *req)
{
    const struct connection *c = guard_owner(req->conn->callbacks->get_socket(req->conn));

    return req->timestamps.request_begin_at.tv_sec || (c && !guard_state(c->guard).taken);
}

/* Of HTTP/1 the guard sees for itself. */
void connection_keep(h2o_req_t *req, size_t fields)
{
    const struct connection *c = connection_of(req);

    if (c && req->version >= 0x200)
        guard_keep(c->guard, &req->pool,
                   fields + req->input.path.len + req->input.authority.len, req->entity.len);
}

/* Over HTTP/1 it is read by its length. */
bool connection_brought_all(const h2o_req_t *req)
{
    return req->version < 0x200 || !connection_of(req) || stream_is_filled(req);
}

/* ---- going ---- */

void connection_cut(h2o_socket_t *sock)
{
    shutdown(h2o_socket_get_fd(sock), SHUT_RDWR);
}

void connections_cut(struct connections *all)
{
    for (h2o_linklist_t *l = all->list.next; l != &all->list; l = l->next)
        connection_cut(at(l)->sock);
}

/* ---- patience ---- */

/* Streams that have stalled, as far as one look goes; the rest at the next. */
struct stalled {
    uint64_t now;
    int n;
    h2o_req_t *v[STALLED_MOST];
};

static int see(h2o_req_t *req, void *p)
{
    struct connection *c = guard_owner(req->conn->callbacks->get_socket(req->conn));
    struct stalled *s = p;
    bool shut =
        c && guard_state(c->guard).is_http2 && req->version >= 0x200 && stream_is_shut(req);

    if (c && patience_see(&c->patience, req, shut, s->now) && s->n < STALLED_MOST)
        s->v[s->n++] = req;
    return 0;
}

/* Each by itself: what its neighbours do goes on. With all of them the connection ends. */
static void reset_stalled(const struct stalled *s)
{
    for (int i = 0; i < s->n; i++) {
        const struct connection *c = connection_of(s->v[i]);

        if (c->ended)
            continue;
        metric_add(METRIC_patience_reset_reader, 1);
        stream_reset(s->v[i]);
    }
}

/* What the peer's kernel has taken, as far as it can be known. */
static uint64_t acked(h2o_socket_t *sock)
{
    struct tcp_info info;
    socklen_t n = sizeof info;

    if (getsockopt(h2o_socket_get_fd(sock), IPPROTO_TCP, TCP_INFO, &info, &n) ||
        n < sizeof info)
        return UINT64_MAX;
    return info.tcpi_bytes_acked;
}

static void end(struct connection *c, enum metric why)
{
    if (c->ended)
        return;
    c->ended = true;
    metric_add(why, 1);
    connection_cut(c->sock);
}

static void judge(struct connection *c, uint64_t now)
{
    static const enum metric ends[PATIENCE_ENDS] = {
        [PATIENCE_HEAD] = METRIC_patience_ended_head,
        [PATIENCE_BODY] = METRIC_patience_ended_body,
        [PATIENCE_READER] = METRIC_patience_ended_reader,
        [PATIENCE_IDLE] = METRIC_patience_ended_idle,
        [PATIENCE_REQUEST] = METRIC_patience_ended_request,
    };
    struct guard_state state;
    uint64_t taken = c->patience.seen.answer_at ? acked(c->sock) : 0;
    enum patience_end why;

    if (!c->guard) {
        if (now > c->came_ms + INTRODUCTION_MS)
            end(c, METRIC_patience_ended_proxy);
        return;
    }
    state = guard_state(c->guard);
    if ((why = patience_judge(&c->patience, &state, taken, now)))
        end(c, ends[why]);
}

/* Half a close counts as one: over HTTP/1 they cannot be told apart. */
static bool has_hung_up(const struct connection *c)
{
    struct pollfd p = { .fd = h2o_socket_get_fd(c->sock), .events = POLLRDHUP };

    return poll(&p, 1, 0) > 0;
}

static bool waits_in_vain(const struct connection *c)
{
    return c->patience.seen.waiting && !guard_state(c->guard).is_http2 &&
           !h2o_socket_is_writing(c->sock) && has_hung_up(c);
}

void connections_tick(struct connections *all)
{
    const h2o_globalconf_t *global = all->ctx->globalconf;
    uint64_t now = h2o_now(all->ctx->loop);
    struct stalled stalled = { .now = now };

    for (h2o_linklist_t *l = all->list.next; l != &all->list; l = l->next)
        patience_begin(&at(l)->patience);
    global->http1.callbacks.foreach_request(all->ctx, see, &stalled);
    global->http2.callbacks.foreach_request(all->ctx, see, &stalled);
    for (h2o_linklist_t *l = all->list.next; l != &all->list; l = l->next)
        judge(at(l), now);
    reset_stalled(&stalled);
    for (h2o_linklist_t *l = all->list.next, *next; l != &all->list; l = next) {
        next = l->next;
        if (waits_in_vain(at(l)))
            guard_hang_up(at(l)->guard);
    }
}
