/*
 * What waits for a worker, over real sockets: the queue has an end, and what nobody waits for any more is never begun. Both
 * workers are held by a request each; what the handlers were called for besides is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/base/metric.h"
#include "tests/lib/socket_world.h"

enum { WORKERS = 2, QUEUE = SOCKET_WORLD_QUEUE, SOME = 20, PATIENCE_MS = 20 * 1000 };

/* ---- two ways to ask ---- */

/* A connection to the URL `which` of the server; over TLS it speaks HTTP/2. */
struct peer {
    int fd;
    SSL *tls;
};

static struct peer dial(const struct socket_world *b, int which)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct peer p = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

    at.sin_port = htons((uint16_t)atoi(strrchr(server_urls(b->server).v[which], ':') + 1));
    assert_int_equal(connect(p.fd, (struct sockaddr *)&at, sizeof at), 0);
    return p;
}

static void hang_up(struct peer *p)
{
    SSL_free(p->tls);
    close(p->fd);
    *p = (struct peer){ .fd = -1 };
}

static struct peer ask_http1(const struct socket_world *b)
{
    static const char request[] = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    struct peer p = dial(b, 1);

    assert_int_equal(write(p.fd, request, sizeof request - 1), sizeof request - 1);
    return p;
}

static void send_frame(struct peer *p, int kind, int flags, int stream, const char *bytes,
                       size_t n)
{
    uint8_t f[64] = {
        0, 0, (uint8_t)n, (uint8_t)kind, (uint8_t)flags, 0, 0, 0, (uint8_t)stream
    };

    assert_true(9 + n <= sizeof f);
    memcpy(f + 9, bytes, n);
    assert_int_equal(SSL_write(p->tls, f, (int)(9 + n)), 9 + n);
}

static struct peer dial_http2(const struct socket_world *b)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    struct peer p = dial(b, 0);

    SSL_CTX_set_alpn_protos(context, (const uint8_t *)"\2h2", 3);
    p.tls = SSL_new(context);
    SSL_CTX_free(context);
    SSL_set_fd(p.tls, p.fd);
    assert_int_equal(SSL_connect(p.tls), 1);
    assert_int_equal(SSL_write(p.tls, preface, sizeof preface - 1), sizeof preface - 1);
    send_frame(&p, 4, 0, 0, "", 0);
    return p;
}

/* The n-th request of a connection: GET, https, :path and :authority as literals. */
static void ask_http2(struct peer *p, int n)
{
    send_frame(p, 1, 5, 2 * n + 1, "\x82\x87\x04\x05/slow\x01\x01x", 12);
}

static void reset(struct peer *p, int n)
{
    send_frame(p, 3, 0, 2 * n + 1, "\0\0\0\10", 4);
}

/* ---- what the server says of itself ---- */

static void wait_until(enum metric m, int64_t value)
{
    for (int ms = 0; metric_get(m) != value; ms++) {
        if (ms == PATIENCE_MS)
            fail_msg("metric %d is %lld, not %lld", (int)m, (long long)metric_get(m),
                     (long long)value);
        usleep(1000);
    }
}

static void wait_for_calls(int n)
{
    for (int ms = 0; socket_world_calls != n && ms < PATIENCE_MS; ms++)
        usleep(1000);
    assert_int_equal(socket_world_calls, n);
}

static void hold_workers(const struct socket_world *b, struct peer holders[WORKERS])
{
    socket_world_held = 1;
    for (int i = 0; i < WORKERS; i++)
        holders[i] = ask_http1(b);
    wait_for_calls(WORKERS);
}

/* The workers go on; of what waited, `rest` is done, and the others were dropped. */
static void let_go(struct peer holders[WORKERS], int rest, int64_t orphans)
{
    socket_world_held = 0;
    wait_until(METRIC_jobs_orphaned, orphans);
    wait_for_calls(WORKERS + rest);
    wait_until(METRIC_jobs_queued, 0);
    for (int i = 0; i < WORKERS; i++)
        hang_up(&holders[i]);
}

/* ---- tests ---- */

static void http1_connections_that_close_cancel_their_jobs(void **state)
{
    struct socket_world *b = *state;
    struct peer holders[WORKERS], peers[SOME];
    int64_t orphans = metric_get(METRIC_jobs_orphaned);

    hold_workers(b, holders);
    for (int i = 0; i < SOME; i++)
        peers[i] = ask_http1(b);
    wait_until(METRIC_jobs_queued, SOME);
    for (int i = 1; i < SOME; i++)
        hang_up(&peers[i]);
    wait_until(METRIC_connections, WORKERS + 1);
    let_go(holders, 1, orphans + SOME - 1);
    hang_up(&peers[0]);
}

static void http2_streams_that_are_reset_cancel_their_jobs(void **state)
{
    struct socket_world *b = *state;
    struct peer holders[WORKERS], p = dial_http2(b), q = dial_http2(b);
    int64_t orphans = metric_get(METRIC_jobs_orphaned);

    hold_workers(b, holders);
    for (int i = 0; i < SOME; i++)
        ask_http2(&p, i);
    wait_until(METRIC_jobs_queued, SOME);
    for (int i = 1; i < SOME; i++)
        reset(&p, i);
    ask_http2(&p, SOME); /* read after the resets */
    wait_until(METRIC_jobs_queued, SOME + 1);
    let_go(holders, 2, orphans + SOME - 1);
    hang_up(&p);
    hang_up(&q);
}

static void http2_connections_that_close_cancel_their_jobs(void **state)
{
    struct socket_world *b = *state;
    struct peer holders[WORKERS], p = dial_http2(b);
    int64_t orphans = metric_get(METRIC_jobs_orphaned);

    hold_workers(b, holders);
    for (int i = 0; i < SOME; i++)
        ask_http2(&p, i);
    wait_until(METRIC_jobs_queued, SOME);
    hang_up(&p);
    wait_until(METRIC_connections, WORKERS);
    let_go(holders, 0, orphans + SOME);
}

static size_t read_head(struct peer *p, char *out, size_t n)
{
    int got = p->tls ? SSL_read(p->tls, out, (int)n - 1) : (int)read(p->fd, out, n - 1);

    assert_true(got > 0);
    out[got] = '\0';
    return (size_t)got;
}

/* Whether HEADERS with 503 are among the first frames; HPACK has no entry for it, so libh2o spells it out. */
static bool says_503(struct peer *p)
{
    char got[16 * 1024];

    for (int i = 0; i < 10; i++) {
        size_t n = read_head(p, got, sizeof got);

        if (memmem(got, n,
                   "\x08\x03"
                   "503",
                   5))
            return true;
    }
    return false;
}

/* Half of them over each. */
static void what_the_queue_does_not_hold_comes_again(void **state)
{
    struct socket_world *b = *state;
    struct peer holders[WORKERS], p = dial_http2(b), peers[QUEUE / 2], late;
    int64_t shed = metric_get(METRIC_jobs_shed);
    char answer[2000];

    hold_workers(b, holders);
    for (int i = 0; i < QUEUE / 2; i++) {
        ask_http2(&p, i);
        peers[i] = ask_http1(b);
    }
    wait_until(METRIC_jobs_queued, QUEUE);
    assert_int_equal(metric_get(METRIC_jobs_shed), shed);
    late = ask_http1(b);
    read_head(&late, answer, sizeof answer);
    assert_memory_equal(answer, "HTTP/1.1 503", 12);
    assert_non_null(strstr(answer, "\r\nretry-after: "));
    ask_http2(&p, QUEUE);
    assert_true(says_503(&p));
    assert_int_equal(metric_get(METRIC_jobs_shed), shed + 2);
    let_go(holders, QUEUE, metric_get(METRIC_jobs_orphaned));
    for (int i = 0; i < QUEUE / 2; i++)
        hang_up(&peers[i]);
    hang_up(&late);
    hang_up(&p);
}

#define WITH(name) \
    cmocka_unit_test_setup_teardown(name, socket_world_set_up, socket_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(http1_connections_that_close_cancel_their_jobs),
        WITH(http2_streams_that_are_reset_cancel_their_jobs),
        WITH(http2_connections_that_close_cancel_their_jobs),
        WITH(what_the_queue_does_not_hold_comes_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
