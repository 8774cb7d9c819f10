/* websub_test.c - how the hub spells what it asks, whom it may ask, how long it rests and grants, and how it signs (RFC 4231). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/arena.h"
#include "server/websub/websub_wire.h"

static void callbacks_have_a_host_and_nothing_hidden(void **state)
{
    static const struct {
        const char *url, *host; /* host NULL: refused */
    } cases[] = {
        { "https://reader.example.cn/hook?key=1", "reader.example.cn" },
        { "HTTP://Reader.Example.CN:8080", "reader.example.cn" },
        { "https://reader.example.cn./x", "reader.example.cn" },
        { "https://[2001:db8::1]:443/x", "2001:db8::1" },
        { "http://h?x", "h" },
        { "ftp://example.cn/", NULL },
        { "example.cn/", NULL },
        { "https://", NULL },
        { "https:///x", NULL },
        { "https://:80/x", NULL },
        { "https://./x", NULL },
        { "https://[::1/x", NULL },
        { "https://a@example.cn/", NULL },
        { "https://example.cn\\@10.0.0.1/", NULL },
        { "https://example.cn/#x", NULL },
        { "https://example.cn/ x", NULL },
        { "https://example.cn/\r\nx: y", NULL },
        { "https://example.cn/中", NULL },
        { "", NULL },
    };
    char host[WEBSUB_HOST_MAX + 1], longest[WEBSUB_CALLBACK_MAX + 2] = "https://example.cn/";
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum rc rc = websub_callback(&e, cases[i].url, host);

        assert_int_equal(rc, cases[i].host ? RC_OK : RC_INVALID);
        if (cases[i].host)
            assert_string_equal(host, cases[i].host);
        else
            assert_string_equal(e.field, "hub.callback");
    }
    memset(longest + strlen(longest), 'x', WEBSUB_CALLBACK_MAX - strlen(longest));
    assert_int_equal(websub_callback(&e, longest, host), RC_OK);
    longest[WEBSUB_CALLBACK_MAX] = 'x';
    assert_int_equal(websub_callback(&e, longest, host), RC_INVALID);
    memset(longest, 'h', 300);
    memcpy(longest, "https://", 8);
    longest[300] = '\0';
    assert_int_equal(websub_callback(&e, longest, host), RC_INVALID);
}

static void rests_double_to_an_hour_less_a_fifth_at_most(void **state)
{
    static const int64_t full[] = { 2000,   4000,   8000,    16000,   32000,   64000,  128000,
                                    256000, 512000, 1024000, 2048000, 3600000, 3600000 };

    (void)state;
    for (unsigned i = 0; i < sizeof full / sizeof *full; i++) {
        assert_int_equal(websub_rest_ms(i + 1, 0), full[i]);
        for (uint32_t chance = 1; chance < 4000000000U; chance = chance * 3 + 7) {
            int64_t rest = websub_rest_ms(i + 1, chance);

            assert_true(rest <= full[i] && rest >= full[i] * 4 / 5);
            if (chance > 1300000000U)
                break;
        }
    }
    assert_int_equal(websub_rest_ms(4000000000U, 0), 3600000);
    assert_int_equal(websub_rest_ms(1, 400), 1600);
}

static void leases_are_ten_days_unless_asked_for(void **state)
{
    (void)state;
    assert_int_equal(websub_lease(0), 864000);
    assert_int_equal(websub_lease(1), 3600);
    assert_int_equal(websub_lease(86400), 86400);
    assert_int_equal(websub_lease(9999999999), 30 * 86400);
}

static const char *asked(struct arena *mem, const struct websub_question *q)
{
    struct buf b = BUF_IN(mem);

    websub_question(&b, q);
    return b.p;
}

static void questions_keep_the_query_of_the_callback(void **state)
{
    struct arena *mem = arena_new();
    struct websub_question q = { .callback = "https://a.cn/x",
                                 .mode = "subscribe",
                                 .topic = "https://b.cn/feeds/themes/%E5.atom",
                                 .challenge = "c0",
                                 .lease = 3600 };

    (void)state;
    assert_string_equal(asked(mem, &q),
                        "https://a.cn/x?hub.mode=subscribe&hub.topic=https%3A%2F%2Fb.cn%2Ffeeds"
                        "%2Fthemes%2F%25E5.atom&hub.challenge=c0&hub.lease_seconds=3600");
    q = (struct websub_question){
        .callback = "https://a.cn/x?k=1&l", .mode = "denied", .topic = "t", .reason = "a b"
    };
    assert_string_equal(asked(mem, &q),
                        "https://a.cn/x?k=1&l&hub.mode=denied&hub.topic=t&hub.reason=a%20b");
    q.callback = "https://a.cn/x?";
    assert_string_equal(asked(mem, &q),
                        "https://a.cn/x?hub.mode=denied&hub.topic=t&hub.reason=a%20b");
    arena_free(mem);
}

static void signatures_are_those_of_rfc_4231(void **state)
{
    struct buf b = BUF_HEAP;
    char key[131];

    (void)state;
    websub_sign(&b, "Jefe", 4, "what do ya want for nothing?", 28);
    assert_string_equal(
        b.p, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    buf_done(&b);
    memset(key, 0xaa, sizeof key); /* longer than a block */
    b = BUF_HEAP;
    websub_sign(&b, key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First",
                54);
    assert_string_equal(
        b.p, "sha256=60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callbacks_have_a_host_and_nothing_hidden),
        cmocka_unit_test(rests_double_to_an_hour_less_a_fifth_at_most),
        cmocka_unit_test(leases_are_ten_days_unless_asked_for),
        cmocka_unit_test(questions_keep_the_query_of_the_callback),
        cmocka_unit_test(signatures_are_those_of_rfc_4231),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
