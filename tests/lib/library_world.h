/*
 * library_world.h - a library in a temporary directory, for tests of the domain: one stream,
 * one site, two columns, a fake clock.
 */
#ifndef TESTS_LIBRARY_WORLD_H
#define TESTS_LIBRARY_WORLD_H

#include "server/library/item.h"
#include "server/library/stream.h"
#include "server/store/db.h"

enum { WORLD_NOW = 1763712000 }; /* 2025-11-21 16:00 in Beijing */

struct library_world {
    char dir[64], path[96];
    struct arena *mem;
    struct work w; /* with the writer's connection and every right */
    struct stream stream;
    int64_t site, news, notices; /* columns 新闻 and 通知公告 of the site 天津市人民政府 */
};

int library_world_set_up(void **state); /* cmocka's */
int library_world_tear_down(void **state);

/* What a writer job is: BEGIN, fn, COMMIT and the hooks, or ROLLBACK. */
enum rc world_do(struct library_world *t, enum rc (*fn)(struct library_world *t, void *arg),
                 void *arg);
/* BEGIN ... world_commit() by hand; a failing assertion in between ends the test anyway. */
void world_begin(struct library_world *t);
void world_commit(struct library_world *t);
/* Content of kind article from canonical or any JSON text; fails the test if it is refused. */
struct content world_content(struct library_world *t, const char *json);
/* Inside a transaction: publish_item(), and before it submits and approves where that is still to be done. */
enum rc world_put_through(struct library_world *t, const struct id *id, int64_t rev,
                          struct item *out);
/* A published item in `col`, committed. */
struct item world_publish(struct library_world *t, const char *title, int64_t col);
/* What `SELECT count(*)`-like numbers a test looks at: the stream's row as it is now. */
struct stream world_stream(struct library_world *t);
/* Runs any SQL on the file behind the store's back (a vandal's hand). */
void world_vandalise(struct library_world *t, const char *sql);
int64_t world_number(struct library_world *t, const char *sql);

#endif
