/*
 * sms_test.c - what a message to the gateway says, and that nothing which somebody enters changes its form. How a gateway that hangs or lies is
 * borne: tests/flow/sign_in_test.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/identity/sms.h"

static const struct conf_list china = { 1, { "86" } };
static const char json_body[] = "{\"to\":\"{phone}\",\"text\":\"验证码 {code}，{other}\"}";

static struct sms_conf gateway(const char *type, const char *body, const char *headers)
{
    return (struct sms_conf){ .url = "https://sms.example.cn/send",
                              .type = type,
                              .body = body,
                              .headers = headers,
                              .ok = "",
                              .countries = &china };
}

static void expect(const struct sms_conf *c, const char *phone, const char *code,
                   const char *body)
{
    struct arena *mem = arena_new();
    struct buf b = BUF_IN(mem);

    sms_body(&b, c, phone, code);
    assert_string_equal(b.p, body);
    arena_free(mem);
}

static void a_body_is_filled_in(void **state)
{
    struct sms_conf json = gateway("json", json_body, ""),
                    form = gateway("form", "to={phone}&text={code}&to2={phone}", "");

    (void)state;
    expect(&json, "8613800138000", "012345",
           "{\"to\":\"13800138000\",\"text\":\"验证码 012345，{other}\"}");
    expect(&form, "85291234567", "012345", "to=%2B85291234567&text=012345&to2=%2B85291234567");
}

/* They are digits by then. If they were not: */
static void nothing_that_is_put_in_gets_out_of_its_place(void **state)
{
    static const char *const bad[] = { "\",\"to\":\"110",
                                       "a\nb: c",
                                       "a\r\n\r\nGET / HTTP/1.1",
                                       "{code}{phone}",
                                       "1&to=110",
                                       "%26to%3D110",
                                       "\\",
                                       "\x01\x1f\x7f",
                                       "1;to=2#3?4=5 6" };
    struct sms_conf json = gateway("json", "{\"to\":\"{phone}\",\"text\":\"{code}\"}", ""),
                    form = gateway("form", "to={phone}&text={code}", "");

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct arena *mem = arena_new();
        struct buf b = BUF_IN(mem);
        struct err e = { 0 };
        json_t *o;

        sms_body(&b, &json, "8613800138000", bad[i]);
        assert_int_equal(jx_object(&e, mem, b.p, b.n, &o), RC_OK);
        assert_int_equal(json_object_size(o), 2);
        assert_string_equal(jx_text(o, "to"), "13800138000");
        assert_string_equal(jx_text(o, "text"), bad[i]);
        b.n = 0;
        sms_body(&b, &form, "8613800138000", bad[i]);
        assert_null(strpbrk(strchr(b.p, '&') + 1, "&;#? \r\n\"\x01"));
        arena_free(mem);
    }
}

static const struct {
    const char *type, *body, *headers;
    bool good;
} settings[] = {
    { "json", json_body, "", true },
    { "json", json_body, "authorization: Bearer x\nx-app: 1\n", true },
    { "form", "to={phone}&text={code}", "", true },
    { "xml", json_body, "", false },
    { "json", "{\"to\":\"{phone}\"}", "", false },                /* no code */
    { "json", "{\"to\":\"{phone}\",\"text\":{code}", "", false }, /* no JSON */
    { "json", "[\"{phone}\",\"{code}\"]", "", false },
    { "json", json_body, "authorization", false },
    { "json", json_body, "authorization: a\rx: b", false },
    { "json", json_body, "auth orization: a", false },
    { "json", json_body, ": a", false },
};

static void settings_that_describe_no_request_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct sms_conf c = gateway(settings[i].type, settings[i].body, settings[i].headers);
        struct err e = { 0 };

        if ((sms_open(&e, &c) == RC_OK) != settings[i].good)
            fail_msg("%zu: %s", i, e.text);
        if (settings[i].good)
            sms_close();
        else
            assert_non_null(strstr(e.text, "sms_"));
    }
}

static void a_url_is_http(void **state)
{
    struct sms_conf c = gateway("json", json_body, "");
    struct err e = { 0 };

    (void)state;
    c.url = "file:///etc/passwd";
    assert_int_equal(sms_open(&e, &c), RC_INVALID);
}

static void without_a_gateway_it_says_so(void **state)
{
    struct sms_conf c = {
        .url = "", .body = "", .type = "json", .headers = "", .ok = "", .countries = &china
    };
    struct err e = { 0 };

    (void)state;
    assert_int_equal(sms_check(&e, "8613800138000"), RC_BUSY);
    assert_int_equal(sms_open(&e, &c), RC_OK);
    assert_int_equal(sms_check(&e, "8613800138000"), RC_BUSY);
    assert_non_null(strstr(e.text, "sms_url"));
    sms_close();
    c.development = true;
    assert_int_equal(sms_open(&e, &c), RC_OK);
    assert_int_equal(sms_check(&e, "8613800138000"), RC_OK);
    sms_close();
}

static void other_countries_get_none_unless_they_are_named(void **state)
{
    static const struct conf_list two = { 2, { "86", "852" } };
    struct sms_conf c = gateway("json", json_body, "");
    struct err e = { 0 };

    (void)state;
    assert_int_equal(sms_open(&e, &c), RC_OK);
    assert_int_equal(sms_check(&e, "85291234567"), RC_INVALID);
    assert_string_equal(e.field, "phone");
    sms_close();
    c.countries = &two;
    assert_int_equal(sms_open(&e, &c), RC_OK);
    assert_int_equal(sms_check(&e, "85291234567"), RC_OK);
    assert_int_equal(sms_check(&e, "12025550100"), RC_INVALID);
    sms_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_filled_in),
        cmocka_unit_test(nothing_that_is_put_in_gets_out_of_its_place),
        cmocka_unit_test(settings_that_describe_no_request_are_refused),
        cmocka_unit_test(a_url_is_http),
        cmocka_unit_test(without_a_gateway_it_says_so),
        cmocka_unit_test(other_countries_get_none_unless_they_are_named),
    };

    log_set_fd(-1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
