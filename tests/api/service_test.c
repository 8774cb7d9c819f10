/* The real route table: what everybody reads, what strangers may not, and what programs are told that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "api/routes.h"
#include "server/base/jx.h"
#include "tests/lib/service_world.h"

static const struct address {
    const char *target;
    int status;
    const char *type;
} public_addresses[] = {
    { "/v1/orgs", 200, "application/json" },
    { "/v1/orgs/none", 404, "application/problem+json" },
    { "/v1/sites", 200, "application/json" },
    { "/v1/sites/1200000000", 200, "application/json" },
    { "/v1/sites/1", 200, "application/json" },
    { "/v1/sites/none", 404, "application/problem+json" },
    { "/v1/columns", 200, "application/json" },
    { "/v1/columns?site=1200000000", 200, "application/json" },
    { "/v1/columns?site=none", 404, "application/problem+json" },
    { "/v1/columns/1", 200, "application/json" },
    { "/v1/columns/99", 404, "application/problem+json" },
    { "/v1/columns/x", 400, "application/problem+json" },
    { "/v1/columns/1/items", 200, "application/json" },
    { "/v1/columns/99/items", 404, "application/problem+json" },
    { "/v1/items", 200, "application/json" },
    { "/v1/items?site=1200000000&n=1", 200, "application/json" },
    { "/v1/items?since=2026-01-01&until=2030-01-01", 200, "application/json" },
    { "/v1/items?since=2026-02-30", 400, "application/problem+json" },
    { "/v1/items?n=0", 400, "application/problem+json" },
    { "/v1/items?cursor=nonsense", 400, "application/problem+json" },
    { "/v1/items/00000000-0000-7000-8000-000000000000", 404, "application/problem+json" },
    { "/healthz", 200, "text/plain; charset=utf-8" },
    { "/readyz", 200, "text/plain; charset=utf-8" },
    { "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8" },
    { "/version", 200, "application/json" },
    { "/openapi.json", 200, "application/json" },
    { "/", 200, "text/html; charset=utf-8" },
    { "/large", 200, "text/html; charset=utf-8" },
    { "/columns", 200, "text/html; charset=utf-8" },
    { "/columns?large=1", 200, "text/html; charset=utf-8" },
    { "/columns/1", 200, "text/html; charset=utf-8" },
    { "/columns/99", 404, "text/html; charset=utf-8" },
    { "/a/00000000-0000-7000-8000-000000000000", 404, "text/html; charset=utf-8" },
    { "/preview/nonsense", 404, "text/html; charset=utf-8" },
    { "/docs", 200, "text/html; charset=utf-8" },
    { "/problems/not-found", 200, "text/html; charset=utf-8" },
    { "/problems/none", 404, "text/html; charset=utf-8" },
    { "/style.css", 200, "text/css; charset=utf-8" },
    { "/favicon.ico", 200, "image/svg+xml" },
    { "/robots.txt", 200, "text/plain; charset=utf-8" },
};

static void assert_answers(struct world *t, const struct address *row)
{
    struct answer a = get(t, row->target);

    if (a.status != row->status)
        fail_msg("%s: %d, not %d: %.300s", row->target, a.status, row->status, a.body);
    assert_string_equal(answer_header(t, &a, "content-type"), row->type);
}

static void every_public_address_answers(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "一篇文章", "正文", NULL);
    const struct address of_the_article[] = {
        { URL("/v1/items/%s", id), 200, "application/json" },
        { URL("/v1/items/%s/revisions", id), 200, "application/json" },
        { URL("/v1/items/%s/revisions/1", id), 200, "application/json" },
        { URL("/v1/items/%s/revisions/9", id), 404, "application/problem+json" },
        { URL("/a/%s", id), 200, "text/html; charset=utf-8" },
        { URL("/a/%s/large", id), 200, "text/html; charset=utf-8" },
        { URL("/a/%s/text", id), 200, "text/plain; charset=utf-8" },
    };

    for (size_t i = 0; i < sizeof public_addresses / sizeof *public_addresses; i++)
        assert_answers(t, &public_addresses[i]);
    for (size_t i = 0; i < sizeof of_the_article / sizeof *of_the_article; i++)
        assert_answers(t, &of_the_article[i]);
}

static void an_item_is_its_record(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "“引号”与\\反斜杠", "第一段\n\n第二段",
                                     ",\"docNumber\":\"示政发〔2026〕1号\"");
    struct answer a = get(t, URL("/v1/items/%s", id)),
                  b = get(t, URL("/v1/items/%s/revisions/1", id));
    struct buf canonical = BUF_IN(world_mem(t));

    jx_canonical(&canonical, json_of(t, &a));
    assert_int_equal(canonical.n, a.len);
    assert_memory_equal(canonical.p, a.body, a.len);
    assert_string_equal(a.body, b.body);
    HAS(a, "\"docNumber\":\"示政发〔2026〕1号\"");
}

static void what_has_not_changed_answers_304(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "不变的文章", "正文", NULL);
    const char *const targets[] = { "/v1/items",           "/v1/sites",
                                    "/v1/columns/1/items", URL("/v1/items/%s", id),
                                    URL("/a/%s", id),      "/",
                                    "/openapi.json" };

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct answer a = get(t, targets[i]), again;
        const char *etag = answer_header(t, &a, "etag");

        assert_int_equal(*etag, '"');
        again =
            ask(t, GET, targets[i], &(struct ask){ .headers = URL("if-none-match: %s", etag) });
        assert_int_equal(again.status, 304);
        assert_int_equal(again.len, 0);
    }
}

static void a_change_is_seen_at_once(void **state)
{
    struct world *t = *state;
    struct answer before = get(t, "/v1/items"), after;

    service_publish(t, "刚刚发布", "正文", NULL);
    after = get(t, "/v1/items");
    assert_string_not_equal(answer_header(t, &before, "etag"),
                            answer_header(t, &after, "etag"));
    HAS(after, "刚刚发布");
}

static void a_walk_by_cursor_sees_everything_once(void **state)
{
    struct world *t = *state;
    const char *target = "/v1/items?n=3&site=1200000000";
    bool seen[10] = { false };
    int n = 0;

    for (int i = 0; i < 10; i++)
        service_publish(t, URL("第%d篇", i), "正文",
                        i % 2 ? ",\"sourceDate\":\"2026-01-01\"" : NULL);
    while (target) {
        struct answer a = get(t, target);
        const char *next = text_of(t, &a, "next");
        const json_t *items = json_object_get(json_of(t, &a), "items");

        for (size_t i = 0; i < json_array_size(items); i++) {
            int number = -1;

            assert_int_equal(
                sscanf(jx_text(json_array_get(items, i), "title"), "第%d篇", &number), 1);
            assert_false(seen[number]);
            seen[number] = true;
            n++;
        }
        assert_int_equal(*next != '\0',
                         strstr(answer_header(t, &a, "link"), "rel=\"next\"") != NULL);
        target = *next ? URL("/v1/items?n=3&site=1200000000&cursor=%s", next) : NULL;
    }
    assert_int_equal(n, 10);
}

static void strangers_may_change_nothing(void **state)
{
    struct world *t = *state;

    for (const struct route *r = routes_table; r->path; r++) {
        struct answer a;
        char target[256];
        size_t n = 0;

        if (r->right == RIGHT_READ)
            continue;
        for (const char *p = r->path; *p; p++) { /* any id will do: nobody may get as far */
            if (*p != ':') {
                target[n++] = *p;
                continue;
            }
            n += (size_t)snprintf(
                target + n, sizeof target - n, "%s",
                strstr(r->path, ":hash")
                    ? "0000000000000000000000000000000000000000000000000000000000000000"
                : strstr(r->path, ":column") || strstr(r->path, ":site") ||
                        strstr(r->path, ":label") || strstr(r->path, ":org")
                    ? "1"
                    : "00000000-0000-7000-8000-000000000000");
            p += strcspn(p, "/") - 1;
        }
        target[n] = '\0';
        a = ask(t, r->method, target, &(struct ask){ .body = r->body_max ? "{}" : NULL });
        if (a.status != 401 && !(r->flags & R_PAGE && a.status == 303)) /* to /sign-in */
            fail_msg("%s %s: %d", method_name(r->method), target, a.status);
    }
    assert_int_equal(ask(t, GET, "/metrics", &(struct ask){ .client = "192.0.2.7" }).status,
                     403);
}

/* Behind a proxy on this machine everybody's address is 127.0.0.1. */
static void what_a_proxy_passes_on_comes_from_a_stranger(void **state)
{
    static const char *const marks[] = { "x-forwarded-for: 192.0.2.7",
                                         "forwarded: for=192.0.2.7", "via: 1.1 front" };
    struct world *t = *state;
    const char *bearer = service_program(t, "monitor", "operate");

    assert_int_equal(get(t, "/metrics").status, 200);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        assert_int_equal(ask(t, GET, "/metrics", &(struct ask){ .headers = marks[i] }).status,
                         403);
    assert_int_equal(
        ask(t, GET, "/metrics", &(struct ask){ .headers = bearer, .client = "192.0.2.7" })
            .status,
        200);
    bearer = URL("%svia: 1.1 front", bearer);
    assert_int_equal(ask(t, GET, "/metrics", &(struct ask){ .headers = bearer }).status, 200);
    assert_int_equal(
        ask(t, GET, "/metrics", &(struct ask){ .headers = "authorization: Bearer none" })
            .status,
        401);
}

/* What was wrong, where the sender wrote it, whichever layer found it. */
static void a_failure_names_its_place(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "一篇文章", "正文", NULL);
    const struct {
        enum method method;
        const char *target, *headers, *body, *place;
    } rows[] = {
        { GET, "/v1/items?n=0", NULL, NULL, "{\"parameter\":\"n\"," },
        { GET, "/v1/items?nn=1", NULL, NULL, "{\"parameter\":\"nn\"," },
        { GET, "/v1/items?cursor=nonsense", NULL, NULL, "{\"parameter\":\"cursor\"," },
        { GET, "/v1/items?since=2026-02-30", NULL, NULL, "{\"parameter\":\"since\"," },
        { GET, "/v1/columns/x", NULL, NULL, "{\"parameter\":\"column\"," },
        { GET, "/v1/staff/items?state=none", NULL, NULL, "{\"parameter\":\"state\"," },
        { POST, "/v1/import?zz=1", NULL, "{}", "{\"parameter\":\"zz\"," },
        { POST, "/v1/columns", NULL, "{\"path\":\"x\"}", "{\"pointer\":\"#/site\"," },
        { POST, "/v1/items", NULL, "{\"column\":1}", "{\"pointer\":\"#/title\"," },
        { POST, "/v1/items", NULL, "{\"column\":1,\"title\":\"\"}",
          "{\"pointer\":\"#/title\"," },
        { PATCH, "/v1/columns/1", NULL, "{\"type\":\"none\"}", "{\"pointer\":\"#/type\"," },
        { POST, "/v1/orgs", NULL, "{\"code\":\"a\",\"name\":\"b\",\"region\":\"000000\"}",
          "{\"pointer\":\"#/region\"," },
        { PUT, URL("/v1/items/%s", id), NULL, "{}", "{\"header\":\"If-Match\"," },
        { POST, "/v1/sites", "idempotency-key: two words", "{}",
          "{\"header\":\"Idempotency-Key\"," },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer a =
            tell_with(t, rows[i].method, rows[i].target, rows[i].headers, rows[i].body);

        if (a.status != 400 || !strstr(a.body, URL("\"errors\":[%s", rows[i].place)))
            fail_msg("%s: %d %s", rows[i].target, a.status, a.body);
    }
}

static const char *filled(struct world *t, const char *path, const char *id)
{
    struct buf b = BUF_IN(world_mem(t));

    for (const char *p = path; *p;) {
        if (*p != ':') {
            buf_addc(&b, *p++);
            continue;
        }
        buf_adds(&b, !strncmp(p, ":id", 3) ? id : !strncmp(p, ":site", 5) ? "1200000000" : "1");
        p += strcspn(p, "/");
    }
    return b.p;
}

static void what_was_withdrawn_is_in_no_answer(void **state)
{
    struct world *t = *state;
    const char *id =
        service_publish(t, "绝密标题", "绝密正文 https://x.cn", ",\"summary\":\"绝密摘要\"");
    struct answer a = tell(t, POST, URL("/v1/items/%s/preview", id), NULL);
    const char *preview = text_of(t, &a, "path");

    a = get(t, preview);
    HAS(a, "绝密正文");
    a = get(t, URL("/a/%s", id));
    HAS(a, "绝密正文");
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/withdraw", id), NULL).status, 400);
    assert_int_equal(
        tell(t, POST, URL("/v1/items/%s/withdraw", id), "{\"reason\":\"发错了\"}").status, 200);
    for (const struct route *r = routes_table; r->path; r++) {
        if (r->method != GET || r->right != RIGHT_READ)
            continue;
        a = get(t, filled(t, r->path, id));
        if (strstr(a.body, "绝密"))
            fail_msg("%s still says it", r->path);
    }
    assert_int_equal(get(t, preview).status, 410);
    assert_int_equal(get(t, URL("/v1/items/%s", id)).status, 410);
    assert_int_equal(get(t, URL("/v1/items/%s/revisions", id)).status, 410);
    assert_int_equal(get(t, URL("/v1/items/%s/revisions/1", id)).status, 410);
    a = get(t, URL("/a/%s", id));
    assert_int_equal(a.status, 410);
    HAS(a, "本文已撤下");
    HAS(a, "发错了");
    HAS(a, "href=\"/problems/gone\"");
    for (int i = 0; i < 2; i++) { /* made, and out of the cache */
        a = get(t, URL("/a/%s", id));
        assert_int_equal(strlen(answer_header(t, &a, "request-id")), 32);
        a = get(t, URL("/v1/items/%s", id));
        assert_int_equal(strlen(answer_header(t, &a, "request-id")), 32);
    }
    assert_int_equal(get(t, URL("/a/%s/text", id)).status, 410);
    a = tell(t, POST, URL("/v1/items/%s/restore", id), NULL);
    assert_int_equal(a.status, 200);
    HAS(a, "\"state\":\"draft\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_public_address_answers),
        TEST(an_item_is_its_record),
        TEST(what_has_not_changed_answers_304),
        TEST(a_change_is_seen_at_once),
        TEST(a_walk_by_cursor_sees_everything_once),
        TEST(strangers_may_change_nothing),
        TEST(what_a_proxy_passes_on_comes_from_a_stranger),
        TEST(a_failure_names_its_place),
        TEST(what_was_withdrawn_is_in_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
