/*
 * audit_mark_test.c - rows that no signature covers yet are taken away, and an older end, which was genuine then, is put back: found at once, by the next row, and after a kill.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "server/store/backup.h"
#include "tests/lib/log_world.h"

/* All as it was after row 43, three of which are not signed; the rows that follow are gone. */
static void cut(struct library_world *t)
{
    log_live(t, ROWS);
    world_vandalise(t, "CREATE TABLE old_end AS SELECT * FROM audit_end");
    log_add(t, AUDIT_party_create, "parties/x");
    log_add(t, AUDIT_party_key, "parties/x");
    world_vandalise(t, "DELETE FROM audit WHERE no > 43; DELETE FROM audit_end;"
                       "INSERT INTO audit_end SELECT * FROM old_end");
}

static void it_is_found_before_the_next_row(void **state)
{
    struct library_world *t = *state;

    cut(t);
    assert_int_equal(log_look(t).no, 45);
}

static void the_next_row_tells_of_it_and_it_stays_a_fault(void **state)
{
    struct library_world *t = *state;
    struct seen s;

    cut(t);
    log_add(t, AUDIT_backup, NULL);
    assert_int_equal(world_number(t, "SELECT no FROM audit WHERE action = 'audit.cut'"), 46);
    assert_int_equal(world_number(t, "SELECT no FROM audit WHERE action = 'backup'"), 47);
    log_sign(t);
    s = log_look(t);
    assert_int_equal(s.no, 46);
    assert_int_equal(s.n, 1);
    log_restart(t);
    log_settle(t);
    assert_int_equal(log_look(t).n, 1);
}

static void a_kill_hides_nothing(void **state)
{
    struct library_world *t = *state;

    cut(t);
    log_restart(t);
    assert_int_equal(log_look(t).no, 45);
    log_settle(t);
    assert_int_equal(world_number(t, "SELECT no FROM audit WHERE action = 'audit.cut'"), 46);
    assert_int_equal(log_look(t).sum.lost, 2);
}

static void a_mark_that_is_none_is_begun_anew(void **state)
{
    struct library_world *t = *state;
    const char *path = arena_printf(t->mem, "%s/" AUDIT_MARK_NAME, t->dir);
    FILE *out;

    log_live(t, 3);
    out = fopen(path, "w");
    assert_non_null(out);
    fputs("nonsense", out);
    fclose(out);
    log_restart(t);
    log_assert_whole(t);
    log_settle(t);
    log_add(t, AUDIT_backup, NULL);
    unlink(path);
    log_assert_whole(t);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, log_set_up, log_tear_down)
    const struct CMUnitTest tests[] = {
        T(it_is_found_before_the_next_row),
        T(the_next_row_tells_of_it_and_it_stays_a_fault),
        T(a_kill_hides_nothing),
        T(a_mark_that_is_none_is_begun_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
