/* What a phone may do with its letters, and what that may cost everybody else: docs/letters.md section 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/seal.h"
#include "server/citizen/letter.h"
#include "server/citizen/receipt.h"
#include "server/citizen/workday.h"
#include "tests/lib/phone_state.h"

#define LETTER "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11"

enum { REPEATS = 500 };

/* It took 1 MB where this was written; without an end to each mutation's memory 21, with the whole correspondence each time 43. AddressSanitizer keeps what was freed. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined __SANITIZE_ADDRESS__ || __has_feature(address_sanitizer)
enum { ROOM = 400 << 20 };
#else
enum { ROOM = 8 << 20 };
#endif

static int set_up(void **state)
{
    struct world *t;
    struct err e;

    service_world_set_up(state);
    t = *state;
    assert_int_equal(
        tell(t, POST, "/v1/orgs", "{\"code\":\"heping\",\"name\":\"和平区\"}").status, 201);
    return seal_load(&e, world_dir(t), SEAL_XCHACHA) || receipt_load(&e, world_dir(t));
}

static int tear_down(void **state)
{
    receipt_forget();
    seal_forget();
    return service_world_tear_down(state);
}

static const char *long_text(struct world *t)
{
    struct buf b = BUF_IN(world_mem(t));

    for (int i = 0; i < LETTER_TEXT_MAX; i++)
        buf_adds(&b, "\U00020000");
    return b.p;
}

static void send_letter(struct world *t, const struct person *p)
{
    json_t *a = bring(t, p, DEVICE_A, 1,
                      URL("\"type\":\"letter.send\",\"key\":\"" LETTER
                          "\",\"value\":{\"category\":\"report\",\"text\":\"%s\","
                          "\"title\":\"占道\",\"unit\":\"heping\"}",
                          long_text(t)));

    assert_string_equal(result_of(t, a, 0), "done");
}

static const char *add(struct world *t, const char *key, const char *text)
{
    return URL("\"type\":\"letter.add\",\"key\":\"%s\",\"value\":{\"letter\":\"" LETTER
               "\",\"text\":\"%s\"}",
               key, text);
}

static const char *new_key(struct world *t)
{
    struct id id = id_new();

    return id_text(&id, arena_alloc(world_mem(t), ID_TEXT));
}

/* As many long ones as a day may have, from n 2 on; the key of the last. */
static const char *add_all_day(struct world *t, const struct person *p)
{
    const char *key = NULL, *text = long_text(t);

    for (int i = 0; i < LETTER_ADDS_A_DAY; i++) {
        key = new_key(t);
        assert_string_equal(result_of(t, bring(t, p, DEVICE_A, 2 + i, add(t, key, text)), 0),
                            "done");
    }
    return key;
}

static void a_writer_adds_so_often_a_day_and_reads_why_not_more(void **state)
{
    struct world *t = *state;
    struct person p = person_sign_in(t, SESSION_CITIZEN, 1);
    const json_t *r;
    json_t *a;

    send_letter(t, &p);
    add_all_day(t, &p);
    a = bring(t, &p, DEVICE_A, 2 + LETTER_ADDS_A_DAY, add(t, new_key(t), "还有"));
    assert_string_equal(result_of(t, a, 0), "refused:limit");
    r = json_array_get(json_object_get(a, "results"), 0);
    assert_non_null(strstr(json_string_value(json_object_get(r, "detail")), "明天可以再补充"));
}

static int64_t peak(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (int64_t)u.ru_maxrss * 1024;
}

/* 75 KB of requests that were some gigabytes: each read the whole correspondence, and nothing was given back before the last. */
static void five_hundred_repeats_take_the_memory_of_one(void **state)
{
    struct world *t = *state;
    struct person p = person_sign_in(t, SESSION_CITIZEN, 1);
    struct buf b = BUF_IN(world_mem(t));
    int64_t first = 2 + LETTER_ADDS_A_DAY, before;
    const char *key;
    json_t *a;

    send_letter(t, &p);
    key = add_all_day(t, &p);
    buf_adds(&b, "{\"device\":\"" DEVICE_A "\",\"mutations\":[");
    for (int i = 0; i < REPEATS; i++)
        buf_printf(&b, "%s{\"n\":%" PRId64 ",%s}", i ? "," : "", first + i,
                   add(t, key, "再说"));
    buf_adds(&b, "]}");
    before = peak();
    a = exchange(t, &p, b.p);
    assert_in_range(peak() - before, 0, ROOM);
    for (int i = 0; i < REPEATS; i++)
        assert_string_equal(result_of(t, a, (size_t)i), "done");
}

static const char *urgency(struct world *t)
{
    struct answer a = tell(t, GET, "/v1/letters/" LETTER, NULL);

    assert_int_equal(a.status, 200);
    return text_of(t, &a, "urgency");
}

static void a_letter_warns_two_working_days_before_it_is_late(void **state)
{
    struct world *t = *state;
    struct person p = person_sign_in(t, SESSION_CITIZEN, 1);
    int64_t day = workday_of(WORLD_NOW), due;

    send_letter(t, &p);
    due = workday_deadline(WORLD_NOW, 7);
    for (; workday_between(day, workday_of(due - 1)) >= LETTER_SOON_DAYS; day++) {
        clock_set(workday_begin(day) + 86399);
        assert_string_equal(urgency(t), "");
    }
    assert_int_equal(workday_between(day, workday_of(due - 1)), LETTER_SOON_DAYS - 1);
    clock_set(workday_begin(day));
    assert_string_equal(urgency(t), "soon");
    clock_set(due - 1);
    assert_string_equal(urgency(t), "soon");
    clock_set(due);
    assert_string_equal(urgency(t), "late");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_writer_adds_so_often_a_day_and_reads_why_not_more),
        CASE(five_hundred_repeats_take_the_memory_of_one),
        CASE(a_letter_warns_two_working_days_before_it_is_late),
    };

    return cmocka_run_group_tests_name("letters", tests, NULL, NULL);
}
