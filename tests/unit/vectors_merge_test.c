/* vectors_merge_test.c - the rules of a citizen's own state do what another language wrote down of them: tests/vectors/merge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sync/state.h"

static json_t *vectors;

static int load(void **state)
{
    json_error_t why;

    (void)state;
    vectors = json_load_file(TJZW_VECTORS "/merge.json", 0, &why);
    return vectors ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    json_decref(vectors);
    return 0;
}

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

/* Canonical JSON; NULL for null. The caller frees it. */
static char *canonical(const json_t *value)
{
    return json_is_null(value)
               ? NULL
               : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
}

static const struct state_type *type_of(const json_t *row)
{
    const struct state_type *t = state_type_find(text_of(row, "type"));

    assert_non_null(t);
    return t;
}

static void what_is_written_over_another_stands_as_written_there(void **state)
{
    json_t *rows = json_object_get(vectors, "merge"), *row;
    size_t i;

    (void)state;
    assert_true(json_array_size(rows) > 50);
    json_array_foreach(rows, i, row)
    {
        char *held = canonical(json_object_get(row, "held")),
             *written = canonical(json_object_get(row, "written")),
             *stands = canonical(json_object_get(row, "stands")), out[MERGE_MAX];
        const char *got = merge_value(type_of(row)->rule, held, written, out);

        if (!got != !stands || (got && strcmp(got, stands) != 0))
            fail_msg("%zu: %s, not %s", i, got ? got : "nothing", stands ? stands : "nothing");
        free(held);
        free(written);
        free(stands);
    }
}

static void keys_are_good_or_not(void **state)
{
    json_t *rows = json_object_get(vectors, "key"), *row;
    size_t i;

    (void)state;
    json_array_foreach(rows, i, row) if (state_key_ok(type_of(row), text_of(row, "key")) !=
                                         json_is_true(json_object_get(row, "good")))
        fail_msg("%s %s", text_of(row, "type"), text_of(row, "key"));
}

static void values_are_good_or_not(void **state)
{
    json_t *rows = json_object_get(vectors, "value"), *row;
    size_t i;

    (void)state;
    json_array_foreach(rows, i, row)
    {
        char *value = canonical(json_object_get(row, "value"));

        if (state_value_ok(type_of(row), text_of(row, "key"), value) !=
            json_is_true(json_object_get(row, "good")))
            fail_msg("%s %s %s", text_of(row, "type"), text_of(row, "key"), value);
        free(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_over_another_stands_as_written_there),
        cmocka_unit_test(keys_are_good_or_not),
        cmocka_unit_test(values_are_good_or_not),
    };

    return cmocka_run_group_tests_name("merge vectors", tests, load, unload);
}
