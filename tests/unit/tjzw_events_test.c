/*
 * tjzw_events_test.c - server-sent events as a phone reads them, in pieces of any size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/events.h"

struct log {
    char text[4096];
};

static void note(void *ctx, const struct event *e)
{
    struct log *l = ctx;
    size_t n = strlen(l->text);

    assert_int_equal(strlen(e->data), e->n);
    snprintf(l->text + n, sizeof l->text - n, "[%s|%s]", e->type, e->data);
}

static struct events *fresh(void)
{
    return calloc(1, sizeof(struct events));
}

static void the_pieces_do_not_matter(void **state)
{
    static const char stream[] =
        "\xef\xbb\xbfretry: 1500\n\n:\n\nid: main=1.2.3\nevent: head\ndata: {\"a\":1}\n\n"
        "data: x\r\ndata:  y\r\ndata\r\n\r\nevent: none\n\nunknown: z\ndata:w\r\rid\n\nid: 7\n";
    struct events *s = fresh();

    (void)state;
    for (size_t piece = 1; piece < sizeof stream; piece++) {
        struct log l = { "" };

        memset(s, 0, sizeof *s);
        for (size_t at = 0; at < sizeof stream - 1; at += piece)
            assert_true(events_take(
                s, stream + at, sizeof stream - 1 - at < piece ? sizeof stream - 1 - at : piece,
                note, &l));
        assert_string_equal(l.text, "[head|{\"a\":1}][message|x\n y\n][message|w]");
        assert_string_equal(s->id, "7");
        assert_int_equal(s->retry_ms, 1500);
    }
    free(s);
}

static void what_a_cut_stream_left_is_forgotten_but_its_id(void **state)
{
    struct events *s = fresh();
    struct log l = { "" };

    (void)state;
    assert_true(events_take(s, "id: 4\nevent: head\ndata: half", 27, note, &l));
    events_begin(s);
    assert_true(events_take(s, "\n\ndata: whole\n\n", 15, note, &l));
    assert_string_equal(l.text, "[message|whole]");
    assert_string_equal(s->id, "4");
    free(s);
}

static void nonsense_changes_nothing(void **state)
{
    struct events *s = fresh();
    struct log l = { "" };

    (void)state;
    assert_true(
        events_take(s, "id: a\0b\nretry: 1x\nretry: 99999999999\nretry:\n\n", 45, note, &l));
    assert_string_equal(s->id, "");
    assert_int_equal(s->retry_ms, 0);
    assert_string_equal(l.text, "");
    free(s);
}

static void a_line_or_an_event_without_end_closes_the_stream(void **state)
{
    char *line = malloc(2 * EVENT_MAX);
    struct events *s = fresh();
    struct log l = { "" };
    size_t taken = 0;

    (void)state;
    memset(line, 'x', 2 * EVENT_MAX);
    assert_true(events_take(s, line, EVENT_MAX, note, &l));
    assert_false(events_take(s, "x", 1, note, &l));
    events_begin(s);
    memcpy(line, "data: ", 6);
    line[1000] = '\n';
    while (events_take(s, line, 1001, note, &l))
        taken++;
    assert_in_range(taken, EVENT_MAX / 1000 - 2, EVENT_MAX / 990);
    assert_string_equal(l.text, "");
    free(s);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pieces_do_not_matter),
        cmocka_unit_test(what_a_cut_stream_left_is_forgotten_but_its_id),
        cmocka_unit_test(nonsense_changes_nothing),
        cmocka_unit_test(a_line_or_an_event_without_end_closes_the_stream),
    };

    return cmocka_run_group_tests_name("tjzw_events", tests, NULL, NULL);
}
