/*
 * warning_test.c - what a warning is, before anybody is asked: names, places, documents, rules, signatures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "push/bulletin.h"
#include "server/base/buf.h"
#include "server/base/clock.h"
#include "tests/lib/warning_world.h"
#include "warning/rule.h"

enum { NOW = 1795000000 };

static struct arena *mem;

static int set_up(void **state)
{
    (void)state;
    clock_set(NOW);
    mem = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(mem);
    clock_unset();
    return 0;
}

/* ---- names and places ---- */

static void an_identifier_has_31_characters_or_28(void **state)
{
    static const char *const good[] = { "12000041600_20261121100000_0",
                                        "12000041600000_20261121100000_9",
                                        "120101416000AB_20240229235959_1" };
    static const char *const bad[] = { "",
                                       "12000041600",
                                       "1200004160_20261121100000_0",
                                       "02000041600_20261121100000_0",
                                       "1200004160a_20261121100000_0",
                                       "12000041600_20261121100000_",
                                       "12000041600_20261121100000_10",
                                       "12000041600_20261321100000_0",
                                       "12000041600_20230229100000_0",
                                       "12000041600_20261121240000_0",
                                       "12000041600_20261121100000_x",
                                       "12000041600-20261121100000-0",
                                       "12000041600000_20261121100000_0 " };
    char code[IDENT_CODE_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_null(ident_read(good[i], code));
        assert_memory_equal(code, good[i], strlen(code));
    }
    assert_int_equal(strlen(good[1]), IDENT_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!ident_read(bad[i], code))
            fail_msg("%s", bad[i]);
}

static void a_long_code_without_a_unit_is_the_short_one(void **state)
{
    (void)state;
    assert_true(ident_same_code("12000041600", "12000041600000"));
    assert_true(ident_same_code("12000041600012", "12000041612"));
    assert_false(ident_same_code("12000041600", "12000041600001"));
    assert_false(ident_same_code("12000041600", "12000041600100"));
    assert_false(ident_same_code("12000041600", "12000041601"));
}

static void a_place_lies_in_what_is_around_it(void **state)
{
    static const struct {
        const char *inner, *outer;
        bool within;
    } rows[] = { { "120101", "120101", true },    { "120101", "120000", true },
                 { "120101001", "120101", true }, { "120101001001", "120101001", true },
                 { "120000", "120101", false },   { "120101", "120102", false },
                 { "130101", "120000", false },   { "120101002", "120101001", false },
                 { "130102", "130100", true },    { "130200", "130100", false } };
    char a[AREA_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(area_within(rows[i].inner, rows[i].outer), rows[i].within);
    assert_true(area_read("120101000000", 12, a));
    assert_string_equal(a, "120101");
    assert_true(area_read("120101001", 9, a));
    assert_string_equal(a, "120101001");
    assert_true(area_read("120000000", 9, a));
    assert_string_equal(a, "120000");
    assert_false(area_read("12010", 5, a));
    assert_false(area_read("12010x", 6, a));
    assert_false(area_read("020101", 6, a));
    assert_true(area_is_whole("120000"));
    assert_false(area_is_whole("120100"));
}

/* ---- documents ---- */

static enum rc read(const char *text, struct cap *c, struct err *e)
{
    *e = (struct err){ 0 };
    return cap_read(e, mem, text, strlen(text), c);
}

static void what_a_document_says_is_read(void **state)
{
    struct cap_wish wish = {
        .references = cap_reference(mem, "12000041600_20261121100000_0", NOW),
        .type = "Update",
        .info = "<onset>2026-11-18T00:30:00-00:00</onset><web>https://a.example/1</web>"
    };
    struct cap c;
    struct err e;

    (void)state;
    if (read(cap_text(mem, &wish), &c, &e))
        fail_msg("%s (%s)", e.text, e.field);
    assert_int_equal(c.type, CAP_UPDATE);
    assert_int_equal(c.status, CAP_ACTUAL);
    assert_int_equal(c.scope, CAP_PUBLIC);
    assert_int_equal(c.sent, NOW);
    assert_int_equal(c.nreferences, 1);
    assert_string_equal(c.references[0].identifier, "12000041600_20261121100000_0");
    assert_int_equal(c.references[0].sent, NOW);
    assert_int_equal(c.ninfos, 1);
    assert_string_equal(c.infos[0].headline, "示例市气象台发布暴雨红色预警");
    assert_string_equal(c.infos[0].severity, "Extreme");
    assert_string_equal(c.infos[0].instruction, "请不要外出。");
    assert_int_equal(c.infos[0].expires, NOW + 3600);
    assert_int_equal(c.infos[0].nareas, 1);
    assert_string_equal(c.infos[0].areas[0].codes[0], "120101");
    assert_ptr_equal(cap_info_shown(&c), &c.infos[0]);
}

static void a_broken_document_is_refused_with_its_reason(void **state)
{
#define NS "xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\""
    static const struct {
        const char *from, *to, *says;
    } rows[] = {
        { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<!DOCTYPE alert [<!ENTITY a \"b\">]>",
          "DOCTYPE" },
        { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
          "<!DOCTYPE alert SYSTEM \"file:///etc/passwd\">", "DOCTYPE" },
        { "encoding=\"UTF-8\"", "encoding=\"GB2312\"", "UTF-8" },
        { NS, "xmlns=\"urn:oasis:names:tc:emergency:cap:1.1\"", "CAP 1.2" },
        { NS, "", "CAP 1.2" },
        { "</alert>", "", "XML" },
        { "</alert>", "</alert><alert/>", "XML" },
        { "暴雨</event>", "&nbsp;</event>", "XML" },
        { "<scope>Public</scope>", "", "缺少 scope" },
        { "<scope>Public</scope>", "<scope>Public</scope><scope>Public</scope>", "不止一次" },
        { "<scope>Public</scope>", "<scope>public</scope>", "没有这个取值" },
        { "<status>Actual</status>", "<status>Real</status>", "没有这个取值" },
        { "<severity>Extreme</severity>", "<severity>Red</severity>", "没有这个取值" },
        { "<sent>", "<sent>on ", "带时区" },
        { "+08:00</sent>", "</sent>", "带时区" },
        { "+08:00</expires>", "+08</expires>", "带时区" },
        { "<event>暴雨</event>", "<event> </event>", "event" },
        { "<event>暴雨</event>", "<event>暴<b/>雨</event>", "不能再有元素" },
        { "<event>暴雨</event>", "<event>暴\xe2\x80\xae雨</event>", "控制字符" },
        { "<areaDesc>示例市</areaDesc>", "", "缺少 areaDesc" },
        { "<scope>", "<references>a,b</references><scope>", "sender,identifier,sent" },
        { "<scope>", "<references>a,b,c</references><scope>", "时间" },
    };
    struct cap_wish wish = { 0 };
    const char *good = cap_text(mem, &wish), *at;
    struct cap c;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_non_null(at = strstr(good, rows[i].from));
        const char *bad = arena_printf(mem, "%.*s%s%s", (int)(at - good), good, rows[i].to,
                                       at + strlen(rows[i].from));

        if (read(bad, &c, &e) != RC_INVALID || !strstr(e.text, rows[i].says))
            fail_msg("row %zu (%s): %s", i, rows[i].to, e.text);
    }
}

static void a_document_without_end_is_refused(void **state)
{
    static const char space[] = "<x xmlns=\"\">";
    struct buf b = BUF_IN(mem);
    struct cap c;
    struct err e = { 0 };

    (void)state;
    buf_adds(&b, "<alert " NS ">");
    for (int i = 0; i < 20; i++)
        buf_adds(&b, space);
    assert_int_equal(cap_read(&e, mem, b.p, b.n, &c), RC_TOO_LARGE); /* deep */
    b.n = strlen("<alert " NS ">");
    for (int i = 0; i <= CAP_ELEMENTS; i++)
        buf_adds(&b, "<note/>");
    assert_int_equal(cap_read(&e, mem, b.p, b.n, &c), RC_INVALID); /* the second one */
    b.n = strlen("<alert " NS ">");
    for (int i = 0; i <= CAP_ELEMENTS; i++)
        buf_adds(&b, "<x/>");
    assert_int_equal(cap_read(&e, mem, b.p, b.n, &c), RC_TOO_LARGE); /* many */
    buf_reserve(&b, CAP_MAX + 1);
    assert_int_equal(cap_read(&e, mem, b.p, CAP_MAX + 1, &c), RC_TOO_LARGE); /* long */
    assert_int_equal(cap_read(&e, mem, "", 0, &c), RC_INVALID);
}

static void what_is_not_caps_is_passed_over(void **state)
{
    struct cap_wish wish = {
        .alert = "<ds:Signature "
                 "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:identifier>x</"
                 "ds:identifier></ds:Signature>",
        .info = "<parameter><valueName>a</valueName><value>b</value></parameter>"
    };
    struct cap c;
    struct err e;

    (void)state;
    assert_int_equal(read(cap_text(mem, &wish), &c, &e), RC_OK);
    assert_int_equal(c.infos[0].areas[0].ncodes, 1);
}

/* ---- rules ---- */

static const struct warning_spec spec = { .name = "示例市气象台",
                                          .areas = { "120000", "130102" },
                                          .nareas = 2,
                                          .levels = 1U << LEVEL_RED | 1U << LEVEL_BLUE,
                                          .from = NOW - 10,
                                          .until = NOW + 10 };

static enum rc judge(const struct cap_wish *wish, struct rule_facts *f, struct err *e)
{
    struct cap c;

    if (read(cap_text(mem, wish), &c, e))
        fail_msg("%s", e->text);
    return rule_check(e, mem, &c, AUTHORITY, &spec, NOW, f);
}

static void a_good_warning_is_taken_for_what_it_is(void **state)
{
    struct cap_wish wish = {
        .geocode = "120101000000",
        .info =
            "<area><areaDesc>a</areaDesc><geocode><valueName>x</valueName><value>120101002</"
            "value></geocode>"
            "<geocode><valueName>UGC</valueName><value>TJZ001</value></"
            "geocode><geocode><valueName>x</valueName><value>130102</value></geocode></area>"
    };
    struct rule_facts f;
    struct err e;

    (void)state;
    if (judge(&wish, &f, &e))
        fail_msg("%s", e.text);
    assert_int_equal(f.level, LEVEL_RED);
    assert_int_equal(f.nareas, 2);
    assert_string_equal(f.areas[0], "120101");
    assert_string_equal(f.areas[1], "130102");
    assert_int_equal(f.effective, NOW);
    assert_int_equal(f.expires, NOW + 3600);
    assert_string_equal(rule_audience(mem, f.areas, f.nareas),
                        "{\"or\":[{\"area\":\"120101\"},{\"area\":\"130102\"}]}");
}

static void each_rule_has_its_refusal(void **state)
{
    static const struct {
        struct cap_wish wish;
        enum rc rc;
        const char *says;
    } rows[] = {
        { { .identifier = "abc" }, RC_INVALID, "预警编号" },
        { { .identifier = "12000041601_20261118000000_0" }, RC_FORBIDDEN, "12000041601" },
        { { .sender = "12000041601" }, RC_FORBIDDEN, "sender" },
        { { .sender = "tianjin@example.cn" }, RC_FORBIDDEN, "sender" },
        { { .type = "Ack" }, RC_INVALID, "Alert" },
        { { .scope = "Private" }, RC_INVALID, "Public" },
        { { .references =
                "12000041600,12000041600_20261118000000_0,2026-11-18T00:00:00+08:00" },
          RC_INVALID,
          "Update" },
        { { .type = "Update" }, RC_INVALID, "references" },
        { { .type = "Cancel" }, RC_INVALID, "references" },
        { { .bare = true }, RC_INVALID, "info" },
        { { .severity = "Unknown" }, RC_INVALID, "级别" },
        { { .severity = "Severe" }, RC_FORBIDDEN, "橙色" },
        { { .geocode = "110000" }, RC_FORBIDDEN, "110000" },
        { { .geocode = "130000" }, RC_FORBIDDEN, "130000" },
        { { .geocode = "TJZ001" }, RC_INVALID, "区划代码" },
        { { .sent = NOW + RULE_SKEW + 1 }, RC_INVALID, "将来" },
        { { .expires = NOW }, RC_INVALID, "以后" },
        { { .sent = NOW - 7200, .expires = NOW - 1 }, RC_INVALID, "过期" },
        { { .expires = NOW + 32 * 86400 }, RC_INVALID, "31 天" },
        { { .info = "<onset>2027-01-01T00:00:00Z</onset>" }, RC_INVALID, "onset" },
    };
    struct rule_facts f;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum rc rc = judge(&rows[i].wish, &f, &e);

        if (rc != rows[i].rc || !strstr(e.text, rows[i].says))
            fail_msg("row %zu: %d, %s", i, rc, e.text);
    }
}

static void an_audience_is_never_too_long_to_be_asked(void **state)
{
    const char *areas[200];

    (void)state;
    assert_string_equal(rule_audience(mem, areas, 0), rule_nobody);
    areas[0] = "120101";
    assert_string_equal(rule_audience(mem, areas, 1), "{\"area\":\"120101\"}");
    areas[1] = "120000";
    assert_string_equal(rule_audience(mem, areas, 2), "{\"all\":true}");
    for (int i = 0; i < 200; i++)
        areas[i] = arena_printf(mem, "1201%02d%03d", 1 + i % 3, 1 + i);
    assert_string_equal(
        rule_audience(mem, areas, 200),
        "{\"or\":[{\"area\":\"120101\"},{\"area\":\"120102\"},{\"area\":\"120103\"}]}");
    for (int i = 0; i < 200; i++)
        areas[i] = arena_printf(mem, "%06d", 120101 + i);
    assert_string_equal(rule_audience(mem, areas, 200), "{\"all\":true}");
}

/* ---- signatures ---- */

static void four_kinds_of_keys_are_believed(void **state)
{
    static const char *const algs[] = { "ed25519", "p256", "rsa", "sm2" };
    static const char text[] =
        "tjzw warning 2\n12000041600/main\nwww.example.cn\n1795000000\n<alert/>";

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct evp_pkey_st *key = authority_key(mem, algs[i]);
        const char *sig = authority_sign(mem, key, algs[i], text, sizeof text - 1);
        uint8_t raw[SIGNER_SIG_MAX];
        int n = b64url_parse(sig, strlen(sig), raw, sizeof raw);
        struct err e = { 0 };
        struct signer s;

        if (signer_read(&e, mem, authority_pem(mem, key), &s))
            fail_msg("%s: %s", algs[i], e.text);
        assert_string_equal(s.alg, algs[i]);
        assert_int_equal(s.until, 0);
        assert_true(signer_holds(&s, text, sizeof text - 1, raw, (size_t)n));
        assert_false(signer_holds(&s, text, sizeof text - 2, raw, (size_t)n));
        raw[n - 1] ^= 1;
        assert_false(signer_holds(&s, text, sizeof text - 1, raw, (size_t)n));
        assert_false(signer_holds(&s, text, sizeof text - 1, raw, 0));
        assert_int_equal(
            signer_read(&e, mem, authority_certificate(mem, key, NOW, NOW + 60), &s), RC_OK);
        assert_int_equal(s.from, NOW);
        assert_int_equal(s.until, NOW + 60);
    }
}

static void other_keys_are_not(void **state)
{
    struct err e = { 0 };
    struct signer s;

    (void)state;
    assert_int_equal(signer_read(&e, mem, authority_pem(mem, authority_key(mem, "weak")), &s),
                     RC_INVALID);
    assert_int_equal(signer_read(&e, mem, authority_pem(mem, authority_key(mem, "p384")), &s),
                     RC_INVALID);
    assert_int_equal(signer_read(&e, mem, "", &s), RC_INVALID);
    assert_int_equal(signer_read(&e, mem,
                                 "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                                 &s),
                     RC_INVALID);
}

/* ---- on a phone ---- */

/* Red before: WeChat refuses a field of more than 20 characters, and so the warning for everybody. */
static void each_field_has_room_where_it_is_shown(void **state)
{
    struct campaign_said said = { .class = PUSH_EMERGENCY,
                                  .shown = { .title = "暴雨红色预警",
                                             .text = "三小时内降雨量将达一百毫米以上",
                                             .sender = "天津市和平区气象局、应急管理局、"
                                                       "水务局联合预警信息发布中心" } },
                         wide = said;
    struct work w = { .mem = mem };

    (void)state;
    bulletin_fit(&w, &said, TRANSPORT_WECHAT);
    assert_string_equal(said.shown.sender, "天津市和平区气象局、应急管理局、水务局…");
    bulletin_fit(&w, &wide, TRANSPORT_APNS);
    assert_string_equal(wide.shown.sender, "天津市和平区气象局、应急管理局、"
                                           "水务局联合预警信息发布中心");
    said.shown.sender = NULL;
    bulletin_fit(&w, &said, TRANSPORT_WECHAT);
    assert_null(said.shown.sender);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_identifier_has_31_characters_or_28),
        TEST(a_long_code_without_a_unit_is_the_short_one),
        TEST(a_place_lies_in_what_is_around_it),
        TEST(what_a_document_says_is_read),
        TEST(a_broken_document_is_refused_with_its_reason),
        TEST(a_document_without_end_is_refused),
        TEST(what_is_not_caps_is_passed_over),
        TEST(a_good_warning_is_taken_for_what_it_is),
        TEST(each_rule_has_its_refusal),
        TEST(an_audience_is_never_too_long_to_be_asked),
        TEST(four_kinds_of_keys_are_believed),
        TEST(other_keys_are_not),
        cmocka_unit_test_setup_teardown(each_field_has_room_where_it_is_shown, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("warning", tests, NULL, NULL);
}
