/*
 * totp_test.c - the codes of RFC 6238, each good once and for a minute and a half.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/identity/totp.h"

static const uint8_t rfc[] = "12345678901234567890";

/* RFC 6238 appendix B, SHA-1: of the eight digits there the last six. */
static void the_codes_of_the_rfc(void **state)
{
    static const struct {
        int64_t at;
        const char *code;
    } cases[] = {
        { 59, "287082" },         { 1111111109, "081804" }, { 1111111111, "050471" },
        { 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char code[TOTP_DIGITS + 1];
        int64_t step = -1;

        totp_code(rfc, totp_step(cases[i].at), code);
        assert_string_equal(code, cases[i].code);
        assert_true(totp_check(rfc, code, cases[i].at, -1, &step));
        assert_int_equal(step, cases[i].at / 30);
    }
}

/* RFC 4226 appendix D: the counters 0 to 9. */
static void the_codes_of_hotp(void **state)
{
    static const char *const codes[] = { "755224", "287082", "359152", "969429", "338314",
                                         "254676", "287922", "162583", "399871", "520489" };

    (void)state;
    for (int i = 0; i < 10; i++) {
        char code[TOTP_DIGITS + 1];

        totp_code(rfc, i, code);
        assert_string_equal(code, codes[i]);
    }
}

static bool good(int64_t of_step, int64_t now, int64_t last, int64_t *step)
{
    char code[TOTP_DIGITS + 1];

    totp_code(rfc, of_step, code);
    return totp_check(rfc, code, now, last, step);
}

static void a_clock_may_be_one_step_off(void **state)
{
    int64_t now = 1763712015, here = now / 30, step;

    (void)state;
    for (int64_t d = -3; d <= 3; d++) {
        step = -7;
        assert_int_equal(good(here + d, now, -1, &step), d >= -1 && d <= 1);
        assert_int_equal(step, d >= -1 && d <= 1 ? here + d : -7);
    }
}

static void a_code_is_good_once(void **state)
{
    int64_t now = 1763712015, here = now / 30, last = -1;

    (void)state;
    assert_true(good(here, now, last, &last));
    assert_false(good(here, now, last, &last));
    assert_false(good(here - 1, now, last, &last)); /* an older one was passed over for good */
    assert_true(good(here + 1, now, last, &last));
    assert_false(good(here + 1, now + 30, last, &last));
    assert_true(good(here + 2, now + 30, last, &last));
}

static void what_is_no_code_is_refused(void **state)
{
    static const char *const wrong[] = { "",        "28708",   "2870820",
                                         " 287082", "287082 ", "28708a",
                                         "-87082",  "28 082",  "２８７０８２",
                                         "+87082" };
    int64_t step;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(totp_check(rfc, wrong[i], 59, -1, &step));
}

static void an_app_can_read_it(void **state)
{
    struct buf out = BUF_HEAP;
    char text[TOTP_BASE32];

    (void)state;
    totp_base32(rfc, text);
    assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    totp_uri(&out, "天津津南", "li:ming@x&y", rfc);
    assert_string_equal(
        out.p,
        "otpauth://totp/%E5%A4%A9%E6%B4%A5%E6%B4%A5%E5%8D%97%3Ali%3Aming%40x%26y"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=%E5%A4%A9%E6%B4%A5%E6%B4%A5%E5%8D%97"
        "&algorithm=SHA1&digits=6&period=30");
    buf_done(&out);
}

static void secrets_differ(void **state)
{
    uint8_t a[TOTP_SECRET], b[TOTP_SECRET];

    (void)state;
    totp_make(a);
    totp_make(b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_codes_of_the_rfc),
        cmocka_unit_test(the_codes_of_hotp),
        cmocka_unit_test(a_clock_may_be_one_step_off),
        cmocka_unit_test(a_code_is_good_once),
        cmocka_unit_test(what_is_no_code_is_refused),
        cmocka_unit_test(an_app_can_read_it),
        cmocka_unit_test(secrets_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
