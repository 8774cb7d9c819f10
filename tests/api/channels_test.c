/* channels_test.c - the register of accounts on other platforms, and what WeChat is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/channel/channel_task.h"
#include "server/channel/wechat_crypt.h"
#include "server/channel/wechat_message.h"
#include "server/channel/wechat_seen.h"
#include "server/derived/derived.h"
#include "server/health/health.h"
#include "server/projections.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "tests/lib/people.h"

static const char KEY[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ",
                  APP[] = "wx0123456789abcdef", TOKEN[] = "atoken";

static int set_up(void **state)
{
    int failed = service_world_set_up(state);
    struct world *t = *state;
    struct err e = { 0 };

    wechat_forget_all();
    if (derived_open(&e, world_dir(t), projections))
        fail_msg("%s", e.text);
    return failed;
}

static int tear_down(void **state)
{
    derived_close();
    return service_world_tear_down(state);
}

static void catch_up(struct world *t)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&w.err, URL("%s/tjzw.db", world_dir(t)), DB_READ, &w.db), RC_OK);
    if (derived_catch_up(&w))
        fail_msg("%s", w.err.text);
    db_close(w.db);
}

static void make_account(struct world *t, bool safe)
{
    assert_int_equal(
        tell(t, POST, "/v1/channels",
             URL("{\"kind\":\"wechat\",\"handle\":\"%s\",\"name\":\"示例发布\",\"site\":"
                 "\"1200000000\",\"state\":\"active\",\"replies\":[{\"key\":\"help\","
                 "\"text\":\"请写您要找的词。\"},{\"key\":\"menu_news\",\"q\":\"停水\"}]}",
                 APP))
            .status,
        201);
    assert_int_equal(tell(t, PUT, "/v1/channels/1/credentials",
                          URL("{\"secret\":\"app secret\",\"token\":\"%s\"%s}", TOKEN,
                              safe ? URL(",\"key\":\"%s\"", KEY) : ""))
                         .status,
                     200);
}

static const char *text_message(struct world *t, const char *from, const char *id,
                                const char *text)
{
    return URL(
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[%s]]></"
        "FromUserName>"
        "<CreateTime>%d</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]>"
        "</Content><MsgId>%s</MsgId></xml>",
        from, WORLD_NOW, text, id);
}

static const char *click(struct world *t, const char *from, const char *key)
{
    return URL("<xml><ToUserName>gh_1</ToUserName><FromUserName>%s</"
               "FromUserName><CreateTime>%d</CreateTime>"
               "<MsgType>event</MsgType><Event>CLICK</Event><EventKey>%s</EventKey></xml>",
               from, WORLD_NOW, key);
}

static struct answer send_at(struct world *t, const char *xml, int64_t at, const char *nonce)
{
    const char *time = URL("%lld", (long long)at);
    const char *const parts[] = { TOKEN, time, nonce };
    char signature[WECHAT_SIGNATURE];

    wechat_sign(parts, 3, signature);
    return ask(
        t, POST,
        URL("/wechat/1?signature=%s&timestamp=%s&nonce=%s&openid=o1", signature, time, nonce),
        &(struct ask){ .headers = "content-type: text/xml\n", .body = xml });
}

static struct answer send_plain(struct world *t, const char *xml, const char *nonce)
{
    return send_at(t, xml, WORLD_NOW, nonce);
}

static struct answer send_sealed(struct world *t, const char *xml, const char *app,
                                 const char *nonce)
{
    const char *time = URL("%d", WORLD_NOW);
    const char *parts[] = { TOKEN, time, nonce, NULL };
    struct buf sealed = BUF_IN(world_mem(t));
    char signature[WECHAT_SIGNATURE];
    uint8_t key[WECHAT_KEY];

    assert_true(wechat_key(KEY, key));
    wechat_close(&sealed, key, app, xml, strlen(xml));
    parts[3] = sealed.p;
    wechat_sign(parts, 4, signature);
    return ask(
        t, POST,
        URL("/wechat/1?signature=0&timestamp=%s&nonce=%s&encrypt_type=aes&msg_signature=%s",
            time, nonce, signature),
        &(struct ask){ .headers = "content-type: text/xml\n",
                       .body =
                           URL("<xml><ToUserName>gh_1</ToUserName><Encrypt>%s</Encrypt></xml>",
                               sealed.p) });
}

static void an_account_is_registered(void **state)
{
    struct world *t = *state;
    struct person editor = person_staff(t, "editor", EVERYWHERE),
                  publisher = person_staff(t, "publisher", EVERYWHERE);
    struct answer a;

    assert_int_equal(person_ask(t, &editor, POST, "/v1/channels", "{}").status, 403);
    a = person_ask(t, &publisher, POST, "/v1/channels",
                   "{\"kind\":\"weibo\",\"handle\":\"1\",\"name\":\"示例发布\",\"site\":1,"
                   "\"domain\":\"www.tj.gov.cn\"}");
    assert_int_equal(a.status, 201);
    HAS(a, "\"state\":\"filing\"");
    assert_int_equal(
        person_ask(t, &publisher, POST, "/v1/channels",
                   "{\"kind\":\"weibo\",\"handle\":\"1\",\"name\":\"二\",\"site\":1}")
            .status,
        409);
    assert_int_equal(tell(t, POST, "/v1/channels",
                          "{\"kind\":\"fax\",\"handle\":\"1\",\"name\":\"二\",\"site\":1}")
                         .status,
                     400);
    a = person_ask(t, &publisher, PATCH, "/v1/channels/1",
                   "{\"state\":\"active\",\"filing\":\"津备1号\",\"domain\":\"\"}");
    assert_int_equal(a.status, 200);
    HAS(a, "\"filing\":\"津备1号\"");
    HAS_NOT(a, "domain");
    a = person_ask(t, &editor, GET, "/v1/channels", NULL);
    assert_int_equal(a.status, 200);
    HAS(a, "示例发布");
    assert_int_equal(person_ask(t, &editor, GET, "/v1/channels/7", NULL).status, 404);
    assert_int_equal(tell(t, PATCH, "/v1/channels/1", "{\"replies\":[{\"key\":\"a\"}]}").status,
                     400);
}

static void credentials_are_never_shown(void **state)
{
    struct world *t = *state;
    struct person publisher = person_staff(t, "publisher", EVERYWHERE);
    struct answer a;

    make_account(t, true);
    assert_int_equal(person_ask(t, &publisher, PUT, "/v1/channels/1/credentials",
                                "{\"secret\":\"s\",\"token\":\"ttt\"}")
                         .status,
                     403);
    assert_int_equal(tell(t, PUT, "/v1/channels/1/credentials", "{\"secret\":\"s\"}").status,
                     400);
    assert_int_equal(tell(t, PUT, "/v1/channels/1/credentials",
                          "{\"secret\":\"s\",\"token\":\"ttt\",\"key\":\"======================"
                          "=====================\"}")
                         .status,
                     400);
    a = tell(t, GET, "/v1/channels/1", NULL);
    HAS(a, "\"credentials\":true");
    HAS_NOT(a, "app secret");
    HAS_NOT(a, TOKEN);
    HAS_NOT(a, KEY);
}

static void wechat_finds_its_address(void **state)
{
    struct world *t = *state;
    const char *time = URL("%d", WORLD_NOW);
    const char *const parts[] = { TOKEN, time, "n" };
    char signature[WECHAT_SIGNATURE];
    struct answer a;

    make_account(t, false);
    wechat_sign(parts, 3, signature);
    a = get(t,
            URL("/wechat/1?signature=%s&timestamp=%s&nonce=n&echostr=4711", signature, time));
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "4711");
    assert_int_equal(
        get(t, URL("/wechat/1?signature=%s&timestamp=%s&nonce=m&echostr=1", signature, time))
            .status,
        403);
    assert_int_equal(
        get(t, URL("/wechat/2?signature=%s&timestamp=%s&nonce=n&echostr=1", signature, time))
            .status,
        404);
    assert_int_equal(get(t, "/wechat/1").status, 403);
    clock_set(WORLD_NOW + WECHAT_WINDOW + 1);
    assert_int_equal(
        get(t, URL("/wechat/1?signature=%s&timestamp=%s&nonce=n&echostr=1", signature, time))
            .status,
        403);
}

static void what_a_citizen_writes_is_looked_for(void **state)
{
    struct world *t = *state;
    const char *id;
    struct answer a;

    make_account(t, false);
    id = service_publish(t, "关于停水的通知 <新>", "明天停水。", "");
    catch_up(t);
    a = send_plain(t, text_message(t, "o1", "1", " 停水 "), "n1");
    assert_int_equal(a.status, 200);
    HAS(a, URL("/a/%s", id));
    HAS(a, "&lt;新&gt;");
    HAS(a, "<ToUserName><![CDATA[o1]]>");
    a = send_plain(t, text_message(t, "o1", "2", "没有的词"), "n2");
    HAS(a, "没有找到");
    a = send_plain(t, text_message(t, "o1", "3", "help"), "n3");
    HAS(a, "请写您要找的词。");
    a = send_plain(t, click(t, "o1", "menu_news"), "n4");
    HAS(a, id);
    a = send_plain(t, click(t, "o1", "nothing"), "n5");
    assert_string_equal(a.body, "success");
    assert_int_equal(
        tell(t, POST, URL("/v1/items/%s/withdraw", id), "{\"reason\":\"错\"}").status, 200);
    a = send_plain(t, text_message(t, "o1", "6", "停水"), "n6");
    HAS_NOT(a, id);
}

static void a_replay_is_refused_and_a_retry_is_not(void **state)
{
    struct world *t = *state;
    struct answer a, b;

    make_account(t, false);
    a = send_plain(t, text_message(t, "o1", "1", "help"), "n1");
    HAS(a, "请写您");
    clock_set(WORLD_NOW + 5);
    b = send_plain(t, text_message(t, "o1", "1", "help"), "n2"); /* WeChat asks again */
    assert_string_equal(a.body, b.body);
    assert_int_equal(send_plain(t, text_message(t, "o1", "2", "help"), "n1").status, 403);
    for (int i = 0; i < 15; i++) /* one MsgId, fifteen people: WxJava #333 */
        HAS(send_plain(t, text_message(t, URL("p%d", i), "1", "help"), URL("q%d", i)),
            "请写您");
    assert_int_equal(
        send_at(t, text_message(t, "o1", "3", "help"), WORLD_NOW - 400, "n3").status, 403);
    assert_int_equal(
        send_at(t, text_message(t, "o1", "3", "help"), WORLD_NOW + 400, "n3").status, 403);
}

static void safe_mode_takes_nothing_else(void **state)
{
    struct world *t = *state;
    const char *xml = text_message(t, "o1", "1", "help");
    struct wechat_message m;
    uint8_t key[WECHAT_KEY];
    struct answer a;
    struct err e;
    size_t n;
    char *text;

    make_account(t, true);
    assert_int_equal(send_plain(t, xml, "n1").status, 403);
    assert_int_equal(send_sealed(t, xml, "wx_another", "n2").status, 403);
    a = send_sealed(t, xml, APP, "n3");
    assert_int_equal(a.status, 200);
    HAS_NOT(a, "请写您");
    assert_true(wechat_key(KEY, key));
    assert_int_equal(wechat_message_read(&e, world_mem(t), a.body, a.len, &m), RC_OK);
    text = wechat_open(world_mem(t), key, APP, m.sealed, strlen(m.sealed), &n);
    assert_non_null(text);
    assert_non_null(strstr(text, "请写您"));
}

static void bad_messages_are_refused(void **state)
{
    struct world *t = *state;

    make_account(t, false);
    assert_int_equal(
        send_plain(t, "<!DOCTYPE x [<!ENTITY a \"b\">]><xml><Content>&a;</Content></xml>", "n1")
            .status,
        400);
    assert_int_equal(send_plain(t, "", "n2").status, 400);
    assert_int_equal(ask(t, POST, URL("/wechat/1?timestamp=%d&nonce=n", WORLD_NOW),
                         &(struct ask){ .body = text_message(t, "o1", "1", "help") })
                         .status,
                     403);
}

/* ---- versions ---- */

static const char PNG[] = "\x89PNG\r\n\x1a\n and a point";

/* An item with one picture, whose name is in `hash`. */
static const char *item_with_picture(struct world *t, char hash[HASH_TEXT])
{
    uint8_t sum[HASH_BYTES];

    sha256(PNG, sizeof PNG - 1, sum);
    hex_text(sum, sizeof sum, hash);
    assert_true(ask(t, PUT, URL("/v1/blobs/%s", hash),
                    &(struct ask){ .headers = URL("content-type: application/octet-stream\n"
                                                  "content-range: bytes 0-%zu/%zu\n",
                                                  sizeof PNG - 2, sizeof PNG - 1),
                                   .body = PNG,
                                   .body_len = sizeof PNG - 1,
                                   .origin = ORIGIN_ADMIN })
                    .status < 300);
    return service_publish(
        t, "停水", "明天停水。",
        URL(",\"attachments\":[{\"hash\":\"%s\",\"name\":\"图.png\",\"size\":%zu,"
            "\"type\":\"image/png\"}]",
            hash, sizeof PNG - 1));
}

static const char *repeated(struct world *t, const char *text, int n)
{
    struct buf b = BUF_IN(world_mem(t));

    for (int i = 0; i < n; i++)
        buf_adds(&b, text);
    return b.p;
}

static struct answer write_version(struct world *t, const struct person *p, const char *item,
                                   const char *title, const char *cover, const char *body)
{
    return person_ask(t, p, POST, "/v1/channels/1/versions",
                      URL("{\"item\":\"%s\",\"title\":\"%s\",\"cover\":\"%s\",\"body\":\"%s\"}",
                          item, title, cover, body));
}

static struct answer approves(struct world *t, const struct person *p, const struct answer *v)
{
    return person_ask(t, p, POST, URL("/v1/channel-versions/%s/approve", "1"),
                      URL("{\"hash\":\"%s\"}", text_of(t, v, "hash")));
}

static void limits_are_told_while_it_is_edited(void **state)
{
    struct world *t = *state;
    struct person editor = person_staff(t, "editor", EVERYWHERE),
                  reviewer = person_staff(t, "reviewer_1", EVERYWHERE);
    char hash[HASH_TEXT];
    const char *item;
    struct answer a;

    make_account(t, false);
    item = item_with_picture(t, hash);
    a = write_version(t, &editor, item, repeated(t, "停", 33), hash, "明天停水。");
    assert_int_equal(a.status, 201);
    HAS(a, "标题有 33 字，最多 32 字");
    assert_int_equal(approves(t, &reviewer, &a).status, 422);
    a = person_ask(t, &editor, PATCH, "/v1/channel-versions/1",
                   URL("{\"title\":\"%s\"}", repeated(t, "停", 32)));
    HAS(a, "\"faults\":[]");
    a = person_ask(t, &editor, PATCH, "/v1/channel-versions/1",
                   URL("{\"byline\":\"%s\",\"digest\":\"%s\"}", repeated(t, "作", 17),
                       repeated(t, "摘", 129)));
    HAS(a, "作者有 17 字，最多 16 字");
    HAS(a, "摘要有 129 字，最多 128 字");
    a = person_ask(t, &editor, PATCH, "/v1/channel-versions/1",
                   URL("{\"byline\":\"\",\"digest\":\"\",\"body\":\"%s\"}",
                       repeated(t, "字", 19992))); /* <p> … </p> and the line's end are 8 */
    HAS(a, "正文有 20000 字，最多 19999 字");
    a = person_ask(t, &editor, PATCH, "/v1/channel-versions/1",
                   URL("{\"body\":\"%s\"}", repeated(t, "字", 19991)));
    HAS(a, "\"faults\":[]");
    a = person_ask(t, &editor, PATCH, "/v1/channel-versions/1",
                   "{\"body\":\"明天停水。\",\"cover\":\"\"}");
    HAS(a, "要有封面");
    a = person_ask(t, &editor, PATCH, "/v1/channel-versions/1",
                   URL("{\"cover\":\"%s\"}", repeated(t, "ab", 32)));
    HAS(a, "只能用这条内容已发布的图片");
    a = person_ask(t, &editor, PATCH, "/v1/channel-versions/1",
                   URL("{\"cover\":\"%s\",\"body\":\"身份证11010519491231002X\"}", hash));
    HAS(a, "person.id");
    assert_int_equal(approves(t, &reviewer, &a).status, 422);
}

static void a_version_is_approved_by_another(void **state)
{
    struct world *t = *state;
    struct person admin = person_staff(t, "site_admin", EVERYWHERE),
                  reviewer = person_staff(t, "reviewer_1", EVERYWHERE);
    char hash[HASH_TEXT];
    struct answer v, a;
    const char *item;

    make_account(t, false);
    item = item_with_picture(t, hash);
    v = write_version(t, &admin, item, "停水", hash, "明天停水。");
    assert_int_equal(v.status, 201);
    assert_int_equal(approves(t, &admin, &v).status, 403);
    assert_int_equal(person_ask(t, &admin, POST, "/v1/channel-versions/1/send", NULL).status,
                     409);
    assert_int_equal(approves(t, &reviewer, &v).status, 200);
    a = person_ask(t, &admin, PATCH, "/v1/channel-versions/1", "{\"title\":\"停水了\"}");
    HAS(a, "\"state\":\"draft\"");
    assert_int_equal(approves(t, &reviewer, &v).status, 409); /* not what he looked at */
    assert_int_equal(approves(t, &reviewer, &a).status, 200);
    assert_int_equal(person_ask(t, &reviewer, POST, "/v1/channel-versions/1/send", NULL).status,
                     403);
    a = person_ask(t, &admin, POST, "/v1/channel-versions/1/send", NULL);
    assert_int_equal(a.status, 200);
    HAS(a, "\"state\":\"queued\"");
    HAS(person_ask(t, &admin, POST, "/v1/channel-versions/1/send", NULL), "\"no\":1,");
    assert_int_equal(
        person_ask(t, &admin, PATCH, "/v1/channel-versions/1", "{\"title\":\"x\"}").status,
        409);
    HAS(person_ask(t, &admin, GET, "/v1/channel-tasks?state=queued", NULL), "\"version\":1,");
    assert_int_equal(person_ask(t, &admin, POST, "/v1/channel-tasks/1/cancel", NULL).status,
                     200);
    assert_int_equal(person_ask(t, &admin, POST, "/v1/channel-tasks/1/cancel", NULL).status,
                     409);
    assert_int_equal(person_ask(t, &admin, POST, "/v1/channel-tasks/1/retry", NULL).status,
                     409);
    assert_int_equal(
        person_ask(t, &admin, POST, "/v1/channel-tasks/1/resolve", "{\"went\":true}").status,
        409);
}

/* What a platform is said to have answered. */
struct turn {
    int64_t no;
    const char *state, *publish_id;
    bool doomed;
};

static enum rc take_turn(struct work *w, void *arg)
{
    const struct turn *x = arg;
    struct channel_task t;
    enum rc rc = channel_task_find(w, x->no, &t);

    if (rc)
        return rc;
    t.state = x->state;
    t.publish_id = x->publish_id;
    t.doomed = x->doomed;
    t.again = 0;
    return channel_task_set(w, &t, CHANNEL_NO_STEP);
}

static enum rc follow(struct work *w, void *arg)
{
    int n;

    (void)arg;
    return channel_follow(w, 100, &n);
}

static void on_the_writer(struct world *t, enum rc (*run)(struct work *w, void *arg), void *arg)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, run, arg), RC_OK);
}

static void turns(struct world *t, struct turn x)
{
    on_the_writer(t, take_turn, &x);
}

/* Task 1, of the item. */
static const char *sent(struct world *t)
{
    struct person admin = person_staff(t, "site_admin", EVERYWHERE),
                  reviewer = person_staff(t, "reviewer_1", EVERYWHERE);
    char hash[HASH_TEXT];
    const char *item;
    struct answer v;

    make_account(t, false);
    item = item_with_picture(t, hash);
    v = write_version(t, &admin, item, "停水", hash, "明天停水。");
    assert_int_equal(approves(t, &reviewer, &v).status, 200);
    assert_int_equal(person_ask(t, &admin, POST, "/v1/channel-versions/1/send", NULL).status,
                     200);
    return item;
}

static void what_may_be_out_is_not_sent_again(void **state)
{
    struct world *t = *state;
    const char *item = sent(t);
    struct answer a;

    on_the_writer(t, follow, NULL); /* from here on */
    turns(t, (struct turn){ 1, "failed", "77", false });
    assert_int_equal(tell(t, POST, "/v1/channel-tasks/1/retry", NULL).status, 409);
    assert_int_equal(
        tell(t, POST, URL("/v1/items/%s/withdraw", item), "{\"reason\":\"错\"}").status, 200);
    on_the_writer(t, follow, NULL);
    a = tell(t, GET, "/v1/channel-tasks/1", NULL);
    HAS(a, "\"state\":\"failed\"");
    HAS(a, "\"withdrawn\":true");
    a = tell(t, POST, "/v1/channel-tasks/1/resolve", "{\"went\":true,\"article\":\"a1\"}");
    HAS(a, "\"state\":\"done\"");
    HAS(tell(t, GET, "/v1/channel-tasks/2", NULL), "\"verb\":\"delete\"");
}

static void what_did_not_go_is_sent_and_not_asked_after(void **state)
{
    struct world *t = *state;
    struct channel_task task = { .verb = CHANNEL_PUBLISH, .state = "queued", .again = 1 };
    struct work w;

    (void)sent(t);
    turns(t, (struct turn){ 1, "unknown", "77", false });
    HAS(tell(t, POST, "/v1/channel-tasks/1/resolve", "{\"went\":false}"),
        "\"state\":\"queued\"");
    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&w.err, URL("%s/tjzw.db", world_dir(t)), DB_READ, &w.db), RC_OK);
    assert_int_equal(channel_task_find(&w, 1, &task), RC_OK);
    assert_int_equal(channel_task_step(&task, "wechat", false), CHANNEL_STEP_COVER);
    db_close(w.db);
    turns(t, (struct turn){ 1, "failed", NULL, false });
    HAS(tell(t, POST, "/v1/channel-tasks/1/retry", NULL), "\"state\":\"queued\"");
}

static enum finding late(struct world *t, int64_t *value)
{
    struct health h = { 0 };
    struct work w;
    enum finding found;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&w.err, URL("%s/tjzw.db", world_dir(t)), DB_READ, &w.db), RC_OK);
    h.w = &w;
    found = health_channel_late(&h);
    *value = h.value;
    db_close(w.db);
    return found;
}

static void what_comes_to_no_end_is_told(void **state)
{
    struct world *t = *state;
    int64_t value;

    (void)sent(t);
    clock_set(WORLD_NOW + 899);
    assert_int_equal(late(t, &value), FINE);
    clock_set(WORLD_NOW + 900);
    assert_int_equal(late(t, &value), WARN);
    assert_int_equal(value, 900);
    assert_int_equal(tell(t, POST, "/v1/channel-tasks/1/cancel", NULL).status, 200);
    assert_int_equal(late(t, &value), FINE);
}

static enum finding doctor(struct world *t)
{
    const struct conf c = { .data = world_dir(t) };
    struct health h = { .c = &c };
    struct work w;
    enum finding found;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&w.err, URL("%s/tjzw.db", world_dir(t)), DB_READ, &w.db), RC_OK);
    h.w = &w;
    found = health_channels(&h);
    db_close(w.db);
    return found;
}

static void what_was_not_deleted_is_told(void **state)
{
    static const char *const ends[] = { "failed", "cancelled" };
    struct world *t = *state;
    int64_t value;

    (void)sent(t);
    turns(t, (struct turn){ 1, "done", NULL, true });
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        turns(t, (struct turn){ 2, "done", NULL, false });
        assert_int_equal(doctor(t), FINE);
        turns(t, (struct turn){ 2, ends[i], NULL, false });
        assert_int_equal(doctor(t), WARN);
        clock_set(WORLD_NOW + 899);
        assert_int_equal(late(t, &value), FINE);
        clock_set(WORLD_NOW + 900);
        assert_int_equal(late(t, &value), WARN);
        HAS(tell(t, POST, "/v1/channel-tasks/2/resolve", "{\"went\":true}"),
            "\"state\":\"done\"");
        assert_int_equal(late(t, &value), FINE);
    }
    turns(t, (struct turn){ 2, "cancelled", NULL, false });
    HAS(tell(t, POST, "/v1/channel-tasks/2/retry", NULL), "\"state\":\"queued\"");
}

static void only_what_is_published_is_written_about(void **state)
{
    struct world *t = *state;
    struct person admin = person_staff(t, "site_admin", EVERYWHERE);
    char hash[HASH_TEXT];
    const char *item;

    make_account(t, false);
    item = item_with_picture(t, hash);
    assert_int_equal(
        tell(t, POST, URL("/v1/items/%s/withdraw", item), "{\"reason\":\"错\"}").status, 200);
    assert_int_equal(write_version(t, &admin, item, "停水", hash, "明天停水。").status, 409);
    item = URL("%.8s-0000-7000-8000-000000000000", item);
    assert_int_equal(write_version(t, &admin, item, "停水", hash, "明天停水。").status, 404);
}

static void weibo_has_its_own_rules(void **state)
{
    struct world *t = *state;
    struct answer a;
    const char *item = service_publish(t, "停水", "明天停水。", "");
    struct person admin = person_staff(t, "site_admin", EVERYWHERE);

    assert_int_equal(tell(t, POST, "/v1/channels",
                          "{\"kind\":\"weibo\",\"handle\":\"1\",\"name\":\"示例\",\"site\":1,"
                          "\"state\":\"active\",\"domain\":\"other.cn\"}")
                         .status,
                     201);
    a = write_version(t, &admin, item, "", "", "#停水# 明天停水");
    HAS(a, "不能有 #话题#");
    HAS(a, "不在账号的安全域名之内");
    a = person_ask(
        t, &admin, PATCH, "/v1/channel-versions/1",
        "{\"body\":\"# 停水\\n\\n# 时间\\n\\n明天。\"}"); /* headings: none is sent */
    HAS_NOT(a, "#话题#");
    assert_int_equal(tell(t, PATCH, "/v1/channels/1", "{\"domain\":\"example.cn\"}").status,
                     200);
    /* a blank, and an address of 61 letters: 31 Chinese characters */
    a = person_ask(t, &admin, PATCH, "/v1/channel-versions/1",
                   URL("{\"body\":\"%s\"}", repeated(t, "字", 109)));
    HAS_NOT(a, "正文有");
    a = person_ask(t, &admin, PATCH, "/v1/channel-versions/1",
                   URL("{\"body\":\"%s\"}", repeated(t, "字", 110)));
    HAS(a, "正文有 141 字，最多 140 字");
}

/* ---- whatever hangs ---- */

static pthread_mutex_t jam = PTHREAD_MUTEX_INITIALIZER;

static void hang(struct pool_job *job, struct db *db)
{
    (void)job, (void)db;
    pthread_mutex_lock(&jam);
    pthread_mutex_unlock(&jam);
}

static void wechat_is_answered_in_time_whatever_hangs(void **state)
{
    enum { JOBS = 300 };
    struct world *t = *state;
    static struct pool_job jobs[JOBS];
    int64_t worst = 0;

    make_account(t, false);
    pthread_mutex_lock(&jam);
    for (int i = 0; i < JOBS; i++) { /* all workers, and then all the places of the queue */
        jobs[i].run = hang;
        (void)pool_submit(world_pool(t), &jobs[i]);
        if (i % 30 == 0) {
            int64_t since = clock_mono_us();
            struct answer a =
                send_plain(t, text_message(t, "o1", URL("%d", i), "help"), URL("n%d", i));

            since = clock_mono_us() - since;
            worst = since > worst ? since : worst;
            if (i) /* there was a worker for the first */
                assert_string_equal(a.body, "success");
            assert_int_equal(a.status, 200);
        }
    }
    pthread_mutex_unlock(&jam);
    world_settle(t);
    print_message("worst answer while everything hung: %lld us\n", (long long)worst);
    assert_true(worst < 1000000); /* of a busy machine; 35 ms are the loop's */
    HAS(send_plain(t, text_message(t, "o1", "x", "help"), "x"), "请写您");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(an_account_is_registered),
        T(credentials_are_never_shown),
        T(wechat_finds_its_address),
        T(what_a_citizen_writes_is_looked_for),
        T(a_replay_is_refused_and_a_retry_is_not),
        T(safe_mode_takes_nothing_else),
        T(bad_messages_are_refused),
        T(limits_are_told_while_it_is_edited),
        T(a_version_is_approved_by_another),
        T(what_may_be_out_is_not_sent_again),
        T(what_did_not_go_is_sent_and_not_asked_after),
        T(what_comes_to_no_end_is_told),
        T(what_was_not_deleted_is_told),
        T(only_what_is_published_is_written_about),
        T(weibo_has_its_own_rules),
        T(wechat_is_answered_in_time_whatever_hangs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
