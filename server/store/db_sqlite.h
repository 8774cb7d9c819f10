/*
 * db_sqlite.h - what the files of the SQLite driver share; nobody else includes it.
 */
#ifndef STORE_DB_SQLITE_H
#define STORE_DB_SQLITE_H

#include <sqlite3.h>

#include "server/embed.h"
#include "server/store/db.h"

/* Statements that are the driver's own: they open and close transactions. */
enum control {
    CONTROL_BEGIN_WRITE,
    CONTROL_BEGIN_READ,
    CONTROL_COMMIT,
    CONTROL_ROLLBACK,
    CONTROL_SAVEPOINT,
    CONTROL_RELEASE,
    CONTROL_BACK,
    CONTROL_COUNT
};

struct db {
    sqlite3 *handle;
    enum db_mode mode;
    enum db_schema schema;
    sqlite3_stmt *control[CONTROL_COUNT];
    sqlite3_stmt *cache[SQL_COUNT + 1]; /* prepared when first used; one more, for there may be
                                           no statement at all */
    bool lent[SQL_COUNT + 1];           /* a query is reading from it */
};

/* Translates what SQLite says just now into our kinds; `what` names the statement or the deed.
 */
enum rc db_error(struct err *e, sqlite3 *handle, int code, const char *what);
/* What statements call that SQLite has not. A code of SQLite's. */
int db_define(sqlite3 *handle);
/* Runs SQL of our own making that returns no rows. */
enum rc db_script(struct err *e, sqlite3 *handle, const char *what, const char *sql);
/* The first column of the first row of a PRAGMA or the like, 0 if there is none. */
enum rc db_number(struct err *e, sqlite3 *handle, const char *sql, int64_t *out);

/* rows.c: ends the queries that somebody left open, and logs them: they would hold back the WAL
 * or make a COMMIT fail. */
void db_forget_queries(struct db *db);
/* Finalizes all statements, before the connection closes. */
void db_drop_statements(struct db *db);

/* migrate.c: the schema version of the file, 0 for a new one; RC_CORRUPT if another program, or
 * for another schema, made it. Reads only. */
enum rc migrate_version(struct err *e, struct db *db, const char *path, int *out);
/* Brings the file to the newest of `schema`, whose rows are the versions 1, 2, 3 ... in order.
 */
enum rc migrate(struct err *e, struct db *db, const char *path, const struct embed *schema);
/* RC_CONFLICT unless the file has exactly the newest version; RC_CORRUPT if it is not ours. */
enum rc migrate_check(struct err *e, struct db *db, const char *path,
                      const struct embed *schema);
/* For derived.db: makes a new file by the script; RC_CONFLICT if it was made by another one. */
enum rc migrate_derived(struct err *e, struct db *db, const char *path,
                        const struct embed *script);

#endif
