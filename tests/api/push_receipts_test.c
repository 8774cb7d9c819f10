/* push_receipts_test.c - what vendors tell of messages: believed with our mark alone, counted once, and only of who was sent to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "push/address.h"
#include "push/run.h"
#include "push/run_receipt.h"
#include "server/base/clock.h"
#include "server/store/writer.h"
#include "tests/lib/people.h"

enum { PHONES = 6, RUN = 17 };

static char mark[TRANSPORT_COUNT][RUN_MARK];

static enum rc on_writer(struct world *t, enum rc (*job)(struct work *w, void *arg), void *arg)
{
    struct work w;
    enum rc rc;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    rc = writer_call(&w, job, arg);
    if (rc)
        print_message("# %s\n", w.err.text);
    return rc;
}

/* The vendor takes the message of all but the last phone, which is on its way for ever. */
static enum rc run_job(struct work *w, void *unused)
{
    struct run_new new = { .campaign = RUN,
                           .audience = "{\"all\":true}",
                           .class = PUSH_SERVICE,
                           .doubt = RUN_SKIP,
                           .ends_ms = clock_now_ms() + 3600000 };
    struct run_limits limits = { .most = PHONES - 1 };
    struct run_batch b;
    int64_t opened;
    enum rc rc;
    int n;

    (void)unused;
    if ((rc = address_settle(w, 100, &n)) || (rc = run_begin(w, &new)))
        return rc;
    while (!(rc = run_open(w, 1U << TRANSPORT_XIAOMI, 0, &opened)))
        ;
    if (rc != RC_NOT_FOUND || (rc = run_take(w, TRANSPORT_XIAOMI, &limits, &b)))
        return rc;
    for (int i = 0; i < b.n; i++)
        b.target[i].what = i ? RUN_ACCEPTED : RUN_REJECTED;
    return (rc = run_write(w, &b, 0)) ? rc : run_take(w, TRANSPORT_XIAOMI, &limits, &b);
}

static int set_up(void **state)
{
    struct world *t;

    service_world_set_up(state);
    t = *state;
    for (int i = 0; i < PHONES; i++) {
        struct person p = person_sign_in(t, SESSION_CITIZEN, 1);

        assert_int_equal(
            person_ask(t, &p, PUT, "/v1/me/push/AAAAAAAAAAAAAAAAAAAAAA",
                       URL("{\"token\":\"0123456789abcdef-%d\",\"transport\":\"xiaomi\"}", i))
                .status,
            204);
    }
    assert_int_equal(on_writer(t, run_job, NULL), RC_OK);
    for (int by = 1; by < TRANSPORT_COUNT; by++)
        run_mark((enum transport)by, RUN, mark[by]);
    return 0;
}

static enum rc count_job(struct work *w, void *out)
{
    return run_count(w, RUN, out);
}

static int64_t noted(struct world *t, enum run_what what)
{
    struct run_counts n;

    assert_int_equal(on_writer(t, count_job, &n), RC_OK);
    return n.by[TRANSPORT_XIAOMI][what];
}

static int told(struct world *t, const char *vendor, const char *body)
{
    struct ask how = { .headers = "content-type: application/x-www-form-urlencoded\n",
                       .body = body };

    return ask(t, POST, URL("/v1/push/receipts/%s", vendor), &how).status;
}

/* Of the phones from..to-1, as Xiaomi says it. */
static int xiaomi(struct world *t, const char *with, int type, int from, int to)
{
    struct buf form = BUF_IN(world_mem(t)), json = BUF_IN(world_mem(t));

    buf_printf(&json, "{\"id\":{\"param\":\"%s\",\"type\":%d,\"targets\":\"", with, type);
    for (int i = from; i < to; i++)
        buf_printf(&json, "%s0123456789abcdef-%d", i > from ? "," : "", i);
    buf_adds(&json, "\",\"timestamp\":1}}");
    buf_adds(&form, "data=");
    buf_url(&form, json.p, json.n);
    return told(t, "xiaomi", form.p);
}

static void what_is_told_counts_once(void **state)
{
    struct world *t = *state;

    assert_int_equal(xiaomi(t, mark[TRANSPORT_XIAOMI], 1, 1, 4), 200);
    assert_int_equal(noted(t, RUN_DELIVERED), 3);
    assert_int_equal(xiaomi(t, mark[TRANSPORT_XIAOMI], 1, 1, 4), 200);
    assert_int_equal(xiaomi(t, mark[TRANSPORT_XIAOMI], 1, 3, 5), 200);
    assert_int_equal(noted(t, RUN_DELIVERED), 4);
    clock_set(clock_now() + 2 * 86400);
    assert_int_equal(xiaomi(t, mark[TRANSPORT_XIAOMI], 1, 1, 5), 200); /* on another day */
    assert_int_equal(noted(t, RUN_DELIVERED), 4);
    assert_int_equal(xiaomi(t, mark[TRANSPORT_XIAOMI], 16, 1, 2), 200);
    assert_int_equal(noted(t, RUN_DROPPED), 1);
    assert_int_equal(noted(t, RUN_ACCEPTED), 4); /* what the vendor took it still took */
}

static void a_click_is_a_delivery(void **state)
{
    struct world *t = *state;

    assert_int_equal(xiaomi(t, mark[TRANSPORT_XIAOMI], 2, 2, 3), 200);
    assert_int_equal(noted(t, RUN_CLICKED), 1);
    assert_int_equal(noted(t, RUN_DELIVERED), 1);
}

static void who_was_not_sent_to_has_no_receipt(void **state)
{
    struct world *t = *state;

    assert_int_equal(xiaomi(t, mark[TRANSPORT_XIAOMI], 1, 0, 1),
                     200); /* refused by the vendor */
    assert_int_equal(xiaomi(t, mark[TRANSPORT_XIAOMI], 1, 90, 95), 200); /* nobody's token */
    assert_int_equal(noted(t, RUN_DELIVERED), 0);
    assert_int_equal(xiaomi(t, mark[TRANSPORT_XIAOMI], 1, 5, 6),
                     200); /* quicker than our answer */
    assert_int_equal(noted(t, RUN_DELIVERED), 1);
}

static void a_forged_one_is_refused(void **state)
{
    struct world *t = *state;
    char other[RUN_MARK];

    memcpy(other, mark[TRANSPORT_XIAOMI], sizeof other);
    other[1] = '8'; /* of another run */
    assert_int_equal(xiaomi(t, other, 1, 1, 4), 403);
    assert_int_equal(xiaomi(t, mark[TRANSPORT_OPPO], 1, 1, 4), 403);
    assert_int_equal(xiaomi(t, "17.AAAAAAAAAAAAAAAAAAAAAA", 1, 1, 4), 403);
    assert_int_equal(xiaomi(t, "", 1, 1, 4), 200); /* not ours, and says nothing */
    assert_int_equal(noted(t, RUN_DELIVERED), 0);
    assert_int_equal(told(t, "xiaomi", "data=nonsense"), 400);
    assert_int_equal(told(t, "huawei", "{}"), 400);
    assert_int_equal(told(t, "apns", "{}"), 404);
    assert_int_equal(told(t, "nobody", "{}"), 404);
}

static void huaweis_test_of_the_address_is_answered(void **state)
{
    struct world *t = *state;
    struct ask how = { .headers = "content-type: application/json\n",
                       .body =
                           "{\"statuses\":[{\"biTag\":\"\",\"token\":\"x\",\"status\":0}]}" };
    struct answer a = ask(t, POST, "/v1/push/receipts/huawei_next", &how);

    assert_int_equal(a.status, 200);
    assert_string_equal(text_of(t, &a, "errno"), "0");
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, service_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_told_counts_once),
        TEST(a_click_is_a_delivery),
        TEST(who_was_not_sent_to_has_no_receipt),
        TEST(a_forged_one_is_refused),
        TEST(huaweis_test_of_the_address_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
