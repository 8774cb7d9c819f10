/* Tables for a spreadsheet: quotes, commas, Chinese, and no formula that runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/csv.h"
#include "server/base/sketch.h"
#include "server/http/robot.h"

static void a_table_is_what_a_spreadsheet_reads(void **state)
{
    struct buf b = BUF_HEAP;

    (void)state;
    csv_begin(&b);
    csv_text(&b, "标题");
    csv_int(&b, -3);
    csv_end(&b);
    csv_text(&b, "他说“好”,\"好\"\n第二行");
    csv_text(&b, NULL);
    csv_int(&b, 7);
    csv_end(&b);
    assert_string_equal(
        b.p, "\xef\xbb\xbf\"标题\",-3\r\n\"他说“好”,\"\"好\"\"\n第二行\",\"\",7\r\n");
    buf_done(&b);
}

static void a_formula_becomes_a_text(void **state)
{
    static const char *const formulas[] = { "=1+1", "+1", "-1", "@a", "\t=1" };

    (void)state;
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        struct buf b = BUF_HEAP;

        csv_text(&b, formulas[i]);
        assert_int_equal(b.p[1], '\'');
        buf_done(&b);
    }
}

static void a_sketch_never_counts_less_than_is_true(void **state)
{
    struct sketch *s = sketch_new();

    (void)state;
    for (uint64_t round = 0; round < 3; round++)
        for (uint64_t i = 0; i < 1000; i++)
            assert_true(sketch_meet(s, &i, sizeof i) >= round);
    sketch_clear(s);
    assert_int_equal(sketch_meet(s, "a", 1), 0);
    sketch_free(s);
}

static void a_robot_says_that_it_is_one(void **state)
{
    static const struct {
        const char *agent;
        bool robot;
    } cases[] = {
        { "", true },
        { "curl/8.5.0", true },
        { "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
          true },
        { "Mozilla/5.0 (compatible; Googlebot/2.1)", true },
        { "python-requests/2.31", true },
        { "Mozilla/5.0 (Linux; Android 14; HUAWEI) AppleWebKit/537.36 Chrome/120.0 Mobile "
          "Safari/537.36",
          false },
        { "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) MicroMessenger/8.0", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = 0;

        while (cases[i].agent[n])
            n++;
        assert_int_equal(robot_is(cases[i].agent, n), cases[i].robot);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_what_a_spreadsheet_reads),
        cmocka_unit_test(a_formula_becomes_a_text),
        cmocka_unit_test(a_sketch_never_counts_less_than_is_true),
        cmocka_unit_test(a_robot_says_that_it_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
