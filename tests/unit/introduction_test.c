/* The PROXY header at the beginning of a connection, over the kernel's own TCP: cut anywhere, with anything behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "server/http/introduction.h"
#include "server/http/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4        SIGNATURE "\x21\x11\0\x0c\xc0\0\x02\x01\xcb\0\x71\x02\x12\x34\x01\xbb"
#define HERE      SIGNATURE "\x21\x11\0\x0c\x7f\0\0\x09\x7f\0\0\x01\x12\x34\x01\xbb"
#define HERE6                                                    \
    SIGNATURE "\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01" \
              "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x34\x01\xbb"
#define MAPPED6                                                        \
    SIGNATURE "\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01" \
              "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x34\x01\xbb"
#define NOBODY SIGNATURE "\x20\0\0\0"
#define HELLO  "\x16\x03\x01\x02"
#define N(s)   s, sizeof s - 1

enum { SOON_MS = 2000, NOW_MS = 20 };

struct pair {
    int near, far; /* ours, the proxy's */
};

static struct pair dial(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct pair p = { .far = socket(AF_INET, SOCK_STREAM, 0) };

    assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&at, &len);
    assert_int_equal(connect(p.far, (struct sockaddr *)&at, len), 0);
    setsockopt(p.far, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    p.near = accept(listener, NULL, NULL);
    close(listener);
    return p;
}

static void hang_up(struct pair *p)
{
    close(p->near);
    close(p->far);
}

static bool is_readable(const struct pair *p, int ms)
{
    struct pollfd at = { .fd = p->near, .events = POLLIN };

    return poll(&at, 1, ms) == 1;
}

static void say(const struct pair *p, const char *bytes, size_t n)
{
    assert_int_equal(send(p->far, bytes, n, 0), n);
}

/* When there is something to look at. */
static enum introduced take(const struct pair *p, struct sockaddr_storage *client)
{
    assert_true(is_readable(p, SOON_MS));
    return introduction_take(p->near, client);
}

static void assert_left(const struct pair *p, const char *bytes, size_t n)
{
    char got[256];

    assert_true(n == 0 || is_readable(p, SOON_MS));
    assert_int_equal(recv(p->near, got, sizeof got, MSG_DONTWAIT), n ? (ssize_t)n : -1);
    if (n)
        assert_memory_equal(got, bytes, n);
}

static void the_header_is_taken_and_no_byte_more(void **state)
{
    static const struct {
        const char *header;
        size_t n;
        enum introduced how;
    } cases[] = {
        { N(V4), INTRODUCED_CLIENT },  { N(NOBODY), INTRODUCED_SELF },
        { N(HERE), INTRODUCED_SELF }, /* who sits on the proxy's machine is the proxy */
        { N(HERE6), INTRODUCED_SELF }, { N(MAPPED6), INTRODUCED_SELF },
        { "", 0, INTRODUCED_SELF },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage client;
        struct pair p = dial();
        char all[256];

        memcpy(all, cases[i].header, cases[i].n);
        memcpy(all + cases[i].n, N(HELLO));
        say(&p, all, cases[i].n + sizeof HELLO - 1);
        assert_int_equal(take(&p, &client), cases[i].how);
        if (cases[i].how == INTRODUCED_CLIENT)
            assert_int_equal(((struct sockaddr_in *)&client)->sin_addr.s_addr,
                             inet_addr("192.0.2.1"));
        assert_left(&p, N(HELLO));
        hang_up(&p);
    }
}

/* And between the pieces nobody is woken: that would be a loop that spins. */
static void it_may_come_a_byte_at_a_time(void **state)
{
    struct sockaddr_storage client;
    struct pair p = dial();

    (void)state;
    assert_int_equal(introduction_take(p.near, &client), INTRODUCED_LATER);
    for (size_t i = 0; i < sizeof V4 - 2; i++) {
        say(&p, &V4[i], 1);
        assert_int_equal(take(&p, &client), INTRODUCED_LATER);
        assert_false(is_readable(&p, i % 7 ? 0 : NOW_MS));
    }
    say(&p, &V4[sizeof V4 - 2], 1);
    assert_int_equal(take(&p, &client), INTRODUCED_CLIENT);
    assert_left(&p, "", 0);
    say(&p, "G", 1); /* one byte wakes again */
    assert_left(&p, "G", 1);
    hang_up(&p);
}

static void what_is_none_is_seen_at_its_first_byte(void **state)
{
    struct sockaddr_storage client;
    struct pair p = dial();

    (void)state;
    say(&p, "G", 1);
    assert_int_equal(take(&p, &client), INTRODUCED_SELF);
    assert_left(&p, "G", 1);
    hang_up(&p);
    p = dial();
    say(&p, "\r\n\r\nG", 5); /* begins like one */
    assert_int_equal(take(&p, &client), INTRODUCED_SELF);
    assert_left(&p, "\r\n\r\nG", 5);
    hang_up(&p);
}

static void a_bad_one_ends_it(void **state)
{
    struct sockaddr_storage client;
    struct pair p = dial();

    (void)state;
    say(&p, N(SIGNATURE "\x11\x11\0\x0c............"));
    assert_int_equal(take(&p, &client), INTRODUCED_BADLY);
    hang_up(&p);
}

static void who_hangs_up_in_the_middle_is_gone(void **state)
{
    struct sockaddr_storage client;

    (void)state;
    for (size_t n = 0; n < sizeof V4 - 1; n += 9) {
        struct pair p = dial();

        if (n) {
            say(&p, V4, n);
            assert_int_equal(take(&p, &client), INTRODUCED_LATER);
        }
        shutdown(p.far, SHUT_WR);
        assert_int_equal(take(&p, &client), INTRODUCED_GONE);
        hang_up(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_taken_and_no_byte_more),
        cmocka_unit_test(it_may_come_a_byte_at_a_time),
        cmocka_unit_test(what_is_none_is_seen_at_its_first_byte),
        cmocka_unit_test(a_bad_one_ends_it),
        cmocka_unit_test(who_hangs_up_in_the_middle_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
