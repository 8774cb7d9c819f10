/* The guard between a socket and libh2o, on a socket pair: what it counts, holds and ends, and that libh2o never notices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>

#include "server/base/metric.h"
#include "server/http/canary.h"
#include "server/http/crowd.h"
#include "server/http/guard.h"
#include "server/http/limit.h"

enum { DATA, HEADERS, RST_STREAM = 3, SETTINGS, PING = 6, WINDOW_UPDATE = 8, CONTINUATION };
enum { END_STREAM = 1, END_HEADERS = 4 };
enum { ANSWER = 8000, STREAMS = 50, NARROW = 4096 };

struct world {
    h2o_globalconf_t global;
    h2o_hostconf_t *hosts[2];
    h2o_context_t ctx;
    h2o_accept_ctx_t accept;
    struct guard *guard;
    struct crowd_client *client;
    int peer;
    bool closed, leaving;
    size_t body_max;
    size_t data; /* bytes of DATA heard */
    uint8_t heard[1 << 16];
    size_t nheard;
};

/* ---- a server of one answer ---- */

static int answer(h2o_handler_t *self, h2o_req_t *req)
{
    static const char body[ANSWER];

    struct world *w = guard_owner(req->conn->callbacks->get_socket(req->conn));

    (void)self;
    if (req->version >= 0x200)
        guard_keep(w->guard, &req->pool, req->input.path.len, req->entity.len);
    req->res.status = 200;
    req->res.reason = "OK";
    h2o_send_inline(req, body, sizeof body);
    return 0;
}

static void on_closed(void *p)
{
    ((struct world *)p)->closed = true;
}

/* `early`: what has come already when libh2o begins to read, as with the end of a TLS handshake. */
static void dial_as(struct world *w, bool http1, const void *early, size_t n)
{
    struct guard_conf conf = { .body_max = w->body_max,
                               .leaving = &w->leaving,
                               .client = w->client,
                               .closed = on_closed,
                               .of = w };
    struct timeval now = *h2o_get_timestamp(&w->ctx, NULL, NULL);
    int fds[2], narrow = NARROW;
    h2o_socket_t *sock;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
                     0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &narrow, sizeof narrow);
    w->peer = fds[1];
    w->closed = false;
    w->nheard = w->data = 0;
    sock =
        h2o_evloop_socket_create(w->ctx.loop, fds[0], H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
    w->guard = guard_new(sock, &conf);
    memcpy(h2o_buffer_reserve(&sock->input, n).base, early, n);
    sock->input->size += n;
    if (http1)
        h2o_http1_accept(&w->accept, sock, now);
    else
        h2o_http2_accept(&w->accept, sock, now);
}

static void dial_with(struct world *w, const void *early, size_t n)
{
    dial_as(w, false, early, n);
}

static void dial(struct world *w)
{
    dial_with(w, "", 0);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    h2o_config_init(&w->global);
    w->global.http1.upgrade_to_http2 = 0;
    w->hosts[0] =
        h2o_config_register_host(&w->global, h2o_iovec_init(H2O_STRLIT("test")), 65535);
    h2o_create_handler(h2o_config_register_path(w->hosts[0], "/", 0), sizeof(h2o_handler_t))
        ->on_req = answer;
    h2o_context_init(&w->ctx, h2o_evloop_create(), &w->global);
    w->accept = (h2o_accept_ctx_t){ .ctx = &w->ctx, .hosts = w->hosts };
    w->body_max = 1 << 20;
    dial(w);
    *state = w;
    return 0;
}

static void turn(struct world *w, int times)
{
    while (times--)
        h2o_evloop_run(w->ctx.loop, 0);
}

static int tear_down(void **state)
{
    struct world *w = *state;
    h2o_loop_t *loop = w->ctx.loop;

    if (!w->closed) {
        shutdown(w->peer, SHUT_RDWR);
        turn(w, 10);
    }
    close(w->peer);
    assert_true(w->closed);
    h2o_timeout_unlink(&w->ctx.http2._graceful_shutdown_timeout);
    h2o_context_dispose(&w->ctx);
    h2o_evloop_destroy(loop);
    h2o_config_dispose(&w->global);
    free(w);
    return 0;
}

/* ---- a client ---- */

static void pour(struct world *w, const void *bytes, size_t n)
{
    const char *p = bytes;
    ssize_t took;

    while (n && !w->closed) {
        took = send(w->peer, p, n, MSG_NOSIGNAL);
        if (took < 0)
            assert_true(errno == EAGAIN || errno == EPIPE);
        else
            p += took, n -= (size_t)took;
        turn(w, 2);
    }
}

static void frame(struct world *w, int type, int flags, uint32_t stream, const void *payload,
                  size_t n)
{
    uint8_t f[9 + 16384] = {
        0, (uint8_t)(n >> 8), (uint8_t)n, (uint8_t)type, (uint8_t)flags, 0, 0,
        0, (uint8_t)stream
    };

    memcpy(f + 9, payload, n);
    pour(w, f, 9 + n);
}

static void greet(struct world *w, uint32_t window)
{
    uint8_t setting[6] = { 0,
                           4,
                           (uint8_t)(window >> 24),
                           (uint8_t)(window >> 16),
                           (uint8_t)(window >> 8),
                           (uint8_t)window };

    pour(w, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    frame(w, SETTINGS, 0, 0, setting, sizeof setting);
    frame(w, WINDOW_UPDATE, 0, 0, "\x3f\0\0\0", 4);
}

static const char block[] = "\x82\x87\x84\x01\x04test";

static void ask(struct world *w, uint32_t stream, int flags)
{
    frame(w, HEADERS, flags, stream, block, sizeof block - 1);
}

static void ask_all(struct world *w)
{
    for (uint32_t i = 0; i < STREAMS; i++)
        ask(w, 2 * i + 1, END_STREAM | END_HEADERS);
}

/* Bytes of DATA among what has come; what is not whole stays. */
static void sum_up(struct world *w)
{
    const uint8_t *p = w->heard;
    size_t at = 0, n;

    for (; w->nheard - at >= 9; at += 9 + n) {
        n = (size_t)p[at] << 16 | (size_t)p[at + 1] << 8 | p[at + 2];
        if (w->nheard - at < 9 + n)
            break;
        w->data += p[at + 3] == DATA ? n : 0;
    }
    memmove(w->heard, w->heard + at, w->nheard - at);
    w->nheard -= at;
}

static void listen_long(struct world *w)
{
    ssize_t n;

    for (int silent = 0; silent < 20; silent++) {
        turn(w, 1);
        while ((n = recv(w->peer, w->heard + w->nheard, sizeof w->heard - w->nheard, 0)) > 0) {
            w->nheard += (size_t)n;
            silent = 0;
            sum_up(w);
            turn(w, 1);
        }
    }
}

/* ---- cases ---- */

static void the_canary_sees_that_it_is_in_place(void **state)
{
    struct err e = { 0 };

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(canary_check(&e), RC_OK);
}

static void frames_are_counted_however_they_come(void **state)
{
    static const char ping[17] = "\0\0\10\6\0\0\0\0\0abcdefgh";
    struct world *w = *state;

    greet(w, 65535);
    for (size_t i = 0; i < sizeof ping; i++)
        pour(w, ping + i, 1);
    pour(w, ping, sizeof ping);
    ask(w, 1, END_STREAM | END_HEADERS);
    listen_long(w);
    assert_int_equal(guard_frames(w->guard), 5);
    assert_int_equal(w->data, ANSWER);
}

#define GREETING "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"

static void what_came_with_the_handshake_is_judged_too(void **state)
{
    static const char good[] = GREETING "\0\0\10\6\0\0\0\0\0abcdefgh\0\0",
                      bad[] = GREETING "\0\0\4\10\0\0\0\0\0\0\0\0\0";
    struct world *w = *state;

    close(w->peer);
    turn(w, 10);
    dial_with(w, good, sizeof good - 1);
    pour(w, "\10\6\0\0\0\0\0ijklmnop", 15); /* the second PING was cut */
    ask(w, 1, END_STREAM | END_HEADERS);
    listen_long(w);
    assert_int_equal(guard_frames(w->guard), 4);
    assert_int_equal(w->data, ANSWER);
    close(w->peer);
    turn(w, 10);
    dial_with(w, bad, sizeof bad - 1);
    turn(w, 10);
    assert_true(w->closed);
}

/* The answers fill their windows exactly, so that libh2o would assert (its pull request 1951). */
static void a_window_waits_until_the_write_is_through(void **state)
{
    struct world *w = *state;
    int64_t held = metric_get(METRIC_guard_held);

    greet(w, ANSWER);
    ask_all(w);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < STREAMS; i++)
            frame(w, WINDOW_UPDATE, 0, 2 * i + 1, "\0\0\1\0", 4);
        frame(w, SETTINGS, 0, 0, "\0\4\0\1\0\0", 6);
    }
    assert_true(metric_get(METRIC_guard_held) > held);
    assert_true(guard_frames(w->guard) < 2 + STREAMS + 3 * (STREAMS + 1));
    listen_long(w);
    assert_int_equal(w->data, STREAMS * ANSWER);
    assert_int_equal(guard_frames(w->guard), 2 + STREAMS + 3 * (STREAMS + 1));
    assert_false(w->closed);
}

static void who_goes_while_something_is_held_leaves_nothing(void **state)
{
    struct world *w = *state;
    int64_t held = metric_get(METRIC_guard_held);

    greet(w, ANSWER);
    ask_all(w);
    frame(w, WINDOW_UPDATE, 0, 1, "\0\0\1\0", 4);
    assert_int_equal(metric_get(METRIC_guard_held), held + 1);
    shutdown(w->peer, SHUT_RDWR);
    turn(w, 10);
    assert_true(w->closed);
}

static void who_is_ended_is_gone_though_he_reads_nothing(void **state)
{
    struct world *w = *state;
    int64_t ended = metric_get(METRIC_guard_ended_illegal);

    greet(w, ANSWER);
    ask_all(w);
    frame(w, WINDOW_UPDATE, 0, 0, "\0\0\0\0", 4);
    turn(w, 10);
    assert_true(w->closed);
    assert_int_equal(metric_get(METRIC_guard_ended_illegal), ended + 1);
}

static void nothing_follows_a_header_block_into_the_end(void **state)
{
    struct world *w = *state;
    int64_t ended = metric_get(METRIC_guard_ended_late);

    greet(w, 0);
    ask(w, 1, END_STREAM | END_HEADERS);
    ask(w, 3, END_STREAM);
    w->leaving = true;
    h2o_context_request_shutdown(&w->ctx);
    listen_long(w);
    assert_false(w->closed);
    frame(w, CONTINUATION, END_HEADERS, 3, "\x82", 1);
    turn(w, 10);
    assert_true(w->closed);
    assert_int_equal(metric_get(METRIC_guard_ended_late), ended + 1);
}

static void pour_body(struct world *w, size_t n)
{
    static const char zeros[16384];

    greet(w, 65535);
    ask(w, 1, END_HEADERS);
    for (size_t sent = 0; sent < n && !w->closed; sent += sizeof zeros)
        frame(w, DATA, 0, 1, zeros, sizeof zeros);
    turn(w, 10);
}

/* And what it held is given back with it, so that the next may send its body. */
static void bodies_of_all_connections_have_an_end(void **state)
{
    struct world *w = *state;
    int64_t ended = metric_get(METRIC_guard_ended_bodies);

    close(w->peer);
    turn(w, 10);
    w->body_max = 1 << 30;
    for (int i = 0; i < 2; i++) {
        dial(w);
        pour_body(w, 63 << 20);
        assert_false(w->closed);
        close(w->peer);
        turn(w, 10);
    }
    dial(w);
    pour_body(w, 65 << 20);
    assert_true(w->closed);
    assert_int_equal(metric_get(METRIC_guard_ended_bodies), ended + 1);
}

static void send_body(struct world *w, uint32_t stream, size_t n)
{
    static const char zeros[16384];

    ask(w, stream, END_HEADERS);
    for (; n > sizeof zeros; n -= sizeof zeros)
        frame(w, DATA, 0, stream, zeros, sizeof zeros);
    frame(w, DATA, END_STREAM, stream, zeros, n);
}

static void must_hold(int64_t bytes)
{
    assert_int_equal(metric_get(METRIC_bodies_held), bytes);
}

/* A body that has ended is kept until the request is over, and not a byte of it longer. */
static void a_body_counts_as_long_as_its_request(void **state)
{
    struct world *w = *state;

    greet(w, 0);
    send_body(w, 1, 50000);
    send_body(w, 3, 30000);
    ask(w, 5, END_HEADERS);
    frame(w, DATA, 0, 5, block, sizeof block - 1);
    must_hold(80000 + sizeof block - 1);
    pour(w, "\0\0\4\3\0\0\0\0\5", 9); /* RST_STREAM: not before its last byte */
    must_hold(80000 + sizeof block - 1);
    pour(w, "\0\0\0\10", 4);
    must_hold(80000);
    frame(w, WINDOW_UPDATE, 0, 1, "\0\1\0\0", 4);
    listen_long(w);
    must_hold(30000); /* answered */
    frame(w, RST_STREAM, 0, 3, "\0\0\0\10", 4);
    must_hold(0);
    send_body(w, 7, 20000);
    ask(w, 9, END_HEADERS);
    frame(w, DATA, 0, 9, block, sizeof block - 1);
    pour(w, "\0\0\2\0\1\0\0\0\11x", 10); /* END_STREAM, but not all of it */
    must_hold(20000 + sizeof block - 1 + 2);
    shutdown(w->peer, SHUT_RDWR);
    turn(w, 10);
    assert_true(w->closed);
    must_hold(0);
}

/* A request whose path is n bytes long. */
static void ask_long(struct world *w, uint32_t stream, int flags, size_t n)
{
    static uint8_t head[1 << 14];
    size_t more = n - 127;

    memcpy(head, "\x82\x87\x01\x04test\x04\x7f", 10);
    head[10] = (uint8_t)(more | 128);
    head[11] = (uint8_t)(more >> 7);
    memset(head + 12, 'a', n);
    head[12] = '/';
    frame(w, HEADERS, flags, stream, head, 12 + n);
}

/* Twice, as it came and then as it is kept; a short one counts for nothing. */
static void a_long_head_counts_as_long_as_its_request(void **state)
{
    struct world *w = *state;

    greet(w, 0);
    ask_long(w, 1, END_STREAM | END_HEADERS, 8000);
    must_hold(2 * 8000);
    ask_long(w, 3, END_HEADERS, 5000);
    must_hold(2 * (8000 + 5012));
    frame(w, DATA, END_STREAM, 3, "x", 1);
    must_hold(2 * (8000 + 5000) + 1);
    ask_long(w, 5, END_STREAM | END_HEADERS, 1000);
    must_hold(2 * (8000 + 5000) + 1);
    frame(w, RST_STREAM, 0, 1, "\0\0\0\10", 4);
    must_hold(2 * 5000 + 1);
    frame(w, RST_STREAM, 0, 3, "\0\0\0\10", 4);
    must_hold(0);
}

static void long_heads_have_an_end(void **state)
{
    struct world *w = *state;
    int64_t ended = metric_get(METRIC_guard_ended_headers);

    for (int flags = END_HEADERS; flags <= (END_HEADERS | END_STREAM); flags += END_STREAM) {
        close(w->peer);
        turn(w, 10);
        dial(w);
        greet(w, 0);
        for (uint32_t i = 0; i < 52; i++)
            ask_long(w, 2 * i + 1, flags, 10000);
        assert_false(w->closed);
        ask_long(w, 201, flags, 10000);
        turn(w, 10);
        assert_true(w->closed);
        must_hold(0);
    }
    assert_int_equal(metric_get(METRIC_guard_ended_headers), ended + 2);
}

static void trailers_that_are_not_whole_end_no_body(void **state)
{
    struct world *w = *state;

    greet(w, 0);
    ask(w, 1, END_HEADERS);
    frame(w, DATA, 0, 1, block, sizeof block - 1);
    frame(w, HEADERS, END_STREAM, 1, "", 0);
    must_hold(sizeof block - 1);
    frame(w, CONTINUATION, END_HEADERS, 1, "\0\1a\1b", 5);
    must_hold(sizeof block - 1); /* it is the request's now */
    frame(w, RST_STREAM, 0, 1, "\0\0\0\10", 4);
    must_hold(0);
}

static void join(struct world *w)
{
    struct sockaddr_in who = { .sin_family = AF_INET, .sin_addr = { htonl(0x0a000001) } };

    limit_init(0);
    crowd_init(&(struct crowd_conf){ 0 });
    assert_true(crowd_enter(false));
    assert_true(crowd_join((struct sockaddr *)&who, &w->client));
    close(w->peer);
    turn(w, 10);
    dial(w);
}

static void bodies_that_have_ended_end_their_client(void **state)
{
    struct world *w = *state;
    int64_t ended = metric_get(METRIC_guard_ended_bodies);

    join(w);
    greet(w, 0);
    for (uint32_t i = 0; i < 12; i++)
        send_body(w, 2 * i + 1, 1000 << 10);
    assert_false(w->closed);
    must_hold(12 * (1000 << 10));
    send_body(w, 25, 1000 << 10);
    turn(w, 10);
    assert_true(w->closed);
    assert_int_equal(metric_get(METRIC_guard_ended_bodies), ended + 1);
    must_hold(0);
    crowd_leave(w->client);
}

/* Not ended or not answered, it is open; by eights. */
static void open_streams_end_their_client(void **state)
{
    enum { OTHERS = 4096 - 64, EACH = 32 };
    struct world *w = *state;
    int64_t ended = metric_get(METRIC_guard_ended_streams);

    join(w);
    assert_true(crowd_open(w->client, OTHERS)); /* of other connections */
    greet(w, 0);
    for (uint32_t i = 0; i < EACH; i++)
        ask(w, 2 * i + 1, END_STREAM | END_HEADERS);
    for (uint32_t i = EACH; i < 2 * EACH; i++)
        ask(w, 2 * i + 1, END_HEADERS);
    assert_int_equal(metric_get(METRIC_streams_open), OTHERS + 2 * EACH);
    for (uint32_t i = EACH - 8; i < EACH + 8; i++)
        frame(w, RST_STREAM, 0, 2 * i + 1, "\0\0\0\10", 4);
    assert_int_equal(metric_get(METRIC_streams_open), OTHERS + 2 * EACH - 16);
    for (uint32_t i = 0; i < 23; i++)
        ask(w, 2 * (2 * EACH + i) + 1, i % 2 ? END_STREAM | END_HEADERS : END_HEADERS);
    assert_false(w->closed);
    ask(w, 201, END_STREAM | END_HEADERS);
    turn(w, 10);
    assert_true(w->closed);
    assert_int_equal(metric_get(METRIC_guard_ended_streams), ended + 1);
    assert_int_equal(metric_get(METRIC_streams_open), OTHERS);
    crowd_open(w->client, -OTHERS);
    crowd_leave(w->client);
}

/* ---- HTTP/1 ---- */

#define HEAD   "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKS HEAD "Transfer-Encoding: chunked\r\n\r\n"

static int count(const struct world *w, const char *word)
{
    const char *at = (const char *)w->heard;
    size_t left = w->nheard, n = strlen(word);
    int found = 0;

    while ((at = memmem(at, left, word, n))) {
        found++;
        at += n;
        left = w->nheard - (size_t)(at - (const char *)w->heard);
    }
    return found;
}

/* All that is answered until nothing more comes. */
static void listen_http1(struct world *w)
{
    ssize_t n;

    for (int silent = 0; silent < 6; silent++) {
        turn(w, 2);
        while ((n = recv(w->peer, w->heard + w->nheard, sizeof w->heard - w->nheard, 0)) > 0) {
            w->nheard += (size_t)n;
            silent = 0;
        }
    }
}

static void hang_up(struct world *w)
{
    shutdown(w->peer, SHUT_RDWR);
    turn(w, 10);
    assert_true(w->closed);
    close(w->peer);
}

/* Whether it lies there when libh2o begins to read, or comes in two pieces. */
static void say(struct world *w, bool early, const char *bytes, size_t n, size_t cut)
{
    hang_up(w);
    dial_as(w, true, bytes, early ? cut : 0);
    if (!early)
        pour(w, bytes, cut);
    turn(w, 2);
    pour(w, bytes + cut, n - cut);
    listen_http1(w);
}

static void what_is_refused_gets_400_after_the_answers_before_it(void **state)
{
    static const char *const bad[] = {
        HEAD "Host: b\r\n\r\n",         HEAD "X: a\r\n b\r\n\r\n",  HEAD "X: a\n\r\n",
        "GET / http/1.1\r\n",           "PRI * HTTP/1.1\n\n",       "PRI * HTTP/2.1\r\n\r\n",
        CHUNKS "5\r\nhello, world\r\n", CHUNKS "0\r\nX: a\r\n\r\n", CHUNKS "5;a\r\nhello\r\n",
    };
    struct world *w = *state;
    char bytes[512];

    for (size_t i = 0; i < 2 * sizeof bad / sizeof *bad; i++) {
        size_t n =
            (size_t)snprintf(bytes, sizeof bytes, "%s%s",
                             i % 2 ? HEAD "Content-Length: 2\r\n\r\nab" : "", bad[i / 2]);

        for (size_t cut = 1; cut < 2 * n; cut++) {
            say(w, cut >= n, bytes, n, cut >= n ? cut - n + 1 : cut);
            assert_true(w->closed);
            assert_int_equal(count(w, "HTTP/1.1 400 "), 1);
            assert_int_equal(count(w, "HTTP/1.1 200 "), i % 2);
        }
    }
}

static void what_is_honest_is_answered_wherever_it_is_cut(void **state)
{
    static const char good[] = HEAD "\r\n\r\n" CHUNKS "1\r\na\r\n02\r\nbc\r\n0\r\n\r\n" HEAD
                                    "Content-Length: 4\r\n\r\n\n\r\n\n" HEAD "\r\n";
    struct world *w = *state;

    for (size_t cut = 1; cut < 2 * (sizeof good - 1); cut++) {
        bool early = cut >= sizeof good - 1;

        say(w, early, good, sizeof good - 1, early ? cut - sizeof good + 2 : cut);
        assert_false(w->closed);
        assert_int_equal(count(w, "HTTP/1.1 200 "), 4);
    }
}

/* What lies in the input, if it is more than a head. */
static void over_http1_a_body_counts_as_it_comes(void **state)
{
    static const char zeros[40000], whole[] = HEAD "Content-Length: 40000\r\n\r\n",
                                    chunk[] = CHUNKS "9c40\r\n";
    struct world *w = *state;

    hang_up(w);
    dial_as(w, true, "", 0);
    for (int i = 0; i < 2; i++) {
        pour(w, whole, sizeof whole - 1);
        pour(w, zeros, 39999);
        must_hold(sizeof whole - 1 + 39999);
        pour(w, zeros, 1);
        listen_http1(w);
        must_hold(0);
    }
    pour(w, chunk, sizeof chunk - 1);
    pour(w, zeros, sizeof zeros);
    assert_in_range(metric_get(METRIC_bodies_held), 40000, 40200);
    pour(w, "\r\n0\r\n\r\n", 7);
    listen_http1(w);
    must_hold(0);
    assert_int_equal(count(w, "HTTP/1.1 200 "), 3);
    pour(w, whole, sizeof whole - 1);
    pour(w, zeros, 30000);
    must_hold(sizeof whole - 1 + 30000);
    hang_up(w);
    must_hold(0);
    dial_as(w, true, "", 0);
}

static void over_http1_a_client_has_room_for_so_much(void **state)
{
    static const char mb[1 << 20], head[] = HEAD "Content-Length: 20000000\r\n\r\n";
    struct world *w = *state;

    join(w);
    hang_up(w);
    dial_as(w, true, head, sizeof head - 1);
    for (int i = 0; i < 11; i++)
        pour(w, mb, sizeof mb);
    assert_false(w->closed);
    pour(w, mb, sizeof mb);
    turn(w, 10);
    assert_true(w->closed);
    must_hold(0);
    crowd_leave(w->client);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_canary_sees_that_it_is_in_place),
        cmocka_unit_test_setup_teardown(frames_are_counted_however_they_come, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_came_with_the_handshake_is_judged_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_window_waits_until_the_write_is_through, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_goes_while_something_is_held_leaves_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_is_ended_is_gone_though_he_reads_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_follows_a_header_block_into_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bodies_of_all_connections_have_an_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_body_counts_as_long_as_its_request, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_long_head_counts_as_long_as_its_request, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(long_heads_have_an_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trailers_that_are_not_whole_end_no_body, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(open_streams_end_their_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bodies_that_have_ended_end_their_client, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(over_http1_a_body_counts_as_it_comes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(over_http1_a_client_has_room_for_so_much, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_refused_gets_400_after_the_answers_before_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_honest_is_answered_wherever_it_is_cut, set_up,
                                        tear_down),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
