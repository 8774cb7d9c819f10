/* What may stand under `listen`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/http/listen.h"

static void urls_are_read(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "https://[::]:8443", "https://localhost:8443/" },
        { "https://0.0.0.0:8443/", "https://localhost:8443/" },
        { "https://[2001:db8::1]:1", "https://[2001:db8::1]:1/" },
        { "https://10.0.0.1:443", "https://10.0.0.1:443/" },
        { "http://127.0.0.1:8080", "http://127.0.0.1:8080/" },
        { "http://127.9.9.9:0", "http://127.9.9.9:0/" },
        { "http://[::1]:80", "http://[::1]:80/" },
        { "http://localhost:80", "http://127.0.0.1:80/" },
    };
    char url[LISTEN_URL];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct endpoint at;
        struct err e = { 0 };

        if (endpoint_parse(&e, cases[i].in, &at))
            fail_msg("%s: %s", cases[i].in, e.text);
        assert_string_equal(endpoint_url(&at, url), cases[i].out);
    }
}

static void others_are_refused_with_their_text(void **state)
{
    static const char *const bad[] = { "",
                                       "8443",
                                       "ftp://127.0.0.1",
                                       "https://",
                                       "https://:8443",
                                       "https://[::1",
                                       "https://::1:80",
                                       "https://example.cn:8443",
                                       "https://127.0.0.1:65536",
                                       "https://127.0.0.1:-1",
                                       "https://127.0.0.1:",
                                       "https://127.0.0.1:80x",
                                       "https://127.0.0.1:80/path",
                                       "https://127.0.0.1 :80",
                                       "https://256.0.0.1:80" };
    static const char *const open[] = { "http://0.0.0.0:80", "http://[::]:80",
                                        "http://10.0.0.1:80", "http://[2001:db8::1]:80" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct endpoint at;
        struct err e = { 0 };

        if (endpoint_parse(&e, bad[i], &at) != RC_INVALID)
            fail_msg("%s", bad[i]);
        assert_non_null(strstr(e.text, bad[i]));
    }
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        struct endpoint at;
        struct err e = { 0 };

        assert_int_equal(endpoint_parse(&e, open[i], &at), RC_INVALID);
        assert_non_null(strstr(e.text, "loopback"));
    }
}

static void what_is_missing_or_too_much_is_said(void **state)
{
    static const struct {
        const char *in, *says;
    } cases[] = {
        { "http://127.0.0.1", "should say its port" },
        { "http://127.0.0.1/", "should say its port" },
        { "https://[::]", "should say its port" },
        { "https://localhost", "should say its port" },
        { "https://127.0.0.1:8443/path", "not on a path or a query" },
        { "https://127.0.0.1/path", "not on a path or a query" },
        { "https://127.0.0.1:8443?x=1", "not on a path or a query" },
        { "https://127.0.0.1?x=1", "not on a path or a query" },
        { "https://127.0.0.1:8443/?x=1", "not on a path or a query" },
        { "https://127.0.0.1:8443#x", "not on a path or a query" },
        { "https://127.0.0.1:x", "a port from 0 to 65535" },
        { "https://127.0.0.1:70000", "a port from 0 to 65535" },
        { "https://", "has no address" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct endpoint at;
        struct err e = { 0 };

        assert_int_equal(endpoint_parse(&e, cases[i].in, &at), RC_INVALID);
        if (!strstr(e.text, cases[i].says))
            fail_msg("%s: %s", cases[i].in, e.text);
    }
}

static void a_port_that_is_taken_is_named(void **state)
{
    struct endpoint at;
    struct err e = { 0 };
    int fds[3], again[1];
    char port[8];

    (void)state;
    assert_int_equal(endpoint_parse(&e, "http://127.0.0.1:0", &at), RC_OK);
    assert_int_equal(endpoint_open(&e, &at, 3, fds), RC_OK);
    assert_int_equal(endpoint_open(&e, &at, 1, again), RC_CONFLICT);
    snprintf(port, sizeof port, "%d",
             ntohs(((struct sockaddr_in *)(void *)&at.addr)->sin_port));
    assert_non_null(strstr(e.text, port));
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static void a_dead_socket_file_is_replaced(void **state)
{
    struct err e = { 0 };
    char dir[] = "/tmp/tjzw-listen-XXXXXX", path[64];
    char too_long[200];
    int fd, again;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/admin.sock", dir);
    assert_int_equal(endpoint_open_unix(&e, path, &fd), RC_OK);
    assert_int_equal(endpoint_open_unix(&e, path, &again), RC_CONFLICT);
    close(fd);
    assert_int_equal(endpoint_open_unix(&e, path, &fd), RC_OK);
    close(fd);
    unlink(path);
    rmdir(dir);
    memset(too_long, 'x', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    assert_int_equal(endpoint_open_unix(&e, too_long, &fd), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read),
        cmocka_unit_test(others_are_refused_with_their_text),
        cmocka_unit_test(what_is_missing_or_too_much_is_said),
        cmocka_unit_test(a_port_that_is_taken_is_named),
        cmocka_unit_test(a_dead_socket_file_is_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
