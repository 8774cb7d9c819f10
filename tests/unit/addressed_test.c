/* addressed_test.c - whom a message is for, by the examples that the server's audiences are held against too (audience_test.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "sync/addressed.h"

static bool is_word(const char *one, const char *word)
{
    char area[ADDRESSED_AREA];

    if (!strcmp(one, word))
        return true;
    if (strncmp(one, "area/", 5) || strncmp(word, "area/", 5) || strlen(one + 5) >= sizeof area)
        return false;
    strcpy(area, one + 5);
    while (addressed_area_around(area))
        if (!strcmp(area, word + 5))
            return true;
    return false;
}

static bool has(void *words, const char *word)
{
    const json_t *one;
    size_t i;

    json_array_foreach((json_t *)words, i,
                       one) if (is_word(json_string_value(one), word)) return true;
    return false;
}

static void each_example_is_told_as_it_says(void **state)
{
    json_t *all = json_load_file(TJZW_ADDRESSED, 0, NULL), *one;
    size_t i;

    (void)state;
    assert_true(json_array_size(all) > 30);
    json_array_foreach(all, i, one)
    {
        const char *text = json_string_value(json_object_get(one, "for"));
        const json_t *holds = json_object_get(one, "holds");
        enum addressed want = !holds                ? ADDRESSED_UNREADABLE
                              : json_is_true(holds) ? ADDRESSED_YES
                                                    : ADDRESSED_NO;

        if (addressed_tell(text, strlen(text), has, json_object_get(one, "words")) != want)
            fail_msg("%zu: %s", i, text);
    }
    json_decref(all);
}

/* Cut anywhere, it is no expression, and nothing is read behind its end. */
static void a_part_of_one_is_none(void **state)
{
    static const char text[] = "{\"and\":[{\"or\":[{\"column\":\"main/12\"},{\"tag\":\"a\"}]},"
                               "{\"not\":{\"area\":\"120101\"}}]}";
    json_t *none = json_array();

    (void)state;
    for (size_t n = 0; n < sizeof text - 1; n++) {
        char *copy = test_malloc(n + 1);

        memcpy(copy, text, n);
        assert_int_equal(addressed_tell(copy, n, has, none), ADDRESSED_UNREADABLE);
        test_free(copy);
    }
    assert_int_equal(addressed_tell(text, sizeof text - 1, has, none), ADDRESSED_NO);
    json_decref(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_example_is_told_as_it_says),
        cmocka_unit_test(a_part_of_one_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
