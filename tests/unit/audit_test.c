/*
 * audit_test.c - a log that is whole passes; a vandal who changes any one thing of it, in the tables or in the
 * file of signatures, is found out; months go when they may, and a restore is told of.
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
#include "server/identity/audit_head.h"
#include "server/identity/audit_list.h"
#include "server/identity/refusal.h"
#include "server/identity/trail.h"
#include "server/store/backup.h"
#include "tests/lib/log_world.h"

/* ---- rows ---- */

static void a_whole_log_passes(void **state)
{
    struct library_world *t = *state;

    log_assert_whole(t); /* the empty one too */
    log_live(t, ROWS);
    log_assert_whole(t);
    assert_int_equal(log_look(t).sum.rows, ROWS);
    assert_int_equal(log_look(t).sum.heads, ROWS / HEAD_EVERY);
    assert_int_equal(
        world_number(t, "SELECT count(*) FROM audit_head WHERE instr(note, 'sig sm2')"),
        ROWS / HEAD_EVERY);
}

static void a_row_goes_with_what_it_tells_of(void **state)
{
    struct library_world *t = *state;

    log_live(t, 3);
    world_begin(t);
    assert_int_equal(audit_add(&t->w, AUDIT_backup, NULL, RC_OK), RC_OK);
    db_rollback(t->w.db);
    log_add(t, AUDIT_backup, NULL);
    assert_int_equal(world_number(t, "SELECT max(no) FROM audit"), 4);
    log_assert_whole(t);
}

static void an_address_is_sealed_for_its_row(void **state)
{
    struct library_world *t = *state;
    struct audit_filter f = { .n = 10 };
    struct audit_page page;

    log_live(t, 4);
    assert_int_equal(
        world_number(t, "SELECT count(*) FROM audit WHERE instr(address, '192.0')"), 0);
    assert_int_equal(audit_list(&t->w, &f, &page), RC_OK);
    assert_string_equal(page.addresses[0], "192.0.2.7");
    assert_string_equal(page.addresses[1], ""); /* the third had none */
    world_vandalise(
        t, "UPDATE audit SET address = (SELECT address FROM audit WHERE no = 1) WHERE no = 4");
    assert_int_equal(audit_list(&t->w, &f, &page), RC_OK);
    assert_null(page.addresses[0]);
}

static void an_object_cannot_forge_a_line(void **state)
{
    struct library_world *t = *state;

    log_add(t, AUDIT_site_create, "sites/a\nb\x1b[31m");
    assert_int_equal(world_number(t, "SELECT object = 'sites/a?b?[31m' FROM audit"), 1);
    log_assert_whole(t);
}

static void pages_follow_each_other(void **state)
{
    struct library_world *t = *state;
    struct audit_filter f = { .n = 7 };
    struct audit_page page;
    int64_t before = ROWS + 1;

    log_live(t, ROWS);
    do {
        assert_int_equal(audit_list(&t->w, &f, &page), RC_OK);
        for (int i = 0; i < page.n; i++)
            assert_int_equal(page.rows[i].no, --before);
        f.cursor = page.next;
        log_add(t, AUDIT_backup, NULL); /* what comes meanwhile moves nothing */
    } while (*page.next);
    assert_int_equal(before, 1);
    f = (struct audit_filter){ .n = 500, .action = "item.publish", .actor = "operator" };
    assert_int_equal(audit_list(&t->w, &f, &page), RC_OK);
    assert_int_equal(page.n, (ROWS + 1) / 2);
    f = (struct audit_filter){ .n = 500, .since = WORLD_NOW + 60, .until = WORLD_NOW + 300 };
    assert_int_equal(audit_list(&t->w, &f, &page), RC_OK);
    assert_int_equal(page.n, 4);
    f.cursor = "1.x";
    assert_int_equal(audit_list(&t->w, &f, &page), RC_INVALID);
    f = (struct audit_filter){ .n = 1, .action = "no.such" };
    assert_int_equal(audit_list(&t->w, &f, &page), RC_INVALID);
    t->w.who.rights &= ~(unsigned)RIGHT_AUDIT;
    assert_int_equal(audit_list(&t->w, &f, &page), RC_FORBIDDEN);
}

/* ---- the vandal ---- */

static const struct {
    const char *table, *key, *columns;
} targets[] = {
    { "audit", "no", "no at session actor action object result address details chain" },
    { "audit_head", "no", "no kind note" },
    { "audit_end", "id", "no chain mac" },
};

static void keep(struct library_world *t)
{
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        world_vandalise(t, arena_printf(t->mem, "CREATE TABLE keep_%s AS SELECT * FROM %s",
                                        targets[i].table, targets[i].table));
}

static void mend(struct library_world *t)
{
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        world_vandalise(t, arena_printf(t->mem,
                                        "DELETE FROM %s; INSERT INTO %s SELECT * FROM keep_%s",
                                        targets[i].table, targets[i].table, targets[i].table));
}

static char *edit(struct library_world *t)
{
    int target = rand() % 5 ? 0 : rand() % 3;
    char *copy = arena_strdup(t->mem, targets[target].columns), *names[10], *at = NULL;
    int n = 0;
    static const char *const values[] = {
        "CASE typeof(%1$s) WHEN 'integer' THEN %1$s + 1 WHEN 'text' THEN %1$s || '.' WHEN "
        "'null' "
        "THEN 'x' ELSE CAST(CASE substr(%1$s, 1, 1) WHEN x'58' THEN x'57' ELSE x'58' END || "
        "substr(%1$s, 2) AS BLOB) END",
        "CASE typeof(%1$s) WHEN 'integer' THEN %1$s + 1000 WHEN 'text' THEN 'x' ELSE "
        "zeroblob(7) END",
        "CASE typeof(%1$s) WHEN 'integer' THEN -%1$s - 2 WHEN 'text' THEN substr(%1$s, 2) || "
        "'y' "
        "WHEN 'null' THEN '' ELSE CAST(substr(%1$s, 1, length(%1$s) - 1) || CASE substr(%1$s, "
        "-1) "
        "WHEN x'59' THEN x'57' ELSE x'59' END AS BLOB) END",
    };

    for (char *name = strtok_r(copy, " ", &at); name; name = strtok_r(NULL, " ", &at))
        names[n++] = name;
    at = names[rand() % n];
    return arena_printf(t->mem,
                        "UPDATE OR REPLACE %1$s SET %2$s = %3$s WHERE %4$s = (SELECT %4$s FROM "
                        "%1$s ORDER BY %4$s "
                        "LIMIT 1 OFFSET %5$d %% (SELECT count(*) FROM %1$s))",
                        targets[target].table, at, arena_printf(t->mem, values[rand() % 3], at),
                        targets[target].key, rand() % 1000);
}

/* Rows go, come, and change places. */
static char *move(struct library_world *t)
{
    int a = 1 + rand() % ROWS, b = 1 + (a + rand() % (ROWS - 1)) % ROWS;

    switch (rand() % 6) {
    case 0: return arena_printf(t->mem, "DELETE FROM audit WHERE no = %d", a);
    case 1: return arena_printf(t->mem, "DELETE FROM audit WHERE no >= %d", a);
    case 2: return arena_printf(t->mem, "DELETE FROM audit WHERE no <= %d", a);
    case 3: /* a row goes, and the others close up */
        return arena_printf(
            t->mem,
            "DELETE FROM audit WHERE no = %d; UPDATE audit SET no = -no WHERE no > %d;"
            "UPDATE audit SET no = -no - 1 WHERE no < 0;"
            "UPDATE audit_end SET no = no - 1",
            a, a);
    case 4: /* one is said twice, and the others make room */
        return arena_printf(
            t->mem,
            "UPDATE audit SET no = -no WHERE no >= %1$d;"
            "UPDATE audit SET no = 1 - no WHERE no < 0; INSERT INTO audit SELECT %1$d, at, "
            "session, actor, action, object, result, address, details, chain "
            "FROM keep_audit WHERE no = %2$d; UPDATE audit_end SET no = no + 1",
            a, b);
    default:
        if (a == b)
            b = a % ROWS + 1;
        return arena_printf(
            t->mem,
            "UPDATE audit SET no = -1 WHERE no = %1$d; UPDATE audit SET no = %1$d "
            "WHERE no = %2$d; UPDATE audit SET no = %2$d WHERE no = -1",
            a, b);
    }
}

/* What he took away, the end says so too, as far as one can without the key. */
static char *cut_and_cover(struct library_world *t)
{
    int a = 1 + rand() % (ROWS - 1);

    return arena_printf(
        t->mem,
        "DELETE FROM audit WHERE no > %1$d; DELETE FROM audit_head WHERE no > %1$d;"
        "UPDATE audit_end SET no = %1$d, chain = (SELECT chain FROM audit WHERE no = %1$d)",
        a);
}

static char *drop_a_signature(struct library_world *t)
{
    return arena_printf(t->mem, "DELETE FROM audit_head WHERE no = %d",
                        HEAD_EVERY * (1 + rand() % (ROWS / HEAD_EVERY)));
}

static const char *spoil_file(struct library_world *t, const char *text, size_t n)
{
    char *copy = arena_strndup(t->mem, text, n);
    size_t at = (size_t)rand() % n, left = n;
    const char *what = "a byte of the file";

    if (rand() % 3 == 0) {
        left = at;
        what = "the file's end";
    } else {
        copy[at] ^= (char)(1 << rand() % 8);
    }
    assert_int_equal(fs_write(&t->w.err, log_file(t), copy, left, 0600), RC_OK);
    return what;
}

static void whatever_a_vandal_does_is_found(void **state)
{
    struct library_world *t = *state;
    const char *seed = getenv("TJZW_SEED");
    int rounds = getenv("TJZW_FULL") ? 3000 : 100;
    char *text;
    size_t n;

    srand(seed ? (unsigned)atoi(seed) : 20261122);
    log_live(t, ROWS);
    keep(t);
    assert_int_equal(fs_read(&t->w.err, t->w.mem, log_file(t), 1 << 20, &text, &n), RC_OK);
    text = strndup(text, n);
    for (int i = 0; i < rounds; i++) {
        static char *(*const ways[])(struct library_world *) = {
            edit, edit, edit, move, move, cut_and_cover, drop_a_signature
        };
        int way = rand() % 8;
        const char *what = way < 7 ? ways[way](t) : spoil_file(t, text, n);

        if (way < 7)
            world_vandalise(t, what);
        if (!log_look(t).n)
            fail_msg("round %d was not found: %s", i, what);
        if (way < 7)
            mend(t);
        else
            assert_int_equal(fs_write(&t->w.err, log_file(t), text, n, 0600), RC_OK);
        arena_free(t->mem);
        t->w.mem = t->mem = arena_new();
    }
    log_assert_whole(t);
    free(text);
}

/* ---- SM2 ---- */

/* The lines of SM2's of heads i, i + step ... of the file: taken off, or one letter of them is another. Of how many heads. */
static int spoil_sm2(struct library_world *t, bool bend, int first, int step)
{
    char *text, *line, *end;
    struct buf out = BUF_IN(t->mem);
    size_t n;
    int seen = 0, spoilt = 0;

    assert_int_equal(fs_read(&t->w.err, t->w.mem, log_file(t), 1 << 20, &text, &n), RC_OK);
    for (; (line = strstr(text, "sig sm2 ")); text = end, seen++) {
        end = strchr(line, '\n') + 1;
        if (seen < first || (seen - first) % step) {
            buf_add(&out, text, (size_t)(end - text));
            continue;
        }
        spoilt++;
        buf_add(&out, text, (size_t)(line - text));
        if (bend) {
            end[-20] = end[-20] == 'A' ? 'B' : 'A';
            buf_add(&out, line, (size_t)(end - line));
        }
    }
    buf_adds(&out, text);
    assert_int_equal(fs_write(&t->w.err, log_file(t), out.p, out.n, 0600), RC_OK);
    return spoilt;
}

static const char *const sm2_off = "CAST(substr(note, 1, instr(note, 'sig sm2 ') - 1) AS BLOB)";
static const char *const sm2_bent = "CAST(substr(note, 1, length(note) - 20) || CASE "
                                    "CAST(substr(note, -20, 1) AS TEXT) WHEN 'A' THEN 'B' "
                                    "ELSE 'A' END || substr(note, -19) AS BLOB)";

static void a_signature_with_sm2_that_is_taken_off_or_bent_is_missed(void **state)
{
    struct library_world *t = *state;
    char *text;
    size_t n;

    log_live(t, ROWS);
    keep(t);
    assert_int_equal(fs_read(&t->w.err, t->w.mem, log_file(t), 1 << 20, &text, &n), RC_OK);
    for (int where = 0; where < 3; where++)
        for (int bend = 0; bend < 2; bend++)
            for (int no = HEAD_EVERY; no <= ROWS; no += HEAD_EVERY) {
                if (where != 0) /* in the file, or in both */
                    assert_int_equal(spoil_sm2(t, bend, no / HEAD_EVERY - 1, ROWS), 1);
                if (where != 1)
                    world_vandalise(
                        t, arena_printf(t->mem, "UPDATE audit_head SET note = %s WHERE no = %d",
                                        bend ? sm2_bent : sm2_off, no));
                if (log_look(t).no != no)
                    fail_msg("%s %d, where %d: %lld", bend ? "bent" : "off", no, where,
                             (long long)log_look(t).no);
                mend(t);
                assert_int_equal(fs_write(&t->w.err, log_file(t), text, n, 0600), RC_OK);
            }
    assert_int_equal(spoil_sm2(t, false, 0, 1), ROWS / HEAD_EVERY);
    world_vandalise(t, arena_printf(t->mem, "UPDATE audit_head SET note = %s", sm2_off));
    assert_int_equal(log_look(t).no, HEAD_EVERY); /* and each after it */
}

static void sm2_that_is_turned_on_later_is_wanted_from_then_on(void **state)
{
    struct library_world *t = *state;
    struct err e;

    assert_int_equal(unlink(arena_printf(t->mem, "%s/keys/audit.sm2", t->dir)), 0);
    assert_int_equal(audit_head_load(&e, t->dir, false), RC_OK);
    log_live(t, ROWS);
    assert_int_equal(spoil_sm2(t, false, 0, 1), 0);
    log_assert_whole(t);
    assert_int_equal(audit_head_load(&e, t->dir, true), RC_OK);
    log_sign(t);
    log_assert_whole(t);
    assert_int_equal(spoil_sm2(t, false, 0, 1), 1);
    assert_int_equal(log_look(t).no, ROWS);
}

/* A vandal who knows SHA-256 and holds no key makes the chain consistent again: the signatures tell. */
static void a_chain_computed_anew_contradicts_what_was_signed(void **state)
{
    struct library_world *t = *state;
    uint8_t chain[HASH_BYTES];
    struct buf sql = BUF_IN(t->mem);
    struct audit_row row;
    struct rows q;

    log_live(t, ROWS);
    world_vandalise(t, "UPDATE audit SET actor = 'party:other' WHERE no = 5");
    audit_first(chain);
    assert_int_equal(db_query(&t->w, SQL_audit_all, &q, ""), RC_OK);
    while (rows_next(&q)) {
        assert_true(audit_read(&q, &row));
        audit_next(chain, &row, chain);
        buf_adds(&sql, "UPDATE audit SET chain = x'");
        buf_hex(&sql, chain, sizeof chain);
        buf_printf(&sql, "' WHERE no = %lld;", (long long)row.no);
    }
    assert_int_equal(rows_done(&q), RC_OK);
    buf_adds(&sql,
             "UPDATE audit_end SET chain = (SELECT chain FROM audit ORDER BY no DESC LIMIT 1)");
    world_vandalise(t, sql.p);
    assert_int_equal(log_look(t).no, 10);
}

static void the_next_row_misses_one_that_was_cut_off(void **state)
{
    struct library_world *t = *state;

    log_live(t, 3);
    world_vandalise(t, "DELETE FROM audit WHERE no = 3");
    log_add(t, AUDIT_backup, NULL);
    assert_int_equal(log_look(t).no, 3);
}

/* ---- refusals: without a writer, so all of them are only counted ---- */

enum { KINDS = 2000, TIMES = 5 };

static void a_flood_of_kinds_is_bounded_and_none_is_uncounted(void **state)
{
    struct library_world *t = *state;
    static char paths[KINDS][16];
    const struct actor cms = { .name = "party:cms" };

    for (int i = 0; i < KINDS * TIMES; i++)
        refusal_note("GET", paths[i % KINDS], &actor_public, "192.0.2.1", RC_UNAUTHORIZED);
    refusal_note("GET", paths[0], &cms, "192.0.2.2", RC_FORBIDDEN);
    assert_true(refusal_is_due(true));
    assert_false(refusal_is_due(false));
    world_begin(t);
    assert_int_equal(refusal_write(&t->w, true), RC_OK);
    world_commit(t);
    assert_int_equal(world_number(t, "SELECT count(*) FROM audit"), REFUSAL_KINDS + 2);
    assert_int_equal(world_number(t, "SELECT sum(details ->> 'count') FROM audit"),
                     KINDS * TIMES + 1);
    assert_false(refusal_is_due(true));
    log_assert_whole(t);
}

/* A full disk must not be a way to be refused unseen. */
static void what_could_not_be_written_is_written_later(void **state)
{
    struct library_world *t = *state;

    for (int i = 0; i < TIMES; i++)
        refusal_note("GET", "/v1/roles", &actor_public, "192.0.2.1", RC_UNAUTHORIZED);
    world_begin(t);
    assert_int_equal(refusal_write(&t->w, true), RC_OK);
    db_rollback(t->w.db);
    t->w.after = NULL;
    assert_int_equal(world_number(t, "SELECT count(*) FROM audit"), 0);
    refusal_note("GET", "/v1/roles", &actor_public, "192.0.2.1", RC_UNAUTHORIZED);
    assert_true(refusal_is_due(true));
    world_begin(t);
    assert_int_equal(refusal_write(&t->w, true), RC_OK);
    world_commit(t);
    assert_int_equal(world_number(t, "SELECT sum(details ->> 'count') FROM audit"), TIMES + 1);
    assert_false(refusal_is_due(true));
    log_assert_whole(t);
}

/* ---- crashes, restores, time ---- */

static void a_torn_end_of_the_file_is_completed(void **state)
{
    struct library_world *t = *state;
    char *text;
    size_t n;

    log_live(t, ROWS);
    assert_int_equal(fs_read(&t->w.err, t->mem, log_file(t), 1 << 20, &text, &n), RC_OK);
    for (size_t left = n - 1; left > n - 420; left -= 29) {
        assert_int_equal(fs_write(&t->w.err, log_file(t), text, left, 0600), RC_OK);
        log_settle(t);
        log_assert_whole(t);
    }
    assert_int_equal(log_look(t).sum.rows, ROWS);
}

static void a_restored_backup_is_found_and_told_of(void **state)
{
    struct library_world *t = *state;
    struct seen s;

    log_live(t, 25);
    keep(t);
    world_begin(t);
    for (int i = 0; i < 30; i++)
        log_put(t, AUDIT_item_edit, NULL);
    world_commit(t);
    log_sign(t);
    world_vandalise(
        t, "DELETE FROM audit; INSERT INTO audit SELECT * FROM keep_audit;"
           "DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM keep_audit_head;"
           "DELETE FROM audit_end; INSERT INTO audit_end SELECT * FROM keep_audit_end");
    log_restart(t);
    s = log_look(t);
    assert_int_equal(s.no, 55); /* signed, and not there */
    log_add(t, AUDIT_restore, NULL);
    log_settle(t);
    log_assert_whole(t);
    assert_int_equal(log_look(t).sum.lost, 29); /* 27 to 55: the restore is 26 now */
    assert_int_equal(log_look(t).sum.last, 56);
    log_settle(t); /* once is enough */
    log_add(t, AUDIT_backup, NULL);
    log_sign(t);
    log_assert_whole(t);
    assert_int_equal(log_look(t).sum.last, 57);
    world_vandalise(t, "DELETE FROM audit WHERE no = 56");
    assert_true(log_look(t).n > 0);
}

static int prune(struct library_world *t)
{
    bool more = true;
    int rounds = 0;

    while (more) {
        world_begin(t);
        assert_int_equal(trail_prune(&t->w, (int64_t)AUDIT_KEEP_DAYS * DAY, &more), RC_OK);
        world_commit(t);
        rounds++;
    }
    return rounds;
}

static void whole_months_go_after_a_year_and_the_rest_still_holds(void **state)
{
    struct library_world *t = *state;
    struct seen s;

    /* from 2025-11-21, one a day: ten in November, 31 in December */
    world_begin(t);
    for (int i = 0; i < 60; i++) {
        clock_set(WORLD_NOW + (int64_t)i * DAY);
        log_put(t, AUDIT_item_publish, NULL);
        if (i % 7 == 0)
            assert_int_equal(audit_head_sign(&t->w), RC_OK);
    }
    world_commit(t);
    clock_set(WORLD_NOW +
              375 * (int64_t)DAY); /* 2026-12-01: not a day of November may go yet */
    prune(t);
    assert_int_equal(world_number(t, "SELECT min(no) FROM audit"), 1);
    clock_set(WORLD_NOW + (10 + 31 + 366 - 2) * (int64_t)DAY);
    prune(t);
    assert_int_equal(world_number(t, "SELECT min(no) FROM audit"), 11);
    log_assert_whole(t);
    assert_int_equal(log_look(t).sum.removed, 10);
    log_add(t, AUDIT_backup, NULL);
    log_sign(t);
    log_assert_whole(t);
    log_settle(t);
    log_assert_whole(t);
    world_vandalise(t, "DELETE FROM audit WHERE no = 11");
    s = log_look(t);
    assert_int_equal(s.no, 11);
}

/* Somebody with the key, or a wrong clock, cannot say that a young month was old. */
static void rows_that_went_too_early_are_a_fault(void **state)
{
    struct library_world *t = *state;
    struct audit_head b = { .kind = AUDIT_BOUNDARY };

    log_live(t, 20);
    b.no = 10;
    b.at = WORLD_NOW + 600;
    b.time = b.at + 365 * (int64_t)DAY;
    world_begin(t);
    assert_int_equal(world_number(t, "SELECT count(*) FROM audit"), 20);
    assert_int_equal(db_run(&t->w, SQL_audit_drop, "i", b.no), RC_OK);
    assert_int_equal(audit_head_bound(&t->w, &b), RC_OK);
    world_commit(t);
    assert_int_equal(log_look(t).no, 10);
}

static void no_setting_shortens_the_year(void **state)
{
    struct library_world *t = *state;

    assert_int_equal(trail_open(&t->w.err, 365 * (int64_t)DAY * 1000), RC_INVALID);
    assert_non_null(strstr(t->w.err.text, "366"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, log_set_up, log_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_log_passes),
        TEST(a_row_goes_with_what_it_tells_of),
        TEST(an_address_is_sealed_for_its_row),
        TEST(an_object_cannot_forge_a_line),
        TEST(pages_follow_each_other),
        TEST(whatever_a_vandal_does_is_found),
        TEST(a_signature_with_sm2_that_is_taken_off_or_bent_is_missed),
        TEST(sm2_that_is_turned_on_later_is_wanted_from_then_on),
        TEST(a_chain_computed_anew_contradicts_what_was_signed),
        TEST(the_next_row_misses_one_that_was_cut_off),
        TEST(a_flood_of_kinds_is_bounded_and_none_is_uncounted),
        TEST(what_could_not_be_written_is_written_later),
        TEST(a_torn_end_of_the_file_is_completed),
        TEST(a_restored_backup_is_found_and_told_of),
        TEST(whole_months_go_after_a_year_and_the_rest_still_holds),
        TEST(rows_that_went_too_early_are_a_fault),
        TEST(no_setting_shortens_the_year),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
