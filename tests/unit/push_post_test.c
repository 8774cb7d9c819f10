/* push_post_test.c - requests that go nowhere: each ends, says that it never left, and closing waits for nobody. Real answers: tests/flow/push_vendors_test.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "push/post.h"
#include "server/base/clock.h"

enum { RIDES = 20 };

static struct post_ride rides[RIDES];
static struct vendor_request asked;
static char url[64];
static int landed;

static void on_landed(struct post_ride *r)
{
    (void)r;
    __atomic_add_fetch(&landed, 1, __ATOMIC_SEQ_CST);
}

static struct post *opened(int queue_max)
{
    struct post_conf c = {
        .name = "post", .ca = "", .queue_max = queue_max, .flying_max = 5, .host_connections = 2
    };
    struct post *p = NULL;
    struct err e;

    assert_int_equal(post_open(&e, &c, &p), RC_OK);
    return p;
}

static int listening(int *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 50), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void ask(const char *to)
{
    landed = 0;
    snprintf(url, sizeof url, "%s", to);
    asked = (struct vendor_request){ .method = "POST", .url = url, .body = "{}", .body_n = 2 };
    for (int i = 0; i < RIDES; i++)
        rides[i] = (struct post_ride){ .rq = &asked, .done = on_landed };
}

static void wait_for_all(void)
{
    for (int i = 0; i < 2000 && __atomic_load_n(&landed, __ATOMIC_SEQ_CST) < RIDES; i++)
        usleep(5000);
    assert_int_equal(landed, RIDES);
}

static void all_never_left(void)
{
    for (int i = 0; i < RIDES; i++) {
        assert_int_equal(rides[i].answer.fate, VENDOR_UNSENT);
        assert_int_equal(rides[i].answer.status, 0);
        assert_string_equal(rides[i].answer.body, "");
        assert_true(*rides[i].why);
        post_ride_done(&rides[i]);
    }
}

static void ask_in_vain(const char *to, bool public_only)
{
    struct post *p = opened(RIDES);

    ask(to);
    asked.public_only = public_only;
    for (int i = 0; i < RIDES; i++)
        assert_true(post_send(p, &rides[i]));
    wait_for_all();
    all_never_left();
    assert_int_equal(post_room(p), RIDES);
    post_close(p);
}

static void where_nobody_listens_nothing_was_sent(void **state)
{
    int port;

    (void)state;
    close(listening(&port));
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", port);
    ask_in_vain(url, false);
}

static void plain_http_is_not_spoken(void **state)
{
    (void)state;
    ask_in_vain("http://127.0.0.1:1/", false);
    ask_in_vain("file:///etc/passwd", false);
}

/* Somebody does listen there, and is not called. */
static void what_a_browser_named_leads_not_to_us(void **state)
{
    int port, fd = listening(&port);
    struct timeval soon = { .tv_usec = 1000 };
    char to[64];

    (void)state;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    snprintf(to, sizeof to, "https://127.0.0.1:%d/", port);
    ask_in_vain(to, true);
    snprintf(to, sizeof to, "https://localhost:%d/", port);
    ask_in_vain(to, true);
    assert_int_equal(accept(fd, NULL, NULL), -1);
    close(fd);
}

/* A server that takes connections and says nothing. */
static void closing_waits_for_nobody(void **state)
{
    int port, fd = listening(&port);
    struct post *p = opened(RIDES);
    char to[64];
    int64_t began;

    (void)state;
    snprintf(to, sizeof to, "https://127.0.0.1:%d/", port);
    ask(to);
    for (int i = 0; i < RIDES; i++)
        assert_true(post_send(p, &rides[i]));
    usleep(100 * 1000);
    began = clock_mono_us();
    post_close(p);
    assert_true(clock_mono_us() - began < 1000 * 1000);
    assert_int_equal(landed, RIDES);
    all_never_left();
    close(fd);
}

static void a_full_queue_says_so(void **state)
{
    int port, fd = listening(&port);
    struct post *p = opened(7);
    char to[64];
    int taken = 0;

    (void)state;
    snprintf(to, sizeof to, "https://127.0.0.1:%d/", port);
    ask(to);
    for (int i = 0; i < RIDES; i++)
        taken += post_send(p, &rides[i]);
    assert_int_equal(taken, 7);
    assert_int_equal(post_room(p), 0);
    post_close(p);
    assert_int_equal(landed, 7);
    for (int i = 0; i < RIDES; i++)
        post_ride_done(&rides[i]);
    close(fd);
}

static void a_ride_that_takes_too_long_ends(void **state)
{
    int port, fd = listening(&port);
    struct post *p = opened(RIDES);
    char to[64];

    (void)state;
    snprintf(to, sizeof to, "https://127.0.0.1:%d/", port);
    ask(to);
    for (int i = 0; i < RIDES; i++) {
        rides[i].timeout_ms = 50;
        assert_true(post_send(p, &rides[i]));
    }
    wait_for_all();
    all_never_left();
    post_close(p);
    close(fd);
}

static void wait_for_some(int n)
{
    for (int i = 0; i < 200 && __atomic_load_n(&landed, __ATOMIC_SEQ_CST) < n; i++)
        usleep(5000);
}

/* Every second one, in the queue and in the air; red before: each waited for its turn, and left. */
static void what_nobody_wants_any_more_does_not_leave(void **state)
{
    int port, fd = listening(&port);
    struct post *p = opened(RIDES);
    atomic_bool unwanted = false;
    char to[64];

    (void)state;
    snprintf(to, sizeof to, "https://127.0.0.1:%d/", port);
    ask(to);
    for (int i = 0; i < RIDES; i++) {
        rides[i].unwanted = i % 2 ? &unwanted : NULL;
        assert_true(post_send(p, &rides[i]));
    }
    usleep(100 * 1000);
    post_stir(p);
    usleep(100 * 1000);
    assert_int_equal(landed, 0);
    atomic_store(&unwanted, true);
    post_stir(p);
    wait_for_some(RIDES / 2);
    assert_int_equal(landed, RIDES / 2);
    assert_int_equal(post_room(p), RIDES / 2);
    for (int i = 0; i < RIDES; i++)
        assert_int_equal(rides[i].dropped, i % 2);
    post_close(p);
    assert_int_equal(landed, RIDES);
    all_never_left();
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_nobody_listens_nothing_was_sent),
        cmocka_unit_test(plain_http_is_not_spoken),
        cmocka_unit_test(what_a_browser_named_leads_not_to_us),
        cmocka_unit_test(closing_waits_for_nobody),
        cmocka_unit_test(a_full_queue_says_so),
        cmocka_unit_test(a_ride_that_takes_too_long_ends),
        cmocka_unit_test(what_nobody_wants_any_more_does_not_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
