/*
 * personal_test.c - the table of what is known of persons against the schema itself: no table that names an account, or seals something, is
 * without its row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/identifier.h"
#include "server/identity/personal.h"
#include "server/identity/session.h"
#include "server/identity/session_table.h"
#include "tests/lib/library_world.h"

static int set_up(void **state)
{
    static const uint8_t key[32] = "token key";
    struct library_world *t;
    struct err e;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(seal_load(&e, t->dir, SEAL_XCHACHA), RC_OK);
    assert_int_equal(session_load(&t->w, key), RC_OK);
    return 0;
}

static int tear_down(void **state)
{
    session_table_empty();
    seal_forget();
    return library_world_tear_down(state);
}

static const struct personal_column *find_column(const char *table, const char *name)
{
    int n;
    const struct personal_column *c = personal_columns(&n);

    for (int i = 0; i < n; i++)
        if (!strcmp(c[i].table, table) && !strcmp(c[i].name, name))
            return &c[i];
    return NULL;
}

/* Words that name a person, or what is his. */
static bool is_telling(const char *column)
{
    static const char *const words[] = { "account", "person",  "actor",  "session",
                                         "author",  "giver",   "owner",  "phone",
                                         "client",  "address", "device", "network",
                                         "merged",  "subject", "email",  "ip" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], column))
            return true;
    return false;
}

/* One line of a CREATE TABLE; its comment counts too. */
static void check_line(const char *table, const char *line, size_t n)
{
    char text[300] = "", column[64] = "";

    assert_true(n < sizeof text);
    memcpy(text, line, n);
    if (sscanf(text, " %63[a-z_]", column) != 1 || strchr(column, '(') ||
        !(is_telling(column) || strstr(text, "sealed")))
        return;
    if (!find_column(table, column))
        fail_msg("the column %s.%s says something of a person: server/identity/personal.def "
                 "has no row for it",
                 table, column);
}

static int check_table(void *unused, int n, char **values, char **names)
{
    (void)unused, (void)n, (void)names;
    for (const char *line = values[1]; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        check_line(values[0], line, strcspn(line, "\n"));
    }
    return 0;
}

static sqlite3 *open_file(struct library_world *t)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(t->path, &db), SQLITE_OK);
    return db;
}

static void every_column_of_the_schema_that_names_a_person_is_in_the_table(void **state)
{
    sqlite3 *db = open_file(*state);

    assert_int_equal(
        sqlite3_exec(
            db, "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL",
            check_table, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
}

static void every_row_of_the_table_is_of_the_schema(void **state)
{
    sqlite3 *db = open_file(*state);
    int n;
    const struct personal_column *c = personal_columns(&n);

    for (int i = 0; i < n; i++)
        assert_int_equal(sqlite3_table_column_metadata(db, NULL, c[i].table, c[i].name, NULL,
                                                       NULL, NULL, NULL, NULL),
                         SQLITE_OK);
    sqlite3_close(db);
}

static void each_statement_gives_the_columns_that_the_table_says(void **state)
{
    sqlite3 *db = open_file(*state);
    int n, nc;
    const struct personal_table *t = personal_tables(&n);
    const struct personal_column *c = personal_columns(&nc), *end = c + nc;

    for (; n--; t++) {
        sqlite3_stmt *s;
        int i = 0;

        if (t->find == SQL_COUNT) {
            c++;
            continue;
        }
        assert_int_equal(sqlite3_prepare_v2(db, sql_text(t->find), -1, &s, NULL), SQLITE_OK);
        for (; c < end && !strcmp(c->table, t->name); c++, i++)
            assert_string_equal(sqlite3_column_name(s, i), c->name);
        assert_int_equal(sqlite3_column_count(s), i);
        sqlite3_finalize(s);
    }
    assert_ptr_equal(c, end);
    sqlite3_close(db);
}

/* ---- the document ---- */

static int64_t make(struct library_world *t, const char *phone, const char *name)
{
    const struct account_new new = { ACCOUNT_CITIZEN, 1, name };
    const struct session_new session = { .level = 1, .device = "张三的手机" };
    struct session_new s = session;
    struct session_tokens tokens;
    struct account a;
    int64_t id;

    world_begin(t);
    assert_int_equal(account_make(&t->w, &new, &a), RC_OK);
    assert_int_equal(identifier_add(&t->w, a.id, "phone", phone), RC_OK);
    s.account = a.id;
    t->w.client = "203.0.113.77";
    assert_int_equal(session_open(&t->w, &s, &id, &tokens), RC_OK);
    snprintf(t->w.who.name, sizeof t->w.who.name, "account:%d", (int)a.id);
    assert_int_equal(audit_add(&t->w, AUDIT_sign_in, NULL, RC_OK), RC_OK);
    world_commit(t);
    return a.id;
}

static void the_document_has_all_of_it_opened_and_nothing_of_others(void **state)
{
    struct library_world *t = *state;
    int64_t li = make(t, "8613800138000", "李雷");
    struct buf b = BUF_IN(t->mem);

    make(t, "8613900139000", "韩梅梅");
    assert_int_equal(personal_export(&t->w, li, &b), RC_OK);
    assert_non_null(strstr(b.p, "8613800138000"));
    assert_non_null(strstr(b.p, "李雷"));
    assert_non_null(strstr(b.p, "203.0.113.0/24")); /* of the session */
    assert_non_null(strstr(b.p, "203.0.113.77"));   /* of the audit log */
    assert_non_null(strstr(b.p, "张三的手机"));
    assert_non_null(strstr(b.p, "sign_in"));
    assert_null(strstr(b.p, "8613900139000"));
    assert_null(strstr(b.p, "韩梅梅"));
}

static void what_was_merged_into_it_belongs_to_it(void **state)
{
    struct library_world *t = *state;
    int64_t li = make(t, "8613800138000", "李雷"), old = make(t, "8613900139000", NULL);
    struct buf b = BUF_IN(t->mem);

    world_begin(t);
    assert_int_equal(account_merge(&t->w, old, li), RC_OK);
    world_commit(t);
    assert_int_equal(personal_export(&t->w, li, &b), RC_OK);
    assert_non_null(strstr(b.p, "8613900139000"));
    assert_non_null(strstr(b.p, arena_printf(t->mem, "account:%d", (int)old)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_column_of_the_schema_that_names_a_person_is_in_the_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_row_of_the_table_is_of_the_schema, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_statement_gives_the_columns_that_the_table_says,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_document_has_all_of_it_opened_and_nothing_of_others,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_merged_into_it_belongs_to_it, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
