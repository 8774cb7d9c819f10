/* Read only while the disk takes no writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/store/disk.h"
#include "server/store/writer.h"

enum { PATIENCE_S = 30 };

struct place {
    char dir[64], db[96], data[96];
};

static int open_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    strcpy(p->dir, "/tmp/tjzw-disk-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    snprintf(p->db, sizeof p->db, "%s/test.db", p->dir);
    snprintf(p->data, sizeof p->data, "%s/data", p->dir);
    log_set_fd(-1);
    *state = p;
    return mkdir(p->data, 0700);
}

static int close_place(void **state)
{
    struct place *p = *state;
    char command[128];

    writer_stop();
    disk_forget();
    snprintf(command, sizeof command, "rm -rf '%s'", p->dir);
    free(p);
    return system(command);
}

/* The writer, whose tick looks at the disk. */
static void begin(const struct place *p, int64_t reserve)
{
    struct err e = { 0 };

    disk_watch(p->data, reserve);
    assert_int_equal(writer_start(&e, p->db, 10), RC_OK);
}

static bool becomes(enum rc state)
{
    int64_t until = clock_mono_us() + PATIENCE_S * INT64_C(1000000);

    while (disk_state() != state && clock_mono_us() < until)
        usleep(10000);
    return disk_state() == state;
}

static void less_than_the_reserve_is_read_only_at_once(void **state)
{
    struct err e = { 0 };

    begin(*state, INT64_MAX / 2);
    assert_int_equal(disk_state(), RC_FULL);
    assert_int_equal(disk_check(&e), RC_FULL);
    assert_int_equal(e.rc, RC_FULL);
    assert_false(e.inside);
    assert_non_null(strstr(e.text, "full"));
    assert_int_equal(metric_get(METRIC_read_only), 1);
}

static void a_write_that_failed_makes_it_read_only_until_a_trial_holds(void **state)
{
    struct err e = { 0 };

    begin(*state, 0);
    assert_int_equal(disk_check(&e), RC_OK);
    disk_note(RC_UNWRITABLE);
    assert_int_equal(disk_check(&e), RC_UNWRITABLE);
    assert_true(becomes(RC_OK));
    assert_int_equal(metric_get(METRIC_read_only), 0);
    disk_note(RC_FULL);
    assert_int_equal(disk_state(), RC_FULL);
    assert_true(becomes(RC_OK));
}

static void failures_of_other_kinds_say_nothing_of_the_disk(void **state)
{
    begin(*state, 0);
    for (enum rc rc = RC_OK; rc <= RC_INTERNAL; rc++)
        if (rc != RC_FULL && rc != RC_UNWRITABLE)
            disk_note(rc);
    assert_int_equal(disk_state(), RC_OK);
}

static void it_stays_read_only_while_no_trial_holds(void **state)
{
    const struct place *p = *state;

    begin(p, 0);
    assert_int_equal(rmdir(p->data), 0);
    disk_note(RC_FULL);
    usleep(1800000); /* three looks */
    assert_int_equal(disk_state(), RC_FULL);
    assert_int_equal(mkdir(p->data, 0700), 0);
    assert_true(becomes(RC_OK));
    assert_int_equal(rmdir(p->data), 0); /* nothing is left of the trials */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(less_than_the_reserve_is_read_only_at_once, open_place,
                                        close_place),
        cmocka_unit_test_setup_teardown(
            a_write_that_failed_makes_it_read_only_until_a_trial_holds, open_place,
            close_place),
        cmocka_unit_test_setup_teardown(failures_of_other_kinds_say_nothing_of_the_disk,
                                        open_place, close_place),
        cmocka_unit_test_setup_teardown(it_stays_read_only_while_no_trial_holds, open_place,
                                        close_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
