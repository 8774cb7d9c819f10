/* Reports of reads over HTTP: no token, one answer each, and pages that count when a person reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/counts.h"
#include "server/base/clock.h"
#include "server/citizen/count.h"
#include "server/citizen/count_web.h"
#include "tests/lib/service_world.h"

static const char browser[] = "user-agent: Mozilla/5.0 (Linux; Android 14) Chrome/120.0\n";

static const char *report(struct world *t, const char *id, int reads, char name)
{
    char day[CLOCK_TEXT];

    return URL(
        "{\"day\":\"%s\",\"report\":\"%cAAAAAAAAAAAAAAAAAAAAA\",\"reads\":[{\"item\":\"%s\","
        "\"reads\":%d}]}",
        clock_day(clock_now(), day), name, id, reads);
}

static struct answer post(struct world *t, const char *headers, const char *body)
{
    return ask(t, POST, "/v1/counts", &(struct ask){ .headers = headers, .body = body });
}

static void a_report_is_taken_once_and_says_what_it_counted(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "一篇文章", "正文", NULL);
    const char *text = report(t, id, 3, 'A');
    struct answer a = post(t, NULL, text);

    assert_int_equal(a.status, 200);
    assert_string_equal(a.body,
                        "{\"apart\":0,\"counted\":3,\"refused\":[],\"result\":\"counted\"}\n");
    a = post(t, NULL, text);
    assert_string_equal(a.body, "{\"result\":\"known\"}\n");
    a = post(t, NULL, report(t, id, 5000, 'B'));
    HAS(a, "\"code\":\"implausible\"");
    a = post(t, NULL, report(t, "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11", 1, 'C'));
    HAS(a, "\"code\":\"unknown\"");
    assert_int_equal(post(t, NULL, report(t, id, 2000000, 'D')).status, 400);
    a = tell(t, GET, "/v1/staff/counts", NULL);
    HAS(a, "\"phone\":3");
    HAS(a, "\"apart\":5000");
    HAS(a, "一篇文章");
    a = tell(t, GET, "/v1/staff/counts.csv?by=day", NULL);
    assert_string_equal(HEADER(a, "content-type"), "text/csv; charset=utf-8");
    HAS(a, ",0,3,3,5000\r\n");
}

static void who_reads_is_not_to_be_told(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "一篇文章", "正文", NULL);
    const char *key = service_program(t, "cms", "edit");

    assert_int_equal(post(t, key, report(t, id, 1, 'A')).status, 400);
    assert_int_equal(post(t, NULL, "{}").status, 400);
    assert_int_equal(get(t, "/v1/staff/counts").status, 401);
}

static int64_t web_of(struct world *t)
{
    struct answer a = tell(t, GET, "/v1/staff/counts", NULL);
    json_t *list = json_object_get(json_of(t, &a), "counts");

    return json_integer_value(json_object_get(json_array_get(list, 0), "web"));
}

static struct answer look(struct world *t, const char *target, const char *headers)
{
    return ask(t, GET, target, &(struct ask){ .headers = headers });
}

static void a_page_counts_when_a_person_reads_it(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "一篇文章", "正文", NULL), *page = URL("/a/%s", id);
    struct answer a;

    count_open(0, 0, 0);
    shown_set(COUNTS_PREFIX, counts_shown);
    a = look(t, page, browser); /* made, and from the cache */
    look(t, page, browser);
    look(t, URL("/a/%s/large", id), browser);
    look(t, page, URL("%sif-none-match: %s\n", browser, HEADER(a, "etag")));
    look(t, page, NULL); /* these are not read by anybody */
    look(t, page, "user-agent: Baiduspider\n");
    look(t, page, URL("%ssec-purpose: prefetch\n", browser));
    ask(t, HEAD, page, &(struct ask){ .headers = browser });
    look(t, "/a/0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11", browser);
    look(t, URL("/v1/items/%s", id), browser);
    shown_set(NULL, NULL);
    count_web_finish();
    assert_int_equal(web_of(t), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_report_is_taken_once_and_says_what_it_counted),
        TEST(who_reads_is_not_to_be_told),
        TEST(a_page_counts_when_a_person_reads_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
