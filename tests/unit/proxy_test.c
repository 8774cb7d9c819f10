/*
 * proxy_test.c - what a proxy says of its client, and what a client says that would like to be another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "server/http/proxy.h"
#include "tests/lib/address.h"

static struct networks parse(const char *a, const char *b)
{
    struct conf_list list = { a ? b ? 2 : 1 : 0, { a, b } };
    struct networks n;
    struct err e = { 0 };

    if (networks_parse(&e, "trusted_proxies", &list, &n))
        fail_msg("%s", e.text);
    return n;
}

static bool have(const struct networks *n, const char *text)
{
    struct sockaddr_storage at = address_of(text);

    return networks_have(n, (struct sockaddr *)&at);
}

static void assert_address(const struct sockaddr_storage *at, const char *text)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)at;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)at;
    char got[INET6_ADDRSTRLEN];

    assert_non_null(inet_ntop(at->ss_family,
                              at->ss_family == AF_INET6 ? (const void *)&six->sin6_addr
                                                        : (const void *)&four->sin_addr,
                              got, sizeof got));
    assert_string_equal(got, text);
}

/* ---- networks ---- */

static void networks_hold_what_they_say(void **state)
{
    struct networks n = parse("10.1.0.0/16", "2001:db8:8000::/33"),
                    one = parse("192.0.2.7", "::1"), all = parse("0.0.0.0/0", NULL),
                    none = parse(NULL, NULL);

    (void)state;
    assert_true(have(&n, "10.1.0.0"));
    assert_true(have(&n, "10.1.255.255"));
    assert_false(have(&n, "10.2.0.0"));
    assert_true(have(&n, "::ffff:10.1.2.3")); /* a socket of both families */
    assert_true(have(&n, "2001:db8:8000::1"));
    assert_false(have(&n, "2001:db8:7fff::1"));
    assert_true(have(&one, "192.0.2.7"));
    assert_true(have(&one, "::1"));
    assert_false(have(&one, "192.0.2.6"));
    assert_true(have(&all, "203.0.113.9"));
    assert_false(have(&all, "2001:db8::1")); /* all of IPv4 is not all */
    assert_false(have(&none, "127.0.0.1"));
}

static void what_is_no_network_is_named(void **state)
{
    static const char *const bad[] = {
        "",          "10.0.0.0/33",    "10.0.0.1/8",  "10.0.0.0/",
        "10.0.0/8",  "10.0.0.0/+8",    "10.0.0.0/8x", "example.cn",
        "::1/129",   "2001:db8::1/32", "[::1]",       "10.0.0.0/-1",
        "1.2.3.4:80"
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct conf_list list = { 1, { bad[i] } };
        struct networks n;
        struct err e = { 0 };

        assert_int_equal(networks_parse(&e, "trusted_proxies", &list, &n), RC_INVALID);
        assert_non_null(strstr(e.text, "trusted_proxies"));
        assert_non_null(strstr(e.text, bad[i]));
    }
}

/* ---- PROXY v2 ---- */

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4        SIGNATURE "\x21\x11\0\x0c\xc0\0\x02\x01\xcb\0\x71\x02\x12\x34\x01\xbb"
#define V6                                                               \
    SIGNATURE "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" \
              "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x12\x34\x01\xbb"

static enum proxy_said say(const char *bytes, size_t n, size_t *used,
                           struct sockaddr_storage *client)
{
    *used = 0;
    return proxy_read((const uint8_t *)bytes, n, used, client);
}

static void a_header_tells_the_client(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        enum proxy_said said;
        const char *client;
    } cases[] = {
        { V4, sizeof V4 - 1, PROXY_CLIENT, "192.0.2.1" },
        { V6, sizeof V6 - 1, PROXY_CLIENT, "2001:db8::1" },
        { SIGNATURE "\x20\0\0\0", 16, PROXY_LOCAL, NULL },
        { SIGNATURE "\x21\x12\0\x0c............", 28, PROXY_LOCAL, NULL }, /* UDP */
        { SIGNATURE "\x21\x31\0\0", 16, PROXY_LOCAL, NULL },               /* a Unix socket */
        { SIGNATURE "\x11\x11\0\x0c............", 28, PROXY_BAD, NULL },   /* version 1 */
        { SIGNATURE "\x22\x11\0\x0c............", 28, PROXY_BAD, NULL },   /* no such command */
        { SIGNATURE "\x21\x11\0\x0b...........", 27, PROXY_BAD, NULL },    /* too short */
        { SIGNATURE "\x21\x21\0\x0c............", 28, PROXY_BAD, NULL },
        { SIGNATURE "\x21\x11\x02\x09", 16, PROXY_BAD, NULL }, /* too long */
        { "GET / HTTP/1.1\r\n", 16, PROXY_NONE, NULL },
        { "\x16\x03\x01", 3, PROXY_NONE, NULL },
        { "PROXY TCP4 1.2.3.4 ", 19, PROXY_NONE, NULL }, /* version 1 is not spoken */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage client;
        size_t used;

        assert_int_equal(say(cases[i].bytes, cases[i].n, &used, &client), cases[i].said);
        if (cases[i].said == PROXY_CLIENT || cases[i].said == PROXY_LOCAL)
            assert_int_equal(used, cases[i].n);
        if (cases[i].client)
            assert_address(&client, cases[i].client);
    }
}

static void a_header_in_pieces_is_waited_for(void **state)
{
    struct sockaddr_storage client;
    size_t used;

    (void)state;
    for (size_t n = 0; n < sizeof V4 - 1; n++)
        assert_int_equal(say(V4, n, &used, &client), PROXY_MORE);
    assert_int_equal(say(V4 "GET", sizeof V4 + 2, &used, &client), PROXY_CLIENT);
    assert_int_equal(used, sizeof V4 - 1);
}

/* What follows the addresses (TLVs) belongs to the header. */
static void what_follows_the_addresses_is_passed_over(void **state)
{
    char bytes[PROXY_HEADER_MAX + 1] = V4;
    struct sockaddr_storage client;
    size_t used;

    (void)state;
    bytes[14] = (PROXY_HEADER_MAX - 16) >> 8;
    bytes[15] = (char)((PROXY_HEADER_MAX - 16) & 0xff);
    assert_int_equal(say(bytes, PROXY_HEADER_MAX - 1, &used, &client), PROXY_MORE);
    assert_int_equal(say(bytes, sizeof bytes, &used, &client), PROXY_CLIENT);
    assert_int_equal(used, PROXY_HEADER_MAX);
    assert_address(&client, "192.0.2.1");
}

/* ---- Forwarded ---- */

static void the_last_who_is_no_proxy_is_the_client(void **state)
{
    static const struct {
        const char *a, *b;  /* fields, in their order */
        const char *client; /* NULL: whoever spoke to us */
    } cases[] = {
        { "for=192.0.2.60", NULL, "192.0.2.60" },
        { "For=192.0.2.60;proto=https;by=10.0.0.1;host=a.cn", NULL, "192.0.2.60" },
        { "proto=https ; for=\"192.0.2.60:4711\"", NULL, "192.0.2.60" },
        { "for=\"[2001:db8::17]:4711\"", NULL, "2001:db8::17" },
        { "for=\"[2001:db8::17]\", for=10.0.0.9", NULL, "2001:db8::17" },
        { "for=192.0.2.1, for=198.51.100.2", NULL, "198.51.100.2" },
        { "for=192.0.2.1", "for=198.51.100.2, for=10.0.0.2", "198.51.100.2" },
        { "for=198.51.100.2", "for=10.0.0.2", "198.51.100.2" },
        /* what a client wrote before does not hide it */
        { "((\"garbage, for=192.0.2.1, for=198.51.100.2", NULL, "198.51.100.2" },
        { "for=\"unended, for=198.51.100.2", NULL, "198.51.100.2" },
        { "for=10.0.0.7, for=198.51.100.2", NULL, "198.51.100.2" },
        { "for=_x", "for=198.51.100.2", "198.51.100.2" },
        { "by=\"a,b\";for=198.51.100.2", NULL, "198.51.100.2" },
        /* a proxy that hides its client, or says nothing of him */
        { "for=192.0.2.1, for=unknown", NULL, NULL },
        { "for=192.0.2.1, for=_hidden", NULL, NULL },
        { "for=192.0.2.1, proto=https", NULL, NULL },
        { "for=192.0.2.1, for=1.2.3.4;for=192.0.2.9", NULL, NULL },
        { "for=10.0.0.7", NULL, NULL },
        { "", NULL, NULL },
        { ",", NULL, NULL },
        { "for=2001:db8::17", NULL, NULL }, /* IPv6 has brackets */
        { "for=\"192.0.2.1:\"", NULL, "192.0.2.1" },
        { "for=192.0.2.1:80", NULL, NULL }, /* a port is quoted */
        { "for=\"[::1", NULL, NULL },
        { "for=\"192.0.2.1\\", NULL, NULL },
    };
    struct networks trusted = parse("10.0.0.0/8", NULL);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *values[] = { cases[i].a, cases[i].b };
        size_t lengths[] = { strlen(cases[i].a), cases[i].b ? strlen(cases[i].b) : 0 };
        struct sockaddr_storage client;
        bool found = forwarded_client(&trusted, values, lengths, cases[i].b ? 2 : 1, &client);

        if (found != (cases[i].client != NULL))
            fail_msg("%s", cases[i].a);
        if (found)
            assert_address(&client, cases[i].client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_hold_what_they_say),
        cmocka_unit_test(what_is_no_network_is_named),
        cmocka_unit_test(a_header_tells_the_client),
        cmocka_unit_test(a_header_in_pieces_is_waited_for),
        cmocka_unit_test(what_follows_the_addresses_is_passed_over),
        cmocka_unit_test(the_last_who_is_no_proxy_is_the_client),
    };

    return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
