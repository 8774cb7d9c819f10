/* Targets, the tree of routes, and parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/http/params.h"
#include "server/http/router.h"

static enum rc nothing(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w, (void)rq, (void)rp;
    return RC_OK;
}

#define ROUTE(method, path, params)                                                  \
    {                                                                                \
        method, path, RIGHT_READ, ON_LOOP, 0, params, 0, nothing, NULL, "", "", NULL \
    }

static const struct param id[] = { { "id", P_ID, 0, 0, "" }, { 0 } };
static const struct param any[] = { { "id", P_TEXT, 1, 40, "" }, { 0 } };
static const struct param two[] = { { "stream", P_TEXT, 1, 40, "" },
                                    { "range", P_TEXT, 1, 40, "" },
                                    { 0 } };
static const struct param all[] = { { "hash", P_HASH, 0, 0, "" },
                                    { "n", P_INT, -5, 500, "" },
                                    { "q", P_TEXT, 0, 9, "" },
                                    { "id", P_ID, 0, 0, "" },
                                    { "all", P_BOOL, 0, 0, "" },
                                    { "big", P_INT, 0, INT64_MAX, "" },
                                    { 0 } };

static const struct route table[] = {
    ROUTE(GET, "/", NULL),
    ROUTE(GET, "/v1/items", NULL),
    ROUTE(POST, "/v1/items", NULL),
    ROUTE(GET, "/v1/items/:id", id),
    ROUTE(GET, "/v1/items/new", NULL),
    ROUTE(GET, "/v1/items/:id/revisions", any),
    ROUTE(GET, "/v1/items/new/form", NULL),
    ROUTE(DELETE, "/v1/items/:id", id),
    ROUTE(GET, "/v1/sync/:stream/log/:range", two),
    ROUTE(GET, "/v1/blobs/:hash", all),
    { 0 },
};

static int open_table(void **state)
{
    *state = arena_new();
    routes_set(table);
    return 0;
}

static int close_table(void **state)
{
    arena_free(*state);
    return 0;
}

static const char *path_of(struct arena *mem, enum method m, const char *raw, unsigned *methods)
{
    struct err e = { 0 };
    struct target t;
    struct match match;

    if (target_parse(&e, mem, raw, strlen(raw), &t))
        return "refused";
    match = router_find(&t, m);
    *methods = match.methods;
    return match.route ? match.route->path : "";
}

static void a_path_finds_its_row(void **state)
{
    static const struct {
        enum method method;
        const char *raw, *path;
    } cases[] = {
        { GET, "/", "/" },
        { GET, "/?x=1", "/" },
        { GET, "/v1/items", "/v1/items" },
        { HEAD, "/v1/items?n=5", "/v1/items" },
        { POST, "/v1/items", "/v1/items" },
        { GET, "/v1/items/new", "/v1/items/new" },
        { GET, "/v1/items/older", "/v1/items/:id" },
        { GET, "/v1/items/new/form", "/v1/items/new/form" },
        { GET, "/v1/items/new/revisions",
          "/v1/items/:id/revisions" }, /* back from the literal */
        { GET, "/v1/sync/main/log/1-2", "/v1/sync/:stream/log/:range" },
        { GET, "/v1", "" },
        { GET, "/v1/items/", "" },
        { GET, "//v1/items", "" },
        { GET, "/v1//items", "" },
        { GET, "/V1/items", "" },
        { PUT, "/v1/items", "" },
        { GET, "/v1/items/a/b", "" },
        { GET, "/a/b/c/d/e/f/g/h/i/j/k/l", "" },
        { GET, "/a/b/c/d/e/f/g/h/i/j/k/l/m", "refused" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned methods;

        if (strcmp(path_of(*state, cases[i].method, cases[i].raw, &methods), cases[i].path))
            fail_msg("%s", cases[i].raw);
    }
}

static void the_methods_of_a_path_are_known(void **state)
{
    unsigned methods = 0;

    path_of(*state, PUT, "/v1/items", &methods);
    assert_string_equal(router_allow(*state, methods), "GET, HEAD, POST, OPTIONS");
    path_of(*state, PUT, "/v1/items/x", &methods);
    assert_string_equal(router_allow(*state, methods), "GET, HEAD, DELETE, OPTIONS");
    path_of(*state, GET, "/nowhere", &methods);
    assert_int_equal(methods, 0);
}

static void tricks_in_a_path_are_refused(void **state)
{
    static const char *const bad[] = { "",
                                       "v1",
                                       "http://x/v1",
                                       "*",
                                       "/..",
                                       "/a/../b",
                                       "/%2e%2E",
                                       "/.",
                                       "/a/%2e",
                                       "/%",
                                       "/%1",
                                       "/%g0",
                                       "/a%2Fb",
                                       "/a%00b",
                                       "/a%0ab",
                                       "/%ff",
                                       "/%c0%af",
                                       "/%ed%a0%80",
                                       "/%f4%90%80%80",
                                       "/%e5%a4",
                                       "/a\x7f",
                                       "/a\tb",
                                       "/%C1%81",
                                       "/%f8%88%80%80%80",
                                       "/v1/%69tems",
                                       "/v1/%6Eew",
                                       "/v1/items/%30",
                                       "/v1/items/a%2d1",
                                       "/v1/items/%7E%5f",
                                       "/v1/items?",
                                       "/?" };
    unsigned methods;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (strcmp(path_of(*state, GET, bad[i], &methods), "refused"))
            fail_msg("%s", bad[i]);
}

static void a_target_is_decoded_once(void **state)
{
    struct err e = { 0 };
    struct target t;
    const char *raw = "/%2525/%E5%A4%A9%E6%B4%A5+x/...?a=%25";

    assert_int_equal(target_parse(&e, *state, raw, strlen(raw), &t), RC_OK);
    assert_string_equal(t.path, "/%25/天津+x/...");
    assert_int_equal(t.nsegments, 3);
    assert_int_equal(t.query.n, 5);
}

/* The first error's field, or "" if all is well. */
static const char *check(struct arena *mem, const char *query, struct request *rq)
{
    struct err *e = arena_zalloc(mem, sizeof *e);
    struct target t;
    char *raw = arena_printf(mem, "/v1/blobs/%064d%s%s", 7, *query ? "?" : "", query);

    assert_int_equal(target_parse(e, mem, raw, strlen(raw), &t), RC_OK);
    *rq = (struct request){ 0 };
    if (!params_fill(e, mem, router_find(&t, GET).route, &t, rq))
        return "";
    assert_int_equal(e->rc, RC_INVALID);
    return e->field[0] ? e->field : "no field";
}

static void parameters_reach_the_handler(void **state)
{
    struct request rq;

    assert_string_equal(check(*state,
                              "n=-5&q=%E5%A4%A9+x&all=1&id=0190b5a2-7e1c-7000-8000-"
                              "000000000001&big=999999999999999999",
                              &rq),
                        "");
    assert_int_equal(request_int(&rq, "n", 9), -5);
    assert_string_equal(request_text(&rq, "q", ""), "天 x");
    assert_int_equal(request_int(&rq, "all", 0), 1);
    assert_int_equal(request_int(&rq, "big", 0), 999999999999999999);
    assert_int_equal(request_arg(&rq, "id")->id.b[15], 1);
    assert_int_equal(request_arg(&rq, "hash")->hash[31], 7);
    assert_string_equal(check(*state, "", &rq), "");
    assert_int_equal(request_int(&rq, "n", 9), 9);
    assert_false(request_arg(&rq, "q")->set);
    assert_string_equal(check(*state, "q", &rq), "");
    assert_true(request_arg(&rq, "q")->set);
}

static void bad_parameters_are_named(void **state)
{
    static const struct {
        const char *query, *field;
    } cases[] = {
        { "n=501", "n" },        { "n=-6", "n" },
        { "n=", "n" },           { "n=+1", "n" },
        { "n=1x", "n" },         { "n=01", "n" },
        { "n=-0", "n" },         { "n=1&n=1", "n" },
        { "n=1%00", "n" },       { "big=9999999999999999999", "big" },
        { "all=2", "all" },      { "all=true", "all" },
        { "id=0", "id" },        { "id=0190B5A2-7E1C-7000-8000-000000000001", "id" },
        { "q=0123456789", "q" }, { "hash=1", "?hash" }, /* in the path there is one */
        { "x=1", "?x" },         { "%6e=501", "n" },
        { "=1", "no field" },    { "%=1", "no field" },
        { "q&&", "no field" },   { "q&", "no field" },
        { "&q", "no field" },    { "&", "no field" },
    };
    struct request rq;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(check(*state, cases[i].query, &rq), cases[i].field))
            fail_msg("%s: %s", cases[i].query, check(*state, cases[i].query, &rq));
}

#define IN(name) cmocka_unit_test_setup_teardown(name, open_table, close_table)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(a_path_finds_its_row),         IN(the_methods_of_a_path_are_known),
        IN(tricks_in_a_path_are_refused), IN(a_target_is_decoded_once),
        IN(parameters_reach_the_handler), IN(bad_parameters_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
