/*
 * db.h - the SQL seam. Callers name a statement and never a driver.
 *
 * Statements stand in server/store/sql/NOUN.sql, each after a line `-- name: STATEMENT`; the
 * build makes `enum sql` from them. They are written in the dialect that SQLite 3.40 and
 * PostgreSQL 15 share: ON CONFLICT, RETURNING, parameters ?1 ?2 … in order (the generator turns
 * them into $1 $2 … for PostgreSQL). `-- scan: reason` allows a full scan by name.
 * Files that begin with `-- schema: derived` are for the second database, derived.db
 * (docs/derived.md), which is always SQLite: a statement finds the database it is for.
 *
 * A connection belongs to one thread. Errors: RC_IO, RC_FULL (no room), RC_BUSY, RC_CORRUPT,
 * RC_CONFLICT (a unique key is taken), with the statement's name in the sentence, never its
 * values.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/work.h"
#include "server/store/sql_gen.h" /* enum sql { SQL_item_by_id, … } */

struct db;

enum db_mode {
    DB_READ,  /* an existing database, read only; RC_CONFLICT unless its schema is the newest */
    DB_WRITE, /* the writer's connection: created and migrated if need be; RC_CONFLICT for a
                 newer schema */
};

/* The databases' file names in a data directory. */
#define DB_NAME         "tjzw.db"
#define DB_DERIVED_NAME "derived.db"

/* `path` is the database file. RC_NOT_FOUND, RC_FORBIDDEN; RC_CORRUPT if it is no database, or
 * not one of ours. */
enum rc db_open(struct err *e, const char *path, enum db_mode mode, struct db **out);
/*
 * The same for DATA/derived.db, for w->derived. It is never migrated: with DB_WRITE, RC_CONFLICT if it was made by a program with another
 * schema, and RC_CORRUPT, mean that it has to be made anew, by db_remove(). It is on the disk some time after the COMMIT, in the order of commits.
 */
enum rc db_open_derived(struct err *e, const char *path, enum db_mode mode, struct db **out);
/* Removes a database and its log. Who has it open goes on with what it was. */
enum rc db_remove(struct err *e, const char *path);
void db_close(struct db *db); /* accepts NULL */

/*
 * Parameters by a format, one letter each; a NULL pointer is SQL NULL:
 *
 *     i   int64_t (an int must be cast)
 *     t   const char *             text, NUL-terminated
 *     s   const char *, size_t     text
 *     b   const void *, size_t     blob
 *     n   nothing                  SQL NULL
 *
 * db_query() copies what it binds, so arguments need not outlive the call.
 */
/* Runs a statement that returns no rows. */
enum rc db_run(struct work *w, enum sql sql, const char *format, ...);
/* The same, and RC_NOT_FOUND when it changed no row. */
enum rc db_change(struct work *w, enum sql sql, const char *format, ...);

struct rows {
    struct db *db;
    void *statement;
    enum sql sql;
    struct err *err;
    enum rc rc; /* why rows_next() ended: RC_OK after the last row */
};
/*
 * Runs a query:
 *     struct rows q;
 *     if ((rc = db_query(w, SQL_item_by_id, &q, "b", id->b, sizeof id->b)))
 *         return rc;
 *     while (rows_next(&q))
 *         use(rows_text(&q, 0));
 *     return rows_done(&q);
 * rows_done() must be called on every path and gives the final rc. What a column function
 * returns lives until the next rows_next().
 */
enum rc db_query(struct work *w, enum sql sql, struct rows *out, const char *format, ...);
bool rows_next(struct rows *q);
enum rc rows_done(struct rows *q);
/* db_query() and the first row in one: RC_NOT_FOUND if there is none. The caller still calls
 * rows_done(). */
enum rc db_one(struct work *w, enum sql sql, struct rows *out, const char *format, ...);

int64_t rows_int(const struct rows *q, int column);                 /* 0 for NULL */
const char *rows_text(const struct rows *q, int column);            /* NULL for NULL */
const void *rows_blob(const struct rows *q, int column, size_t *n); /* NULL for NULL or empty */
bool rows_null(const struct rows *q, int column);
char *rows_dup_text(struct work *w, const struct rows *q, int column); /* copies into w->mem */
void *rows_dup_blob(struct work *w, const struct rows *q, int column, size_t *n);

/* Transactions. Reads that must agree with each other stand between db_begin_read() and
 * db_end_read(). */
enum rc db_begin(
    struct work *
        w); /* of w->db; who writes to the derived database lends it to another work as its w->db */
enum rc db_commit(struct work *w);
void db_rollback(struct db *db);
bool db_in_transaction(struct db *db); /* false, too, after the driver rolled back by itself: a
                                          full disk, a failed read */
enum rc db_begin_read(struct work *w);
/* Also ends, and logs, queries that somebody left open, which would hold back the WAL: call it
 * after each job of a worker, even if the job began no read. */
void db_end_read(struct db *db);
enum rc db_savepoint(struct work *w);
enum rc db_release(struct work *w);
enum rc db_back(struct work *w); /* to the savepoint, which ends */

/* Operator's services. */

/* Online, one consistent state, which appears at `to` whole or not at all. RC_CONFLICT if `to`
 * exists. `progress` may be NULL; it counts pages. */
enum rc db_backup(struct err *e, struct db *db, const char *to,
                  void (*progress)(void *, int done, int all), void *arg);
enum rc db_check(struct err *e, struct db *db); /* RC_CORRUPT with the first fault found */
/* The same for a file that nobody has open, without touching it or its directory: a backup. */
enum rc db_check_file(struct err *e, const char *path);
/*
 * What was overwritten or deleted still stands in the write-ahead log until that is written back:
 * does so now and empties it. False: somebody is reading, come again. Only on the writer's
 * connection, outside a transaction. Waits for nobody.
 */
bool db_forget_log(struct db *db);
/*
 * Deleted rows are overwritten, but copies that the engine made of them when it moved rows between pages are not: this overwrites them too, in the
 * pages of `table` and its indexes, after db_forget_log(). False: not now, come again. It reads all these pages: about a second a gigabyte.
 */
bool db_scrub(struct db *db, const char *table);
/* The same, asking before each page: false, and to be done again from the first, once `go_on` says no. */
bool db_scrub_while(struct db *db, const char *table, bool (*go_on)(void));
int db_schema_version(struct db *db); /* -1 if it cannot be read */
extern const int db_schema_newest;

/* For tests: walks all statements. */
const char *sql_name(enum sql sql);
const char *sql_text(enum sql sql);
const char *sql_pg_text(enum sql sql);
const char *sql_scan_reason(enum sql sql); /* NULL: must not scan */
enum db_schema sql_schema(enum sql sql);

#endif
