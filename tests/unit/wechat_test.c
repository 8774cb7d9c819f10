/* wechat_test.c - signatures, the message cipher, the reader of messages, and what was seen before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>

#include "server/channel/channel_limit.h"
#include "server/channel/channel_platform.h"
#include "server/channel/wechat_crypt.h"
#include "server/channel/wechat_message.h"
#include "server/channel/wechat_seen.h"

static const char KEY[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";
enum { NOW = 1795000000 };

static struct arena *mem;

static int set_up(void **state)
{
    (void)state;
    mem = arena_new();
    wechat_forget_all();
    return sodium_init() < 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(mem);
    return 0;
}

/* open.weibo.com, 粉丝服务平台, 消息推送服务: its own example. */
static void weibos_official_vector_is_ours(void **state)
{
    const char *const parts[] = { "xyz123xyz", "1397022061823", "57155157" };
    char out[WECHAT_SIGNATURE];

    (void)state;
    wechat_sign(parts, 3, out);
    assert_string_equal(out, "90e4c22c90a58f26526c2dd5b6c56c8822edeaa1");
    assert_true(wechat_signed(parts, 3, out));
    out[39] = '0';
    assert_false(wechat_signed(parts, 3, out));
    assert_false(wechat_signed(parts, 3, ""));
    assert_false(wechat_signed(parts, 3, NULL));
}

static void a_key_has_43_letters(void **state)
{
    uint8_t key[WECHAT_KEY];

    (void)state;
    assert_true(wechat_key(KEY, key));
    assert_false(wechat_key("abc", key));
    assert_false(wechat_key("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP=", key));
    assert_false(wechat_key("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR", key));
}

static void what_is_closed_opens_for_its_app_alone(void **state)
{
    uint8_t key[WECHAT_KEY], other[WECHAT_KEY] = { 1 };
    struct buf b = BUF_IN(mem);
    char *text;
    size_t n;

    (void)state;
    assert_true(wechat_key(KEY, key));
    for (size_t length = 0; length < 100; length++) {
        char *in = arena_alloc(mem, length + 1);

        memset(in, 'x', length);
        b = BUF_IN(mem);
        wechat_close(&b, key, "wx1", in, length);
        text = wechat_open(mem, key, "wx1", b.p, b.n, &n);
        assert_non_null(text);
        assert_int_equal(n, length);
        assert_memory_equal(text, in, length);
        assert_null(wechat_open(mem, key, "wx2", b.p, b.n, &n));
        assert_null(wechat_open(mem, key, "wx11", b.p, b.n, &n));
        assert_null(wechat_open(mem, other, "wx1", b.p, b.n, &n));
    }
    assert_null(wechat_open(mem, key, "wx1", "", 0, &n));
    assert_null(wechat_open(mem, key, "wx1", "AAAA", 4, &n));
    for (
        size_t i = 0; i < b.n;
        i++) { /* a bit is enough, wherever: the signature is looked at before, this is beside it */
        char *broken = arena_strndup(mem, b.p, b.n);

        broken[i] = broken[i] == 'A' ? 'B' : 'A';
        (void)wechat_open(mem, key, "wx1", broken, b.n, &n);
    }
}

static enum rc reads(const char *xml, struct wechat_message *out)
{
    struct err e;

    return wechat_message_read(&e, mem, xml, strlen(xml), out);
}

static void a_message_is_read(void **state)
{
    struct wechat_message m;

    (void)state;
    assert_int_equal(
        reads("<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName>o1</FromUserName>"
              "<CreateTime>7</CreateTime><MsgType>text</MsgType><Content><![CDATA[社<保]]></"
              "Content>"
              "<MsgId>9</MsgId><Other><Deep>x</Deep></Other></xml>",
              &m),
        RC_OK);
    assert_string_equal(m.to, "gh_1");
    assert_string_equal(m.from, "o1");
    assert_string_equal(m.content, "社<保");
    assert_string_equal(m.id, "9");
    assert_string_equal(m.sealed, "");
    assert_int_equal(reads("<xml><publish_id>1</publish_id><PublishEventInfo><publish_id>2</"
                           "publish_id></PublishEventInfo>"
                           "<A><publish_id>3</publish_id></A></xml>",
                           &m),
                     RC_OK);
    assert_string_equal(m.publish_id, "2");
}

static void what_is_no_plain_message_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "<a/>",
        "<xml>",
        "<xml></xml><xml></xml>",
        "<!DOCTYPE xml [<!ENTITY a \"b\">]><xml><Content>&a;</Content></xml>",
        "<!DOCTYPE xml SYSTEM \"file:///etc/passwd\"><xml/>",
        "<xml><Content>&a;</Content></xml>",
        "<xml><Content>1</Content><Content>2</Content></xml>",
        "<xml><Content><b>1</b></Content></xml>",
        "<xml><a><a><a><a><a><a/></a></a></a></a></a></xml>",
        "<xml><Content>\xff</Content></xml>",
    };
    struct wechat_message m;
    struct buf big = BUF_IN(mem);
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (reads(bad[i], &m) != RC_INVALID)
            fail_msg("taken: %s", bad[i]);
    buf_adds(&big, "<xml><Content>");
    while (big.n <= WECHAT_XML_MAX)
        buf_adds(&big, "0123456789");
    buf_adds(&big, "</Content></xml>");
    assert_int_equal(wechat_message_read(&e, mem, big.p, big.n, &m), RC_INVALID);
}

static void an_answer_reads_as_it_was_written(void **state)
{
    struct wechat_message in = { .to = "gh_1", .from = "o]]>1" }, m;
    struct buf b = BUF_IN(mem);

    (void)state;
    wechat_message_text(&b, &in, NOW, "一]]>二]]]>三<&");
    assert_int_equal(reads(b.p, &m), RC_OK);
    assert_string_equal(m.from, "gh_1");
    assert_string_equal(m.to, "o]]>1");
    assert_string_equal(m.content, "一]]>二]]]>三<&");
}

static struct wechat_coming coming(const char *from, const char *id, const char *nonce)
{
    return (struct wechat_coming){ .channel = 1,
                                   .now = NOW,
                                   .timestamp = "1795000000",
                                   .nonce = nonce,
                                   .from = from,
                                   .created = "7",
                                   .id = id,
                                   .event = "" };
}

static enum wechat_seen sees(struct wechat_coming m, const char *answer)
{
    struct buf b = BUF_IN(mem);
    enum wechat_seen is = wechat_see(&m, &b);

    assert_string_equal(b.n ? b.p : "", answer);
    return is;
}

static void a_message_is_known_by_all_that_names_it(void **state)
{
    struct wechat_coming first = coming("o1", "9", "n1"), later = first;

    (void)state;
    assert_int_equal(sees(first, ""), WECHAT_NEW);
    assert_int_equal(sees(first, ""), WECHAT_AGAIN); /* under way */
    wechat_answered(&first, "yes", 3);
    assert_int_equal(sees(first, "yes"), WECHAT_AGAIN);
    assert_int_equal(sees(coming("o1", "9", "n2"), "yes"), WECHAT_AGAIN);
    assert_int_equal(sees(coming("o1", "9", "n3"), "yes"), WECHAT_AGAIN);
    assert_int_equal(sees(coming("o2", "9", "n4"), ""), WECHAT_NEW); /* the same MsgId */
    assert_int_equal(sees(coming("o1", "10", "n1"), ""), WECHAT_REPLAY);
    assert_int_equal(sees(coming("o1", "10", "n2"), ""), WECHAT_REPLAY);
    later.channel = 2;
    assert_int_equal(sees(later, ""), WECHAT_NEW);
    later = first;
    later.now += 2 * WECHAT_WINDOW + 1;
    assert_int_equal(sees(later, ""), WECHAT_NEW);
}

static void the_oldest_make_room(void **state)
{
    struct wechat_coming m = coming("o1", "9", "n1");

    (void)state;
    assert_int_equal(sees(m, ""), WECHAT_NEW);
    wechat_answered(&m, "yes", 3);
    for (int i = 0; i < WECHAT_SEEN - 1; i++) {
        const char *text = arena_printf(mem, "m%d", i);

        assert_int_equal(sees(coming("o1", text, text), ""), WECHAT_NEW);
        if (i == WECHAT_KEPT)
            assert_int_equal(sees(m, ""), WECHAT_AGAIN);
    }
    assert_int_equal(sees(m, ""), WECHAT_AGAIN);
    assert_int_equal(sees(coming("o1", "x", "x"), ""), WECHAT_NEW);
    assert_int_equal(sees(m, ""), WECHAT_NEW);
}

static void a_timestamp_is_of_now(void **state)
{
    (void)state;
    assert_true(wechat_in_time("1795000000", NOW + WECHAT_WINDOW));
    assert_true(wechat_in_time("1795000000", NOW - WECHAT_WINDOW));
    assert_false(wechat_in_time("1795000000", NOW + WECHAT_WINDOW + 1));
    assert_false(wechat_in_time("1795000000", NOW - WECHAT_WINDOW - 1));
    assert_false(wechat_in_time("", 0));
    assert_false(wechat_in_time("1795000000x", NOW));
    assert_false(wechat_in_time("17950000000000", NOW));
}

static enum channel_fate result(const char *body, struct channel_task *t)
{
    const struct channel_answer a = { .status = 200, .body = body, .n = strlen(body) };
    struct channel_heard heard;

    *t = (struct channel_task){ .no = 1, .publish_id = "7" };
    channel_wechat.judge(mem, CHANNEL_STEP_RESULT, &a, t, &heard);
    return heard.fate;
}

static void a_refused_question_is_no_refused_publication(void **state)
{
    struct channel_task t;

    (void)state;
    assert_int_equal(result("{\"errcode\":61024,\"errmsg\":\"x\"}", &t), FATE_LOOK);
    assert_string_equal(t.publish_id, "7");
    assert_int_equal(result("{\"errcode\":53600}", &t), FATE_LOOK);
    assert_int_equal(result("{\"errcode\":40001}", &t), FATE_TOKEN);
    assert_int_equal(result("{\"errcode\":-1}", &t), FATE_AGAIN);
    assert_int_equal(result("{\"publish_id\":\"7\",\"publish_status\":1}", &t), FATE_NOT_YET);
    assert_int_equal(result("{\"publish_id\":\"7\",\"publish_status\":4}", &t), FATE_REFUSED);
    assert_null(t.publish_id);
}

static const char *grant(const char *body, int64_t *seconds, struct channel_heard *heard)
{
    const struct channel_answer a = { .status = 200, .body = body, .n = strlen(body) };

    return channel_wechat.take_grant(mem, &a, seconds, heard);
}

static void a_token_without_a_time_is_none(void **state)
{
    static const char *const bad[] = { "{\"access_token\":\"t\"}",
                                       "{\"access_token\":\"t\",\"expires_in\":0}",
                                       "{\"access_token\":\"t\",\"expires_in\":-1}",
                                       "{\"access_token\":\"t\",\"expires_in\":\"x\"}" };
    struct channel_heard heard;
    int64_t seconds = 0;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_null(grant(bad[i], &seconds, &heard));
        assert_int_equal(heard.fate, FATE_AGAIN);
    }
    assert_string_equal(grant("{\"access_token\":\"t\",\"expires_in\":7200}", &seconds, &heard),
                        "t");
    assert_int_equal(seconds, 7200);
}

static void less_than_is_one_less(void **state)
{
    static const struct {
        const char *kind;
        enum channel_field field;
        enum channel_counted counted;
        int64_t most;
    } rows[] = { { "wechat", CHANNEL_BODY, CHANNEL_CHARACTERS, 19999 },
                 { "wechat", CHANNEL_BODY, CHANNEL_BYTES, 1048575 },
                 { "wechat", CHANNEL_PICTURE, CHANNEL_BYTES, 1048575 },
                 { "weibo", CHANNEL_COVER, CHANNEL_BYTES, 5242879 } };
    struct channel_limit limits[3];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int n = channel_limits(rows[i].kind, rows[i].field, 20261121, limits), found = 0;

        for (int k = 0; k < n; k++)
            if (limits[k].counted == rows[i].counted) {
                assert_int_equal(limits[k].most, rows[i].most);
                found++;
            }
        assert_int_equal(found, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(weibos_official_vector_is_ours),
        T(a_key_has_43_letters),
        T(what_is_closed_opens_for_its_app_alone),
        T(a_message_is_read),
        T(what_is_no_plain_message_is_refused),
        T(an_answer_reads_as_it_was_written),
        T(a_message_is_known_by_all_that_names_it),
        T(the_oldest_make_room),
        T(a_timestamp_is_of_now),
        T(a_refused_question_is_no_refused_publication),
        T(a_token_without_a_time_is_none),
        T(less_than_is_one_less),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
