/* The outbound client, against our own server and one that hangs up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/http/client.h"
#include "tests/lib/socket_world.h"

enum { MANY = 40 };

static atomic_int landed, good, seconds;

static void count(struct client_request *rq)
{
    if (!rq->rc && rq->status == 200)
        good++;
    client_request_done(rq);
    landed++;
}

static void many_outbound_requests_share_a_connection(void **state)
{
    struct socket_world *b = *state;
    struct client_request rq[MANY];
    struct err e = { 0 };
    char url[200];
    int64_t connections;

    landed = good = 0;
    snprintf(url, sizeof url, "%shello", server_urls(b->server).v[0]);
    assert_int_equal(client_start(&e, MANY), RC_OK);
    for (int i = 0; i < MANY; i++) {
        rq[i] = (struct client_request){
            .method = i % 2 ? "POST" : "GET", .url = url, .ca_file = b->ca, .done = count
        };
        if (i % 2) {
            rq[i].body = "x";
            rq[i].body_len = 1;
        }
        assert_true(client_send(&rq[i]));
    }
    connections = 0;
    for (int i = 0; landed < MANY && i < 30000; i++) {
        if (metric_get(METRIC_connections) > connections)
            connections = metric_get(METRIC_connections);
        usleep(1000);
    }
    client_stop();
    assert_int_equal(good, MANY);
    assert_true(connections <= 4);
}

/* A whole request with the body "x", however many pieces it comes in. */
static bool read_request(int fd)
{
    char request[4096] = "";
    size_t n = 0;
    ssize_t got;

    while (!strstr(request, "\r\n\r\nx")) {
        got = read(fd, request + n, sizeof request - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
    }
    return true;
}

/* Answers the first request on each connection and hangs up on the second without a word: a
 * connection that dies in use. */
static void *half_deaf(void *arg)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    int listener = *(int *)arg, fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        if (read_request(fd) && write(fd, ok, sizeof ok - 1) > 0 && read_request(fd))
            seconds++;
        close(fd);
    }
    return NULL;
}

static void send_and_wait(struct client_request *rq)
{
    int before = landed;

    assert_true(client_send(rq));
    while (landed == before)
        usleep(1000);
}

static void keep(struct client_request *rq)
{
    (void)rq;
    landed++;
}

static void a_change_is_never_sent_twice(void **state)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct client_request first, second;
    struct err e = { 0 };
    pthread_t thread;
    char url[64];

    (void)state;
    seconds = 0;
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 8), 0);
    getsockname(listener, (struct sockaddr *)&at, &n);
    pthread_create(&thread, NULL, half_deaf, &listener);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    first = second = (struct client_request){ .method = "POST",
                                              .url = url,
                                              .body = "x",
                                              .body_len = 1,
                                              .timeout_ms = 5000,
                                              .done = keep };
    assert_int_equal(client_start(&e, 10), RC_OK);
    send_and_wait(&first);
    assert_int_equal(first.rc, RC_OK);
    send_and_wait(&second);
    assert_int_equal(second.rc, RC_IO);
    assert_true(second.in_doubt);
    client_stop();
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    assert_int_equal(seconds, 1);
    client_request_done(&first);
    client_request_done(&second);
}

/* ---- somebody in between ---- */

struct between {
    int listener, to;
    atomic_int carried,
        dead; /* connections; those up to this number hear nothing any more, and are not told */
    pthread_t thread, pump[8];
};

struct pair {
    struct between *b;
    int near, far, number;
};

static bool carry(const struct pair *p, int from, int into)
{
    char piece[4096];
    ssize_t n = read(from, piece, sizeof piece);

    return n > 0 && (p->number <= p->b->dead || write(into, piece, (size_t)n) == n);
}

static void *pump(void *arg)
{
    struct pair *p = arg;
    struct pollfd fds[2] = { { .fd = p->near, .events = POLLIN },
                             { .fd = p->far, .events = POLLIN } };
    bool open = true;

    while (open && poll(fds, 2, -1) > 0)
        for (int i = 0; i < 2 && open; i++)
            open = !fds[i].revents || carry(p, fds[i].fd, fds[1 - i].fd);
    close(p->near), close(p->far);
    free(p);
    return NULL;
}

static void *stand_between(void *arg)
{
    struct between *b = arg;
    int fd;

    while (b->carried < 8 && (fd = accept(b->listener, NULL, NULL)) >= 0) {
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)b->to),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct pair *p = malloc(sizeof *p);
        int number = ++b->carried;

        *p = (struct pair){ b, fd, socket(AF_INET, SOCK_STREAM, 0), number };
        connect(p->far, (struct sockaddr *)&to, sizeof to);
        pthread_create(&b->pump[number - 1], NULL, pump, p);
    }
    return NULL;
}

/* The port that leads to the server's. */
static int between_begin(struct between *b, const char *url)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;

    *b = (struct between){ .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                           .to = atoi(strrchr(url, ':') + 1) };
    assert_int_equal(bind(b->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(b->listener, 8), 0);
    getsockname(b->listener, (struct sockaddr *)&at, &n);
    pthread_create(&b->thread, NULL, stand_between, b);
    return ntohs(at.sin_port);
}

static void between_end(struct between *b)
{
    shutdown(b->listener, SHUT_RDWR);
    pthread_join(b->thread, NULL);
    for (int i = 0; i < b->carried; i++)
        pthread_join(b->pump[i], NULL);
    close(b->listener);
}

static void a_connection_that_died_without_a_word_is_not_asked_again(void **state)
{
    struct socket_world *b = *state;
    struct client_request rq[3];
    struct between between;
    struct err e;
    char url[64];

    snprintf(url, sizeof url, "https://127.0.0.1:%d/hello",
             between_begin(&between, server_urls(b->server).v[0]));
    assert_int_equal(client_start(&e, 10), RC_OK);
    for (int i = 0; i < 3; i++) {
        rq[i] = (struct client_request){ .method = "GET",
                                         .url = url,
                                         .ca_file = b->ca,
                                         .timeout_ms = i == 1 ? 2500 : 20000,
                                         .done = keep };
        between.dead = i == 1 ? (int)between.carried : between.dead;
        send_and_wait(&rq[i]);
    }
    assert_int_equal(rq[0].status, 200);
    assert_int_equal(rq[1].rc, RC_IO);
    assert_int_equal(rq[2].status, 200);
    assert_int_equal(between.carried, 2);
    for (int i = 0; i < 3; i++)
        client_request_done(&rq[i]);
    client_stop();
    between_end(&between);
}

static void failures_say_whether_the_request_may_have_arrived(void **state)
{
    struct socket_world *b = *state;
    struct client_request rq = { .method = "GET",
                                 .url = "http://127.0.0.1:1/",
                                 .timeout_ms = 2000 };
    char url[200];

    assert_int_equal(client_call(&rq), RC_IO);
    assert_false(rq.in_doubt);
    client_request_done(&rq);
    snprintf(url, sizeof url, "%slarge", server_urls(b->server).v[0]);
    rq = (struct client_request){
        .method = "GET", .url = url, .ca_file = b->ca, .answer_max = 1000
    };
    assert_int_equal(client_call(&rq), RC_TOO_LARGE);
    assert_true(rq.in_doubt);
    client_request_done(&rq);
    rq = (struct client_request){ .method = "GET", .url = url };
    assert_int_equal(client_call(&rq), RC_IO); /* a certificate that nobody vouches for */
    assert_false(rq.in_doubt);
    client_request_done(&rq);
}

/* ---- what others say of the time ---- */

struct teller {
    pthread_t thread;
    int listener;
    _Atomic int64_t ahead_s; /* of our clock */
    char url[128], host[64];
};

static void *tell_the_time(void *arg)
{
    struct teller *t = arg;
    char answer[128];
    int fd;

    while ((fd = accept(t->listener, NULL, NULL)) >= 0) {
        time_t says = (time_t)(clock_now() + t->ahead_s);
        size_t n = strftime(answer, sizeof answer,
                            "HTTP/1.1 200 OK\r\nDate: %a, %d %b %Y %H:%M:%S GMT\r\n"
                            "Connection: close\r\nContent-Length: 0\r\n\r\n",
                            gmtime(&says));

        if (read_request(fd) && write(fd, answer, n) < 0)
            perror("answer");
        close(fd);
    }
    return NULL;
}

static void teller_init(struct teller *t)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;

    t->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(t->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(t->listener, 8), 0);
    getsockname(t->listener, (struct sockaddr *)&at, &n);
    snprintf(t->host, sizeof t->host, "127.0.0.1:%d", ntohs(at.sin_port));
    snprintf(t->url, sizeof t->url, "http://me:secret@%s/hook?key=secret", t->host);
    pthread_create(&t->thread, NULL, tell_the_time, t);
}

static void teller_done(struct teller *t)
{
    shutdown(t->listener, SHUT_RDWR);
    pthread_join(t->thread, NULL);
    close(t->listener);
}

static void ask_the_time(struct teller *t, int64_t ahead_s)
{
    struct client_request rq = { .method = "POST", .url = t->url, .body = "x", .body_len = 1 };

    t->ahead_s = ahead_s;
    assert_int_equal(client_call(&rq), RC_OK);
    client_request_done(&rq);
}

static void assert_worst_clock(const struct teller *t, int64_t ahead_s)
{
    struct client_clock worst;

    client_clock(clock_now() - 3600, &worst);
    assert_string_equal(worst.host, t->host);
    assert_true(worst.ahead_s >= ahead_s - 60 && worst.ahead_s <= ahead_s + 60);
}

static void whose_clock_is_right_does_not_hide_whose_is_not(void **state)
{
    struct teller wrong = { 0 }, right = { 0 };
    struct client_clock none;

    (void)state;
    teller_init(&wrong);
    teller_init(&right);
    ask_the_time(&wrong, -1000);
    ask_the_time(&right, 0);
    assert_worst_clock(&wrong, -1000); /* by its name: neither its password nor its key */
    ask_the_time(&right, 2000);
    assert_worst_clock(&right, 2000);
    ask_the_time(&right, 0);
    assert_worst_clock(&wrong, -1000);
    ask_the_time(&wrong, 500);
    assert_worst_clock(&wrong, 500);
    client_clock(clock_now() + 3600, &none);
    assert_int_equal(none.at, 0);
    teller_done(&wrong);
    teller_done(&right);
}

static void a_failure_does_not_tell_a_password(void **state)
{
    struct client_request rq = { .method = "GET",
                                 .url = "http://me:secret@127.0.0.1:1/hook?key=secret",
                                 .timeout_ms = 2000 };

    (void)state;
    assert_int_equal(client_call(&rq), RC_IO);
    assert_non_null(strstr(rq.err.text, "GET http://***@127.0.0.1:1/hook?***: "));
    client_request_done(&rq);
}

static void a_stopping_client_tells_everyone(void **state)
{
    struct socket_world *b = *state;
    struct err e = { 0 };
    struct client_request rq;
    char url[200];

    landed = good = 0;
    socket_world_held = 1;
    snprintf(url, sizeof url, "%sslow", server_urls(b->server).v[0]);
    rq =
        (struct client_request){ .method = "GET", .url = url, .ca_file = b->ca, .done = count };
    assert_int_equal(client_start(&e, 1), RC_OK);
    assert_true(client_send(&rq));
    assert_false(client_send(&(struct client_request){ 0 }));
    usleep(50 * 1000);
    client_stop();
    assert_int_equal(landed, 1);
    assert_int_equal(good, 0);
}

#define WITH(name) \
    cmocka_unit_test_setup_teardown(name, socket_world_set_up, socket_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(many_outbound_requests_share_a_connection),
        WITH(a_change_is_never_sent_twice),
        WITH(a_connection_that_died_without_a_word_is_not_asked_again),
        WITH(failures_say_whether_the_request_may_have_arrived),
        cmocka_unit_test(whose_clock_is_right_does_not_hide_whose_is_not),
        cmocka_unit_test(a_failure_does_not_tell_a_password),
        WITH(a_stopping_client_tells_everyone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
