/*
 * scan_test.c - which answers of a scanner count, and where it may be. Talking to one: tests/flow/letter_scan_test.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/citizen/scan.h"

static enum rc answer(const char *text, enum scan_verdict *out, char name[static SCAN_NAME_MAX])
{
    struct err e;

    *out = SCAN_NONE;
    return scan_answer(&e, text, strlen(text), out, name);
}

static void two_answers_are_verdicts(void **state)
{
    char name[SCAN_NAME_MAX];
    enum scan_verdict v;

    (void)state;
    assert_int_equal(answer("stream: OK", &v, name), RC_OK);
    assert_int_equal(v, SCAN_CLEAN);
    assert_int_equal(answer("stream: Eicar-Signature FOUND", &v, name), RC_OK);
    assert_int_equal(v, SCAN_INFECTED);
    assert_string_equal(name, "Eicar-Signature");
    assert_int_equal(answer("stream: OK FOUND", &v, name), RC_OK); /* in doubt it is infected */
    assert_int_equal(v, SCAN_INFECTED);
}

static void nothing_else_is(void **state)
{
    static const char *const others[] = { "",
                                          "OK",
                                          "stream: ok",
                                          "stream: OK ",
                                          "stream: OK\n",
                                          "stream:  FOUND",
                                          "stream: FOUND",
                                          "xstream: OK",
                                          "/tmp/x: OK",
                                          "INSTREAM size limit exceeded. ERROR",
                                          "stream: Can't allocate memory ERROR" };
    char name[SCAN_NAME_MAX];
    enum scan_verdict v;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(answer(others[i], &v, name), RC_UNPROCESSABLE);
        assert_int_equal(v, SCAN_NONE);
    }
}

static void a_name_holds_nothing_that_means_something_to_others(void **state)
{
    char name[SCAN_NAME_MAX], text[600];
    enum scan_verdict v;

    (void)state;
    assert_int_equal(answer("stream: <b>\"\n\x1b[1m\xe4\xbd\xa0{} FOUND", &v, name), RC_OK);
    assert_string_equal(name, "_b_____1m_____");
    memset(text, 'x', sizeof text);
    memcpy(text, "stream: ", 8);
    memcpy(text + sizeof text - 7, " FOUND", 7);
    assert_int_equal(answer(text, &v, name), RC_OK);
    assert_int_equal(strlen(name), SCAN_NAME_MAX - 1);
}

static void it_is_a_path_or_a_number_and_a_port(void **state)
{
    static const char *const good[] = { "/run/clamav/clamd.ctl", "127.0.0.1:3310",
                                        "[::1]:3310" },
                             *const bad[] = { "",           "clamd.ctl",   "3310",
                                              ":3310",      "::1",         "localhost:3310",
                                              "127.0.0.1:", "127.0.0.1:x", "[::1]" };
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(scan_check(&e, good[i]), RC_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(scan_check(&e, bad[i]), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_answers_are_verdicts),
        cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(a_name_holds_nothing_that_means_something_to_others),
        cmocka_unit_test(it_is_a_path_or_a_number_and_a_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
