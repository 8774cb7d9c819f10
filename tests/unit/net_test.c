/*
 * net_test.c - requests over a link on which they take turns, to a server that says nothing more, and with a body that gets lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sync/net.h"

enum { BODY = 8, IDLE_S = 1 };

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- a server of three paths ---- */

static void rest(unsigned ms)
{
    usleep(ms * 1000);
}

static unsigned taken; /* requests for "/take" */
static char heard[64]; /* the body of the last */

/* "/take": received with its four bytes, and then the connection is gone, without a word. */
static bool is_taken(int fd, const char *question)
{
    const char *body = strstr(question, "\r\n\r\n");

    if (!strstr(question, "/take"))
        return false;
    if (!body || !body[4])
        recv(fd, heard, 4, MSG_WAITALL);
    else
        snprintf(heard, sizeof heard, "%.4s", body + 4);
    taken++;
    return true;
}

/* "/steady": a byte every 400 ms. "/late": nothing for 2 s, then all. "/never": a byte, and no more. "/": all. */
static void answer_one(int fd, const char *question)
{
    dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BODY);
    if (strstr(question, "/steady")) {
        for (int i = 0; i < BODY; i++) {
            dprintf(fd, "x");
            rest(400);
        }
        return;
    }
    if (strstr(question, "/late"))
        rest(2000);
    dprintf(fd, "%s", strstr(question, "/never") ? "x" : "12345678");
}

static void *answer(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char question[2048];
    ssize_t n;

    while ((n = recv(fd, question, sizeof question - 1, 0)) > 0) {
        question[n] = '\0';
        if (is_taken(fd, question))
            break;
        answer_one(fd, question);
    }
    close(fd);
    return NULL;
}

struct place {
    int fd;
    uint16_t port;
    pthread_t thread, answers[4];
    int n;
};

static void *serve(void *arg)
{
    struct place *p = arg;
    int fd;

    while ((fd = accept(p->fd, NULL, NULL)) >= 0)
        pthread_create(&p->answers[p->n++], NULL, answer, (void *)(intptr_t)fd);
    return NULL;
}

static void begin(struct place *p)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;

    *p = (struct place){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
    assert_int_equal(bind(p->fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(p->fd, 8), 0);
    getsockname(p->fd, (struct sockaddr *)&at, &len);
    p->port = ntohs(at.sin_port);
    pthread_create(&p->thread, NULL, serve, p);
}

static void end(struct place *p)
{
    shutdown(p->fd, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    for (int i = 0; i < p->n; i++)
        pthread_join(p->answers[i], NULL);
    close(p->fd);
}

/* ---- asking ---- */

struct asked {
    char url[64];
    int status;
    size_t bytes;
};

static void on_status(void *ctx, int status)
{
    ((struct asked *)ctx)->status = status;
}

static void on_header(void *ctx, const char *name, const char *value)
{
    (void)ctx, (void)name, (void)value;
}

static int on_body(void *ctx, const void *bytes, size_t n)
{
    (void)bytes;
    ((struct asked *)ctx)->bytes += n;
    return 0;
}

static bool go_on(void *ctx)
{
    (void)ctx;
    return false;
}

static void get(struct net *net, const struct place *p, const char *const *paths,
                struct asked *asked, struct net_request *requests, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        asked[i] = (struct asked){ .status = 0 };
        snprintf(asked[i].url, sizeof asked[i].url, "http://127.0.0.1:%u%s", p->port, paths[i]);
        requests[i] = (struct net_request){ .url = asked[i].url,
                                            .on_status = on_status,
                                            .on_header = on_header,
                                            .on_body = on_body,
                                            .ctx = &asked[i] };
    }
    net_get(net, requests, n, go_on, NULL);
}

/* Both at once; how long it took, in ms. One goes before: libcurl waits with a second connection until it knows
 * that the first takes one request at a time. */
static uint64_t ask(struct place *p, struct asked asked[2], struct net_request requests[2],
                    const char *one, const char *two)
{
    struct net *net = net_open("test", now_ms);
    uint64_t from;

    net_configure(net, NULL, 5, IDLE_S);
    get(net, p, (const char *const[]){ "/" }, asked, requests, 1);
    assert_true(requests[0].whole);
    from = now_ms();
    get(net, p, (const char *const[]){ one, two }, asked, requests, 2);
    net_close(net);
    return now_ms() - from;
}

static void who_waits_for_his_turn_is_not_given_up(void **state)
{
    struct net_request requests[2];
    struct asked asked[2];
    struct place p;

    (void)state;
    begin(&p);
    ask(&p, asked, requests, "/steady", "/late");
    for (int i = 0; i < 2; i++) {
        if (!requests[i].whole)
            fail_msg("%s: %s", asked[i].url, requests[i].why);
        assert_int_equal(asked[i].status, 200);
        assert_int_equal(asked[i].bytes, BODY);
    }
    end(&p);
}

static void a_silence_of_all_ends_them(void **state)
{
    struct net_request requests[2];
    struct asked asked[2];
    struct place p;
    uint64_t took;

    (void)state;
    begin(&p);
    took = ask(&p, asked, requests, "/never", "/never");
    for (int i = 0; i < 2; i++) {
        assert_false(requests[i].whole);
        assert_int_equal(asked[i].bytes, 1); /* what came is kept */
        assert_true(*requests[i].why);
    }
    assert_in_range(took, IDLE_S * 1000, 30000);
    end(&p);
}

/* libcurl asks again by itself when a connection that it had used before ends so. */
static void a_body_that_got_lost_is_not_sent_twice(void **state)
{
    struct net_request requests[1];
    struct asked asked[1];
    struct place p;
    struct net *net = net_open("test", now_ms);

    (void)state;
    begin(&p);
    net_configure(net, NULL, 5, IDLE_S);
    get(net, &p, (const char *const[]){ "/" }, asked, requests, 1);
    assert_true(requests[0].whole);
    snprintf(asked[0].url, sizeof asked[0].url, "http://127.0.0.1:%u/take", p.port);
    requests[0] = (struct net_request){ .url = asked[0].url,
                                        .method = "POST",
                                        .body = "once",
                                        .size = 4,
                                        .on_status = on_status,
                                        .on_header = on_header,
                                        .on_body = on_body,
                                        .ctx = &asked[0] };
    net_get(net, requests, 1, go_on, NULL);
    assert_false(requests[0].whole);
    net_close(net);
    end(&p); /* who answered is done: what he wrote can be read */
    assert_int_equal(taken, 1);
    assert_string_equal(heard, "once");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_for_his_turn_is_not_given_up),
        cmocka_unit_test(a_silence_of_all_ends_them),
        cmocka_unit_test(a_body_that_got_lost_is_not_sent_twice),
    };

    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
