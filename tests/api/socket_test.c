/* The loops over real sockets: TLS and HTTP/2, the admin socket, an orderly end, a port that is
 * taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/base/pool.h"
#include "server/http/client.h"
#include "tests/lib/socket_world.h"

/* The answer's body, or what went wrong. */
static struct client_request get(const struct socket_world *b, int which, const char *path)
{
    static char url[200];
    struct client_request rq = {
        .method = "GET", .url = url, .ca_file = b->ca, .timeout_ms = 5000, .answer_max = 4 << 20
    };

    snprintf(url, sizeof url, "%.*s%s", (int)strlen(server_urls(b->server).v[which]) - 1,
             server_urls(b->server).v[which], path);
    if (client_call(&rq))
        fail_msg("%s: %s", url, rq.err.text);
    return rq;
}

static void it_answers_over_tls_plain_and_both_families(void **state)
{
    struct socket_world *b = *state;
    static const struct {
        int which;
        const char *path, *body;
    } cases[] = { { 0, "/hello", "tls" },
                  { 1, "/hello", "public" },
                  { 2, "/hello", "tls" },
                  { 0, "/cached", "public" } };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client_request rq = get(b, cases[i].which, cases[i].path);

        assert_int_equal(rq.status, 200);
        assert_string_equal(rq.body_in.p, cases[i].body);
        client_request_done(&rq);
    }
}

/* What breaks an HTTP/2 connection when it is done wrong: bodies where none may be, and lengths. */
static void http2_gets_no_body_where_none_belongs(void **state)
{
    struct socket_world *b = *state;
    static char body[2000];
    static const struct {
        const char *method, *path;
        size_t body_len;
        int status;
    } cases[] = {
        { "HEAD", "hello", 0, 200 },    { "HEAD", "cached", 0, 200 },
        { "HEAD", "large", 0, 200 },    { "HEAD", "nowhere", 0, 404 },
        { "OPTIONS", "hello", 0, 204 }, { "DELETE", "hello", 0, 405 },
        { "POST", "hello", 1000, 200 }, { "POST", "hello", 1001, 413 },
        { "POST", "hello", 2000, 413 },
    };
    char url[200];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client_request rq = { .method = cases[i].method,
                                     .url = url,
                                     .ca_file = b->ca,
                                     .body = body,
                                     .body_len = cases[i].body_len };

        snprintf(url, sizeof url, "%s%s", server_urls(b->server).v[0], cases[i].path);
        if (client_call(&rq) || rq.status != cases[i].status)
            fail_msg("%s %s: %d %s", cases[i].method, cases[i].path, rq.status, rq.err.text);
        if (!strcmp(cases[i].method, "HEAD"))
            assert_int_equal(rq.body_in.n, 0);
        client_request_done(&rq);
    }
}

static void large_answers_arrive_whole(void **state)
{
    struct socket_world *b = *state;

    for (int i = 0; i < 4; i++) {
        struct client_request rq = get(b, i % 2, "/large");

        assert_int_equal(rq.body_in.n, 3 << 20);
        client_request_done(&rq);
    }
}

static void the_admin_socket_is_for_the_operator_alone(void **state)
{
    struct socket_world *b = *state;
    struct client_request rq = { .method = "GET",
                                 .url = "http://localhost/hello",
                                 .socket = b->admin };
    struct stat st;

    assert_int_equal(client_call(&rq), RC_OK);
    assert_string_equal(rq.body_in.p, "operator");
    client_request_done(&rq);
    assert_int_equal(stat(b->admin, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_second_server_is_refused_where_one_listens(void **state)
{
    struct socket_world *b = *state;
    struct server *second = NULL;
    struct server_conf conf = socket_world_conf(b);
    struct conf_list taken = { 1, { server_urls(b->server).v[0] } };
    struct sockets sockets;
    struct err e = { 0 };

    assert_int_equal(sockets_open(&e, &taken, 1, NULL, &sockets), RC_CONFLICT);
    assert_non_null(strstr(e.text, "is taken"));
    conf.sockets = NULL;
    assert_int_equal(server_open(&e, &conf, &second), RC_CONFLICT);
    assert_non_null(strstr(e.text, b->admin));
    assert_null(second);
}

/* What fails between the two steps of a start must be able to take the first back. */
static void a_server_that_never_ran_can_be_freed(void **state)
{
    struct socket_world *b = *state;
    struct server_conf conf = socket_world_conf(b);
    struct sockets sockets;
    struct server *other;
    struct err e = { 0 };

    for (int i = 0; i < 2; i++) {
        socket_world_open(&sockets);
        conf.sockets = &sockets;
        conf.admin = NULL;
        assert_int_equal(server_open(&e, &conf, &other), RC_OK);
        assert_true(server_urls(other).n > 0);
        assert_true(server_stop(other, 20000));
        server_free(other);
    }
}

static int dial(const struct socket_world *b, int which)
{
    const char *url = server_urls(b->server).v[which];
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static size_t exchange(int fd, const char *request, char *out, size_t n)
{
    ssize_t got;

    say(fd, request);
    got = read(fd, out, n - 1);
    assert_true(got > 0);
    out[got] = '\0';
    return (size_t)got;
}

static void http1_keeps_the_connection_through_empty_answers(void **state)
{
    struct socket_world *b = *state;
    int fd = dial(b, 1);
    char answer[2000], etag[80], request[200];
    const char *p;

    exchange(fd, "GET /cached HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer);
    p = strstr(answer, "etag: ");
    assert_non_null(p);
    snprintf(etag, sizeof etag, "%.*s", (int)strcspn(p + 6, "\r"), p + 6);
    snprintf(request, sizeof request,
             "GET /cached HTTP/1.1\r\nHost: x\r\nIf-None-Match: %s\r\n\r\n", etag);
    for (int i = 0; i < 3; i++) {
        exchange(fd, request, answer, sizeof answer);
        assert_memory_equal(answer, "HTTP/1.1 304", 12);
        exchange(fd, "HEAD /cached HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer);
        assert_memory_equal(answer, "HTTP/1.1 200", 12);
        assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
        exchange(fd, "OPTIONS /cached HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer);
        assert_memory_equal(answer, "HTTP/1.1 204", 12);
    }
    close(fd);
}

static void *stop(void *arg)
{
    struct socket_world *b = arg;

    return server_stop(b->server, 20000) ? b : NULL;
}

enum { CROWD = 160 };

/* A server that may open few files: no more connections may be open than that. */
static int open_poor(void **state)
{
    struct rlimit rich, poor;
    int rc;

    getrlimit(RLIMIT_NOFILE, &rich);
    poor = (struct rlimit){ 300, rich.rlim_max };
    setrlimit(RLIMIT_NOFILE, &poor);
    rc = socket_world_set_up(state);
    rich.rlim_cur = rich.rlim_max;
    setrlimit(RLIMIT_NOFILE, &rich); /* the crowd is in this process too */
    return rc;
}

static void is_served(int fd)
{
    char answer[2000];

    exchange(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer);
    assert_memory_equal(answer, "HTTP/1.1 200", 12);
}

/* Until the gauge or counter says so. */
static void wait_until(enum metric m, int64_t value)
{
    for (int ms = 0; metric_get(m) != value; ms++) {
        if (ms > 20000)
            fail_msg("metric %d is %" PRId64 ", not %" PRId64, (int)m, metric_get(m), value);
        usleep(1000);
    }
}

static int closed_of(struct pollfd *fds, int n)
{
    int closed = 0;

    poll(fds, (nfds_t)n, 0);
    for (int i = 0; i < n; i++)
        closed += fds[i].revents != 0;
    return closed;
}

static void who_comes_above_the_limit_is_closed_at_once(void **state)
{
    struct socket_world *b = *state;
    int64_t shed = metric_get(METRIC_crowd_shed_all), most = 128;
    struct pollfd fds[CROWD];
    int kept = 0;

    for (int i = 0; i < CROWD; i++)
        fds[i] = (struct pollfd){ .fd = dial(b, 1), .events = POLLIN };
    wait_until(METRIC_connections, most);
    wait_until(METRIC_crowd_shed_all, shed + CROWD - most);
    for (int ms = 0; closed_of(fds, CROWD) < CROWD - most && ms < 20000; ms++)
        usleep(1000);
    assert_int_equal(closed_of(fds, CROWD), CROWD - most);
    for (int i = 0; i < CROWD; i++)
        if (fds[i].revents || i % 2) {
            close(fds[i].fd);
        } else {
            is_served(fds[i].fd);
            kept++;
        }
    wait_until(METRIC_connections, kept);
    for (int i = 1; i < CROWD / 2; i += 2) {
        fds[i].fd = dial(b, 1);
        is_served(fds[i].fd);
        close(fds[i].fd);
    }
    for (int i = 0; i < CROWD; i += 2)
        if (!fds[i].revents)
            close(fds[i].fd);
}

/* The next descriptor of this process is none. */
static void who_comes_when_no_descriptor_is_left_waits(void **state)
{
    struct socket_world *b = *state;
    int probe = dup(0);
    struct rlimit rich, poor;

    getrlimit(RLIMIT_NOFILE, &rich);
    poor = (struct rlimit){ (rlim_t)probe + 1, rich.rlim_max };
    close(probe);
    setrlimit(RLIMIT_NOFILE, &poor);
    probe = dial(b, 1);
    usleep(100 * 1000);
    assert_int_equal(metric_get(METRIC_connections), 0);
    setrlimit(RLIMIT_NOFILE, &rich);
    is_served(probe);
    close(probe);
}

static void stopping_closes_idle_connections_and_finishes_the_rest(void **state)
{
    struct socket_world *b = *state;
    int idle = dial(b, 1), busy = dial(b, 1), half = dial(b, 1);
    char answer[2000];
    pthread_t thread;
    void *clean;
    int64_t began;

    socket_world_held = 1;
    exchange(idle, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer);
    say(busy, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    say(half, "GET /slow HT");
    for (int ms = 0; !socket_world_calls && ms < 20000; ms++)
        usleep(1000); /* the busy one is at work */
    began = clock_mono_us();
    pthread_create(&thread, NULL, stop, b);
    assert_int_equal(read(idle, answer, sizeof answer), 0);
    assert_true(clock_mono_us() - began < 15000 * 1000);
    socket_world_held = 0;
    memset(answer, 0, sizeof answer);
    assert_true(read(busy, answer, sizeof answer - 1) > 0);
    assert_memory_equal(answer, "HTTP/1.1 200", 12);
    pthread_join(thread, &clean);
    assert_non_null(clean);
    assert_true(clock_mono_us() - began < 15000 * 1000);
    assert_int_equal(access(b->admin, F_OK), -1);
    close(idle), close(busy), close(half);
    pool_free(b->pool);
    b->pool = NULL;
    server_free(b->server);
    b->server = NULL;
}

static void who_has_just_connected_is_answered_while_it_stops(void **state)
{
    struct socket_world *b = *state;
    int idle = dial(b, 1), fresh = dial(b, 1), half = dial(b, 1);
    char answer[2000];
    pthread_t thread;
    void *clean;

    is_served(idle);
    say(half, "GET /hel");
    wait_until(METRIC_connections, 3);
    usleep(300 * 1000); /* so that its loop has read that */
    pthread_create(&thread, NULL, stop, b);
    assert_int_equal(read(idle, answer, sizeof answer), 0); /* now it is stopping */
    is_served(fresh);
    exchange(half, "lo HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer);
    assert_memory_equal(answer, "HTTP/1.1 200", 12);
    assert_int_equal(read(fresh, answer, sizeof answer), 0);
    pthread_join(thread, &clean);
    assert_non_null(clean);
    close(idle), close(fresh), close(half);
    pool_free(b->pool);
    b->pool = NULL;
    server_free(b->server);
    b->server = NULL;
}

static void the_deadline_cuts_whoever_does_not_read(void **state)
{
    struct socket_world *b = *state;
    int fd = dial(b, 1), small = 4096;
    int64_t began;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 8; i++) /* more than the kernel buffers */
        say(fd, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    usleep(100 * 1000);
    began = clock_mono_us();
    assert_true(server_stop(b->server, 300));
    assert_true(clock_mono_us() - began < 10000 * 1000);
    close(fd);
    pool_free(b->pool);
    b->pool = NULL;
    server_free(b->server);
    b->server = NULL;
}

#define WITH(name) \
    cmocka_unit_test_setup_teardown(name, socket_world_set_up, socket_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(it_answers_over_tls_plain_and_both_families),
        WITH(http2_gets_no_body_where_none_belongs),
        WITH(large_answers_arrive_whole),
        WITH(the_admin_socket_is_for_the_operator_alone),
        WITH(a_second_server_is_refused_where_one_listens),
        WITH(a_server_that_never_ran_can_be_freed),
        WITH(http1_keeps_the_connection_through_empty_answers),
        cmocka_unit_test_setup_teardown(who_comes_when_no_descriptor_is_left_waits,
                                        socket_world_set_up, socket_world_tear_down),
        cmocka_unit_test_setup_teardown(who_comes_above_the_limit_is_closed_at_once, open_poor,
                                        socket_world_tear_down),
        WITH(stopping_closes_idle_connections_and_finishes_the_rest),
        WITH(who_has_just_connected_is_answered_while_it_stops),
        WITH(the_deadline_cuts_whoever_does_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
