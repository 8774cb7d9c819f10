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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/store/db.h"
#include "server/store/db_sqlite.h"

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

    if (!db_one(w, SQL_ancestry_all, &q, "i", stream))
        epoch = rows_int(&q, 0);
    if (rows_done(&q) && q.rc != RC_NOT_FOUND)
        fail_msg("%s", w->err.text);
    return epoch;
}

static void what_is_written_is_read_back(void **state)
{
    struct world *t = *state;
    struct rows q;

    assert_int_equal(newest(&t->w, 1), 0);
    assert_int_equal(add(&t->w, 1, INT64_MAX, -5), RC_OK);
    assert_int_equal(db_one(&t->w, SQL_ancestry_all, &q, "i", (int64_t)1), RC_OK);
    assert_true(rows_int(&q, 0) == INT64_MAX);
    assert_true(rows_int(&q, 1) == -5);
    assert_false(rows_next(&q));
    assert_false(rows_next(&q));
    assert_int_equal(rows_done(&q), RC_OK);
    assert_int_equal(rows_done(&q), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
