/*
 * sources_test.c - feeds and files of records that are asked for by ourselves: what is new comes in once, what is wrong is told, who is away is left in peace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/source/source_pull.h"
#include "server/store/db.h"
#include "tests/lib/service_world.h"

#define FEED(items) "<rss version=\"2.0\"><channel>" items "</channel></rss>"
#define ITEM(id, title, text)                                                      \
    "<item><guid>" id "</guid><title>" title "</title><link>/a/" id ".html</link>" \
    "<description>&lt;p&gt;" text                                                  \
    "&lt;/p&gt;</description><pubDate>Mon, 16 Mar 2026 09:30:00 "                  \
    "+0800</pubDate></item>"

/* ---- the other side ---- */

static struct {
    int status, asked;
    const char *body, *etag, *moved;
    char heard_etag[100], heard_modified[100];
    bool cut;
} there;

#define PAGE(title, date, text)                                                                \
    "<head><meta name=ArticleTitle content=\"" title "\"><meta name=PubDate content=\"" date   \
    "\"><meta name=ContentSource content=\"和平区\"></head><body><div>导航</div><div><p>" text \
    "</p></div></body>"

/* Pages that a column's page leads to. */
static const struct {
    const char *url, *body;
} articles[] = {
    { "https://heping.example.cn/a/1.html",
      PAGE("新建口袋公园", "2026-03-16 09:30", "三处绿地") },
    { "https://heping.example.cn/a/2.html", PAGE("供热开始", "2026/03/16 09:30", "明日起") },
    { "https://heping.example.cn/a/3.html", "<p>没有标签的网页</p>" },
};

static bool get_article(const char *url, struct fetched *out)
{
    for (size_t i = 0; i < sizeof articles / sizeof *articles; i++)
        if (!strcmp(articles[i].url, url)) {
            out->status = 200;
            buf_adds(&out->body, articles[i].body);
            return true;
        }
    out->status = 404;
    return strstr(url, "/a/") != NULL;
}

static void get_there(void *unused, const struct fetch_request *rq, struct fetched *out)
{
    (void)unused;
    there.asked++;
    if (get_article(rq->url, out))
        return;
    snprintf(there.heard_etag, sizeof there.heard_etag, "%s", rq->etag ? rq->etag : "");
    snprintf(there.heard_modified, sizeof there.heard_modified, "%s",
             rq->modified ? rq->modified : "");
    out->cut = there.cut;
    out->status = there.etag && rq->etag && !strcmp(there.etag, rq->etag) ? 304 : there.status;
    if (there.etag)
        snprintf(out->etag, sizeof out->etag, "%s", there.etag);
    snprintf(out->modified, sizeof out->modified, "Mon, 16 Mar 2026 01:30:00 GMT");
    snprintf(out->moved, sizeof out->moved, "%s", there.moved ? there.moved : "");
    buf_adds(&out->body, there.body);
}

static enum rc pull_once(struct world *t)
{
    const struct fetch_door door = { .get = get_there, .data = world_dir(t) };
    struct work w;
    enum rc rc;

    work_init(&w, world_mem(t), NULL, "fetch", RIGHT_READ);
    assert_int_equal(db_open(&w.err, URL("%s/%s", world_dir(t), DB_NAME), DB_READ, &w.db),
                     RC_OK);
    rc = source_pull_next(&w, &door);
    if (rc && rc != RC_NOT_FOUND && rc != RC_BUSY)
        fail_msg("%s", w.err.text);
    db_end_read(w.db);
    db_close(w.db);
    return rc;
}

static int set_up(void **state)
{
    int failed = service_world_set_up(state);

    memset(&there, 0, sizeof there);
    there.status = 200;
    there.body = FEED(ITEM("1", "新建口袋公园", "三处"));
    clock_set(WORLD_NOW);
    return failed;
}

static void add(struct world *t, const char *kind)
{
    struct answer a = tell(
        t, POST, "/v1/sources",
        URL("{\"id\":\"heping\",\"site\":\"1200000000\",\"column\":\"要闻\",\"kind\":\"%s\","
            "\"url\":\"https://heping.example.cn/all.rss\",\"minutes\":30}",
            kind));

    if (a.status != 201)
        fail_msg("%d %s", a.status, a.body);
}

static struct answer shown(struct world *t)
{
    return tell(t, GET, "/v1/sources/heping", NULL);
}

static int drafts(struct world *t)
{
    struct answer a = tell(t, GET, "/v1/staff/items?state=draft", NULL);

    return (int)json_array_size(json_object_get(json_of(t, &a), "items"));
}

/* ---- the cases ---- */

static void what_is_new_comes_in_once(void **state)
{
    struct world *t = *state;
    struct answer a;

    add(t, "feed");
    there.etag = "\"v1\"";
    assert_int_equal(pull_once(t), RC_OK);
    assert_int_equal(drafts(t), 1);
    a = tell(t, GET, "/v1/submissions", NULL);
    HAS(a, "\"source\":\"source:heping\"");
    HAS(a, "\"state\":\"in_review\"");
    a = tell(t, GET, URL("/v1/drafts/%s", text_of(t, &a, "item")), NULL);
    HAS(a, "\"title\":\"新建口袋公园\"");
    HAS(a, "\"sourceDate\":\"2026-03-16");
    HAS(a, "\"sourceUrl\":\"https://heping.example.cn/a/1.html\"");
    HAS(a, "\"body\":\"三处");
    HAS(shown(t), "\"taken\":1");
    assert_int_equal(pull_once(t), RC_NOT_FOUND); /* not yet */
    clock_set(WORLD_NOW + 1800);
    assert_int_equal(pull_once(t), RC_OK); /* 304 */
    assert_string_equal(there.heard_etag, "\"v1\"");
    assert_string_equal(there.heard_modified, "Mon, 16 Mar 2026 01:30:00 GMT");
    assert_int_equal(drafts(t), 1);
    /* Another document with the same entry, and one more. */
    there.etag = "\"v2\"";
    there.body = FEED(ITEM("2", "供热开始", "明日起") ITEM("1", "新建口袋公园", "三处"));
    clock_set(WORLD_NOW + 3600);
    assert_int_equal(pull_once(t), RC_OK);
    assert_int_equal(drafts(t), 2);
    HAS(shown(t), "\"taken\":2");
    HAS(shown(t), "\"faults\":[]");
}

static void an_entry_that_changed_is_a_new_version(void **state)
{
    struct world *t = *state;
    struct answer a;

    add(t, "feed");
    assert_int_equal(pull_once(t), RC_OK);
    there.body = FEED(ITEM("1", "新建口袋公园", "四处"));
    clock_set(WORLD_NOW + 1800);
    assert_int_equal(pull_once(t), RC_OK);
    assert_int_equal(drafts(t), 1);
    a = tell(t, GET, "/v1/submissions", NULL);
    a = tell(t, GET, URL("/v1/drafts/%s", text_of(t, &a, "item")), NULL);
    HAS(a, "\"revision\":2");
    HAS(a, "四处");
}

static void what_is_wrong_with_an_entry_is_told_and_hinders_no_other(void **state)
{
    struct world *t = *state;
    struct answer a;

    add(t, "feed");
    there.body =
        FEED("<item><title>没有编号</title></item><item><guid>3</guid></item>"
             "<item><guid>4</guid><title>怪日期</title><pubDate>昨天</pubDate></item>" ITEM(
                 "1", "新建口袋公园", "三处"));
    assert_int_equal(pull_once(t), RC_OK);
    assert_int_equal(drafts(t), 2);
    a = shown(t);
    HAS(a, "{\"entry\":\"没有编号\",\"said\":\"没有编号，也没有链接\"}");
    HAS(a, "{\"entry\":\"3\",\"said\":\"没有标题\"}");
    HAS(a, "\"entry\":\"怪日期\"");
    HAS(a, "\"failures\":0");
    assert_int_equal(tell(t, PATCH, "/v1/columns/1", "{\"open\":false}").status, 200);
    there.body = FEED(ITEM("9", "栏目关了", "三处"));
    clock_set(WORLD_NOW + 1800);
    assert_int_equal(pull_once(t), RC_OK);
    HAS(shown(t), "is closed");
}

static void who_is_away_is_asked_ever_more_rarely(void **state)
{
    struct world *t = *state;
    static const int rests[] = { 1800, 3600, 7200 };
    int64_t now = WORLD_NOW;

    add(t, "feed");
    there.status = 503;
    assert_int_equal(pull_once(t), RC_OK);
    for (int i = 0; i < 3; i++) {
        clock_set(now + rests[i] - 1);
        assert_int_equal(pull_once(t), RC_NOT_FOUND);
        clock_set(now += rests[i]);
        assert_int_equal(pull_once(t), RC_OK);
    }
    HAS(shown(t), "\"failures\":4");
    HAS(shown(t), "答复 503");
    for (int i = 0; i < 10; i++) {
        clock_set(now += 86400);
        assert_int_equal(pull_once(t), RC_OK); /* a day at most */
    }
    there.status = 200;
    clock_set(now += 86400);
    assert_int_equal(pull_once(t), RC_OK);
    HAS(shown(t), "\"failures\":0");
    HAS_NOT(shown(t), "\"said\":\"对方");
    assert_int_equal(drafts(t), 1);
}

static void what_is_no_feed_is_a_failure(void **state)
{
    struct world *t = *state;
    static const struct {
        const char *body, *says;
        int status;
    } cases[] = { { "<html><body>维护中</body></html>", "没有条目", 200 },
                  { "not xml", "不是完好的 XML", 200 },
                  { "<!DOCTYPE rss [<!ENTITY a \"b\">]><rss/>", "DOCTYPE", 200 },
                  { "", "搬到了", 301 },
                  { "", "连不上", 0 } };
    int64_t now = WORLD_NOW;

    add(t, "feed");
    there.moved = "https://new.example.cn/";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        there.body = cases[i].body;
        there.status = cases[i].status;
        clock_set(now += 86400);
        assert_int_equal(pull_once(t), RC_OK);
        if (!strstr(shown(t).body, cases[i].says))
            fail_msg("%s: %s", cases[i].says, shown(t).body);
    }
    assert_int_equal(drafts(t), 0);
}

static void a_file_of_records_is_read_line_by_line(void **state)
{
    struct world *t = *state;
    struct answer a;

    add(t, "records");
    there.body =
        "{\"id\":\"r1\",\"title\":\"一\",\"body\":\"正文\"}\n\n{oops\n"
        "{\"id\":\"r2\",\"title\":\"二\",\"column\":\"通知公告\",\"html\":\"<p>二</p>\"}\n"
        "{\"id\":\"r3\",\"title\":\"三\",\"colour\":1}";
    assert_int_equal(pull_once(t), RC_OK);
    assert_int_equal(drafts(t), 2);
    a = shown(t);
    HAS(a, "\"entry\":\"第 3 行\"");
    HAS(a, "\"entry\":\"第 5 行\"");
    HAS(a, "\"taken\":2");
}

static void a_columns_page_leads_to_articles(void **state)
{
    struct world *t = *state;
    struct answer a;

    add(t, "pages");
    there.body = "<a href=/a/1.html>一</a><a href=/a/2.html>二</a><a href=/a/3.html>三</a>"
                 "<a href=/a/gone.html>四</a>";
    assert_int_equal(pull_once(t), RC_OK);
    assert_int_equal(drafts(t), 2);
    a = shown(t);
    HAS(a, "SiteIDCode 没有"); /* of the column's page */
    HAS(a, "PubDate 写成“2026/03/16 09:30”");
    HAS(a, "ArticleTitle 没有");
    HAS(a, "答复 404");
    HAS(a, "\"failures\":0");
    a = tell(t, GET, "/v1/submissions", NULL);
    a = tell(t, GET, URL("/v1/drafts/%s", text_of(t, &a, "item")), NULL);
    HAS(a, "\"contentSource\":\"和平区\"");
    HAS(a, "\"sourceDate\":\"2026-03-16");
    HAS_NOT(a, "导航");
    /* Those that are here are not asked for again; the others are. */
    there.asked = 0;
    clock_set(WORLD_NOW + 1800);
    assert_int_equal(pull_once(t), RC_OK);
    assert_int_equal(there.asked, 3);
    assert_int_equal(drafts(t), 2);
}

static void an_agreement_may_accept_it(void **state)
{
    struct world *t = *state;
    const char *editor = service_program(t, "editor", "edit,import");

    add(t, "feed");
    assert_int_equal(tell(t, PUT, "/v1/sites/1200000000/agreements/source:heping",
                          "{\"accepts\":\"publish\",\"basis\":\"津政办〔2026〕3号\"}")
                         .status,
                     200);
    assert_int_equal(pull_once(t), RC_OK);
    HAS(get(t, "/v1/items"), "新建口袋公园");
    /* It was made for what stood at that address. */
    assert_int_equal(tell(t, DELETE, "/v1/sources/heping", NULL).status, 204);
    HAS(tell(t, GET, "/v1/sites/1200000000/agreements", NULL), "\"agreements\":[]");
    assert_int_equal(tell(t, PUT, "/v1/sites/1200000000/agreements/source:heping",
                          "{\"accepts\":\"publish\",\"basis\":\"津政办〔2026〕3号\"}")
                         .status,
                     200);
    assert_int_equal(
        ask(t, POST, "/v1/sources",
            &(struct ask){ .headers = editor,
                           .body =
                               "{\"id\":\"heping\",\"site\":\"1200000000\",\"column\":\"要闻\","
                               "\"url\":\"https://another.example.cn/2.rss\"}" })
            .status,
        409);
    add(t, "feed"); /* by who may say so */
}

static void staff_look_after_it(void **state)
{
    struct world *t = *state;
    const char *other;

    add(t, "feed");
    assert_int_equal(tell(t, POST, "/v1/sources",
                          "{\"id\":\"heping\",\"site\":\"1200000000\",\"column\":\"要闻\","
                          "\"url\":\"https://heping.example.cn/2.rss\"}")
                         .status,
                     409);
    assert_int_equal(pull_once(t), RC_OK);
    assert_int_equal(tell(t, POST, "/v1/sources/heping/pull", NULL).status, 202);
    assert_int_equal(pull_once(t), RC_OK);
    there.cut = true;
    assert_int_equal(tell(t, POST, "/v1/sources/heping/pull", NULL).status, 202);
    assert_int_equal(pull_once(t), RC_BUSY);
    HAS(shown(t), "\"failures\":0");
    other = service_program(t, "stranger", "import");
    assert_int_equal(ask(t, GET, "/v1/sources", &(struct ask){ .headers = other }).status, 403);
    assert_int_equal(tell(t, DELETE, "/v1/sources/heping", NULL).status, 204);
    assert_int_equal(shown(t).status, 404);
    assert_int_equal(pull_once(t), RC_NOT_FOUND);
}

static void what_cannot_be_is_refused(void **state)
{
    struct world *t = *state;
    static const struct {
        const char *body;
        int status;
    } cases[] = {
        { "{\"id\":\"A "
          "b\",\"site\":\"1200000000\",\"column\":\"要闻\",\"url\":\"https://a.cn/\"}",
          400 },
        { "{\"id\":\"a\",\"site\":\"1200000000\",\"column\":\"要闻\",\"url\":\"file:///etc\"}",
          400 },
        { "{\"id\":\"a\",\"site\":\"1200000000\",\"column\":\"没有\",\"url\":\"https://a.cn/"
          "\"}",
          404 },
        { "{\"id\":\"a\",\"site\":\"1200000000\",\"column\":\"要闻\",\"url\":\"https://a.cn/\","
          "\"minutes\":1}",
          400 },
        { "{\"id\":\"a\",\"site\":\"1200000000\",\"column\":\"要闻\",\"url\":\"https://a.cn/\","
          "\"kind\":\"ftp\"}",
          400 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(tell(t, POST, "/v1/sources", cases[i].body).status, cases[i].status);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, service_world_tear_down)
    const struct CMUnitTest tests[] = {
        T(what_is_new_comes_in_once),
        T(an_entry_that_changed_is_a_new_version),
        T(what_is_wrong_with_an_entry_is_told_and_hinders_no_other),
        T(who_is_away_is_asked_ever_more_rarely),
        T(what_is_no_feed_is_a_failure),
        T(a_file_of_records_is_read_line_by_line),
        T(a_columns_page_leads_to_articles),
        T(an_agreement_may_accept_it),
        T(staff_look_after_it),
        T(what_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
