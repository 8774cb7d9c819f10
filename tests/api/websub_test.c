/* websub_test.c - what the hub's address takes and refuses, and what it hands to the thread that tells subscribers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/hub.h"
#include "api/instance.h"
#include "server/derived/derived.h"
#include "server/store/db.h"
#include "tests/lib/service_world.h"

static struct work reading(struct world *t)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&w.err, URL("%s/tjzw.db", world_dir(t)), DB_READ, &w.db), RC_OK);
    return w;
}

static void catch_up(struct world *t)
{
    struct work w = reading(t);

    if (derived_catch_up(&w))
        fail_msg("%s", w.err.text);
    db_close(w.db);
}

static const char *escaped(struct world *t, const char *text)
{
    struct buf b = BUF_IN(world_mem(t));

    buf_url(&b, text, strlen(text));
    return b.p;
}

static const char *topic(struct world *t, const char *path)
{
    struct buf b = BUF_IN(world_mem(t));

    instance_url(&b, path);
    return escaped(t, b.p);
}

static int post(struct world *t, const char *body)
{
    return ask(t, POST, "/hub",
               &(struct ask){ .headers = "content-type: application/x-www-form-urlencoded\n",
                              .body = body })
        .status;
}

static const char *form(struct world *t, const char *mode, const char *path,
                        const char *callback, const char *more)
{
    return URL("hub.mode=%s&hub.topic=%s&hub.callback=%s%s", mode, topic(t, path),
               escaped(t, callback), more);
}

static int waiting(struct world *t)
{
    struct work w = reading(t);
    struct websub_ask *asks;
    int n;

    assert_int_equal(websub_ask_list(&w, 0, 200, &asks, &n), RC_OK);
    db_close(w.db);
    return n;
}

static void what_is_asked_waits_to_be_verified(void **state)
{
    struct world *t = *state;
    struct work w;
    struct websub_ask *asks;
    int n;

    assert_int_equal(
        post(t, form(t, "subscribe", "/feeds/all.atom", "https://Reader.example.cn/h?k=1",
                     "&hub.secret=s%20ecret&hub.lease_seconds=86400&hub.other=x")),
        202);
    assert_int_equal(post(t, form(t, "unsubscribe", "/feeds/columns/1.rss",
                                  "https://reader.example.cn/h", "")),
                     202);
    w = reading(t);
    assert_int_equal(websub_ask_list(&w, 0, 10, &asks, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(asks[0].mode, WEBSUB_SUBSCRIBE);
    assert_string_equal(asks[0].topic, "/feeds/all.atom");
    assert_string_equal(asks[0].callback, "https://Reader.example.cn/h?k=1");
    assert_string_equal(asks[0].host, "reader.example.cn");
    assert_string_equal(asks[0].secret, "s ecret");
    assert_int_equal(asks[0].lease, 86400);
    assert_int_equal(asks[1].mode, WEBSUB_UNSUBSCRIBE);
    assert_null(asks[1].secret);
    assert_int_equal(asks[1].lease, 864000);
    db_close(w.db);
}

static void what_cannot_be_is_refused(void **state)
{
    struct world *t = *state;
    const char *good = "https://reader.example.cn/h", *all = "/feeds/all.atom";

    assert_int_equal(post(t, form(t, "publish", all, good, "")), 400);
    assert_int_equal(post(t, form(t, "denied", all, good, "")), 400);
    assert_int_equal(post(t, form(t, "subscribe", "/feeds/columns/99999.atom", good, "")), 400);
    assert_int_equal(post(t, form(t, "subscribe", "/feeds/columns/01.atom", good, "")), 400);
    assert_int_equal(post(t, form(t, "subscribe", "/feeds/all/1-00-0.atom", good, "")), 400);
    assert_int_equal(post(t, form(t, "subscribe", "/feeds/search.atom?q=1", good, "")), 400);
    assert_int_equal(post(t, form(t, "subscribe", "/feeds/themes/%E5%9F%8E.atom", good, "")),
                     400);
    assert_int_equal(post(t, form(t, "subscribe", "/feeds/%zz.atom", good, "")), 400);
    assert_int_equal(post(t, form(t, "subscribe", all, "http://10.0.0.1/", "")), 400);
    assert_int_equal(post(t, form(t, "subscribe", all, "http://[::1]/", "")), 400);
    assert_int_equal(post(t, form(t, "subscribe", all, "http://localhost/", "")), 400);
    assert_int_equal(post(t, form(t, "subscribe", all, good, "&hub.lease_seconds=-1")), 400);
    assert_int_equal(post(t, form(t, "subscribe", all, good, "&hub.callback=x")), 400);
    assert_int_equal(post(t, "hub.mode=subscribe"), 400);
    assert_int_equal(post(t, ""), 400);
    assert_int_equal(waiting(t), 0);
}

static void a_host_has_a_hundred_questions_at_most(void **state)
{
    struct world *t = *state;

    for (int i = 0; i < WEBSUB_ASKS_OF_HOST; i++)
        assert_int_equal(post(t, form(t, "subscribe", "/feeds/all.atom",
                                      URL("https://reader.example.cn/%d", i), "")),
                         202);
    assert_int_equal(
        post(t, form(t, "subscribe", "/feeds/all.atom", "https://reader.example.cn/x", "")),
        429);
    assert_int_equal(
        post(t, form(t, "subscribe", "/feeds/all.atom", "https://other.example.cn/x", "")),
        202);
    assert_int_equal(waiting(t), WEBSUB_ASKS_OF_HOST + 1);
}

static struct websub_place place_of(struct work *w, const char *path)
{
    struct websub_place at;

    assert_int_equal(hub_feeds.place(w, path, &at), RC_OK);
    return at;
}

static void documents_are_what_is_new_since_a_place(void **state)
{
    struct world *t = *state;
    const char *id;
    struct websub_place begin, one;
    struct websub_document d;
    struct work w;

    service_publish(t, "第一篇", "正文", NULL);
    catch_up(t);
    w = reading(t);
    begin = place_of(&w, "/feeds/all.atom");
    assert_int_equal(hub_feeds.make(&w, "/feeds/all.atom", &begin, &d), RC_OK);
    assert_null(d.bytes);
    id = service_publish(t, "第二篇", "正文", NULL);
    catch_up(t);
    db_end_read(w.db);
    assert_int_equal(hub_feeds.make(&w, "/feeds/all.atom", &begin, &d), RC_OK);
    assert_non_null(strstr(d.bytes, "第二篇"));
    assert_null(strstr(d.bytes, "第一篇"));
    assert_non_null(strstr(d.bytes, "/hub\""));
    one = d.upto;
    assert_int_equal(one.n, begin.n + 1);
    assert_int_equal(
        tell(t, POST, URL("/v1/items/%s/withdraw", id), "{\"reason\":\"测试\"}").status, 200);
    db_end_read(w.db);
    /* The library is ahead: nothing of it is shown, and nothing else is to be said yet. */
    assert_int_equal(hub_feeds.make(&w, "/feeds/all.atom", &begin, &d), RC_OK);
    assert_null(d.bytes);
    catch_up(t);
    db_end_read(w.db);
    assert_int_equal(hub_feeds.make(&w, "/feeds/all.atom", &one, &d), RC_OK);
    assert_non_null(strstr(d.bytes, "deleted-entry"));
    assert_int_equal(hub_feeds.make(&w, "/feeds/all.rss", &one, &d), RC_OK);
    assert_non_null(strstr(d.bytes, "第一篇")); /* RSS has no word for it: all is told */
    assert_null(strstr(d.bytes, "第二篇"));
    one.chain[0] ^= 1; /* of another log */
    assert_int_equal(hub_feeds.make(&w, "/feeds/all.atom", &one, &d), RC_OK);
    assert_non_null(strstr(d.bytes, "第一篇"));
    assert_int_equal(hub_feeds.place(&w, "/feeds/columns/99999.atom", &one), RC_NOT_FOUND);
    db_close(w.db);
}

static void staff_see_who_is_subscribed(void **state)
{
    struct world *t = *state;

    assert_int_equal(get(t, "/v1/websub").status, 401);
    HAS(tell(t, GET, "/v1/websub", NULL), "\"subscriptions\":[");
}

int main(void)
{
#define IN(test)                                                        \
    cmocka_unit_test_setup_teardown(test, service_world_derived_set_up, \
                                    service_world_derived_tear_down)
    const struct CMUnitTest tests[] = {
        IN(what_is_asked_waits_to_be_verified),
        IN(what_cannot_be_is_refused),
        IN(a_host_has_a_hundred_questions_at_most),
        IN(documents_are_what_is_new_since_a_place),
        IN(staff_see_who_is_subscribed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
