/*
 * library_verify_test.c - a log that is whole passes; a vandal who changes any one thing is
 * found out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/library/publish.h"
#include "server/library/verify.h"
#include "tests/lib/library_world.h"

enum { ITEMS = 12, ROUNDS = 150 };

struct seen {
    int n;
    int64_t seq;
    char text[256];
};

static void note_fault(void *arg, int64_t seq, const char *text)
{
    struct seen *s = arg;

    if (!s->n++) {
        s->seq = seq;
        snprintf(s->text, sizeof s->text, "%s", text);
    }
}

/* In steps it finds what it finds at once, if not in the same order. */
static void look_in_steps(struct library_world *t, int64_t most, const struct seen *whole)
{
    struct verify_place at = { 0 };
    struct seen s = { 0 };

    for (int steps = 0; !at.done; steps++) {
        assert_true(steps < 1000);
        assert_int_equal(verify_step(&t->w, t->stream.no, most, note_fault, &s, &at), RC_OK);
    }
    assert_int_equal(s.n, whole->n);
    if (s.n == 1) {
        assert_int_equal(s.seq, whole->seq);
        assert_string_equal(s.text, whole->text);
    }
    assert_int_equal(at.sum.faults, s.n);
}

static struct seen look(struct library_world *t)
{
    struct seen s = { 0 };
    struct verify_sum sum;
    enum rc rc = verify_stream(&t->w, t->stream.no, note_fault, &s, &sum);

    if (!rc || rc == RC_CORRUPT)
        for (int64_t most = 1; most < 40; most += most)
            look_in_steps(t, most, &s);

    assert_int_equal(rc, s.n ? RC_CORRUPT : RC_OK);
    assert_int_equal(sum.faults, s.n);
    return s;
}

/* Every kind of change, two takedowns among them, and heads as sync would have stored them. */
static void live_a_little(struct library_world *t)
{
    struct item it[ITEMS];
    struct content c =
        world_content(t, "{\"body\":\"改\",\"kind\":\"article\",\"title\":\"新标题\"}");

    for (int i = 0; i < ITEMS; i++) {
        clock_set(WORLD_NOW + 10 * i);
        it[i] = world_publish(t, "标题", i % 2 ? t->news : t->notices);
    }
    clock_set(WORLD_NOW + 1000);
    world_begin(t);
    for (int i = 0; i < ITEMS; i += 4) {
        assert_int_equal(item_edit(&t->w, &it[i].id, 1, &c, NULL, NULL, &it[i]), RC_OK);
        assert_int_equal(world_put_through(t, &it[i].id, 2, &it[i]), RC_OK);
    }
    assert_int_equal(publish_move(&t->w, &it[2].id, t->news, &it[2]), RC_OK);
    assert_int_equal(publish_end(&t->w, &it[3].id, VERB_WITHDRAW, "差错", &it[3]), RC_OK);
    assert_int_equal(publish_end(&t->w, &it[5].id, VERB_EXPIRE, NULL, &it[5]), RC_OK);
    assert_int_equal(publish_end(&t->w, &it[8].id, VERB_GONE, "泄露", &it[8]), RC_OK);
    assert_int_equal(item_edit(&t->w, &it[9].id, 1, &c, NULL, NULL, &it[9]),
                     RC_OK); /* a draft */
    world_commit(t);
    world_vandalise(
        t,
        "INSERT INTO head SELECT stream, 1, seq, 1, at, 0, chain, "
        "CAST('tjzw head 1' || char(10) || 'chain ' || lower(hex(chain)) || char(10) AS BLOB) "
        "FROM change WHERE seq % 5 = 0");
}

static void a_whole_log_passes(void **state)
{
    struct library_world *t = *state;
    struct seen s;

    s = look(t); /* the empty one too */
    assert_int_equal(s.n, 0);
    live_a_little(t);
    s = look(t);
    if (s.n)
        fail_msg("%d: %s", (int)s.seq, s.text);
}

static void an_edited_body_is_named_by_its_seq(void **state)
{
    struct library_world *t = *state;
    struct seen s;

    live_a_little(t);
    world_vandalise(t, "UPDATE record SET bytes = CAST(replace(CAST(bytes AS TEXT), '正文', "
                       "'伪文') AS BLOB) WHERE seq = 7");
    s = look(t);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.seq, 7);
}

static void bytes_that_a_takedown_left_behind_are_named(void **state)
{
    struct library_world *t = *state;
    struct seen s;

    live_a_little(t);
    world_vandalise(t, "INSERT INTO record SELECT 1, 4, 'left' WHERE (SELECT item FROM change "
                       "WHERE seq = 4) IN (SELECT item FROM change WHERE flags = 1)");
    s = look(t);
    assert_true(s.n >= 1);
    assert_int_equal(s.seq, 4);
}

/* A vandal who knows SHA-256 but holds no key: he makes the whole log consistent again. */
static void a_backdated_log_contradicts_its_heads(void **state)
{
    struct library_world *t = *state;
    struct seen s;

    live_a_little(t);
    world_vandalise(t, "UPDATE head SET chain = zeroblob(32) WHERE seq = 5");
    s = look(t);
    assert_int_equal(s.seq, 5);
    world_vandalise(t, "DELETE FROM head");
    world_vandalise(t, "INSERT INTO head VALUES (1, 1, 999, 1, 0, 0, zeroblob(32), x'00')");
    s = look(t);
    assert_int_equal(s.seq, 999); /* changes that were signed are gone */
}

/* One table, how to damage a cell of it, and that the damage is real. */
static const struct {
    const char *table, *columns; /* separated by blanks */
    const char *where;           /* rows that count */
} targets[] = {
    { "change", "seq born item rev op flags site col date title length digest chain", "1" },
    { "record", "seq bytes", "1" },
    { "leaf", "born seq hash", "1" },
    { "stream", "epoch seq born cut chain live", "1" },
    { "head", "seq chain", "1" },
    { "item", "id born seq live_rev site col date title",
      "born IS NOT NULL AND live_rev IS NOT NULL" },
};

static const char *random_column(struct library_world *t, const char *columns)
{
    char *copy = arena_strdup(t->mem, columns), *names[16], *at = NULL;
    int n = 0;

    for (char *name = strtok_r(copy, " ", &at); name; name = strtok_r(NULL, " ", &at))
        names[n++] = name;
    return names[rand() % n];
}

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

/* A key that names a row of the table, for WHERE. */
static const char *key_of(const char *table)
{
    return !strcmp(table, "item")     ? "id"
           : !strcmp(table, "leaf")   ? "born"
           : !strcmp(table, "stream") ? "no"
                                      : "seq";
}

static char *damage(struct library_world *t)
{
    int target = rand() % (int)(sizeof targets / sizeof *targets);
    const char *table = targets[target].table, *key = key_of(table);
    const char *column = random_column(t, targets[target].columns);
    const char *row =
        arena_printf(t->mem,
                     "%1$s = (SELECT %1$s FROM %2$s WHERE %3$s ORDER BY %1$s LIMIT 1 "
                     "OFFSET %4$d %% (SELECT count(*) FROM %2$s WHERE %3$s))",
                     key, table, targets[target].where, rand() % 1000);
    static const char *const edits[] = {
        /* a number moves, a text grows, the first or last byte of a blob becomes another */
        "CASE typeof(%1$s) WHEN 'integer' THEN %1$s + 1 WHEN 'text' THEN %1$s || '.' "
        "ELSE CAST(CASE substr(%1$s, 1, 1) WHEN x'58' THEN x'57' ELSE x'58' END || "
        "substr(%1$s, 2) AS BLOB) END",
        "CASE typeof(%1$s) WHEN 'integer' THEN %1$s + 1000 WHEN 'text' THEN 'x' ELSE "
        "zeroblob(length(%1$s)) END",
        "CASE typeof(%1$s) WHEN 'integer' THEN -%1$s - 2 WHEN 'text' THEN substr(%1$s, 2) || "
        "'y' "
        "ELSE CAST(substr(%1$s, 1, length(%1$s) - 1) || CASE substr(%1$s, -1) WHEN x'59' THEN "
        "x'57' ELSE x'59' END AS BLOB) END",
    };
    char *value;

    if (rand() % 5 == 0 && strcmp(table, "stream") && strcmp(table, "head"))
        return arena_printf(t->mem, "DELETE FROM %s WHERE %s", table, row);
    value = arena_printf(t->mem, edits[rand() % 3], column);
    return arena_printf(t->mem, "UPDATE OR REPLACE %s SET %s = %s WHERE %s", table, column,
                        value, row);
}

static void whatever_a_vandal_does_is_found(void **state)
{
    struct library_world *t = *state;
    const char *seed = getenv("TJZW_SEED");
    const char *full = getenv("TJZW_FULL");
    int rounds = full ? 20 * ROUNDS : ROUNDS;

    srand(seed ? (unsigned)atoi(seed) : 20261121);
    live_a_little(t);
    keep(t);
    for (int i = 0; i < rounds; i++) {
        char *sql = damage(t);

        world_vandalise(t, sql);
        if (!look(t).n)
            fail_msg("round %d was not found: %s", i, sql);
        mend(t);
        arena_free(t->mem);
        t->w.mem = t->mem = arena_new();
    }
    assert_int_equal(look(t).n, 0);
}

static void two_changes_that_swap_places_are_found(void **state)
{
    struct library_world *t = *state;

    live_a_little(t);
    world_vandalise(
        t, "UPDATE change SET seq = -1 WHERE seq = 4; UPDATE change SET seq = 4 WHERE seq = 6;"
           "UPDATE change SET seq = 6 WHERE seq = -1;"
           "UPDATE record SET seq = -1 WHERE seq = 4; UPDATE record SET seq = 4 WHERE seq = 6;"
           "UPDATE record SET seq = 6 WHERE seq = -1");
    assert_true(look(t).n > 0);
}

static void a_log_cut_at_its_end_is_found(void **state)
{
    struct library_world *t = *state;

    live_a_little(t);
    world_vandalise(t, "DELETE FROM change WHERE seq = (SELECT max(seq) FROM change)");
    assert_true(look(t).n > 0);
}

int main(void)
{
#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, library_world_set_up, library_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_log_passes),
        TEST(an_edited_body_is_named_by_its_seq),
        TEST(bytes_that_a_takedown_left_behind_are_named),
        TEST(a_backdated_log_contradicts_its_heads),
        TEST(whatever_a_vandal_does_is_found),
        TEST(two_changes_that_swap_places_are_found),
        TEST(a_log_cut_at_its_end_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
