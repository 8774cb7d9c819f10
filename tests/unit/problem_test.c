/* The table of failures and its renderings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/jx.h"
#include "server/http/problem.h"

static const char ID[] = "0190b5a27e1c70008000000000000001";

static void every_kind_has_a_row_of_its_own(void **state)
{
    int n;
    const struct problem *all = problem_all(&n);

    (void)state;
    for (enum rc rc = RC_INVALID; rc <= RC_INTERNAL; rc++)
        assert_int_equal(problem_of(rc)->rc, rc);
    assert_int_equal(problem_of(RC_INVALID)->status, 400);
    for (int i = 0; i < n; i++) {
        assert_ptr_equal(problem_by_slug(all[i].slug), &all[i]);
        assert_true(all[i].status >= 400 && all[i].status < 600);
        assert_true(strlen(all[i].title) && strlen(all[i].english) && strlen(all[i].cause) &&
                    strlen(all[i].fix));
    }
    assert_null(problem_by_slug("no-such"));
}

static void the_json_is_whole(void **state)
{
    struct arena *mem = arena_new();
    struct err e = { 0 };
    struct reply rp = { 0 };
    json_t *object;

    (void)state;
    assert_int_equal(err_field(&e, "/title", "a \"quoted\" title\n"), RC_INVALID);
    problem_reply(mem, problem_of(RC_INVALID), &e, ID, false, &rp);
    assert_int_equal(jx_object(&e, mem, rp.body, rp.len, &object), RC_OK);
    assert_string_equal(jx_text(object, "type"), "/problems/invalid");
    assert_string_equal(jx_text(object, "title"), "请求有误");
    assert_int_equal(jx_int(object, "status", 0), 400);
    assert_string_equal(jx_text(object, "detail"), "a \"quoted\" title\n");
    assert_string_equal(jx_text(object, "instance"),
                        "urn:uuid:0190b5a2-7e1c-7000-8000-000000000001");
    assert_string_equal(jx_text(object, "traceId"), ID);
    assert_string_equal(
        jx_text(json_array_get(json_object_get(object, "errors"), 0), "pointer"), "#/title");
    arena_free(mem);
}

static void inner_reasons_stay_inside(void **state)
{
    struct arena *mem = arena_new();
    struct err e = { .text = "disk /dev/sda1 is broken" };

    (void)state;
    for (enum rc rc = RC_IO; rc <= RC_INTERNAL; rc++) {
        struct reply rp = { 0 };

        problem_reply(mem, problem_of(rc), &e, ID, rc == RC_CORRUPT, &rp);
        assert_null(strstr(rp.body, "sda1"));
    }
    arena_free(mem);
}

static void a_page_escapes_what_it_quotes(void **state)
{
    struct arena *mem = arena_new();
    struct err e = { .text = "<script>" };
    struct reply rp = { 0 };

    (void)state;
    problem_reply(mem, problem_of(RC_NOT_FOUND), &e, ID, true, &rp);
    assert_null(strstr(rp.body, "<script>"));
    assert_non_null(strstr(rp.body, "&lt;script&gt;"));
    assert_non_null(strstr(rp.body, "没有找到"));
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_row_of_its_own),
        cmocka_unit_test(the_json_is_whole),
        cmocka_unit_test(inner_reasons_stay_inside),
        cmocka_unit_test(a_page_escapes_what_it_quotes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
