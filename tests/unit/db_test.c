/*
 * db_test.c - connections, transactions, errors, migrations (db_sqlite.c, rows.c, migrate.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/store/db.h"
#include "server/store/db_sqlite.h"
#include "server/store/schema_gen.h"

struct world {
    char dir[64], path[96];
    struct arena *mem;
    struct work w; /* with the writer's connection */
};

static int set_up(void **state)
{
    struct world *t = calloc(1, sizeof *t);
    struct err e;

    log_set_fd(-1);
    strcpy(t->dir, "/tmp/tjzw-db-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(t->path, sizeof t->path, "%s/%s", t->dir, DB_NAME);
    t->mem = arena_new();
    work_init(&t->w, t->mem, NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&e, t->path, DB_WRITE, &t->w.db), RC_OK);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct world *t = *state;
    char command[128];

    db_close(t->w.db);
    arena_free(t->mem);
    snprintf(command, sizeof command, "rm -rf '%s'", t->dir);
    free(t);
    return system(command);
}

static enum rc add(struct work *w, int64_t stream, int64_t epoch, int64_t seq)
{
    return db_run(w, SQL_ancestry_add, "iii", stream, epoch, seq);
}

/* The newest epoch of the stream, 0 if there is none. */
static int64_t newest(struct work *w, int64_t stream)
{
    struct rows q;
    int64_t epoch = 0;

    if (!db_query(w, SQL_ancestry_all, &q, "i", stream))
        while (rows_next(&q))
            epoch = rows_int(&q, 0);
    if (rows_done(&q))
        fail_msg("%s", w->err.text);
    return epoch;
}

static void raw(struct world *t, const char *sql)
{
    if (db_script(&t->w.err, t->w.db->handle, "test", sql))
        fail_msg("%s", t->w.err.text);
}

static void reopen(struct world *t)
{
    struct err e;

    db_close(t->w.db);
    t->w.db = NULL;
    if (db_open(&e, t->path, DB_WRITE, &t->w.db))
        fail_msg("%s", e.text);
}

static void what_is_written_is_read_back(void **state)
{
    struct world *t = *state;
    struct rows q;

    assert_int_equal(newest(&t->w, 1), 0);
    assert_int_equal(add(&t->w, 1, INT64_MAX, -5), RC_OK);
    reopen(t);
    assert_int_equal(db_one(&t->w, SQL_ancestry_all, &q, "i", (int64_t)1), RC_OK);
    assert_true(rows_int(&q, 0) == INT64_MAX);
    assert_true(rows_int(&q, 1) == -5);
    assert_false(rows_next(&q));
    assert_false(rows_next(&q));
    assert_int_equal(rows_done(&q), RC_OK);
    assert_int_equal(rows_done(&q), RC_OK);
}

static void every_type_keeps_its_value(void **state)
{
    static const char blob[] = { 'a', 0, 'b' };
    struct world *t = *state;
    struct rows q;
    size_t n;

    assert_int_equal(db_query(&t->w, SQL_stream_add, &q, "sibi", "main-and-more", (size_t)4,
                              (int64_t)7, blob, sizeof blob, (int64_t)0),
                     RC_OK);
    assert_true(rows_next(&q));
    assert_int_equal(rows_done(&q), RC_OK);
    assert_int_equal(db_one(&t->w, SQL_stream_by_name, &q, "t", "main"), RC_OK);
    assert_string_equal(rows_text(&q, 1), "main");
    assert_string_equal(rows_dup_text(&t->w, &q, 1), "main");
    assert_int_equal(rows_int(&q, 2), 7);
    assert_memory_equal(rows_blob(&q, 6, &n), blob, sizeof blob);
    assert_int_equal(n, sizeof blob);
    assert_memory_equal(rows_dup_blob(&t->w, &q, 6, &n), blob, sizeof blob);
    assert_false(rows_null(&q, 6));
    assert_int_equal(rows_done(&q), RC_OK);
}

static void null_comes_back_as_null(void **state)
{
    struct world *t = *state;
    struct rows q;
    size_t n = 9;

    assert_int_equal(db_query(&t->w, SQL_org_add, &q, "tttn", "code", "name", NULL), RC_OK);
    assert_true(rows_next(&q));
    assert_int_equal(rows_done(&q), RC_OK);
    assert_int_equal(db_one(&t->w, SQL_org_by_code, &q, "t", "code"), RC_OK);
    assert_true(rows_null(&q, 3));
    assert_null(rows_text(&q, 3));
    assert_null(rows_dup_text(&t->w, &q, 3));
    assert_null(rows_blob(&q, 3, &n));
    assert_int_equal(n, 0);
    assert_int_equal(rows_int(&q, 4), 0);
    assert_int_equal(rows_done(&q), RC_OK);
}

static void a_taken_key_is_a_conflict_that_names_the_statement(void **state)
{
    struct world *t = *state;

    assert_int_equal(add(&t->w, 1, 123456789, 1), RC_OK);
    assert_int_equal(add(&t->w, 1, 123456789, 2), RC_CONFLICT);
    assert_non_null(strstr(t->w.err.text, "ancestry_add"));
    assert_null(strstr(t->w.err.text, "123456789"));
    assert_int_equal(add(&t->w, 2, 123456789, 2), RC_OK);
}

static void a_change_of_nothing_is_not_found(void **state)
{
    struct world *t = *state;
    struct rows q;

    assert_int_equal(db_change(&t->w, SQL_stream_begin_epoch, "ii", (int64_t)5, (int64_t)6),
                     RC_NOT_FOUND);
    assert_int_equal(db_run(&t->w, SQL_stream_begin_epoch, "ii", (int64_t)5, (int64_t)6),
                     RC_OK);
    assert_int_equal(db_one(&t->w, SQL_stream_by_no, &q, "i", (int64_t)5), RC_NOT_FOUND);
    assert_int_equal(rows_done(&q), RC_NOT_FOUND);
}

static void a_query_may_be_asked_again_inside_its_own_loop(void **state)
{
    struct world *t = *state;
    struct rows outer, inner;
    int pairs = 0;

    for (int i = 1; i <= 3; i++)
        assert_int_equal(add(&t->w, 1, i, i), RC_OK);
    assert_int_equal(db_query(&t->w, SQL_ancestry_all, &outer, "i", (int64_t)1), RC_OK);
    while (rows_next(&outer)) {
        assert_int_equal(db_query(&t->w, SQL_ancestry_all, &inner, "i", (int64_t)1), RC_OK);
        while (rows_next(&inner))
            pairs++;
        assert_int_equal(rows_done(&inner), RC_OK);
    }
    assert_int_equal(rows_done(&outer), RC_OK);
    assert_int_equal(pairs, 9);
}

static void a_rollback_takes_back_and_a_commit_keeps(void **state)
{
    struct world *t = *state;

    assert_int_equal(db_begin(&t->w), RC_OK);
    assert_true(db_in_transaction(t->w.db));
    assert_int_equal(add(&t->w, 1, 1, 1), RC_OK);
    db_rollback(t->w.db);
    db_rollback(t->w.db);
    assert_int_equal(newest(&t->w, 1), 0);
    assert_int_equal(db_begin(&t->w), RC_OK);
    assert_int_equal(add(&t->w, 1, 2, 1), RC_OK);
    assert_int_equal(db_commit(&t->w), RC_OK);
    assert_false(db_in_transaction(t->w.db));
    assert_int_equal(newest(&t->w, 1), 2);
}

static void savepoints_nest(void **state)
{
    struct world *t = *state;

    assert_int_equal(db_begin(&t->w), RC_OK);
    assert_int_equal(db_savepoint(&t->w), RC_OK);
    assert_int_equal(add(&t->w, 1, 1, 1), RC_OK);
    assert_int_equal(db_savepoint(&t->w), RC_OK);
    assert_int_equal(add(&t->w, 1, 2, 1), RC_OK);
    assert_int_equal(db_back(&t->w), RC_OK);
    assert_int_equal(newest(&t->w, 1), 1);
    assert_int_equal(db_release(&t->w), RC_OK);
    assert_int_equal(db_savepoint(&t->w), RC_OK);
    assert_int_equal(add(&t->w, 1, 3, 1), RC_OK);
    assert_int_equal(db_back(&t->w), RC_OK);
    assert_int_equal(db_commit(&t->w), RC_OK);
    assert_int_equal(newest(&t->w, 1), 1);
}

static void a_reader_cannot_write(void **state)
{
    struct world *t = *state;
    struct work reader;

    work_init(&reader, t->mem, NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&reader.err, t->path, DB_READ, &reader.db), RC_OK);
    assert_int_equal(add(&reader, 1, 1, 1), RC_UNWRITABLE);
    db_close(reader.db);
}

static void a_reader_sees_one_state_while_the_writer_goes_on(void **state)
{
    struct world *t = *state;
    struct work reader;

    work_init(&reader, t->mem, NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&reader.err, t->path, DB_READ, &reader.db), RC_OK);
    assert_int_equal(add(&t->w, 1, 1, 1), RC_OK);
    assert_int_equal(db_begin_read(&reader), RC_OK);
    assert_int_equal(newest(&reader, 1), 1);
    assert_int_equal(add(&t->w, 1, 2, 1), RC_OK);
    assert_int_equal(newest(&reader, 1), 1);
    db_end_read(reader.db);
    assert_int_equal(newest(&reader, 1), 2);
    db_close(reader.db);
}

/* The writer puts pairs (1, n) and (2, n) in one transaction; a reader never sees one without
 * the other. */
struct watcher {
    const char *path;
    atomic_bool *stop;
    int torn, looks;
};

static void *watch(void *arg)
{
    struct watcher *watcher = arg;
    struct arena *mem = arena_new();
    struct work w;

    work_init(&w, mem, NULL, "test", RIGHT_ALL);
    if (db_open(&w.err, watcher->path, DB_READ, &w.db))
        watcher->torn = -1;
    while (!watcher->torn && !*watcher->stop) {
        int64_t one, two;

        if (db_begin_read(&w))
            watcher->torn = -1;
        one = newest(&w, 1);
        two = newest(&w, 2);
        db_end_read(w.db);
        watcher->torn += one != two;
        watcher->looks++;
    }
    db_close(w.db);
    arena_free(mem);
    return NULL;
}

static void readers_never_see_half_of_a_transaction(void **state)
{
    struct world *t = *state;
    atomic_bool stop = false;
    struct watcher watchers[3];
    pthread_t threads[3];

    for (int i = 0; i < 3; i++) {
        watchers[i] = (struct watcher){ t->path, &stop, 0, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, watch, &watchers[i]), 0);
    }
    for (int n = 1; n <= 100; n++) {
        assert_int_equal(db_begin(&t->w), RC_OK);
        assert_int_equal(add(&t->w, 1, n, 1), RC_OK);
        assert_int_equal(add(&t->w, 2, n, 1), RC_OK);
        assert_int_equal(db_commit(&t->w), RC_OK);
    }
    stop = true;
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(watchers[i].torn, 0);
    }
}

static void what_cannot_be_opened_is_said_clearly(void **state)
{
    struct world *t = *state;
    struct db *db = NULL;
    struct err e;
    char path[128];
    sqlite3 *other;

    snprintf(path, sizeof path, "%s/nowhere.db", t->dir);
    assert_int_equal(db_open(&e, path, DB_READ, &db), RC_NOT_FOUND);
    assert_non_null(strstr(e.text, "nowhere.db"));
    assert_false(fs_exists(path));
    snprintf(path, sizeof path, "%s/no/dir.db", t->dir);
    assert_int_equal(db_open(&e, path, DB_WRITE, &db), RC_NOT_FOUND);
    assert_int_equal(db_open(&e, t->dir, DB_WRITE, &db), RC_IO); /* a directory */

    snprintf(path, sizeof path, "%s/text.db", t->dir);
    assert_int_equal(fs_write(&e, path,
                              "this is a text and no database at all, whatever its name may be",
                              63, 0600),
                     RC_OK);
    assert_int_equal(db_open(&e, path, DB_WRITE, &db), RC_CORRUPT);
    assert_int_equal(db_open(&e, path, DB_READ, &db), RC_CORRUPT);
    assert_non_null(strstr(e.text, "no database"));

    snprintf(path, sizeof path, "%s/other.db", t->dir);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "CREATE TABLE song (title)", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(other);
    assert_int_equal(db_open(&e, path, DB_WRITE, &db), RC_CORRUPT);
    assert_non_null(strstr(e.text, "another program"));
    snprintf(path, sizeof path, "%s/other.db-wal", t->dir);
    assert_false(fs_exists(path)); /* it was not even switched to WAL */
    assert_null(db);
}

static void an_unreadable_database_is_forbidden(void **state)
{
    struct world *t = *state;
    struct db *db = NULL;
    struct err e;
    uid_t me = geteuid();

    assert_int_equal(chmod(t->dir, 0700), 0);
    if (me == 0 && seteuid(65534))
        skip();
    if (me != 0)
        assert_int_equal(chmod(t->dir, 0), 0);
    assert_int_equal(db_open(&e, t->path, DB_READ, &db), RC_FORBIDDEN);
    assert_int_equal(seteuid(me), 0);
    assert_int_equal(chmod(t->dir, 0700), 0);
    assert_non_null(strstr(e.text, t->path));
}

static void a_newer_schema_is_refused_with_both_versions(void **state)
{
    struct world *t = *state;
    struct db *db = NULL;
    struct err e;

    raw(t, "PRAGMA user_version = 99");
    assert_int_equal(db_open(&e, t->path, DB_WRITE, &db), RC_CONFLICT);
    assert_non_null(strstr(e.text, "99"));
    assert_non_null(strstr(e.text, "install the newer tjzw"));
    assert_int_equal(db_open(&e, t->path, DB_READ, &db), RC_CONFLICT);
    assert_int_equal(db_schema_version(t->w.db), 99);
}

static void a_reader_refuses_an_older_schema(void **state)
{
    struct world *t = *state;
    struct db *db = NULL;
    struct err e;

    raw(t, "PRAGMA user_version = 0");
    assert_int_equal(db_open(&e, t->path, DB_READ, &db), RC_CONFLICT);
    assert_non_null(strstr(e.text, "start the server"));
}

static const char second[] = "CREATE TABLE second (n INTEGER); INSERT INTO second VALUES (42);";

static void an_older_schema_is_copied_and_then_migrated(void **state)
{
    const struct embed schema[] = { embed_schema[0],
                                    { "0002.sql", second, sizeof second - 1 },
                                    { 0 } };
    struct world *t = *state;
    struct err e;
    char copy[128];
    sqlite3 *old;
    int64_t version;

    snprintf(copy, sizeof copy, "%s.before-2", t->path);
    assert_int_equal(fs_write(&e, copy, "of an earlier attempt", 21, 0600), RC_OK);
    assert_int_equal(add(&t->w, 1, 5, 1), RC_OK);
    if (migrate(&e, t->w.db, t->path, schema))
        fail_msg("%s", e.text);
    assert_int_equal(db_schema_version(t->w.db), 2);
    assert_int_equal(db_number(&e, t->w.db->handle, "SELECT n FROM second", &version), RC_OK);
    assert_int_equal(version, 42);
    assert_int_equal(newest(&t->w, 1), 5);

    assert_int_equal(sqlite3_open(copy, &old), SQLITE_OK);
    assert_int_equal(db_number(&e, old, "PRAGMA user_version", &version), RC_OK);
    assert_int_equal(version, 1);
    assert_int_equal(db_number(&e, old, "SELECT epoch FROM ancestry", &version), RC_OK);
    assert_int_equal(version, 5);
    sqlite3_close(old);
}

static void a_migration_that_fails_changes_nothing(void **state)
{
    static const char broken[] =
        "CREATE TABLE third (n INTEGER); INSERT INTO nowhere VALUES (1);";
    const struct embed schema[] = { embed_schema[0],
                                    { "0002.sql", second, sizeof second - 1 },
                                    { "0003.sql", broken, sizeof broken - 1 },
                                    { 0 } };
    struct world *t = *state;
    struct err e;
    int64_t n;

    assert_int_equal(migrate(&e, t->w.db, t->path, schema), RC_INTERNAL);
    assert_non_null(strstr(e.text, "0003.sql"));
    assert_int_equal(db_schema_version(t->w.db), 1);
    assert_int_equal(
        db_number(&e, t->w.db->handle,
                  "SELECT count(*) FROM sqlite_schema WHERE name IN ('second', 'third')", &n),
        RC_OK);
    assert_int_equal(n, 0);
}

static void the_file_has_the_settings_we_promise(void **state)
{
    static const struct {
        const char *sql;
        int64_t value;
    } promises[] = { { "PRAGMA synchronous", 2 },
                     { "PRAGMA secure_delete", 1 },
                     { "PRAGMA page_size", 4096 },
                     { "PRAGMA cache_size", -8192 },
                     { "PRAGMA trusted_schema", 0 },
                     { "PRAGMA mmap_size", 0 },
                     { "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'",
                       1 } };
    struct world *t = *state;
    struct err e;
    int64_t value;

    for (size_t i = 0; i < sizeof promises / sizeof promises[0]; i++) {
        assert_int_equal(db_number(&e, t->w.db->handle, promises[i].sql, &value), RC_OK);
        assert_int_equal(value, promises[i].value);
    }
}

static void count_pages(void *arg, int done, int all)
{
    int *calls = arg;

    assert_in_range(done, 0, all);
    ++*calls;
}

static void a_copy_is_of_one_moment_and_overwrites_nothing(void **state)
{
    struct world *t = *state;
    char copy[128];
    struct db *db;
    struct work w;
    int calls = 0;

    snprintf(copy, sizeof copy, "%s/copy.db", t->dir);
    assert_int_equal(add(&t->w, 1, 1, 1), RC_OK);
    assert_int_equal(db_backup(&t->w.err, t->w.db, copy, count_pages, &calls), RC_OK);
    assert_true(calls > 0);
    assert_int_equal(db_backup(&t->w.err, t->w.db, copy, NULL, NULL), RC_CONFLICT);
    assert_int_equal(add(&t->w, 1, 2, 1), RC_OK);
    assert_int_equal(db_check_file(&t->w.err, copy), RC_OK);
    assert_int_equal(db_open(&t->w.err, copy, DB_READ, &db), RC_OK);
    work_init(&w, t->mem, db, "test", RIGHT_ALL);
    assert_int_equal(newest(&w, 1), 1);
    db_close(db);
}

static void damage_is_found(void **state)
{
    struct world *t = *state;
    struct err e;
    char rubbish[4096];
    int fd;

    assert_int_equal(db_begin(&t->w), RC_OK);
    for (int i = 0; i < 500; i++)
        assert_int_equal(add(&t->w, i % 7, i, 1), RC_OK);
    assert_int_equal(db_commit(&t->w), RC_OK);
    assert_int_equal(db_check(&e, t->w.db), RC_OK);
    db_close(t->w.db);
    t->w.db = NULL;
    memset(rubbish, 0xa5, sizeof rubbish);
    fd = open(t->path, O_WRONLY);
    for (int page = 3; page < 8; page++)
        assert_int_equal(pwrite(fd, rubbish, sizeof rubbish, page * 4096), sizeof rubbish);
    close(fd);
    assert_int_equal(db_check_file(&e, t->path), RC_CORRUPT);
    reopen(t);
    assert_int_equal(db_check(&e, t->w.db), RC_CORRUPT);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(what_is_written_is_read_back),
        CASE(every_type_keeps_its_value),
        CASE(null_comes_back_as_null),
        CASE(a_taken_key_is_a_conflict_that_names_the_statement),
        CASE(a_change_of_nothing_is_not_found),
        CASE(a_query_may_be_asked_again_inside_its_own_loop),
        CASE(a_rollback_takes_back_and_a_commit_keeps),
        CASE(savepoints_nest),
        CASE(a_reader_cannot_write),
        CASE(a_reader_sees_one_state_while_the_writer_goes_on),
        CASE(readers_never_see_half_of_a_transaction),
        CASE(what_cannot_be_opened_is_said_clearly),
        CASE(an_unreadable_database_is_forbidden),
        CASE(a_newer_schema_is_refused_with_both_versions),
        CASE(a_reader_refuses_an_older_schema),
        CASE(an_older_schema_is_copied_and_then_migrated),
        CASE(a_migration_that_fails_changes_nothing),
        CASE(the_file_has_the_settings_we_promise),
        CASE(a_copy_is_of_one_moment_and_overwrites_nothing),
        CASE(damage_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
