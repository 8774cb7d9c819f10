/*
 * cbor_test.c - one spelling for each value, and nothing that has two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/id.h"
#include "server/identity/cbor.h"

static uint8_t bytes[1024];

static size_t from_hex(const char *hex)
{
    size_t n = strlen(hex) / 2;

    assert_true(n <= sizeof bytes && hex_parse(hex, 2 * n, bytes, n));
    return n;
}

static bool reads(const char *hex, struct cbor *out)
{
    size_t n = from_hex(hex), used = 0;

    return cbor_read(bytes, n, out, &used) && used == n;
}

/* RFC 8949 appendix A, as far as the values are ours. */
static void numbers_of_the_rfc(void **state)
{
    static const struct {
        const char *hex;
        int64_t value;
    } cases[] = {
        { "00", 0 },
        { "01", 1 },
        { "0a", 10 },
        { "17", 23 },
        { "1818", 24 },
        { "1819", 25 },
        { "1864", 100 },
        { "1903e8", 1000 },
        { "1a000f4240", 1000000 },
        { "1b000000e8d4a51000", 1000000000000 },
        { "1b7fffffffffffffff", INT64_MAX },
        { "20", -1 },
        { "29", -10 },
        { "3863", -100 },
        { "3903e7", -1000 },
        { "390100", -257 },
        { "3b7fffffffffffffff", INT64_MIN },
    };
    struct cbor v;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!reads(cases[i].hex, &v) || v.type != CBOR_INT)
            fail_msg("%s", cases[i].hex);
        assert_int_equal(v.number, cases[i].value);
    }
}

static void texts_and_containers_of_the_rfc(void **state)
{
    struct cbor v, member;

    (void)state;
    assert_true(reads("4401020304", &v) && v.type == CBOR_BYTES && v.n == 4);
    assert_true(reads("40", &v) && v.type == CBOR_BYTES && v.n == 0);
    assert_true(reads("6449455446", &v) && v.type == CBOR_TEXT && !memcmp(v.bytes, "IETF", 4));
    assert_true(reads("63e6b0b4", &v) && v.type == CBOR_TEXT && v.n == 3);
    assert_true(reads("80", &v) && v.type == CBOR_ARRAY && v.number == 0);
    assert_true(reads("8301820203820405", &v) && v.number == 3);
    assert_true(reads("a0", &v) && v.type == CBOR_MAP && v.number == 0);
    assert_true(reads("a201020304", &v) && v.number == 2);
    assert_true(cbor_at(&v, 3, &member) && member.number == 4);
    assert_false(cbor_at(&v, 2, &member));
    assert_true(reads("a26161016162820203", &v));
    assert_true(cbor_at_name(&v, "b", &member) && member.type == CBOR_ARRAY);
    assert_false(cbor_at_name(&v, "c", &member));
    assert_false(cbor_at_name(&member, "a", &v));
    assert_true(reads("f4", &v) && v.type == CBOR_BOOL && !v.number);
    assert_true(reads("f5", &v) && v.type == CBOR_BOOL && v.number);
    assert_true(reads("f6", &v) && v.type == CBOR_NULL);
}

static void what_is_not_canonical_is_refused(void **state)
{
    static const char *const wrong[] = {
        "1817",   /* 23 in two bytes */
        "190018", /* 24 in three */
        "1a00000100",
        "1b0000000000000001",
        "5801ff",             /* a length in two */
        "1bffffffffffffffff", /* beyond 63 bits */
        "3bffffffffffffffff",
        "5f42010243030405ff", /* no length beforehand */
        "7f657374726561646d696e67ff",
        "9fff",
        "bfff",
        "c074323031332d30332d32315432303a30343a30305a", /* tags */
        "d9d9f700",
        "f90000", /* floats */
        "fa47c35000",
        "fb3ff199999999999a",
        "f7", /* undefined */
        "f0",
        "f8ff",
        "f818",
        "ff",
        "1c",
        "1d",
        "1e",
        "1f",
        "fc",
        "a203040102", /* keys not in order */
        "a201020103", /* a key twice */
        "a220010102",
        "a2616202616101",
        "a262616101616202", /* the longer key first */
        "61ff",             /* not UTF-8 */
        "62c080",
        "63eda080",
        "6100",
        "818181818100", /* five levels */
        "a101a101a101a101a10101",
    };
    struct cbor v;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (reads(wrong[i], &v))
            fail_msg("%s", wrong[i]);
    assert_true(reads("8181818100", &v));
}

/* Cut anywhere, and with lengths that are not there. */
static void what_is_cut_is_refused(void **state)
{
    static const char *const wrong[] = { "",
                                         "18",
                                         "19ff",
                                         "1a00ffff",
                                         "4401",
                                         "5a7fffffff",
                                         "5bffffffffffffffff",
                                         "9a7fffffff",
                                         "9bffffffffffffffff",
                                         "ba7fffffff",
                                         "bbffffffffffffffff",
                                         "81",
                                         "a1",
                                         "a101" };
    struct cbor v;
    size_t n, used;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (reads(wrong[i], &v))
            fail_msg("%s", wrong[i]);
    n = from_hex("a3010205430102036161820304");
    assert_true(cbor_read(bytes, n, &v, &used) && used == n);
    for (size_t k = 0; k < n; k++)
        assert_false(cbor_read(bytes, k, &v, &used));
}

static void what_stands_behind_is_left(void **state)
{
    struct cbor v;
    size_t n = from_hex("a10102ff"), used;

    (void)state;
    assert_true(cbor_read(bytes, n, &v, &used));
    assert_int_equal(used, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_the_rfc),
        cmocka_unit_test(texts_and_containers_of_the_rfc),
        cmocka_unit_test(what_is_not_canonical_is_refused),
        cmocka_unit_test(what_is_cut_is_refused),
        cmocka_unit_test(what_stands_behind_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
