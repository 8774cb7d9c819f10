/* qr_test.c - what is drawn; that cameras read it shows tests/flow/pages_sign_in_test.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/qr.h"

enum { LINES = 15 }; /* a short text: version 1, and four light squares all around */

/* The three squares in the corners (ISO/IEC 18004 section 6.3.3) begin with a dark row of seven. */
static void the_page_has_squares_in_three_corners(void **state)
{
    struct buf b = BUF_HEAP;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(qr_svg(&e, &b, "tjzw", "首次设置"), RC_OK);
    assert_non_null(strstr(b.p, "viewBox=\"0 0 29 29\""));
    assert_non_null(strstr(b.p, "M4 4h1v1h-1zM5 4h1v1h-1zM6 4h1v1h-1z"));
    assert_non_null(strstr(b.p, "M22 4h1v1h-1zM23 4h1v1h-1zM24 4h1v1h-1z"));
    assert_non_null(strstr(b.p, "M4 24h1v1h-1zM5 24h1v1h-1zM6 24h1v1h-1z"));
    assert_null(strstr(b.p, "M11 4h"));
    assert_non_null(strstr(b.p, "aria-label=\"首次设置\""));
    buf_done(&b);
}

static void a_label_cannot_end_its_quotes(void **state)
{
    struct buf b = BUF_HEAP;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(qr_svg(&e, &b, "tjzw", "\"><script>"), RC_OK);
    assert_null(strstr(b.p, "<script>"));
    buf_done(&b);
}

static void the_terminal_shows_two_rows_a_line(void **state)
{
    struct buf b = BUF_HEAP;
    struct err e = { 0 };
    int lines = 0;

    (void)state;
    assert_int_equal(qr_terminal(&e, &b, "tjzw"), RC_OK);
    for (const char *p = b.p; (p = strchr(p, '\n')); p++)
        lines++;
    assert_int_equal(lines, LINES);
    /* The third line: four light ones, then the corner's first two rows. */
    assert_non_null(strstr(b.p, "\033[30;107m    █▀▀▀▀▀█ "));
    buf_done(&b);
}

static void what_is_too_long_is_said(void **state)
{
    char text[QR_TEXT_MAX + 2];
    struct buf b = BUF_HEAP;
    struct err e = { 0 };

    (void)state;
    memset(text, 'x', sizeof text);
    text[QR_TEXT_MAX + 1] = '\0';
    assert_int_equal(qr_svg(&e, &b, text, ""), RC_INVALID);
    text[QR_TEXT_MAX] = '\0';
    assert_int_equal(qr_svg(&e, &b, text, ""), RC_OK);
    assert_int_equal(qr_terminal(&e, &b, ""), RC_INVALID);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_has_squares_in_three_corners),
        cmocka_unit_test(a_label_cannot_end_its_quotes),
        cmocka_unit_test(the_terminal_shows_two_rows_a_line),
        cmocka_unit_test(what_is_too_long_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
