/*
 * erase_test.c - who wants to be forgotten is: not a byte of him is left in the database, its write-ahead log, or a new backup; and no old
 * backup brings him back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/seal.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/code.h"
#include "server/identity/consent.h"
#include "server/identity/erase.h"
#include "server/identity/erased.h"
#include "server/identity/identifier.h"
#include "server/identity/lockout.h"
#include "server/identity/personal.h"
#include "server/identity/session.h"
#include "server/identity/session_table.h"
#include "tests/lib/library_world.h"

enum { DAY = 86400, FILE_MAX = 1 << 28, MARKS_MAX = 16, TICKS = 30 };

static int set_up(void **state)
{
    static const uint8_t key[32] = "token key";
    struct library_world *t;
    struct err e;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(seal_load(&e, t->dir, SEAL_XCHACHA), RC_OK);
    assert_int_equal(code_open(&e, t->dir), RC_OK);
    assert_int_equal(session_load(&t->w, key), RC_OK);
    assert_int_equal(erased_open(&e, t->dir), RC_OK);
    return 0;
}

static int tear_down(void **state)
{
    erased_close();
    session_table_empty();
    code_close();
    seal_forget();
    return library_world_tear_down(state);
}

/* ---- somebody, with a row in every table ---- */

static void fill(struct library_world *t, int64_t account, const char *phone)
{
    struct session_new s = { .account = account,
                             .level = 1,
                             .device = "device-of-the-forgotten" };
    char digits[CODE_DIGITS + 1];
    uint8_t find[HASH_BYTES];
    struct session_tokens tokens;
    int64_t id, wait;

    identifier_index("phone", phone, find);
    t->w.client = "203.0.113.77";
    assert_int_equal(session_open(&t->w, &s, &id, &tokens), RC_OK);
    assert_int_equal(
        code_make(&t->w, &(struct code_ask){ find, "sign_in", account }, digits, &wait), RC_OK);
    assert_int_equal(consent_give(&t->w, account, 5, 1), RC_OK);
    assert_int_equal(audit_add(&t->w, AUDIT_sign_in, NULL, RC_OK), RC_OK);
    t->w.client = NULL;
}

static struct account make(struct library_world *t, const char *phone, const char *name)
{
    const struct account_new new = { ACCOUNT_CITIZEN, 1, name };
    struct account a;

    world_begin(t);
    assert_int_equal(account_make(&t->w, &new, &a), RC_OK);
    assert_int_equal(identifier_add(&t->w, a.id, "phone", phone), RC_OK);
    assert_int_equal(account_set_password(&t->w, a.id, "$argon2id$of-the-forgotten"), RC_OK);
    snprintf(t->w.who.name, sizeof t->w.who.name, "account:%d", (int)a.id);
    fill(t, a.id, phone);
    world_commit(t);
    return a;
}

static enum rc ask(struct library_world *t, int64_t account, int64_t *due)
{
    enum rc rc;

    world_begin(t);
    rc = erase_ask(&t->w, account, due);
    world_commit(t);
    return rc;
}

static enum rc take_back(struct library_world *t, int64_t account)
{
    enum rc rc;

    world_begin(t);
    rc = erase_take_back(&t->w, account);
    world_commit(t);
    return rc;
}

static enum account_state state_of(struct library_world *t, int64_t account)
{
    struct account a;

    assert_int_equal(account_by_id(&t->w, account, &a), RC_OK);
    return a.state;
}

static void erase(struct library_world *t, int64_t account)
{
    world_begin(t);
    assert_int_equal(erase_now(&t->w, account), RC_OK);
    world_commit(t);
}

/* What the clock does afterwards. */
static void scrub(struct library_world *t)
{
    for (int i = 0; i < TICKS; i++)
        erase_tick(t->w.db, NULL);
}

/* ---- the bytes ---- */

struct mark {
    const void *p;
    size_t n;
};

static void add_mark(struct library_world *t, struct mark *marks, int *n, const void *p,
                     size_t length)
{
    assert_true(*n < MARKS_MAX && length >= 8);
    marks[(*n)++] = (struct mark){ arena_dup(t->mem, p, length), length };
}

/* What may stand in a file of him: in clear, sealed, as an index, as a hash. */
static int collect(struct library_world *t, int64_t account, const char *phone,
                   struct mark marks[MARKS_MAX])
{
    static const struct {
        enum sql sql;
        int column;
    } blobs[] = { { SQL_personal_identifier, 1 },
                  { SQL_personal_identifier, 3 },
                  { SQL_personal_account, 5 },
                  { SQL_personal_account, 6 },
                  { SQL_personal_session, 3 } };
    char phone11[16];
    struct rows q;
    size_t length;
    int n = 0;

    snprintf(phone11, sizeof phone11, "%s", phone + 2);
    add_mark(t, marks, &n, phone11, strlen(phone11)); /* with 86 before it or without */
    add_mark(t, marks, &n, "$argon2id$of-the-forgotten", 26);
    add_mark(t, marks, &n, "device-of-the-forgotten", 23);
    for (size_t i = 0; i < sizeof blobs / sizeof *blobs; i++) {
        const void *p;

        assert_int_equal(db_one(&t->w, blobs[i].sql, &q, "i", account), RC_OK);
        p = rows_blob(&q, blobs[i].column, &length);
        add_mark(t, marks, &n, p, length);
        assert_int_equal(rows_done(&q), RC_OK);
    }
    return n;
}

static int found_in(struct library_world *t, const char *path, const struct mark *marks, int n)
{
    char *bytes = NULL;
    size_t length = 0;
    int found = 0;

    if (!fs_exists(path))
        return 0;
    assert_int_equal(fs_read(&t->w.err, t->mem, path, FILE_MAX, &bytes, &length), RC_OK);
    for (int i = 0; i < n; i++)
        found += memmem(bytes, length, marks[i].p, marks[i].n) != NULL;
    return found;
}

static const char *wal_of(struct library_world *t)
{
    return arena_printf(t->mem, "%s-wal", t->path);
}

static int found(struct library_world *t, const struct mark *marks, int n)
{
    const char *backup = arena_printf(t->mem, "%s/backup.db", t->dir);
    int in_backup;

    assert_int_equal(db_backup(&t->w.err, t->w.db, backup, NULL, NULL), RC_OK);
    in_backup = found_in(t, backup, marks, n);
    unlink(backup);
    return found_in(t, t->path, marks, n) + found_in(t, wal_of(t), marks, n) + in_backup;
}

static void not_a_byte_is_left(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, "8613800138000", "李雷");
    struct mark marks[MARKS_MAX];
    int n = collect(t, a.id, "8613800138000", marks);

    /* It can fail: all but the phone in clear, which stands nowhere, is in the file or its log now. */
    assert_true(found(t, marks, n) >= n - 1);
    assert_int_equal(found_in(t, t->path, marks, 1) + found_in(t, wal_of(t), marks, 1), 0);
    erase(t, a.id);
    scrub(t);
    assert_int_equal(found(t, marks, n), 0);
    assert_int_equal(account_by_id(&t->w, a.id, &a), RC_NOT_FOUND);
}

static const char *phone_of(struct library_world *t, int i)
{
    return arena_printf(t->mem, "86138%08d", i * 7919 % 100000000);
}

/* Each page that is left is changed once more. */
static void touch_everybody(struct library_world *t, int people)
{
    world_begin(t);
    for (int i = 1; i < people; i += 2)
        assert_int_equal(identifier_add(&t->w, i + 1, "phone", phone_of(t, i)), RC_OK);
    world_commit(t);
    assert_true(db_forget_log(t->w.db));
}

/* Pages split and merge: copies of a row must not be left in what they gave up. */
static void nor_among_many_others(void **state)
{
    enum { PEOPLE = 600 };
    struct library_world *t = *state;
    struct mark marks[PEOPLE / 2][MARKS_MAX];
    int64_t gone[PEOPLE / 2];
    int counts[PEOPLE / 2], left = 0;

    for (int i = 0; i < PEOPLE; i++) {
        const char *phone = phone_of(t, i);
        struct account a = make(t, phone, arena_printf(t->mem, "某某某%d", i));

        if (i % 2)
            continue;
        gone[i / 2] = a.id;
        counts[i / 2] = collect(t, a.id, phone, marks[i / 2]);
        /* Of the device and the password others have the same. */
        memmove(&marks[i / 2][1], &marks[i / 2][3],
                (size_t)(counts[i / 2] -= 2) * sizeof(struct mark));
    }
    for (int i = 0; i < PEOPLE / 2; i++)
        erase(t, gone[i]);
    scrub(t);
    for (int i = 0; i < PEOPLE / 2; i++)
        left += found_in(t, t->path, marks[i], counts[i]);
    assert_int_equal(left, 0);
    touch_everybody(t, PEOPLE); /* the writer remembers no page as it was */
    for (int i = 0; i < PEOPLE / 2; i++)
        left += found_in(t, t->path, marks[i], counts[i]);
    assert_int_equal(left, 0);
    assert_int_equal(db_check(&t->w.err, t->w.db), RC_OK);
    assert_int_equal(world_number(t, "SELECT count(*) FROM account"), PEOPLE / 2);
}

static void what_stays_says_a_number_and_no_more(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, "8613800138000", "李雷");
    int n;
    const struct personal_table *table = personal_tables(&n);

    erase(t, a.id);
    for (; n--; table++)
        if (!table->kept)
            assert_int_equal(
                world_number(t, arena_printf(t->mem, "SELECT count(*) FROM %s", table->name)),
                0);
    assert_int_equal(
        world_number(
            t, "SELECT count(*) FROM audit WHERE actor = 'account:1' AND action = 'sign_in'"),
        1);
    assert_int_equal(world_number(t, "SELECT count(*) FROM audit WHERE action = "
                                     "'account.erase' AND object = 'accounts/1'"),
                     1);
    a = make(t, "8613800138000", "李雷"); /* he comes again: as another */
    assert_int_equal(a.id, 2);
}

/* ---- the time to think ---- */

static void it_waits_fifteen_days(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, "8613800138000", NULL), b = make(t, "8613900139000", NULL);
    int64_t due = 0, again = 0;

    assert_int_equal(ask(t, a.id, &due), RC_OK);
    assert_int_equal(due, WORLD_NOW + 15 * DAY);
    clock_set(WORLD_NOW + DAY);
    assert_int_equal(ask(t, a.id, &again), RC_OK);
    assert_int_equal(again, due);
    assert_int_equal(state_of(t, a.id), ACCOUNT_LEAVING);
    clock_set(due - 1);
    erase_tick(t->w.db, NULL);
    assert_int_equal(state_of(t, a.id), ACCOUNT_LEAVING);
    assert_int_equal(state_of(t, b.id), ACCOUNT_OPEN);
}

static void then_the_clock_erases_it(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, "8613800138000", NULL), b = make(t, "8613900139000", NULL);
    const struct mark subject = { arena_dup(t->mem, a.subject, sizeof a.subject),
                                  sizeof a.subject };
    int64_t due;

    assert_int_equal(ask(t, a.id, &due), RC_OK);
    clock_set(due + 3600);
    scrub(t);
    assert_int_equal(account_by_id(&t->w, a.id, &a), RC_NOT_FOUND);
    assert_int_equal(state_of(t, b.id), ACCOUNT_OPEN);
    assert_int_equal(found_in(t, t->path, &subject, 1) + found_in(t, wal_of(t), &subject, 1),
                     0);
}

static void until_then_it_can_be_taken_back(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, "8613800138000", NULL);
    int64_t due;

    assert_int_equal(take_back(t, a.id), RC_CONFLICT);
    assert_int_equal(ask(t, a.id, &due), RC_OK);
    clock_set(due - 1);
    assert_int_equal(take_back(t, a.id), RC_OK);
    clock_set(due + DAY);
    erase_tick(t->w.db, NULL);
    assert_int_equal(state_of(t, a.id), ACCOUNT_OPEN);
    assert_int_equal(ask(t, a.id, &due), RC_OK);
    clock_set(due);
    assert_int_equal(take_back(t, a.id), RC_CONFLICT);
}

static void lock(struct library_world *t, int64_t account, bool locked)
{
    struct account a;

    world_begin(t);
    assert_int_equal(lockout_set(&t->w, account, locked, &a), RC_OK);
    world_commit(t);
    assert_string_equal(account_state_name(a.state), locked ? "locked" : "leaving");
}

/* Else asking to be forgotten would be a way not to be locked, and being locked one not to be forgotten. */
static void a_lock_moves_nobodys_day(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, "8613800138000", NULL), b = make(t, "8613900139000", NULL);
    int64_t due;

    assert_int_equal(ask(t, a.id, &due), RC_OK);
    assert_int_equal(ask(t, b.id, &due), RC_OK);
    clock_set(due - DAY);
    lock(t, a.id, true);
    lock(t, b.id, true);
    assert_int_equal(take_back(t, a.id), RC_CONFLICT);
    lock(t, a.id, true);
    lock(t, b.id, false);
    lock(t, b.id, false);
    clock_set(due - 1);
    erase_tick(t->w.db, NULL);
    assert_int_equal(account_by_id(&t->w, a.id, &a), RC_OK);
    assert_int_equal(take_back(t, b.id), RC_OK);
    clock_set(due + 3600);
    erase_tick(t->w.db, NULL);
    assert_int_equal(account_by_id(&t->w, a.id, &a), RC_NOT_FOUND);
    assert_int_equal(state_of(t, b.id), ACCOUNT_OPEN);
}

static void asking_ends_what_others_were_allowed_and_other_devices(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, "8613800138000", NULL);
    unsigned scopes = 1;
    int64_t due;

    assert_int_equal(ask(t, a.id, &due), RC_OK);
    assert_int_equal(world_number(t, "SELECT count(*) FROM session"), 0);
    assert_int_equal(consent_find(&t->w, a.id, 5, &scopes), RC_OK);
    assert_int_equal(scopes, 0);
}

static void staff_are_not_erased_by_themselves(void **state)
{
    struct library_world *t = *state;
    const struct account_new new = { ACCOUNT_STAFF, 1, NULL };
    struct account a;
    int64_t due;

    world_begin(t);
    assert_int_equal(account_make(&t->w, &new, &a), RC_OK);
    world_commit(t);
    assert_int_equal(ask(t, a.id, &due), RC_CONFLICT);
}

/* ---- old backups ---- */

static void replay(struct library_world *t)
{
    world_begin(t);
    assert_int_equal(erase_replay(&t->w), RC_OK);
    world_commit(t);
}

/* The database as it was is put back; DATA/erased stays. */
static void no_old_backup_brings_him_back(void **state)
{
    struct library_world *t = *state;
    struct account a = make(t, "8613800138000", NULL), b = make(t, "8613900139000", NULL),
                   again;
    const char *backup = arena_printf(t->mem, "%s/backup.db", t->dir);

    assert_int_equal(db_backup(&t->w.err, t->w.db, backup, NULL, NULL), RC_OK);
    erase(t, a.id);
    db_close(t->w.db);
    assert_int_equal(rename(backup, t->path), 0);
    assert_int_equal(db_open(&t->w.err, t->path, DB_WRITE, &t->w.db), RC_OK);
    assert_int_equal(account_by_id(&t->w, a.id, &again), RC_OK);
    replay(t);
    assert_int_equal(account_by_id(&t->w, a.id, &again), RC_NOT_FOUND);
    assert_int_equal(account_by_id(&t->w, b.id, &again), RC_OK);
}

static void a_number_that_an_older_library_gave_to_somebody_else_is_not_his(void **state)
{
    struct library_world *t = *state;
    struct erased_line line = { .account = 1, .at = WORLD_NOW };
    struct account a;

    memset(line.mark, 7, sizeof line.mark);
    assert_int_equal(erased_append(&t->w.err, &line), RC_OK);
    a = make(t, "8613800138000", NULL);
    assert_int_equal(a.id, 1);
    replay(t);
    assert_int_equal(account_by_id(&t->w, 1, &a), RC_OK);
}

static void half_a_line_that_a_crash_left_spoils_no_other(void **state)
{
    struct library_world *t = *state;
    struct erased_line line = { .account = 7, .at = WORLD_NOW }, *read;
    FILE *f;
    int n;

    assert_int_equal(erased_append(&t->w.err, &line), RC_OK);
    f = fopen(arena_printf(t->mem, "%s/erased", t->dir), "a");
    assert_non_null(f);
    fputs("8 00", f);
    fclose(f);
    line.account = 9;
    assert_int_equal(erased_append(&t->w.err, &line), RC_OK);
    assert_int_equal(erased_read(&t->w.err, t->mem, &read, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(read[0].account, 7);
    assert_int_equal(read[1].account, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(not_a_byte_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nor_among_many_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_stays_says_a_number_and_no_more, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_waits_fifteen_days, set_up, tear_down),
        cmocka_unit_test_setup_teardown(then_the_clock_erases_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(until_then_it_can_be_taken_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lock_moves_nobodys_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asking_ends_what_others_were_allowed_and_other_devices,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(staff_are_not_erased_by_themselves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_old_backup_brings_him_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_number_that_an_older_library_gave_to_somebody_else_is_not_his, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_a_line_that_a_crash_left_spoils_no_other, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
