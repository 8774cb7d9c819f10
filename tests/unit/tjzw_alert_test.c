/*
 * tjzw_alert_test.c - warnings on a phone: found among what was synced, by place and by clock, the worst first, with the network cut.
 */
#include "tests/lib/tjzw_phone.h"

#include <stdio.h>
#include <string.h>

#define WARNING(title, level, areas, more)                                                    \
    "{\"areas\":[" areas "],\"body\":\"正文\",\"contentSource\":\"示例市气象台\","    \
    "\"identifier\":\"12000041600_20261121100000_0\",\"instruction\":\"请不要外出。\"," \
    "\"kind\":\"warning\",\"level\":\"" level "\"," more "\"title\":\"" title "\"}"
#define ALERT "\"msgType\":\"Alert\","

struct seen {
    size_t n, most;
    char titles[200];
    struct tjzw_alert last;
};

static bool see(void *ctx, const struct tjzw_alert *a)
{
    struct seen *out = ctx;
    size_t n = strlen(out->titles);

    out->n++;
    out->last = *a;
    snprintf(out->titles + n, sizeof out->titles - n, "%s%s ", a->over ? "/" : "", a->title);
    assert_string_equal(a->source, "示例市气象台");
    assert_string_equal(a->instruction, "请不要外出。");
    assert_non_null(strstr(a->json, "\"kind\":\"warning\""));
    return out->n != out->most;
}

static void assert_shows(struct phone *p, const char *area, const char *titles)
{
    struct seen out = { 0 };

    OK(p, tjzw_alerts(p->t, area, see, &out, &p->e));
    assert_string_equal(out.titles, titles);
}

static void publish(struct phone *p, const char *json)
{
    fake_publish(p->server, "预警", json);
    fake_head(p->server);
}

static void the_worst_comes_first_and_what_is_over_last(void **state)
{
    struct seen one = { .most = 1 };
    struct phone p;

    (void)state;
    phone_start(&p);
    publish(&p, WARNING("blue", "蓝色", "\"120101\"", ALERT));
    publish(&p, WARNING("red", "红色", "\"120000\"", ALERT));
    publish(&p, WARNING("off", "红色", "\"120101\"", "\"msgType\":\"Cancel\","));
    publish(&p, WARNING("old", "红色", "\"120101\"",
                        "\"expires\":\"2001-01-01T00:00:00+08:00\"," ALERT));
    publish(&p, WARNING("street", "橙色", "\"120101003\",\"120102\"",
                        "\"expires\":\"2199-01-01T00:00:00+08:00\"," ALERT));
    publish(&p,
            "{\"body\":\"\\\"kind\\\":\\\"warning\\\"\",\"kind\":\"article\",\"x\":{\"kind\":"
            "\"warning\"}}");
    phone_sync(&p);
    assert_shows(&p, NULL, "red street blue /off ");
    assert_shows(&p, "120101", "red street blue /off ");
    assert_shows(&p, "120101000000", "red street blue /off ");
    assert_shows(&p, "120101003", "red street blue /off ");
    assert_shows(&p, "120101004", "red blue /off ");
    assert_shows(&p, "120102", "red street ");
    assert_shows(&p, "120103", "red ");
    assert_shows(&p, "130101", "");
    OK(&p, tjzw_alerts(p.t, NULL, see, &one, &p.e));
    assert_int_equal(one.n, 1);
    assert_int_equal(tjzw_alerts(p.t, "12010", see, &one, &p.e), TJZW_USAGE);
    assert_int_equal(tjzw_alerts(p.t, "12010x", see, &one, &p.e), TJZW_USAGE);
    phone_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_comes_first_and_what_is_over_last),
    };

    return cmocka_run_group_tests_name("tjzw_alert", tests, NULL, NULL);
}
