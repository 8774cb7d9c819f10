/*
 * name_test.c - what anybody is called can be seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/identity/name.h"

static void a_name_is_what_it_looks_like(void **state)
{
    static const char *const fit[] = {
        "李雷",
        "Li Lei",
        "买买提·依明",
        "José",
        "华为 Mate 60",
        "📱 的手机",
        "👨‍👩‍👧",
        "𠮷野家",
        "x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof fit / sizeof *fit; i++)
        if (!name_is_fit(fit[i]))
            fail_msg("%s is a name", fit[i]);
}

static void what_cannot_be_seen_is_in_none(void **state)
{
    static const struct {
        const char *text, *what;
    } unfit[] = {
        { "", "nothing" },
        { " ", "a space" },
        { "\u3000\u00a0", "wide and hard spaces" },
        { "\u200d", "a joiner alone" },
        { "a\nb", "a line's end" },
        { "a\x7f", "DEL" },
        { "a\xc2\x85"
          "b",
          "a line's end among the C1 controls" },
        { "a\u2028b", "a line separator" },
        { "a\u2029b", "a paragraph separator" },
        { "管理员\u202e员理管", "what turns the writing" },
        { "\u2066"
          "a\u2069",
          "an isolate" },
        { "李\u200b雷", "a space without width" },
        { "\ufeff李雷", "a byte order mark" },
        { "李\u00ad雷", "a soft hyphen" },
        { "\ue000", "a private character" },
        { "\u0378", "no character yet" },
        { "\xff\xfe", "no UTF-8" },
        { "\xed\xa0\x80", "half of a pair" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++)
        if (name_is_fit(unfit[i].text))
            fail_msg("%s is in no name", unfit[i].what);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_what_it_looks_like),
        cmocka_unit_test(what_cannot_be_seen_is_in_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
