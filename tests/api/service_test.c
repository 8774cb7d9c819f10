/* The real route table: what everybody reads, what editors do, what programs are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "api/openapi.h"
#include "api/routes.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/jx.h"
#include "tests/lib/service_world.h"

#define URL(...)         arena_printf(world_mem(t), __VA_ARGS__)
#define HAS(a, text)     assert_non_null(strstr((a).body, text))
#define HAS_NOT(a, text) assert_null(strstr((a).body, text))

#define HAS_ONCE(a, line)                              \
    do {                                               \
        const char *first = strstr((a).headers, line); \
        assert_non_null(first);                        \
        assert_null(strstr(first + 1, line));          \
    } while (0)

static json_t *json_of(struct world *t, const struct answer *a)
{
    struct err e = { 0 };
    json_t *v;

    if (jx_object(&e, world_mem(t), a->body, a->len, &v))
        fail_msg("%s in %s", e.text, a->body);
    return v;
}

static struct answer get(struct world *t, const char *target)
{
    return ask(t, GET, target, NULL);
}

/* ---- reading ---- */

static void every_public_address_answers(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "一篇文章", "正文", NULL);
    const struct {
        const char *target;
        int status;
        const char *type;
    } rows[] = {
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
        { URL("/v1/items/%s", id), 200, "application/json" },
        { "/v1/items/00000000-0000-7000-8000-000000000000", 404, "application/problem+json" },
        { URL("/v1/items/%s/revisions", id), 200, "application/json" },
        { URL("/v1/items/%s/revisions/1", id), 200, "application/json" },
        { URL("/v1/items/%s/revisions/9", id), 404, "application/problem+json" },
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
        { URL("/a/%s", id), 200, "text/html; charset=utf-8" },
        { URL("/a/%s/large", id), 200, "text/html; charset=utf-8" },
        { URL("/a/%s/text", id), 200, "text/plain; charset=utf-8" },
        { "/a/00000000-0000-7000-8000-000000000000", 404, "text/html; charset=utf-8" },
        { "/preview/nonsense", 404, "text/html; charset=utf-8" },
        { "/docs", 200, "text/html; charset=utf-8" },
        { "/problems/not-found", 200, "text/html; charset=utf-8" },
        { "/problems/none", 404, "text/html; charset=utf-8" },
        { "/style.css", 200, "text/css; charset=utf-8" },
        { "/favicon.ico", 200, "image/svg+xml" },
        { "/robots.txt", 200, "text/plain; charset=utf-8" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer a = get(t, rows[i].target);

        if (a.status != rows[i].status)
            fail_msg("%s: %d, not %d: %.300s", rows[i].target, a.status, rows[i].status,
                     a.body);
        assert_string_equal(answer_header(t, &a, "content-type"), rows[i].type);
    }
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

/* ---- editing ---- */

static void a_draft_goes_its_way_to_publication(void **state)
{
    struct world *t = *state;
    struct answer a = tell(t, POST, "/v1/items",
                           "{\"site\":\"1200000000\",\"column\":\"要闻\",\"title\":\"草稿\","
                           "\"body\":\"未发布的字\"}");
    const char *id = text_of(t, &a, "id");

    assert_int_equal(a.status, 201);
    assert_string_equal(answer_header(t, &a, "etag"), "\"1\"");
    assert_int_equal(get(t, URL("/v1/items/%s", id)).status, 404);
    assert_int_equal(get(t, URL("/a/%s", id)).status, 404);
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/publish", id), NULL).status, 409);
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/submit", id), NULL).status, 200);
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/return", id), NULL).status, 400);
    assert_int_equal(
        tell(t, POST, URL("/v1/items/%s/return", id), "{\"reason\":\"缺来源\"}").status, 200);
    a = tell(t, PUT, URL("/v1/items/%s", id), "{\"title\":\"改后\"}");
    assert_int_equal(a.status, 400);
    a = tell_with(t, PUT, URL("/v1/items/%s", id), "if-match: \"7\"", "{\"title\":\"改后\"}");
    assert_int_equal(a.status, 412);
    a = tell_with(t, PUT, URL("/v1/items/%s", id), "if-match: \"1\"",
                  "{\"title\":\"改后\",\"contentSource\":\"示例局\",\"note\":\"补来源\"}");
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(t, &a, "etag"), "\"2\"");
    a = tell(t, GET, URL("/v1/drafts/%s", id), NULL);
    HAS(a, "\"title\":\"改后\"");
    HAS(a, "\"reason\":\"缺来源\"");
    a = tell(t, GET, "/v1/staff/items?state=draft", NULL);
    HAS(a, id);
    assert_int_equal(tell(t, GET, "/v1/staff/items?state=nonsense", NULL).status, 400);
    tell(t, POST, URL("/v1/items/%s/submit", id), NULL);
    tell(t, POST, URL("/v1/items/%s/approve", id), NULL);
    a = tell_with(t, POST, URL("/v1/items/%s/publish", id), "if-match: \"1\"", NULL);
    assert_int_equal(a.status, 412);
    assert_int_equal(
        tell_with(t, POST, URL("/v1/items/%s/publish", id), "if-match: \"2\"", NULL).status,
        200);
    a = get(t, URL("/v1/items/%s", id));
    HAS(a, "改后");
    HAS_NOT(a, "未发布的字");
}

/* A form or a script sends a number as text; also when no site is named. */
static void a_number_as_text_names_a_column(void **state)
{
    static const struct {
        const char *place;
        int status;
    } rows[] = {
        { "\"column\":\"1\"", 201 },
        { "\"site\":\"1200000000\",\"column\":\"1\"", 201 },
        { "\"column\":\"99\"", 404 },
        { "\"site\":\"1200000000\",\"column\":\"99\"", 404 },
        { "\"site\":\"none\",\"column\":\"1\"", 404 },
        { "\"column\":\"要闻\"", 400 },
    };
    struct world *t = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer a =
            tell(t, POST, "/v1/items", URL("{%s,\"title\":\"草稿\"}", rows[i].place));

        if (a.status != rows[i].status)
            fail_msg("%s: %d %s", rows[i].place, a.status, a.body);
    }
}

static void strangers_may_change_nothing(void **state)
{
    struct world *t = *state;

    for (const struct route *r = routes_table; r->path; r++) {
        struct answer a;
        char target[128];
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
        if (a.status != 401)
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
    struct answer a =
        tell(t, POST, "/v1/tokens", "{\"label\":\"monitor\",\"rights\":\"operate\"}");
    const char *bearer = URL("authorization: Bearer %s", text_of(t, &a, "token"));

    assert_int_equal(get(t, "/metrics").status, 200);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        assert_int_equal(ask(t, GET, "/metrics", &(struct ask){ .headers = marks[i] }).status,
                         403);
    assert_int_equal(
        ask(t, GET, "/metrics", &(struct ask){ .headers = bearer, .client = "192.0.2.7" })
            .status,
        200);
    bearer = URL("%s\nvia: 1.1 front", bearer);
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

static void a_token_opens_what_it_names(void **state)
{
    struct world *t = *state;
    struct answer a = tell(t, POST, "/v1/tokens", "{\"label\":\"cms\",\"rights\":\"import\"}");
    const char *token = text_of(t, &a, "token");
    const char *header = URL("authorization: Bearer %s", token);

    assert_int_equal(a.status, 201);
    a = tell(t, GET, "/v1/tokens", NULL);
    HAS(a, "\"label\":\"cms\",\"rights\":[\"import\"]");
    HAS_NOT(a, token);
    a = ask(t, POST, "/v1/import", &(struct ask){ .headers = header, .body = "{}\n" });
    assert_int_equal(a.status, 200);
    a = ask(t, GET, "/v1/staff/items", &(struct ask){ .headers = header });
    assert_int_equal(a.status, 403);
    assert_int_equal(tell(t, DELETE, "/v1/tokens/cms", NULL).status, 204);
    a = ask(t, POST, "/v1/import", &(struct ask){ .headers = header, .body = "{}\n" });
    assert_int_equal(a.status, 401);
}

static void an_import_answers_line_by_line(void **state)
{
    static const char lines[] = "{\"id\":\"a1\",\"source\":\"新站\",\"column\":\"新闻\","
                                "\"title\":\"好的\",\"body\":\"字\"}\n"
                                "\n"
                                "not json\n"
                                "{\"id\":\"a2\",\"source\":\"新站\",\"column\":\"新闻\","
                                "\"title\":\"\",\"body\":\"字\"}\n"
                                "{\"id\":\"a3\",\"source\":\"新站\",\"column\":\"新闻/"
                                "本市\",\"title\":\"也好\",\"body\":\"字\"}";
    struct world *t = *state;
    struct answer a = tell(t, POST, "/v1/import?publish=1&create=1", lines);
    const json_t *refused = json_object_get(json_of(t, &a), "refused");

    assert_int_equal(a.status, 200);
    HAS(a, "\"created\":2");
    assert_int_equal(json_array_size(refused), 2);
    assert_int_equal(jx_int(json_array_get(refused, 0), "line", 0), 3);
    assert_int_equal(jx_int(json_array_get(refused, 1), "line", 0), 4);
    assert_string_equal(jx_text(json_array_get(refused, 1), "field"), "title");
    a = tell(t, POST, "/v1/import?publish=1&create=1", lines);
    HAS(a, "\"unchanged\":2");
    a = get(t, "/v1/items");
    HAS(a, "也好");
}

/* What is neither a record nor nothing is refused, so that the answer accounts for every line. */
static void a_line_of_nul_bytes_is_refused(void **state)
{
    static const char lines[] = " \t\r\n\0\0\0\n\n \0";
    struct world *t = *state;
    struct answer a = ask(t, POST, "/v1/import",
                          &(struct ask){ .headers = "content-type: application/x-ndjson",
                                         .body = lines,
                                         .body_len = sizeof lines - 1,
                                         .origin = ORIGIN_ADMIN });
    const json_t *refused = json_object_get(json_of(t, &a), "refused");

    assert_int_equal(a.status, 200);
    assert_int_equal(json_array_size(refused), 2);
    assert_int_equal(jx_int(json_array_get(refused, 0), "line", 0), 2);
    assert_int_equal(jx_int(json_array_get(refused, 1), "line", 0), 4);
}

static void blobs_come_in_pieces_and_go_out_in_ranges(void **state)
{
    static const char bytes[] = "\x89PNG\r\n\x1a\n and then some";
    struct world *t = *state;
    uint8_t hash[HASH_BYTES];
    char hex[HASH_TEXT];
    const char *target;
    struct answer a;

    sha256(bytes, sizeof bytes - 1, hash);
    target = URL("/v1/blobs/%s", hex_text(hash, sizeof hash, hex));
    assert_int_equal(get(t, target).status, 404);
    a = tell_with(t, PUT, target, "content-range: bytes 0-7/22", "\x89PNG\r\n\x1a\n");
    assert_int_equal(a.status, 200);
    HAS(a, "{\"have\":8,\"size\":22}");
    a = tell_with(t, PUT, target, "content-range: bytes 9-10/22", "an");
    assert_int_equal(a.status, 409);
    assert_string_equal(answer_header(t, &a, "upload-offset"), "8");
    a = tell_with(t, PUT, target, "content-range: bytes */22", NULL);
    HAS(a, "\"have\":8");
    assert_int_equal(
        tell_with(t, PUT, target, "content-range: bytes 8-9/22", "too many").status, 400);
    a = tell_with(t, PUT, target, "content-range: bytes 8-21/22", " and then some");
    assert_int_equal(a.status, 201);
    a = tell(t, GET, target, NULL);
    assert_string_equal(a.body, bytes);
    assert_string_equal(answer_header(t, &a, "content-type"), "image/png");
    HAS_ONCE(a, "x-content-type-options: nosniff");
    a = tell_with(t, GET, target, "range: bytes=1-3", NULL);
    assert_int_equal(a.status, 206);
    assert_string_equal(a.body, "PNG");
}

/* A file's name stands in records that phones keep for ever: its bytes are given only while they are published. */
static void files_are_public_while_their_item_is(void **state)
{
    static const char bytes[] = "%PDF-1.7 annex";
    struct world *t = *state;
    uint8_t hash[HASH_BYTES];
    char hex[HASH_TEXT];
    const char *target, *id, *first, *file;
    struct answer a;

    sha256(bytes, sizeof bytes - 1, hash);
    hex_text(hash, sizeof hash, hex);
    target = URL("/v1/blobs/%s", hex);
    assert_int_equal(tell(t, PUT, target, bytes).status, 201);
    file = URL("\"attachments\":[{\"hash\":\"%s\",\"name\":\"附件.pdf\",\"size\":14,\"type\":"
               "\"application/pdf\"}]",
               hex);
    a = tell(t, POST, "/v1/items", URL("{\"column\":1,\"title\":\"草稿\",%s}", file));
    assert_int_equal(a.status, 201);
    id = text_of(t, &a, "id");
    assert_int_equal(get(t, target).status, 404);
    a = tell(t, POST, "/v1/tokens", "{\"label\":\"editor\",\"rights\":\"edit\"}");
    a = ask(
        t, GET, target,
        &(struct ask){ .headers = URL("authorization: Bearer %s", text_of(t, &a, "token")) });
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(t, &a, "cache-control"), "no-store");
    a = tell(t, POST, URL("/v1/items/%s/preview", id), NULL);
    a = get(t, URL("%s?preview=%s", target, text_of(t, &a, "path") + strlen("/preview/")));
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(t, &a, "cache-control"), "no-store");
    assert_int_equal(get(t, URL("%s?preview=AAAA", target)).status, 404);
    tell(t, POST, URL("/v1/items/%s/submit", id), NULL);
    tell(t, POST, URL("/v1/items/%s/approve", id), NULL);
    tell(t, POST, URL("/v1/items/%s/publish", id), NULL);
    a = get(t, target);
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(t, &a, "content-type"), "application/pdf");
    assert_string_equal(answer_header(t, &a, "cache-control"),
                        "public, max-age=31536000, immutable");
    tell(t, POST, URL("/v1/items/%s/withdraw", id), "{\"reason\":\"有误\"}");
    assert_int_equal(get(t, target).status, 404);
    first = id;
    id = service_publish(t, "题图", "正文", URL(",\"image\":\"%s\"", hex));
    assert_int_equal(get(t, target).status, 200);
    a = get(t, URL("/a/%s", id));
    HAS(a, URL("<img src=\"%s\" alt=\"\">", target));
    assert_int_equal(
        tell(t, POST, URL("/v1/items/%s/gone", id), "{\"reason\":\"泄露个人信息\"}").status,
        200);
    assert_int_equal(get(t, target).status, 404);
    assert_int_equal(tell(t, GET, target, NULL).status,
                     200); /* the withdrawn item has it too */
    tell(t, POST, URL("/v1/items/%s/gone", first), "{\"reason\":\"泄露个人信息\"}");
    assert_int_equal(tell(t, GET, target, NULL).status, 404);
}

static void an_item_can_be_moved(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "要移动的", "正文", NULL);
    struct answer a = tell(t, POST, URL("/v1/items/%s/move", id), "{\"column\":\"通知公告\"}");

    assert_int_equal(a.status, 200);
    a = get(t, "/v1/columns/2/items");
    HAS(a, "要移动的");
    a = get(t, "/v1/columns/1/items");
    HAS_NOT(a, "要移动的");
    assert_int_equal(
        tell(t, POST, URL("/v1/items/%s/move", id), "{\"column\":\"没有\"}").status, 404);
}

/* ---- what is withdrawn ---- */

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

static void a_purge_publishes_and_forgets_what_was_before(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "公示", "身份证号 12010119900101", NULL);
    struct answer a = tell_with(t, PUT, URL("/v1/items/%s", id), "if-match: \"1\"",
                                "{\"title\":\"公示\",\"body\":\"已更正\"}");

    assert_int_equal(a.status, 200);
    tell(t, POST, URL("/v1/items/%s/submit", id), NULL);
    tell(t, POST, URL("/v1/items/%s/approve", id), NULL);
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/approve", id), "{\"purge\":true}").status,
                     400);
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/publish", id), "{\"purge\":true}").status,
                     400);
    a = tell(t, POST, URL("/v1/items/%s/publish", id),
             "{\"purge\":true,\"reason\":\"含个人信息\"}");
    assert_int_equal(a.status, 200);
    assert_int_equal(get(t, URL("/v1/items/%s/revisions/1", id)).status, 410);
    a = get(t, URL("/v1/items/%s/revisions/2", id));
    HAS(a, "已更正");
    a = get(t, URL("/v1/items/%s/revisions", id));
    HAS_NOT(a, "含个人信息");
    a = tell(t, GET, URL("/v1/drafts/%s", id), NULL);
    HAS(a, "\"reason\":\"含个人信息\"");
    HAS(a, "\"verb\":\"purge\"");
}

/* ---- the description ---- */

static void check_refs(struct world *t, const json_t *root, const json_t *v)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_array(v))
        json_array_foreach((json_t *)(uintptr_t)v, i, member) check_refs(t, root, member);
    if (!json_is_object(v))
        return;
    json_object_foreach((json_t *)(uintptr_t)v, key, member)
    {
        const json_t *at = root;
        char path[200], *save = NULL;

        if (strcmp(key, "$ref") || !json_is_string(member)) {
            check_refs(t, root, member);
            continue;
        }
        snprintf(path, sizeof path, "%s", json_string_value(member) + 2);
        for (char *part = strtok_r(path, "/", &save); part; part = strtok_r(NULL, "/", &save))
            at = json_object_get(at, part);
        if (!at)
            fail_msg("%s leads nowhere", json_string_value(member));
    }
}

static void the_interface_describes_itself(void **state)
{
    struct world *t = *state;
    struct answer a = get(t, "/openapi.json");
    json_t *doc = json_of(t, &a);
    struct buf again = BUF_IN(world_mem(t));

    check_refs(t, doc, doc);
    assert_non_null(json_object_get(
        json_object_get(json_object_get(doc, "paths"), "/v1/items/{id}"), "put"));
    openapi_print(&again);
    assert_string_equal(again.p, a.body);
    for (const struct route *r = routes_table; r->path; r++)
        if (openapi_shows(r) && !openapi_shape(r)->handler)
            fail_msg("%s %s has no shape", method_name(r->method), r->path);
}

static void the_docs_show_every_route_and_failure(void **state)
{
    struct world *t = *state;
    struct answer a = get(t, "/docs");

    HAS(a, "curl -s '");
    HAS(a, "https://www.example.cn/v1/items?n=3");
    HAS(a, "/problems/idempotency-mismatch");
    HAS_NOT(a, "<script");
    for (const struct route *r = routes_table; r->path; r++) {
        struct buf path = BUF_IN(world_mem(t));

        routes_put_path(&path, r);
        if (openapi_shows(r))
            HAS(a, URL("<code>%s %s</code>", method_name(r->method), path.p));
    }
}

/* What goes in and what comes out stands on the page itself, member by member. */
static void the_docs_show_every_schema(void **state)
{
    static const char link[] = "href=\"#";
    struct world *t = *state;
    struct answer a = get(t, "/docs"), doc = get(t, "/openapi.json");
    json_t *schemas =
        json_object_get(json_object_get(json_of(t, &doc), "components"), "schemas");
    int links = 0;

    for (void *at = json_object_iter(schemas); at; at = json_object_iter_next(schemas, at))
        HAS(a, URL("<h3 id=\"schema-%s\">", json_object_iter_key(at)));
    for (const char *at = a.body; (at = strstr(at, link)); links++) {
        at += sizeof link - 1;
        HAS(a, URL(" id=\"%.*s\"", (int)strcspn(at, "\""), at));
    }
    assert_true(links > 60);
    HAS(a, "请求：<a href=\"#schema-NewItem\">");
    HAS(a, "<td><code>docNumber</code></td><td>string</td><td>否</td><td>发文字号");
    HAS(a, "<td><code>effectDate</code></td>");
    HAS(a, "文种");
    HAS(a, "<td><code>title</code></td><td>string</td><td>是</td><td>标题");
    HAS(a, "<code>refused[].line</code>");
    HAS_NOT(a, "<td></td>");
    HAS_NOT(a, "<td>；");
}

/* As it stands it is taken: a body without its media type would be answered 415. */
static void an_example_with_a_body_names_its_type(void **state)
{
    struct world *t = *state;
    struct answer a = get(t, "/docs");
    int n = 0;

    for (const char *at = a.body; (at = strstr(at, "curl -s ")); n++) {
        const char *end = strchr(at, '\n');
        const char *line = URL("%.*s", (int)(end - at), at);

        if (strstr(line, "-X P") && !strstr(line, "-H 'Content-Type: ") &&
            !strstr(line, "-H &#39;Content-Type: "))
            fail_msg("%s", line);
        at = end;
    }
    assert_true(n > 40);
    for (const struct route *r = routes_table; r->path; r++)
        assert_true(!openapi_shows(r) || r->method == GET || r->method == DELETE ||
                    openapi_shape(r)->body);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, service_world_set_up, service_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_public_address_answers),
        TEST(an_item_is_its_record),
        TEST(what_has_not_changed_answers_304),
        TEST(a_change_is_seen_at_once),
        TEST(a_walk_by_cursor_sees_everything_once),
        TEST(a_draft_goes_its_way_to_publication),
        TEST(a_number_as_text_names_a_column),
        TEST(strangers_may_change_nothing),
        TEST(what_a_proxy_passes_on_comes_from_a_stranger),
        TEST(a_failure_names_its_place),
        TEST(a_token_opens_what_it_names),
        TEST(an_import_answers_line_by_line),
        TEST(a_line_of_nul_bytes_is_refused),
        TEST(blobs_come_in_pieces_and_go_out_in_ranges),
        TEST(files_are_public_while_their_item_is),
        TEST(an_item_can_be_moved),
        TEST(what_was_withdrawn_is_in_no_answer),
        TEST(a_purge_publishes_and_forgets_what_was_before),
        TEST(the_interface_describes_itself),
        TEST(the_docs_show_every_route_and_failure),
        TEST(the_docs_show_every_schema),
        TEST(an_example_with_a_body_names_its_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
