/* What editors do: drafts, imports, files, and what is withdrawn for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/routes.h"
#include "api/staff.h"
#include "api/submissions.h"
#include "server/base/id.h"
#include "server/base/jx.h"
#include "tests/lib/service_world.h"

#define HAS_ONCE(a, line)                              \
    do {                                               \
        const char *first = strstr((a).headers, line); \
        assert_non_null(first);                        \
        assert_null(strstr(first + 1, line));          \
    } while (0)

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

/* ---- a disk that fails ---- */

static atomic_int
    disk; /* what happens to who reads a blob: 0 nothing, an errno, or -1: the file ends before its end */

static bool is_blob(int fd)
{
    char name[64], path[4096] = "";

    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return readlink(name, path, sizeof path - 1) > 0 && strstr(path, "/blobs/");
}

/* Comes before libc's. */
ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    if (disk && is_blob(fd)) {
        errno = disk;
        return disk < 0 ? 0 : -1;
    }
    return syscall(SYS_pread64, fd, to, n, at);
}

static void a_file_that_cannot_be_read_is_an_answer(void **state)
{
    static const char bytes[] = "%PDF-1.7 on a bad sector";
    struct world *t = *state;
    uint8_t hash[HASH_BYTES];
    char hex[HASH_TEXT];
    const char *target;

    sha256(bytes, sizeof bytes - 1, hash);
    target = URL("/v1/blobs/%s", hex_text(hash, sizeof hash, hex));
    assert_int_equal(tell(t, PUT, target, bytes).status, 201);
    world_check_answers(t, NULL); /* a 500 is described by "default" */
    disk = EIO;
    assert_int_equal(tell(t, GET, target, NULL).status, 500);
    assert_int_equal(tell_with(t, GET, target, "range: bytes=9-10", NULL).status, 500);
    disk = -1;
    assert_int_equal(tell(t, GET, target, NULL).status, 500);
    disk = 0;
    assert_int_equal(tell(t, GET, target, NULL).status, 200);
    assert_int_equal(tell_with(t, GET, target, "range: bytes=9-10", NULL).status, 206);
    assert_int_equal(tell_with(t, GET, target, "range: bytes=99-", NULL).status, 416);
}

/* A path that leads to the route: any parameter is some word. */
static const char *some_path(struct world *t, const struct route *r)
{
    char *out = arena_strdup(world_mem(t), r->path), *to = out;

    for (const char *from = r->path; *from; from++) {
        if (*from == ':')
            while (from[1] && from[1] != '/')
                from++;
        *to++ = *from == '/' ? '/' : *from;
    }
    *to = '\0';
    return out;
}

static int status_of(struct world *t, const struct route *r, int64_t n)
{
    char *body = memset(arena_alloc(world_mem(t), (size_t)n), ' ', (size_t)n);

    return ask(t, r->method, some_path(t, r),
               &(struct ask){ .body = body, .body_len = (size_t)n, .origin = ORIGIN_ADMIN })
        .status;
}

/* What is longer than a piece comes in pieces. But a draft is one text (docs/shield.md). */
static void a_route_takes_what_its_row_says_and_no_byte_more(void **state)
{
    struct world *t = *state;

    for (const struct route *r = routes_table; r->path; r++) {
        bool draft =
            r->handler == post_item || r->handler == put_item || r->handler == post_submission;

        assert_int_equal(status_of(t, r, r->body_max + 1), 413);
        if (r->body_max)
            assert_int_not_equal(status_of(t, r, r->body_max), 413);
        assert_true(r->body_max <= (draft ? 512 : 256) * 1024);
    }
}

/* Who may edit sees it, and who has the link of a preview; no cache keeps it. */
static void assert_draft_shows_file(struct world *t, const char *id, const char *target)
{
    struct answer a;

    assert_int_equal(get(t, target).status, 404);
    a = ask(t, GET, target, &(struct ask){ .headers = service_program(t, "editor", "edit") });
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(t, &a, "cache-control"), "no-store");
    a = tell(t, POST, URL("/v1/items/%s/preview", id), NULL);
    a = get(t, URL("%s?preview=%s", target, text_of(t, &a, "path") + strlen("/preview/")));
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(t, &a, "cache-control"), "no-store");
    assert_int_equal(get(t, URL("%s?preview=AAAA", target)).status, 404);
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
    assert_draft_shows_file(t, id, target);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_draft_goes_its_way_to_publication),
        TEST(a_number_as_text_names_a_column),
        TEST(an_import_answers_line_by_line),
        TEST(a_line_of_nul_bytes_is_refused),
        TEST(blobs_come_in_pieces_and_go_out_in_ranges),
        TEST(a_file_that_cannot_be_read_is_an_answer),
        TEST(a_route_takes_what_its_row_says_and_no_byte_more),
        TEST(files_are_public_while_their_item_is),
        TEST(an_item_can_be_moved),
        TEST(a_purge_publishes_and_forgets_what_was_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
