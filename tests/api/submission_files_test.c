/*
 * submission_files_test.c - pictures and attachments that a submission names: fetched into the library, or said why not; nothing is lost either way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/source/file_type.h"
#include "server/source/submission_fetch.h"
#include "server/store/db.h"
#include "tests/lib/service_world.h"

#define AT  "https://heping.example.cn"
#define PNG "\x89PNG\r\n\x1a\n-----"
#define RECORD(id, html)                                                                         \
    "{\"site\":\"1200000000\",\"column\":\"要闻\",\"id\":\"" id "\",\"title\":\"口袋公园\"," \
    "\"url\":\"" AT "/a/1.html\",\"html\":\"" html "\"}"

/* ---- a web of a few addresses ---- */

static struct page {
    const char *url;
    int status; /* 0: nobody answers */
    const char *body, *moved;
    size_t n; /* 0: strlen(body) */
    int asked;
} web[] = {
    { AT "/a/1.png", 200, PNG, NULL, sizeof PNG - 1, 0 },
    { AT "/a/words.docx", 200, "PK\x03\x04 words", NULL, 0, 0 },
    { AT "/a/old.png", 301, "", "/a/1.png", 0, 0 },
    { AT "/a/round.png", 302, "", "round.png", 0, 0 },
    { AT "/a/page.jpg", 200, "<html>not found</html>", NULL, 0, 0 },
    { AT "/a/drawn.svg", 200, "<svg onload=alert(1)>", NULL, 0, 0 },
    { AT "/a/huge.pdf", 200, "%PDF-", NULL, 30 * 1024 * 1024, 0 },
    { "https://away.example.cn/1.png", 0, "", NULL, 0, 0 },
    { "https://away.example.cn/2.png", 0, "", NULL, 0, 0 },
    { "https://busy.example.cn/1.png", 503, "", NULL, 0, 0 },
    { "https://stop.example.cn/1.png", -1, "", NULL, 0, 0 },
};

static struct page *page_of(const char *url)
{
    for (size_t i = 0; i < sizeof web / sizeof *web; i++)
        if (!strcmp(web[i].url, url))
            return &web[i];
    return NULL;
}

static void get_page(void *unused, const struct fetch_request *rq, struct fetched *out)
{
    struct page *p = page_of(rq->url);

    (void)unused;
    if (!p) {
        out->status = 404;
        return;
    }
    p->asked++;
    out->cut = p->status < 0;
    out->too_large = p->n > rq->max;
    if (out->cut || out->too_large)
        return;
    out->status = p->status;
    snprintf(out->moved, sizeof out->moved, "%s", p->moved ? p->moved : "");
    buf_add(&out->body, p->body, p->n ? p->n : strlen(p->body));
}

static enum rc fetch_once(struct world *t)
{
    const struct fetch_door door = { .get = get_page, .data = world_dir(t) };
    struct work w;
    enum rc rc;

    work_init(&w, world_mem(t), NULL, "fetch", RIGHT_READ);
    assert_int_equal(db_open(&w.err, URL("%s/%s", world_dir(t), DB_NAME), DB_READ, &w.db),
                     RC_OK);
    rc = submission_fetch_next(&w, &door);
    db_end_read(w.db);
    db_close(w.db);
    return rc;
}

/* ---- a program that hands in ---- */

static const char *key;

static int set_up(void **state)
{
    int failed = service_world_set_up(state);

    for (size_t i = 0; i < sizeof web / sizeof *web; i++)
        web[i].asked = 0;
    clock_set(WORLD_NOW);
    key = service_program(*state, "heping", "import");
    return failed;
}

static struct answer as(struct world *t, enum method m, const char *target, const char *body)
{
    return ask(t, m, target, &(struct ask){ .headers = key, .body = body });
}

static const char *hand_in(struct world *t, const char *body)
{
    struct answer a = as(t, POST, "/v1/submissions", body);

    if (a.status != 201)
        fail_msg("%d %s", a.status, a.body);
    return URL("/v1/submissions/%s", text_of(t, &a, "id"));
}

static struct answer told(struct world *t, const char *at, const char *state)
{
    struct answer a = as(t, GET, at, NULL);

    assert_int_equal(a.status, 200);
    /* The first "state" may be a file's. */
    if (!strstr(a.body, URL("\"state\":\"%s\",\"verdicts\"", state)))
        fail_msg("not %s: %s", state, a.body);
    return a;
}

static struct answer draft(struct world *t, const char *at)
{
    struct answer a = as(t, GET, at, NULL);

    return tell(t, GET, URL("/v1/drafts/%s", text_of(t, &a, "item")), NULL);
}

static const char *hash_text(struct world *t, const char *url)
{
    const struct page *p = page_of(url);
    uint8_t hash[HASH_BYTES];
    char *out = arena_alloc(world_mem(t), HASH_TEXT);

    sha256(p->body, p->n ? p->n : strlen(p->body), hash);
    return hex_text(hash, sizeof hash, out);
}

/* ---- the cases ---- */

static void what_it_names_becomes_ours(void **state)
{
    struct world *t = *state;
    const char *png = hash_text(t, AT "/a/1.png"), *doc = hash_text(t, AT "/a/words.docx"), *at;
    struct answer a;

    at = hand_in(t,
                 RECORD("p1", "<p>图：<img src='1.png' alt='绿地'></p><p><a href='words.docx'>"
                              "申请表</a>，<a href='/b.html'>网页</a></p>"));
    told(t, at, "received");
    assert_int_equal(fetch_once(t), RC_OK);
    a = told(t, at, "in_review");
    HAS(a, URL("\"hash\":\"%s\"", png));
    HAS(a, "\"type\":\"image/png\"");
    a = draft(t, at);
    HAS(a, URL("![绿地](sha256:%s)", png));
    HAS(a, URL("[申请表](sha256:%s)", doc));
    HAS(a, "[网页](" AT "/b.html)");
    HAS(a, "\"name\":\"words.docx\"");
    HAS(a, "wordprocessingml");
    assert_int_equal(tell(t, GET, URL("/v1/blobs/%s", png), NULL).status, 200);
    assert_int_equal(get(t, URL("/v1/blobs/%s", png)).status, 404); /* it is a draft's */
    assert_int_equal(fetch_once(t), RC_NOT_FOUND);
}

static void files_may_be_listed(void **state)
{
    struct world *t = *state;
    const char *at = hand_in(t, "{\"site\":\"1200000000\",\"column\":\"要闻\",\"id\":\"p1\","
                                "\"title\":\"公园\",\"body\":"
                                "\"见附件\",\"files\":[{\"url\":\"" AT
                                "/a/words.docx\",\"name\":\"申请表.docx\"},"
                                "{\"url\":\"" AT "/a/old.png\"}]}");
    struct answer a;

    assert_int_equal(fetch_once(t), RC_OK);
    told(t, at, "in_review");
    a = draft(t, at);
    HAS(a, "\"name\":\"申请表.docx\"");
    HAS(a, "\"name\":\"old.png\""); /* a redirect was followed */
}

static void what_is_no_file_stays_a_link(void **state)
{
    struct world *t = *state;
    static const char *const names[] = { "page.jpg", "drawn.svg", "none.png", "round.png",
                                         "huge.pdf" };
    static const char *const why[] = { "不是图片", "不是图片", "答复 404", "答复 302",
                                       "超过 20 MB" };

    for (int i = 0; i < 5; i++) {
        const char *at =
            hand_in(t, URL(RECORD("p%d", "<p>一<img src='%s' alt='图'></p>"), i, names[i]));
        struct answer a;

        assert_int_equal(fetch_once(t), RC_OK);
        a = told(t, at, "in_review");
        HAS(a, "\"state\":\"failed\"");
        HAS(a, why[i]);
        a = draft(t, at);
        HAS(a, URL("[图片：图](" AT "/a/%s)", names[i]));
        HAS_NOT(a, "\"attachments\"");
    }
}

static void a_server_that_is_away_is_asked_again(void **state)
{
    struct world *t = *state;
    struct page *first = page_of("https://away.example.cn/1.png"),
                *second = page_of("https://away.example.cn/2.png");
    const char *at = hand_in(t, RECORD("p1", "<img src='//away.example.cn/1.png' alt='一'>"
                                             "<img src='//away.example.cn/2.png' alt='二'>"
                                             "<img src='1.png' alt='三'>"));
    struct answer a;

    assert_int_equal(fetch_once(t), RC_OK);
    told(t, at, "checking");
    assert_int_equal(first->asked + second->asked, 1); /* not once a file */
    assert_int_equal(fetch_once(t), RC_NOT_FOUND);     /* not yet */
    clock_set(WORLD_NOW + 20);
    assert_int_equal(fetch_once(t), RC_OK);
    assert_int_equal(fetch_once(t), RC_NOT_FOUND);
    clock_set(WORLD_NOW + 20 + 119);
    assert_int_equal(fetch_once(t), RC_NOT_FOUND);
    clock_set(WORLD_NOW + 20 + 120);
    assert_int_equal(fetch_once(t), RC_OK);
    assert_int_equal(first->asked + second->asked, 3);
    assert_int_equal(page_of(AT "/a/1.png")->asked, 1); /* what is here is not fetched again */
    a = told(t, at, "in_review");
    HAS(a, "连不上对方服务器");
    a = draft(t, at);
    HAS(a, "[图片：一](https://away.example.cn/1.png)");
    HAS(a, "![三](sha256:");
}

static void one_that_comes_back_is_taken(void **state)
{
    struct world *t = *state;
    struct page *p = page_of("https://busy.example.cn/1.png");
    const char *at = hand_in(t, RECORD("p1", "<img src='//busy.example.cn/1.png' alt='一'>"));

    assert_int_equal(fetch_once(t), RC_OK);
    HAS(told(t, at, "checking"), "答复 503");
    p->status = 200;
    p->body = "GIF89a";
    clock_set(WORLD_NOW + 20);
    assert_int_equal(fetch_once(t), RC_OK);
    p->status = 503;
    p->body = "";
    HAS(told(t, at, "in_review"), "image/gif");
}

static void a_later_version_takes_its_place(void **state)
{
    struct world *t = *state;
    const char *first = hand_in(t, RECORD("p1", "<img src='1.png' alt='一'>")),
               *second = hand_in(t, RECORD("p1", "<p>没有图</p>"));

    told(t, first, "replaced");
    told(t, second, "in_review");
    assert_int_equal(fetch_once(t), RC_NOT_FOUND);
    HAS(draft(t, second), "\"revision\":1");
}

static void what_cannot_be_taken_is_returned_with_a_reason(void **state)
{
    struct world *t = *state;
    const char *record = RECORD("p1", "<img src='1.png' alt='一'>"), *at = hand_in(t, record);

    assert_int_equal(tell(t, PATCH, "/v1/columns/1", "{\"open\":false}").status, 200);
    assert_int_equal(fetch_once(t), RC_OK);
    HAS(told(t, at, "returned"), "is closed");
    assert_int_equal(tell(t, PATCH, "/v1/columns/1", "{\"open\":true}").status, 200);
    at = hand_in(t, record); /* the same once more is tried once more */
    assert_int_equal(fetch_once(t), RC_OK);
    told(t, at, "in_review");
}

static void what_was_cut_short_is_done_again(void **state)
{
    struct world *t = *state;
    const char *at = hand_in(t, RECORD("p1", "<img src='//stop.example.cn/1.png' alt='一'>"));

    assert_int_equal(fetch_once(t), RC_BUSY);
    told(t, at, "checking");
    page_of("https://stop.example.cn/1.png")->status = 404;
    clock_set(WORLD_NOW + 120);
    assert_int_equal(fetch_once(t), RC_OK);
    page_of("https://stop.example.cn/1.png")->status = -1;
    told(t, at, "in_review");
}

static void an_agreement_holds_for_what_waited(void **state)
{
    struct world *t = *state;
    const char *png = hash_text(t, AT "/a/1.png"), *at;
    struct answer a;

    assert_int_equal(tell(t, PUT, "/v1/sites/1200000000/agreements/party:heping",
                          "{\"accepts\":\"publish\",\"basis\":\"津政办〔2026〕3号\"}")
                         .status,
                     200);
    at = hand_in(t, RECORD("p1", "<img src='1.png' alt='绿地'>"));
    assert_int_equal(fetch_once(t), RC_OK);
    a = told(t, at, "published");
    assert_int_equal(get(t, URL("/v1/blobs/%s", png)).status, 200);
    HAS(get(t, URL("/a/%s", text_of(t, &a, "item"))),
        URL("<img src=\"/v1/blobs/%s\" alt=\"绿地\">", png));
}

static void a_file_is_what_its_bytes_say(void **state)
{
    static const struct {
        const char *bytes, *name, *type;
    } cases[] = {
        { "%PDF-1.7", "a.doc", "application/pdf" },
        { "PK\x03\x04", "a.ofd", "application/ofd" },
        { "PK\x03\x04", "a", "application/zip" },
        { "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls", "application/vnd.ms-excel" },
        { "\xff\xd8\xff", "a.png", "image/jpeg" },
        { "甲,乙\n", "a.csv", "text/csv" },
        { "not found", "a.pdf", NULL },
        { "<html>", "a.txt", NULL },
        { "\x7f"
          "ELF",
          "a.pdf", NULL },
        { "", "a.txt", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct file_type *f =
            file_type_of(cases[i].bytes, strlen(cases[i].bytes), cases[i].name);

        if (!f != !cases[i].type || (f && strcmp(f->type, cases[i].type)))
            fail_msg("%s: %s", cases[i].name, f ? f->type : "nothing");
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, service_world_tear_down)
    const struct CMUnitTest tests[] = {
        T(what_it_names_becomes_ours),
        T(files_may_be_listed),
        T(what_is_no_file_stays_a_link),
        T(a_server_that_is_away_is_asked_again),
        T(one_that_comes_back_is_taken),
        T(a_later_version_takes_its_place),
        T(what_cannot_be_taken_is_returned_with_a_reason),
        T(what_was_cut_short_is_done_again),
        T(an_agreement_holds_for_what_waited),
        cmocka_unit_test(a_file_is_what_its_bytes_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
