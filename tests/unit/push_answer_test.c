/* push_answer_test.c - what becomes of devices by what vendors answer: recorded answers, and such as nobody should believe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "push/vendor_part.h"

enum { NOW = 1790000000, TOKENS = 3 };

static const char *const tokens[TOKENS] = { "aaaaaaaaaaaaaaaa1", "bbbbbbbbbbbbbbbb2",
                                            "cccccccccccccccc3" };

static int up(void **state)
{
    *state = arena_new();
    return 0;
}

static int down(void **state)
{
    arena_free(*state);
    return 0;
}

struct said {
    enum transport by;
    int status;
    const char *body;
    enum push_verdict_kind of[TOKENS];
    enum lane_news news;
    bool grant;
};

#define ALL(kind)        \
    {                    \
        kind, kind, kind \
    }
#define PART(text)   "{\"code\":\"80100000\",\"msg\":\"" text "\",\"requestId\":\"1\"}"
#define CODE(number) "{\"code\":\"" number "\",\"msg\":\"x\",\"requestId\":\"1\"}"
#define OPPO(rest)   "{\"code\":0,\"message\":\"\",\"data\":[" rest "]}"
#define MI(rest)     "{\"result\":\"ok\",\"code\":0,\"data\":{" rest "}}"

static const struct said answers[] = {
    { TRANSPORT_HUAWEI, 200, CODE("80000000"), ALL(PUSH_ACCEPTED), LANE_WENT, false },
    { TRANSPORT_HUAWEI,
      200,
      PART("{\\\"success\\\":2,\\\"failure\\\":1,\\\"illegal_tokens\\\":["
           "\\\"bbbbbbbbbbbbbbbb2\\\"]}"),
      { PUSH_ACCEPTED, PUSH_GONE, PUSH_ACCEPTED },
      LANE_WENT,
      false },
    { TRANSPORT_HUAWEI_NEXT,
      200,
      PART("{\\\"success\\\":1,\\\"failure\\\":2,\\\"illegalTokens\\\":{\\\"invalidToken\\\":["
           "\\\"bbbbbbbbbbbbbbbb2\\\"],\\\"quota.x\\\":[\\\"aaaaaaaaaaaaaaaa1\\\"]}}"),
      { PUSH_REJECTED, PUSH_GONE, PUSH_ACCEPTED },
      LANE_WENT,
      false },
    /* it does not add up: nobody is sent to again, and nobody is called accepted */
    { TRANSPORT_HUAWEI,
      200,
      PART("{\\\"success\\\":1,\\\"failure\\\":2,\\\"illegal_tokens\\\":["
           "\\\"bbbbbbbbbbbbbbbb2\\\"]}"),
      { PUSH_DOUBT, PUSH_GONE, PUSH_DOUBT },
      LANE_WENT,
      false },
    { TRANSPORT_HUAWEI, 200,
      PART("{\\\"success\\\":2,\\\"failure\\\":1,\\\"illegal_tokens\\\":[\\\"somebody\\\"]}"),
      ALL(PUSH_DOUBT), LANE_WENT, false },
    { TRANSPORT_HUAWEI, 200, PART("nonsense"), ALL(PUSH_DOUBT), LANE_WENT, false },
    { TRANSPORT_HUAWEI, 200, "{\"code\":\"80100000\"}", ALL(PUSH_DOUBT), LANE_WENT, false },
    { TRANSPORT_HUAWEI, 200, CODE("80300007"), ALL(PUSH_REJECTED), LANE_WENT, false },
    { TRANSPORT_HUAWEI, 200, CODE("80100016"), ALL(PUSH_REJECTED), LANE_WENT, false },
    { TRANSPORT_HUAWEI, 200, CODE("80200003"), ALL(PUSH_AGAIN), LANE_WENT, true },
    { TRANSPORT_HUAWEI, 401, CODE("80200001"), ALL(PUSH_AGAIN), LANE_WENT, true },
    { TRANSPORT_HUAWEI, 200, CODE("12345678"), ALL(PUSH_REJECTED), LANE_WENT, false },
    { TRANSPORT_HUAWEI, 503, "", ALL(PUSH_AGAIN), LANE_DOWN, false },
    { TRANSPORT_HUAWEI, 429, "", ALL(PUSH_AGAIN), LANE_SLOW, false },
    { TRANSPORT_HUAWEI, 500, CODE("80000000"), ALL(PUSH_DOUBT), LANE_FAILED, false },
    { TRANSPORT_HUAWEI, 404, CODE("80000000"), ALL(PUSH_AGAIN), LANE_FAILED, false },
    { TRANSPORT_HUAWEI, 502, "<html>", ALL(PUSH_DOUBT), LANE_FAILED, false },
    { TRANSPORT_HUAWEI, 200, "", ALL(PUSH_DOUBT), LANE_FAILED, false },
    { TRANSPORT_HUAWEI, 200, "[1]", ALL(PUSH_DOUBT), LANE_FAILED, false },
    { TRANSPORT_HUAWEI, 200, "{\"code\":80000000}", ALL(PUSH_DOUBT), LANE_FAILED, false },
    { TRANSPORT_XIAOMI, 200, MI("\"id\":\"s1\""), ALL(PUSH_ACCEPTED), LANE_WENT, false },
    { TRANSPORT_XIAOMI,
      200,
      MI("\"bad_regids\":\"cccccccccccccccc3,x,bbbbbbbbbbbbbbbb2\""),
      { PUSH_ACCEPTED, PUSH_GONE, PUSH_GONE },
      LANE_WENT,
      false },
    { TRANSPORT_XIAOMI, 200, MI("\"channel_exceed_quota\":\"1\""), ALL(PUSH_QUOTA), LANE_WENT,
      false },
    { TRANSPORT_XIAOMI, 200, "{\"result\":\"error\",\"code\":200001,\"reason\":\"q\"}",
      ALL(PUSH_QUOTA), LANE_WENT, false },
    { TRANSPORT_XIAOMI, 200, "{\"result\":\"error\",\"code\":21301}", ALL(PUSH_AGAIN),
      LANE_FAILED, false },
    { TRANSPORT_XIAOMI, 200, "{\"result\":\"error\",\"code\":10017}", ALL(PUSH_REJECTED),
      LANE_WENT, false },
    { TRANSPORT_XIAOMI, 200, "{\"result\":\"ok\"}", ALL(PUSH_DOUBT), LANE_FAILED, false },
    { TRANSPORT_XIAOMI, 503, "", ALL(PUSH_AGAIN), LANE_DOWN, false },
    { TRANSPORT_APNS, 200, "", { PUSH_ACCEPTED }, LANE_WENT, false },
    { TRANSPORT_APNS,
      410,
      "{\"reason\":\"Unregistered\",\"timestamp\":1789990000123}",
      { PUSH_GONE },
      LANE_WENT,
      false },
    { TRANSPORT_APNS,
      410,
      "{\"reason\":\"Unregistered\"}",
      { PUSH_REJECTED },
      LANE_WENT,
      false },
    { TRANSPORT_APNS,
      400,
      "{\"reason\":\"Unregistered\",\"timestamp\":1789990000123}",
      { PUSH_REJECTED },
      LANE_WENT,
      false },
    { TRANSPORT_APNS, 410, "", { PUSH_REJECTED }, LANE_WENT, false },
    { TRANSPORT_APNS,
      400,
      "{\"reason\":\"BadDeviceToken\"}",
      { PUSH_REJECTED },
      LANE_WENT,
      false },
    { TRANSPORT_APNS,
      403,
      "{\"reason\":\"ExpiredProviderToken\"}",
      { PUSH_AGAIN },
      LANE_WENT,
      true },
    { TRANSPORT_APNS,
      429,
      "{\"reason\":\"TooManyRequests\"}",
      { PUSH_AGAIN },
      LANE_WENT,
      false },
    { TRANSPORT_APNS,
      429,
      "{\"reason\":\"TooManyProviderTokenUpdates\"}",
      { PUSH_AGAIN },
      LANE_DOWN,
      false },
    { TRANSPORT_APNS,
      500,
      "{\"reason\":\"InternalServerError\"}",
      { PUSH_AGAIN },
      LANE_FAILED,
      false },
    { TRANSPORT_APNS, 503, "{\"reason\":\"Shutdown\"}", { PUSH_AGAIN }, LANE_WENT, false },
    { TRANSPORT_APNS, 503, "", { PUSH_AGAIN }, LANE_DOWN, false },
    { TRANSPORT_APNS,
      400,
      "{\"reason\":\"SomethingNew\"}",
      { PUSH_REJECTED },
      LANE_WENT,
      false },
    { TRANSPORT_HONOR,
      200,
      "{\"code\":200,\"data\":{\"failTokens\":[\"aaaaaaaaaaaaaaaa1\"],\"expireTokens\":["
      "\"cccccccccccccccc3\"]}}",
      { PUSH_REJECTED, PUSH_ACCEPTED, PUSH_GONE },
      LANE_WENT,
      false },
    { TRANSPORT_HONOR, 200, "{\"code\":200,\"data\":{\"sendResult\":true}}", ALL(PUSH_ACCEPTED),
      LANE_WENT, false },
    { TRANSPORT_HONOR, 200,
      "{\"code\":80300007,\"data\":{\"expireTokens\":[\"cccccccccccccccc3\"]}}",
      ALL(PUSH_REJECTED), LANE_WENT, false },
    { TRANSPORT_HONOR, 200, "{\"code\":401}", ALL(PUSH_AGAIN), LANE_WENT, true },
    { TRANSPORT_HONOR, 200, "{}", ALL(PUSH_DOUBT), LANE_FAILED, false },
    { TRANSPORT_OPPO,
      200,
      OPPO("{\"messageId\":\"1\",\"registrationId\":\"aaaaaaaaaaaaaaaa1\"},"
           "{\"messageId\":\"2\",\"registrationId\":\"bbbbbbbbbbbbbbbb2\",\"errorCode\":10000},"
           "{\"registrationId\":\"cccccccccccccccc3\",\"errorCode\":10021}"),
      { PUSH_ACCEPTED, PUSH_GONE, PUSH_REJECTED },
      LANE_WENT,
      false },
    { TRANSPORT_OPPO,
      200,
      OPPO("{\"registrationId\":\"cccccccccccccccc3\",\"errorCode\":32},[],{\"registrationId\":"
           "7}"),
      { PUSH_DOUBT, PUSH_DOUBT, PUSH_ACCEPTED },
      LANE_WENT,
      false },
    { TRANSPORT_OPPO, 200, "{\"code\":0}", ALL(PUSH_DOUBT), LANE_WENT, false },
    { TRANSPORT_OPPO, 200, "{\"code\":11}", ALL(PUSH_AGAIN), LANE_WENT, true },
    { TRANSPORT_OPPO, 200, "{\"code\":-2}", ALL(PUSH_AGAIN), LANE_SLOW, false },
    { TRANSPORT_OPPO, 200, "{\"code\":33}", ALL(PUSH_QUOTA), LANE_WENT, false },
    { TRANSPORT_OPPO, 200, "{\"code\":41}", ALL(PUSH_REJECTED), LANE_WENT, false },
    { TRANSPORT_OPPO, 200, "{\"code\":\"0\"}", ALL(PUSH_DOUBT), LANE_FAILED, false },
    { TRANSPORT_VIVO, 200, "{\"result\":0,\"desc\":\"\"}", ALL(PUSH_ACCEPTED), LANE_WENT,
      false },
    { TRANSPORT_VIVO,
      200,
      "{\"result\":0,\"invalidUsers\":[{\"status\":1,\"userid\":\"aaaaaaaaaaaaaaaa1\"},"
      "{\"status\":2,\"userid\":\"cccccccccccccccc3\"},{\"status\":1}]}",
      { PUSH_GONE, PUSH_ACCEPTED, PUSH_REJECTED },
      LANE_WENT,
      false },
    { TRANSPORT_VIVO,
      200,
      "{\"result\":10302,\"invalidUser\":{\"status\":1,\"userid\":\"aaaaaaaaaaaaaaaa1\"}}",
      { PUSH_GONE, PUSH_REJECTED, PUSH_REJECTED },
      LANE_WENT,
      false },
    { TRANSPORT_VIVO, 200,
      "{\"result\":10000,\"invalidUser\":{\"status\":1,\"userid\":\"aaaaaaaaaaaaaaaa1\"}}",
      ALL(PUSH_AGAIN), LANE_WENT, true },
    { TRANSPORT_VIVO, 200, "{\"result\":10070}", ALL(PUSH_QUOTA), LANE_WENT, false },
    { TRANSPORT_VIVO, 200, "{\"result\":10072}", ALL(PUSH_AGAIN), LANE_SLOW, false },
    { TRANSPORT_VIVO, 500, "{\"result\":0}", ALL(PUSH_DOUBT), LANE_FAILED, false },
    { TRANSPORT_WECHAT,
      200,
      "{\"errcode\":0,\"errmsg\":\"ok\"}",
      { PUSH_ACCEPTED },
      LANE_WENT,
      false },
    { TRANSPORT_WECHAT, 200, "{\"errcode\":43101}", { PUSH_REJECTED }, LANE_WENT, false },
    { TRANSPORT_WECHAT, 200, "{\"errcode\":42001}", { PUSH_AGAIN }, LANE_WENT, true },
    { TRANSPORT_WECHAT, 200, "{\"errcode\":-1}", { PUSH_AGAIN }, LANE_DOWN, false },
    { TRANSPORT_WECHAT, 200, "{\"errmsg\":\"ok\"}", { PUSH_DOUBT }, LANE_FAILED, false },
    { TRANSPORT_WEBPUSH, 201, "", { PUSH_ACCEPTED }, LANE_WENT, false },
    { TRANSPORT_WEBPUSH, 404, "", { PUSH_GONE }, LANE_WENT, false },
    { TRANSPORT_WEBPUSH, 410, "", { PUSH_GONE }, LANE_WENT, false },
    { TRANSPORT_WEBPUSH, 403, "", { PUSH_REJECTED }, LANE_WENT, false },
    { TRANSPORT_WEBPUSH, 429, "", { PUSH_AGAIN }, LANE_SLOW, false },
    { TRANSPORT_WEBPUSH, 503, "", { PUSH_AGAIN }, LANE_WENT, false },
    { TRANSPORT_WEBPUSH, 301, "", { PUSH_DOUBT }, LANE_FAILED, false },
    { TRANSPORT_WEBPUSH, 504, "", { PUSH_DOUBT }, LANE_FAILED, false },
};

static void an_answer_says_what_became_of_each(void **state)
{
    struct arena *mem = *state;

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const struct said *s = &answers[i];
        bool one = push_limit(s->by, PUSH_SERVICE, 20261122).tokens == 1;
        struct vendor_request rq = { .first = 0, .n = one ? 1 : TOKENS };
        struct vendor_answer a = { .fate = VENDOR_ANSWERED,
                                   .status = s->status,
                                   .headers = "content-type: x\nretry-after: 9\n",
                                   .body = s->body,
                                   .body_n = strlen(s->body),
                                   .now = NOW };
        struct push_verdict v[TOKENS];
        struct vendor_heard heard;

        vendor_judge(vendor_of(s->by), mem, tokens, &rq, &a, v, &heard);
        for (int k = 0; k < rq.n; k++)
            if (v[k].kind != s->of[k])
                fail_msg("%d %s: token %d is %d", s->status, s->body, k, v[k].kind);
        if (heard.news != s->news || heard.grant_refused != s->grant)
            fail_msg("%d %s: heard %d %d", s->status, s->body, heard.news, heard.grant_refused);
        assert_int_equal(heard.after_ms, 9000);
        if (s->by == TRANSPORT_WEBPUSH || strstr(s->body, "TooManyRequests"))
            assert_int_equal(heard.lane_after_ms, 0); /* one service of many, one device */
        else if (s->news != LANE_WENT)
            assert_int_equal(heard.lane_after_ms, 9000);
    }
}

static void without_an_answer_it_is_unsent_or_in_doubt(void **state)
{
    struct arena *mem = *state;

    for (int by = 1; by < TRANSPORT_COUNT; by++) {
        struct vendor_request rq = { .n = TOKENS };
        struct vendor_answer a = { .fate = VENDOR_UNSENT, .headers = "", .body = "" };
        struct push_verdict v[TOKENS];
        struct vendor_heard heard;

        if (!vendor_of((enum transport)by))
            continue;
        vendor_judge(vendor_of((enum transport)by), mem, tokens, &rq, &a, v, &heard);
        assert_int_equal(v[2].kind, PUSH_AGAIN);
        a.fate = VENDOR_DOUBT;
        vendor_judge(vendor_of((enum transport)by), mem, tokens, &rq, &a, v, &heard);
        assert_int_equal(v[0].kind, PUSH_DOUBT);
        assert_int_equal(heard.news, LANE_FAILED);
    }
}

static void apples_timestamp_is_kept(void **state)
{
    struct arena *mem = *state;
    static const char body[] = "{\"reason\":\"Unregistered\",\"timestamp\":1789990000123}";
    struct vendor_answer a = {
        .status = 410, .headers = "", .body = body, .body_n = sizeof body - 1
    };
    struct vendor_request rq = { .n = 1 };
    struct push_verdict v;
    struct vendor_heard heard;

    vendor_judge(&vendor_apns, mem, tokens, &rq, &a, &v, &heard);
    assert_true(v.gone_ms == 1789990000123);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_says_what_became_of_each),
        cmocka_unit_test(without_an_answer_it_is_unsent_or_in_doubt),
        cmocka_unit_test(apples_timestamp_is_kept),
    };

    return cmocka_run_group_tests(tests, up, down);
}
