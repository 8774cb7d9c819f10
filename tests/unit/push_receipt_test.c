/* push_receipt_test.c - what vendors tell later: read as each writes it, and believed only with a mark of ours. What becomes of it: tests/api/push_receipts_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "push/run_receipt.h"
#include "push/vendor_part.h"
#include "server/base/seal.h"

static char dir[] = "/tmp/tjzw-receipt-XXXXXX";

static int up(void **state)
{
    struct err e;

    assert_non_null(mkdtemp(dir));
    assert_int_equal(seal_load(&e, dir, SEAL_XCHACHA), RC_OK);
    *state = arena_new();
    return 0;
}

static int down(void **state)
{
    char command[64];

    arena_free(*state);
    seal_forget();
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    return system(command);
}

static struct vendor_receipts *told(struct arena *mem, enum transport by, const char *body)
{
    struct vendor_receipts *list = arena_zalloc(mem, sizeof *list);

    list->mem = mem;
    return vendor_of(by)->read_receipts(mem, body, strlen(body), list) ? list : NULL;
}

static void assert_receipt(const struct vendor_receipts *list, int i, const char *mark,
                           const char *token, enum vendor_receipt_kind kind)
{
    assert_true(i < list->n);
    assert_string_equal(list->of[i].mark, mark);
    assert_string_equal(list->of[i].token, token);
    assert_int_equal(list->of[i].kind, kind);
}

static void huawei_and_honor_tell_statuses(void **state)
{
    static const char v1[] =
        "{\"statuses\":[{\"biTag\":\"m\",\"appid\":\"1\",\"token\":\"aaa\",\"status\":0,"
        "\"timestamp\":1489993883189,\"requestId\":\"1\"},"
        "{\"biTag\":\"m\",\"token\":\"bbb\",\"status\":2},"
        "{\"biTag\":\"m\",\"token\":\"kept\",\"status\":201},"
        "{\"token\":\"ccc\",\"status\":0},{\"status\":0},7]}",
                      v2[] = "{\"statuses\":[{\"token\":\"aaa\",\"pushType\":0,\"biTag\":\"m\","
                             "\"deliveryStatus\":{\"result\":0,\"timestamp\":1}},"
                             "{\"token\":\"bbb\",\"deliveryStatus\":{\"result\":6}}]}";
    static const enum transport by[] = { TRANSPORT_HUAWEI, TRANSPORT_HUAWEI_NEXT,
                                         TRANSPORT_HONOR };

    for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
        struct vendor_receipts *list = told(*state, by[i], v1);

        assert_non_null(list);
        assert_int_equal(list->n, 3);
        assert_receipt(list, 0, "m", "aaa", VENDOR_DELIVERED);
        assert_receipt(list, 1, "m", "bbb", VENDOR_DROPPED);
        assert_receipt(list, 2, "", "ccc", VENDOR_DELIVERED);
        list = told(*state, by[i], v2);
        assert_int_equal(list->n, 2);
        assert_receipt(list, 0, "m", "aaa", VENDOR_DELIVERED);
        assert_receipt(list, 1, "", "bbb", VENDOR_DROPPED);
    }
    assert_null(told(*state, TRANSPORT_HUAWEI, "{}"));
    assert_null(told(*state, TRANSPORT_HUAWEI, "[]"));
}

static void xiaomi_tells_a_form(void **state)
{
    static const char body[] =
        "x=1&data=%7B%22id1%22%3A%7B%22param%22%3A%22m%22%2C%22type%22%3A1%2C%22targets%22%3A%"
        "22"
        "aaa%2Cbbb%22%7D%2C%22id2%22%3A%7B%22param%22%3A%22m%22%2C%22type%22%3A2%2C%22targets%"
        "22"
        "%3A%22aaa%22%7D%2C%22id3%22%3A%7B%22param%22%3A%22m%22%2C%22type%22%3A32%2C%22targets%"
        "22"
        "%3A%22ccc%22%7D%2C%22id4%22%3A%7B%22type%22%3A999%2C%22targets%22%3A%22ddd%22%7D%7D";
    struct vendor_receipts *list = told(*state, TRANSPORT_XIAOMI, body);

    assert_non_null(list);
    assert_int_equal(list->n, 4);
    assert_receipt(list, 0, "m", "aaa", VENDOR_DELIVERED);
    assert_receipt(list, 1, "m", "bbb", VENDOR_DELIVERED);
    assert_receipt(list, 2, "m", "aaa", VENDOR_CLICKED);
    assert_receipt(list, 3, "m", "ccc", VENDOR_DROPPED);
    assert_null(told(*state, TRANSPORT_XIAOMI, "data=%7"));
    assert_null(told(*state, TRANSPORT_XIAOMI, "data=%00"));
    assert_null(told(*state, TRANSPORT_XIAOMI, "xdata=%7B%7D"));
    assert_null(told(*state, TRANSPORT_XIAOMI, "{}"));
}

static void oppo_and_vivo_tell_json(void **state)
{
    static const char oppo[] =
        "[{\"messageId\":\"1\",\"appId\":\"x\",\"taskId\":\"2\",\"registrationIds\":\"aaa, "
        "bbb\","
        "\"eventTime\":\"1\",\"param\":\"m\",\"eventType\":\"push_arrive\"},"
        "{\"registrationIds\":\"ccc\",\"param\":\"m\",\"eventType\":\"regid_invalid\"}]",
                      vivo[] =
                          "{\"5000\":{\"param\":\"m\",\"targets\":\"aaa,bbb\"},"
                          "\"5001\":{\"param\":\"m\",\"targets\":\"aaa\",\"ackType\":\"1\"}}";
    struct vendor_receipts *list = told(*state, TRANSPORT_OPPO, oppo);

    assert_non_null(list);
    assert_int_equal(list->n, 3);
    assert_receipt(list, 0, "m", "aaa", VENDOR_DELIVERED);
    assert_receipt(list, 1, "m", "bbb", VENDOR_DELIVERED);
    assert_receipt(list, 2, "m", "ccc", VENDOR_DROPPED);
    assert_null(told(*state, TRANSPORT_OPPO, "],\"x\":["));
    list = told(*state, TRANSPORT_VIVO, vivo);
    assert_non_null(list);
    assert_int_equal(list->n, 3);
    assert_receipt(list, 1, "m", "bbb", VENDOR_DELIVERED);
    assert_receipt(list, 2, "m", "aaa", VENDOR_CLICKED);
    assert_null(told(*state, TRANSPORT_VIVO, "{\"5000\":7}"));
}

static void too_many_are_none(void **state)
{
    struct buf b = BUF_IN(*state);

    buf_adds(&b, "{\"5000\":{\"param\":\"m\",\"targets\":\"");
    for (int i = 0; i < VENDOR_RECEIPTS + 1; i++)
        buf_printf(&b, "t%d,", i);
    buf_adds(&b, "\"}}");
    assert_null(told(*state, TRANSPORT_VIVO, b.p));
}

/* ---- marks ---- */

static enum rc check(struct arena *mem, enum transport by, const char *mark, int64_t *run)
{
    struct vendor_receipts *list = arena_zalloc(mem, sizeof *list);
    struct err e;
    enum rc rc;

    list->mem = mem;
    assert_true(vendor_receipt_add(list, mark, "token", 5, VENDOR_DELIVERED));
    rc = run_receipts_check(&e, by, list);
    *run = list->of[0].run;
    return rc;
}

static void a_mark_is_of_one_run_and_one_transport(void **state)
{
    static const int64_t runs[] = { 17, -17, 1, INT64_MAX, INT64_MIN + 1 };
    char mark[RUN_MARK], other[RUN_MARK + 8];
    int64_t run;

    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        run_mark(TRANSPORT_OPPO, runs[i], mark);
        assert_int_equal(check(*state, TRANSPORT_OPPO, mark, &run), RC_OK);
        assert_true(run == runs[i]);
        assert_int_equal(check(*state, TRANSPORT_VIVO, mark, &run), RC_FORBIDDEN);
        assert_int_equal(run, 0);
    }
    run_mark(TRANSPORT_OPPO, 17, mark);
    snprintf(other, sizeof other, "18%s", mark + 2);
    assert_int_equal(check(*state, TRANSPORT_OPPO, other, &run), RC_FORBIDDEN);
    snprintf(other, sizeof other, "+%s", mark);
    assert_int_equal(check(*state, TRANSPORT_OPPO, other, &run), RC_FORBIDDEN);
    snprintf(other, sizeof other, "%sA", mark);
    assert_int_equal(check(*state, TRANSPORT_OPPO, other, &run), RC_FORBIDDEN);
    assert_int_equal(check(*state, TRANSPORT_OPPO, "17.", &run), RC_FORBIDDEN);
    assert_int_equal(check(*state, TRANSPORT_OPPO, "", &run), RC_OK); /* of somebody else's */
    assert_int_equal(run, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(huawei_and_honor_tell_statuses),
        cmocka_unit_test(xiaomi_tells_a_form),
        cmocka_unit_test(oppo_and_vivo_tell_json),
        cmocka_unit_test(too_many_are_none),
        cmocka_unit_test(a_mark_is_of_one_run_and_one_transport),
    };

    return cmocka_run_group_tests(tests, up, down);
}
