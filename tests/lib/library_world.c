/*
 * library_world.c - see the header. The vandal uses a connection of its own, as somebody with
 * the file in his hands would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/library/change.h"
#include "server/library/column.h"
#include "server/library/publish.h"
#include "server/library/site.h"
#include "tests/lib/library_world.h"

static void fill(struct library_world *t)
{
    struct site site = { .code = "1200000000", .name = "天津市人民政府" };
    struct column c;

    world_begin(t);
    assert_int_equal(stream_make(&t->w, "main", &t->stream), RC_OK);
    site.stream = t->stream.no;
    assert_int_equal(site_create(&t->w, &site), RC_OK);
    t->site = site.no;
    assert_int_equal(column_at(&t->w, t->site, "新闻", true, &c), RC_OK);
    t->news = c.no;
    assert_int_equal(column_at(&t->w, t->site, "通知公告", true, &c), RC_OK);
    t->notices = c.no;
    world_commit(t);
}

int library_world_set_up(void **state)
{
    struct library_world *t = calloc(1, sizeof *t);
    struct err e;

    log_set_fd(-1);
    clock_set(WORLD_NOW);
    strcpy(t->dir, "/tmp/tjzw-library-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(t->path, sizeof t->path, "%s/test.db", t->dir);
    t->mem = arena_new();
    work_init(&t->w, t->mem, NULL, "operator", RIGHT_ALL);
    assert_int_equal(db_open(&e, t->path, DB_WRITE, &t->w.db), RC_OK);
    fill(t);
    *state = t;
    return 0;
}

int library_world_tear_down(void **state)
{
    struct library_world *t = *state;
    char command[128];

    change_observe(NULL);
    clock_unset();
    db_close(t->w.db);
    arena_free(t->mem);
    snprintf(command, sizeof command, "rm -rf '%s'", t->dir);
    free(t);
    return system(command);
}

void world_begin(struct library_world *t)
{
    assert_int_equal(db_begin(&t->w), RC_OK);
}

void world_commit(struct library_world *t)
{
    assert_int_equal(db_commit(&t->w), RC_OK);
    work_committed(&t->w);
}

enum rc world_do(struct library_world *t, enum rc (*fn)(struct library_world *t, void *arg),
                 void *arg)
{
    enum rc rc;

    world_begin(t);
    if ((rc = fn(t, arg))) {
        db_rollback(t->w.db);
        t->w.after = NULL;
        return rc;
    }
    world_commit(t);
    return RC_OK;
}

struct content world_content(struct library_world *t, const char *json)
{
    struct content c;

    if (content_parse(&t->w.err, t->mem, json, strlen(json), &c))
        fail_msg("%s: %s", t->w.err.field, t->w.err.text);
    return c;
}

enum rc world_put_through(struct library_world *t, const struct id *id, int64_t rev,
                          struct item *out)
{
    static const struct {
        enum state from;
        enum verb verb;
    } way[] = { { STATE_DRAFT, VERB_SUBMIT }, { STATE_IN_REVIEW, VERB_APPROVE } };
    struct item it;
    enum rc rc;

    if ((rc = item_find(&t->w, id, &it)))
        return rc;
    for (size_t i = 0; i < sizeof way / sizeof *way; i++)
        if (it.state == way[i].from && (rc = item_step(&t->w, id, rev, way[i].verb, NULL, &it)))
            return rc;
    return publish_item(&t->w, id, rev, out);
}

struct item world_publish(struct library_world *t, const char *title, int64_t col)
{
    struct content c = world_content(
        t, arena_printf(t->mem, "{\"body\":\"正文\",\"kind\":\"article\",\"title\":\"%s\"}",
                        title));
    struct item it;

    world_begin(t);
    assert_int_equal(
        item_create(&t->w, &(struct item_new){ t->site, col, &c, NULL, NULL }, &it), RC_OK);
    assert_int_equal(world_put_through(t, &it.id, 1, &it), RC_OK);
    world_commit(t);
    return it;
}

struct stream world_stream(struct library_world *t)
{
    struct stream s;

    assert_int_equal(stream_by_no(&t->w, t->stream.no, &s), RC_OK);
    return s;
}

void world_vandalise(struct library_world *t, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(t->path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 2000);
    sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL))
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

int64_t world_number(struct library_world *t, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    int64_t n;

    assert_int_equal(sqlite3_open(t->path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) || sqlite3_step(s) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}
