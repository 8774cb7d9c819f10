/* vectors_events_test.c - hints, as another language understood docs/protocol/events.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/events.h"
#include "tests/lib/vectors.h"

struct seeing {
    const struct events *stream;
    const json_t *want;
    size_t n;
};

static void same_hint(const json_t *want, const struct event *event)
{
    char path[WIRE_URL_MAX];
    struct hint hint;

    if (json_is_null(want)) {
        assert_false(event_hint(event, &hint));
        return;
    }
    assert_true(event_hint(event, &hint));
    wire_url_print(&hint.twin, path);
    assert_string_equal(path, text(want, "head"));
    assert_string_equal(hint.twin.stream, text(want, "stream"));
    assert_int_equal(hint.twin.seq, number(want, "seq"));
    assert_int_equal(hint.spread, number(want, "spread"));
    assert_int_equal(hint.list, number(want, "list")); /* 0 where it is missing */
}

static void see(void *ctx, const struct event *event)
{
    struct seeing *s = ctx;
    const json_t *want = json_array_get(s->want, s->n++);

    assert_non_null(want);
    assert_string_equal(event->type, text(want, "type"));
    assert_string_equal(event->data, text(want, "data"));
    assert_string_equal(s->stream->id, text(want, "id"));
    same_hint(json_object_get(want, "hint"), event);
}

/* In pieces of this size. */
static void read_body(const json_t *o, size_t piece)
{
    struct events *s = calloc(1, sizeof *s);
    struct seeing seeing = { s, json_object_get(o, "events"), 0 };
    const char *body = text(o, "body");
    size_t n = strlen(body);

    events_begin(s);
    for (size_t at = 0; at < n; at += piece)
        assert_true(events_take(s, body + at, n - at < piece ? n - at : piece, see, &seeing));
    assert_int_equal(seeing.n, json_array_size(seeing.want));
    assert_int_equal(s->retry_ms, number(o, "retry"));
    assert_string_equal(s->id, text(o, "id"));
    free(s);
}

static void streams(void **state)
{
    json_t *all = load("events.json"), *o;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "good"), i, o)
    {
        read_body(o, 1);
        read_body(o, 7);
        read_body(o, 4096);
    }
    json_decref(all);
}

static void hints_to_pass_over(void **state)
{
    json_t *all = load("events.json"), *o;
    struct hint hint;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "hints_to_pass_over"), i, o)
    {
        struct event event = { "head", text(o, "data"), strlen(text(o, "data")) };

        if (event_hint(&event, &hint))
            fail_msg("followed: %s", text(o, "why"));
    }
    json_decref(all);
}

static void long_lines(void **state)
{
    json_t *all = load("events.json"), *o;
    struct events *s = calloc(1, sizeof *s);
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "lines"), i, o)
    {
        size_t n = number(o, "bytes");
        char *line = malloc(n + 1);

        memset(line, ':', n);
        line[n] = '\n';
        events_begin(s);
        assert_int_equal(events_take(s, line, n + 1, see, NULL),
                         json_is_true(json_object_get(o, "taken")));
        free(line);
    }
    free(s);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams),
        cmocka_unit_test(hints_to_pass_over),
        cmocka_unit_test(long_lines),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
