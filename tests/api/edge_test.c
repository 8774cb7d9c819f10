/* The edge: what HTTP promises, whatever the routes are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/lib/edge_world.h"

static int open_cors(void **state)
{
    return edge_world_set_up_with(
        state, &(struct world_conf){ .cors = { 1, { "https://a.example" } } });
}

static void parameters_are_checked_and_told_apart(void **state)
{
    struct world *t = *state;
    static const char *const bad[] = {
        "/loop/a?n=0",     "/loop/a?n=501",    "/loop/a?n=x",
        "/loop/a?n=1&n=2", "/loop/a?z=1",      "/loop/a?name=b",
        "/worker/a?n=01",  "/loop/%ff",        "/loop/%00",
        "/loop/a%2fb",     "/loop/%2e%2e",     "/loop/.",
        "/loop/%zz",       "/loop/a?q=%c0%80", "/loop/123456789012345678901",
        "/loop/a?&",       "/loop/a?n=1&",     "/loop/a?&n=1",
        "/loop/a?n=1&&q=b"
    };
    struct answer a = ask(t, GET, "/loop/%E5%A4%A9?n=5&q=a+b%26", NULL);

    assert_string_equal(a.body, "public n=5 q=a b& 天 example.cn 127.0.0.1");
    a = ask(t, GET, "/worker/x", &(struct ask){ .client = "10.1.2.3" });
    assert_string_equal(a.body, "public n=-1 q=- x example.cn 10.1.2.3");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        a = ask(t, GET, bad[i], NULL);
        if (a.status != 400)
            fail_msg("%s: %d", bad[i], a.status);
    }
    a = ask(t, GET, "/loop/a?colour=1", NULL);
    assert_non_null(strstr(a.body, "\"errors\":[{\"parameter\":\"colour\""));
}

static void long_targets_are_refused(void **state)
{
    struct world *t = *state;
    static char target[6000];

    memset(target, 'a', 2100);
    target[0] = '/';
    assert_int_equal(ask(t, GET, target, NULL).status, 400);
    memset(target, 'a', 4200);
    memcpy(target, "/loop/a?q=", 10);
    assert_int_equal(ask(t, GET, target, NULL).status, 400);
}

static void a_problem_is_told_in_chinese_with_a_trace(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/nowhere", NULL);

    assert_int_equal(a.status, 404);
    assert_string_equal(HEADER(a, "content-type"), "application/problem+json");
    assert_string_equal(HEADER(a, "content-language"), "zh-CN");
    assert_string_equal(HEADER(a, "cache-control"), "no-store");
    assert_string_equal(HEADER(a, "x-content-type-options"), "nosniff");
    assert_int_equal(strlen(HEADER(a, "request-id")), 32);
    assert_non_null(strstr(
        a.body, "\"type\":\"/problems/not-found\",\"title\":\"没有找到\",\"status\":404"));
    assert_non_null(strstr(a.body, HEADER(a, "request-id")));
    assert_non_null(strstr(a.body, "\"instance\":\"urn:uuid:"));
}

static void our_own_failures_keep_their_reason_to_themselves(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/broken", NULL);

    assert_int_equal(a.status, 500);
    assert_null(strstr(a.body, "secret"));
    for (int i = 0; i < 3; i++) {
        static const int statuses[] = { 404, 500, 507 };
        char target[32];

        snprintf(target, sizeof target, "/misplaced?n=%d", i);
        a = ask(t, GET, target, NULL);
        assert_int_equal(a.status, statuses[i]);
        assert_null(strstr(a.body, "secret"));
    }
}

static void a_page_fails_as_a_page(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/", NULL);

    assert_int_equal(a.status, 200);
    assert_non_null(strstr(HEADER(a, "content-security-policy"), "default-src 'none'"));
    assert_string_equal(HEADER(a, "strict-transport-security"), "");
    assert_string_not_equal(HEADER(a, "referrer-policy"), "");
    a = ask(t, GET, "/", &(struct ask){ .origin = ORIGIN_ADMIN });
    assert_int_equal(a.status, 404);
    assert_string_equal(HEADER(a, "content-type"), TYPE_HTML);
    assert_non_null(strstr(a.body, "&lt;none&gt; &amp; such"));
    a = ask(t, GET, "/", &(struct ask){ .origin = ORIGIN_TLS });
    assert_string_not_equal(HEADER(a, "strict-transport-security"), "");
}

static void other_methods_are_told_which_are_allowed(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, DELETE, "/rows", NULL);

    assert_int_equal(a.status, 405);
    assert_string_equal(HEADER(a, "allow"), "POST, PUT, OPTIONS");
    a = ask(t, GET, "/cached", &(struct ask){ .method = "BREW" });
    assert_int_equal(a.status, 405);
    assert_string_equal(HEADER(a, "allow"), "GET, HEAD, OPTIONS");
    a = ask(t, OPTIONS, "/cached", NULL);
    assert_int_equal(a.status, 204);
    assert_string_equal(HEADER(a, "allow"), "GET, HEAD, OPTIONS");
    assert_string_equal(HEADER(a, "content-length"), "");
    assert_int_equal(ask(t, OPTIONS, "*", NULL).status, 204);
    assert_int_equal(ask(t, GET, "*", NULL).status, 400);
    assert_int_equal(ask(t, OPTIONS, "/nowhere", NULL).status, 404);
}

static void head_is_get_without_the_body(void **state)
{
    struct world *t = *state;
    static const char *const targets[] = { "/cached", "/loop/a", "/worker/a", "/nowhere" };

    for (size_t i = 0; i < 4; i++) {
        struct answer get = ask(t, GET, targets[i], NULL),
                      head = ask(t, HEAD, targets[i], NULL);

        assert_int_equal(head.status, get.status);
        assert_int_equal(head.len, 0);
        assert_string_equal(HEADER(head, "content-length"), HEADER(get, "content-length"));
        assert_string_equal(HEADER(head, "etag"), HEADER(get, "etag"));
    }
}

static void what_the_client_has_is_not_sent_again(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/cached", NULL);
    const char *etag = HEADER(a, "etag");
    char headers[200];

    assert_int_equal(etag[0], '"');
    snprintf(headers, sizeof headers, "if-none-match: \"x\", W/%s\n", etag);
    a = ask(t, GET, "/cached", &(struct ask){ .headers = headers });
    assert_int_equal(a.status, 304);
    assert_int_equal(a.len, 0);
    assert_string_equal(HEADER(a, "etag"), etag);
    assert_string_equal(HEADER(a, "content-length"), "");
    assert_string_equal(HEADER(a, "content-type"), "");
    assert_string_equal(HEADER(a, "cache-control"), CACHE_SHORT);
    assert_int_equal(
        ask(t, GET, "/cached", &(struct ask){ .headers = "if-none-match: *" }).status, 304);
    assert_int_equal(ask(t, GET, "/cached",
                         &(struct ask){ .headers = "if-none-match: \"other\", \"unclosed" })
                         .status,
                     200);
    snprintf(headers, sizeof headers, "if-none-match: \"x\"\nif-none-match: %s", etag);
    assert_int_equal(ask(t, GET, "/cached", &(struct ask){ .headers = headers }).status, 304);
}

static void what_is_no_list_of_etags_matches_nothing(void **state)
{
    struct world *t = *state;
    static const char *const garbage[] = {
        "W/\"abc\"*", "\"abc\"*", "**",    "*, *", "*x",     "x%s",
        "%sx",        "%s%s",     "%s, *", "w/%s", "W/, %s", "W/ %s",
    };
    struct answer a = ask(t, GET, "/cached", NULL);
    const char *etag = HEADER(a, "etag");

    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        struct buf b = BUF_IN(world_mem(t));

        buf_adds(&b, "if-none-match: ");
        for (const char *p = garbage[i]; *p; p++) {
            if (*p == '%')
                buf_adds(&b, etag);
            else if (*p != 's')
                buf_addc(&b, *p);
        }
        a = ask(t, GET, "/cached", &(struct ask){ .headers = b.p });
        if (a.status != 200)
            fail_msg("%s: %d", b.p, a.status);
    }
    assert_int_equal(
        ask(t, GET, "/cached", &(struct ask){ .headers = "if-none-match:  * " }).status, 304);
}

static void a_body_of_another_type_is_refused(void **state)
{
    static const struct {
        const char *target, *type;
        int status;
    } cases[] = {
        { "/rows", "application/json", 204 },
        { "/rows", "Application/JSON; charset=utf-8", 204 },
        { "/rows", "application/merge-patch+json", 204 },
        { "/rows", "text/plain", 415 },
        { "/rows", "application/x-www-form-urlencoded", 415 },
        { "/rows", "application/jsonx", 415 },
        { "/rows", "text/x+json", 415 },
        { "/rows", "application/+json", 415 },
        { "/rows", "application/x-ndjson", 415 },
        { "/rows", "json", 415 },
        { "/lines", "application/x-ndjson", 204 },
        { "/lines", "application/json", 204 },
        { "/lines", "text/csv", 415 },
        { "/bytes", "text/csv", 204 },
    };
    struct world *t = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char headers[200];
        struct answer a;

        snprintf(headers, sizeof headers, AS_EDITOR "content-type: %s", cases[i].type);
        a = ask(t, POST, cases[i].target, &(struct ask){ .headers = headers, .body = "{}" });
        if (a.status != cases[i].status && !(a.status == 200 && cases[i].status == 204))
            fail_msg("%s %s: %d", cases[i].target, cases[i].type, a.status);
    }
    assert_int_equal(
        ask(t, POST, "/rows", &(struct ask){ .headers = AS_EDITOR, .body = "{}" }).status, 200);
    assert_int_equal(ask(t, POST, "/rows",
                         &(struct ask){ .headers = "content-type: text/csv", .body = "{}" })
                         .status,
                     401);
}

#define AS_FORM "content-type: application/x-www-form-urlencoded\n"

static void a_form_is_the_handlers_to_read(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/form?a=1%2B1&whatever=2", NULL);

    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "2 fields, a=1+1, nobody");
    assert_int_equal(ask(t, GET, "/form?a=1&a=2", NULL).status, 400);
    a = ask(
        t, POST, "/form",
        &(struct ask){ .headers = AS_FORM "authorization: Basic YQ==", .body = "a=%E5%A4%A9" });
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "1 fields, a=天, Basic YQ==");
    assert_int_equal(
        ask(t, POST, "/form?a=1", &(struct ask){ .headers = AS_FORM, .body = "a=1" }).status,
        400);
    assert_int_equal(
        ask(t, POST, "/form",
            &(struct ask){ .headers = "content-type: application/json", .body = "{}" })
            .status,
        415);
}

static void a_range_is_answered_with_that_part(void **state)
{
    struct world *t = *state;
    static const struct {
        const char *range, *content_range, *body;
        int status;
    } cases[] = {
        { "bytes=0-2", "bytes 0-2/7", "/ca", 206 },
        { "bytes=3-", "bytes 3-6/7", "ched", 206 },
        { "bytes=-2", "bytes 5-6/7", "ed", 206 },
        { "bytes=-99", "bytes 0-6/7", "/cached", 206 },
        { "bytes=5-99", "bytes 5-6/7", "ed", 206 },
        { "bytes=7-", "bytes */7", NULL, 416 },
        { "bytes=-0", "bytes */7", NULL, 416 },
        { "bytes=2-1", "", "/cached", 200 },
        { "bytes=0-1,3-4", "", "/cached", 200 },
        { "lines=1-2", "", "/cached", 200 },
        { "bytes=-", "", "/cached", 200 },
        { "bytes=99999999999999999999-", "bytes */7", NULL, 416 },
        { "bytes=3-99999999999999999999", "bytes 3-6/7", "ched", 206 },
        { "bytes=-99999999999999999999", "bytes 0-6/7", "/cached", 206 },
        { "bytes=18446744073709551616-18446744073709551617", "bytes */7", NULL, 416 },
    };
    struct answer a = ask(t, GET, "/cached", NULL);
    const char *etag = HEADER(a, "etag");
    char headers[200];

    assert_string_equal(HEADER(a, "accept-ranges"), "bytes");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(headers, sizeof headers, "range: %s", cases[i].range);
        a = ask(t, GET, "/cached", &(struct ask){ .headers = headers });
        assert_int_equal(a.status, cases[i].status);
        assert_string_equal(HEADER(a, "content-range"), cases[i].content_range);
        if (cases[i].body)
            assert_string_equal(a.body, cases[i].body);
    }
    snprintf(headers, sizeof headers, "range: bytes=0-2\nif-range: %s", etag);
    assert_int_equal(ask(t, GET, "/cached", &(struct ask){ .headers = headers }).status, 206);
    assert_int_equal(ask(t, GET, "/cached",
                         &(struct ask){ .headers = "range: bytes=0-2\nif-range: \"old\"" })
                         .status,
                     200);
}

static void rights_are_asked_for(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/operator/x", NULL);

    assert_int_equal(a.status, 401);
    assert_string_equal(HEADER(a, "www-authenticate"), "Bearer");
    assert_int_equal(
        ask(t, GET, "/operator/x", &(struct ask){ .headers = "authorization: Basic x" }).status,
        401);
    assert_int_equal(
        ask(t, GET, "/operator/x", &(struct ask){ .headers = "authorization: Bearer nobody" })
            .status,
        401);
    assert_int_equal(ask(t, GET, "/operator/x", &(struct ask){ .headers = AS_EDITOR }).status,
                     403);
    a = ask(t, GET, "/operator/x", &(struct ask){ .origin = ORIGIN_ADMIN });
    assert_int_equal(a.status, 200);
    assert_int_equal(strncmp(a.body, "operator ", 9), 0);
    assert_int_equal(ask(t, POST, "/rows", &(struct ask){ .body = "x" }).status, 401);
    assert_int_equal(edge_world_calls, 0);
}

static void a_body_that_is_too_large_is_refused_by_its_route(void **state)
{
    struct world *t = *state;

    assert_int_equal(ask(t, POST, "/rows",
                         &(struct ask){ .headers = AS_EDITOR, .body = "12345678901234567" })
                         .status,
                     413);
    assert_int_equal(ask(t, GET, "/quick", &(struct ask){ .body = "x" }).status, 413);
    assert_int_equal(ask(t, GET, "/quick", NULL).status, 200);
    assert_int_equal(ask(t, GET, "/quick", &(struct ask){ .body = "x" }).status, 413);
    assert_int_equal(ask(t, GET, "/loop/a", &(struct ask){ .body = "x" }).status, 413);
}

/* Also where the answer is in memory: who asks decides nothing about who is refused. */
static void header_fields_have_a_limit_together(void **state)
{
    struct world *t = *state;
    char headers[40 * 1024];

    for (int i = 0; i < 2; i++) {
        const char *target = i ? "/cached" : "/loop/a";
        struct ask how = { .headers = headers };
        struct answer a;

        memset(headers, 'y', sizeof headers);
        memcpy(headers, "x-a: ", 5);
        headers[30000] = '\0';
        assert_int_equal(ask(t, GET, target, &how).status, 200);
        memcpy(headers + 30000, "\nx-b: ", 6);
        headers[33000] = '\0';
        a = ask(t, GET, target, &how);
        assert_int_equal(a.status, 431);
        assert_string_equal(HEADER(a, "content-type"), "application/problem+json");
        assert_non_null(strstr(a.body, "/problems/headers"));
    }
}

static void other_origins_may_read_when_they_are_on_the_list(void **state)
{
    struct world *t = *state;
    struct answer a =
        ask(t, GET, "/cached", &(struct ask){ .headers = "origin: https://a.example" });

    assert_string_equal(HEADER(a, "access-control-allow-origin"), "https://a.example");
    assert_string_equal(HEADER(a, "vary"), "origin");
    a = ask(t, GET, "/cached", &(struct ask){ .headers = "origin: https://b.example" });
    assert_string_equal(HEADER(a, "access-control-allow-origin"), "");
    assert_string_equal(HEADER(a, "vary"), "origin");
    a = ask(t, OPTIONS, "/cached",
            &(struct ask){
                .headers = "origin: https://a.example\naccess-control-request-method: GET" });
    assert_int_equal(a.status, 204);
    assert_string_equal(HEADER(a, "access-control-allow-methods"), "GET, HEAD");
    a = ask(t, POST, "/rows", &(struct ask){ .headers = "origin: https://a.example" });
    assert_string_equal(HEADER(a, "access-control-allow-origin"), "");
}

#define IN(name, open) cmocka_unit_test_setup_teardown(name, open, edge_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(parameters_are_checked_and_told_apart, edge_world_set_up),
        IN(long_targets_are_refused, edge_world_set_up),
        IN(a_problem_is_told_in_chinese_with_a_trace, edge_world_set_up),
        IN(our_own_failures_keep_their_reason_to_themselves, edge_world_set_up),
        IN(a_page_fails_as_a_page, edge_world_set_up),
        IN(other_methods_are_told_which_are_allowed, edge_world_set_up),
        IN(head_is_get_without_the_body, edge_world_set_up),
        IN(what_the_client_has_is_not_sent_again, edge_world_set_up),
        IN(what_is_no_list_of_etags_matches_nothing, edge_world_set_up),
        IN(a_body_of_another_type_is_refused, edge_world_set_up),
        IN(a_form_is_the_handlers_to_read, edge_world_set_up),
        IN(a_range_is_answered_with_that_part, edge_world_set_up),
        IN(rights_are_asked_for, edge_world_set_up),
        IN(a_body_that_is_too_large_is_refused_by_its_route, edge_world_set_up),
        IN(header_fields_have_a_limit_together, edge_world_set_up),
        IN(other_origins_may_read_when_they_are_on_the_list, open_cors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
