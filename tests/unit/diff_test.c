/* What an editor is shown of two revisions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "server/base/jx.h"
#include "server/library/diff.h"

static struct content content(struct arena *mem, const char *body, const char *more)
{
    struct buf b = BUF_IN(mem);
    struct content c;
    struct err e;

    buf_addc(&b, '{');
    jx_put_text(&b, "body", body);
    buf_adds(&b, ",\"kind\":\"article\"");
    buf_adds(&b, more);
    buf_addc(&b, '}');
    if (content_parse(&e, mem, b.p, b.n, &c))
        fail_msg("%s: %s", e.text, b.p);
    return c;
}

static const char *compared(struct arena *mem, const char *before, const char *after)
{
    struct content a = content(mem, before, ",\"title\":\"题\""),
                   b = content(mem, after, ",\"title\":\"题\"");
    struct buf out = BUF_IN(mem);

    buf_addc(&out, '{');
    diff_json(&a, &b, &out);
    buf_addc(&out, '}');
    return out.p;
}

static void only_the_sentence_that_changed_is_shown_with_its_neighbours(void **unused)
{
    struct arena *mem = arena_new();

    (void)unused;
    assert_string_equal(
        compared(mem, "一。二。三。四。五。六。七。", "一。二。三。四。五改。六。七。"),
        "{\"fields\":[{\"field\":\"body\",\"label\":\"正文\",\"text\":["
        "{\"op\":\"skipped\",\"sentences\":3},{\"op\":\"same\",\"text\":\"四。\"},"
        "{\"op\":\"removed\",\"text\":\"五。\"},{\"op\":\"added\",\"text\":\"五改。\"},"
        "{\"op\":\"same\",\"text\":\"六。七。\"}]}]}");
    assert_string_equal(compared(mem, "一。二。", "一。二。"), "{\"fields\":[]}");
    arena_free(mem);
}

static void fields_say_what_they_were(void **unused)
{
    struct arena *mem = arena_new();
    struct content a = content(mem, "字", ",\"title\":\"旧\",\"keywords\":[\"甲\"]"),
                   b = content(mem, "字", ",\"title\":\"新\",\"contentSource\":\"某局\"");
    struct buf out = BUF_IN(mem);

    (void)unused;
    buf_addc(&out, '{');
    diff_json(&a, &b, &out);
    buf_addc(&out, '}');
    assert_non_null(strstr(out.p, "\"after\":\"新\",\"before\":\"旧\",\"field\":\"title\""));
    assert_non_null(strstr(out.p, "{\"after\":\"某局\",\"field\":\"contentSource\""));
    assert_non_null(strstr(out.p, "{\"before\":[\"甲\"],\"field\":\"keywords\""));
    assert_null(strstr(out.p, "\"body\""));
    arena_free(mem);
}

/* Of any two texts: what stayed and what went is the first, what stayed and what came is the second. */
static void check_runs(struct arena *mem, const char *before, const char *after)
{
    const char *text = compared(mem, before, after);
    struct buf a = BUF_IN(mem), b = BUF_IN(mem);
    const json_t *runs, *run;
    struct err e;
    json_t *top;
    size_t i;
    bool skipped = false;

    assert_int_equal(jx_object(&e, mem, text, strlen(text), &top), RC_OK);
    if (!strcmp(before, after)) {
        assert_int_equal(json_array_size(json_object_get(top, "fields")), 0);
        return;
    }
    runs = json_object_get(json_array_get(json_object_get(top, "fields"), 0), "text");
    json_array_foreach(runs, i, run)
    {
        const char *op = jx_text(run, "op"), *said = jx_text(run, "text");

        skipped |= !strcmp(op, "skipped");
        if (said && strcmp(op, "added") != 0)
            buf_adds(&a, said);
        if (said && strcmp(op, "removed") != 0)
            buf_adds(&b, said);
    }
    if (skipped)
        return;
    buf_addc(&a, '\0');
    buf_addc(&b, '\0');
    assert_string_equal(a.p, before);
    assert_string_equal(b.p, after);
}

static void any_two_texts_are_told_whole(void **unused)
{
    static const char *const parts[] = { "甲。", "乙！", "丙\n", "丁", "戊”。" };
    struct arena *mem = arena_new();

    (void)unused;
    srand(1);
    for (int round = 0; round < 3000; round++) {
        struct buf a = BUF_IN(mem), b = BUF_IN(mem);

        buf_adds(&a, "始");
        buf_adds(&b, "始");
        for (int i = rand() % 7; i-- > 0;)
            buf_adds(&a, parts[rand() % 5]);
        for (int i = rand() % 7; i-- > 0;)
            buf_adds(&b, parts[rand() % 5]);
        check_runs(mem, a.p, b.p);
    }
    arena_free(mem);
}

static void a_long_text_is_compared_in_bounded_room(void **unused)
{
    struct arena *mem = arena_new();
    struct buf a = BUF_IN(mem), b = BUF_IN(mem);

    (void)unused;
    for (int i = 0; i < 20000; i++) {
        buf_printf(&a, "a%d\n", i);
        buf_printf(&b, "b%d\n", i);
    }
    assert_non_null(strstr(compared(mem, a.p, b.p), "\"op\":\"removed\""));
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_sentence_that_changed_is_shown_with_its_neighbours),
        cmocka_unit_test(fields_say_what_they_were),
        cmocka_unit_test(any_two_texts_are_told_whole),
        cmocka_unit_test(a_long_text_is_compared_in_bounded_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
