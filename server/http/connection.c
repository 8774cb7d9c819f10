/*
 * connection.c - from accept to close.
 *
 * A guard stands on each socket (guard.h), and tells the record when it has closed.
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

#include "server/base/metric.h"
#include "server/http/crowd.h"
#include "server/http/guard.h"
#include "server/http/patience.h"

struct connection {
    h2o_linklist_t link;
    struct connections *all;
    h2o_socket_t *sock;
    struct crowd_client *client;
    struct guard *guard;
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
    free(c);
    all->count--;
    metric_add(METRIC_connections, -1);
    all->closed(all);
}

void connection_new(struct connections *all, h2o_socket_t *sock, struct crowd_client *client)
{
    struct connection *c = h2o_mem_alloc(sizeof *c);
    struct guard_conf guard = { .body_max = all->body_max,
                                .leaving = all->leaving,
                                .client = client,
                                .closed = connection_closed,
                                .of = c };

    *c = (struct connection){ .all = all, .sock = sock, .client = client };
    h2o_linklist_insert(&all->list, &c->link);
    c->guard = guard_new(sock, &guard);
    all->count++;
    metric_add(METRIC_connections, 1);
}

struct crowd_client *connection_client(const h2o_req_t *req)
{
    const struct connection *c = req->conn->callbacks->get_socket
                                     ? guard_owner(req->conn->callbacks->get_socket(req->conn))
                                     : NULL;

    return c ? c->client : NULL;
}

bool connection_may_ask(const h2o_req_t *req)
{
    const struct connection *c = guard_owner(req->conn->callbacks->get_socket(req->conn));

    return req->timestamps.request_begin_at.tv_sec || (c && !guard_state(c->guard).taken);
}

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

static int see(h2o_req_t *req, void *unused)
{
    struct connection *c = guard_owner(req->conn->callbacks->get_socket(req->conn));

    (void)unused;
    if (c)
        patience_see(&c->patience, req);
    return 0;
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

static void judge(struct connection *c, uint64_t now)
{
    static const enum metric ends[PATIENCE_ENDS] = {
        [PATIENCE_HEAD] = METRIC_patience_ended_head,
        [PATIENCE_BODY] = METRIC_patience_ended_body,
        [PATIENCE_READER] = METRIC_patience_ended_reader,
        [PATIENCE_IDLE] = METRIC_patience_ended_idle,
        [PATIENCE_REQUEST] = METRIC_patience_ended_request,
    };
    struct guard_state state = guard_state(c->guard);
    uint64_t taken = c->patience.seen.answer_at ? acked(c->sock) : 0;
    enum patience_end why = patience_judge(&c->patience, &state, taken, now);

    if (!why || c->ended)
        return;
    c->ended = true;
    metric_add(ends[why], 1);
    connection_cut(c->sock);
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

    for (h2o_linklist_t *l = all->list.next; l != &all->list; l = l->next)
        patience_begin(&at(l)->patience);
    global->http1.callbacks.foreach_request(all->ctx, see, NULL);
    global->http2.callbacks.foreach_request(all->ctx, see, NULL);
    for (h2o_linklist_t *l = all->list.next; l != &all->list; l = l->next)
        judge(at(l), now);
    for (h2o_linklist_t *l = all->list.next, *next; l != &all->list; l = next) {
        next = l->next;
        if (waits_in_vain(at(l)))
            guard_hang_up(at(l)->guard);
    }
}
