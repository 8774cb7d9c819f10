/*
 * rows.c - statements with their parameters, and the rows they give.
 *
 * A statement is prepared when it is first used and then kept for the life of the connection. A
 * query borrows it (`lent`) until its last row or rows_done(). Whoever asks the same question
 * again meanwhile, from inside the loop, gets a statement of its own that goes with its rows.
 *
 * The statement goes back at the end of the rows, not only in rows_done(): a reset statement
 * holds no snapshot, so the WAL can be cut.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "server/base/log.h"
#include "server/store/db_sqlite.h"

const char *sql_name(enum sql sql)
{
    return sql_statements[sql].name;
}

const char *sql_text(enum sql sql)
{
    return sql_statements[sql].text;
}

const char *sql_pg_text(enum sql sql)
{
    return sql_statements[sql].pg_text;
}

const char *sql_scan_reason(enum sql sql)
{
    return sql_statements[sql].scan_reason;
}

enum db_schema sql_schema(enum sql sql)
{
    return sql_statements[sql].schema;
}

/* The database that a statement is for. */
static struct db *db_of(const struct work *w, enum sql sql)
{
    struct db *db = sql_schema(sql) == DB_DERIVED ? w->derived : w->db;

    assert(db && db->schema == sql_schema(sql));
    return db;
}

static enum rc prepare(struct err *e, struct db *db, enum sql sql, unsigned flags,
                       sqlite3_stmt **out)
{
    int code = sqlite3_prepare_v3(db->handle, sql_text(sql), -1, flags, out, NULL);

    return code ? db_error(e, db->handle, code, sql_name(sql)) : RC_OK;
}

static enum rc lend(struct err *e, struct db *db, enum sql sql, sqlite3_stmt **out)
{
    enum rc rc;

    if (db->lent[sql])
        return prepare(e, db, sql, 0, out);
    if (!db->cache[sql] &&
        (rc = prepare(e, db, sql, SQLITE_PREPARE_PERSISTENT, &db->cache[sql])))
        return rc;
    db->lent[sql] = true;
    *out = db->cache[sql];
    return RC_OK;
}

/* Gives SQLite's verdict on the statement's last step. */
static int give_back(struct db *db, enum sql sql, sqlite3_stmt *statement)
{
    int code;

    if (statement != db->cache[sql])
        return sqlite3_finalize(statement);
    code = sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    db->lent[sql] = false;
    return code;
}

static int bind_bytes(sqlite3_stmt *statement, int i, char type, const void *p, size_t n,
                      sqlite3_destructor_type life)
{
    if (!p)
        return sqlite3_bind_null(statement, i);
    return type == 'b' ? sqlite3_bind_blob64(statement, i, p, n, life)
                       : sqlite3_bind_text64(statement, i, p, n, life, SQLITE_UTF8);
}

/* `life`: SQLITE_STATIC when the arguments outlive the call, SQLITE_TRANSIENT when they may
 * not. */
static int bind(sqlite3_stmt *statement, const char *format, va_list args,
                sqlite3_destructor_type life)
{
    int code = SQLITE_OK;

    assert(sqlite3_bind_parameter_count(statement) == (int)strlen(format));
    for (int i = 1; format[i - 1] && !code; i++) {
        char type = format[i - 1];
        const char *p;

        switch (type) {
        case 'i': code = sqlite3_bind_int64(statement, i, va_arg(args, int64_t)); break;
        case 'n': code = sqlite3_bind_null(statement, i); break;
        case 't':
            p = va_arg(args, const char *);
            code = bind_bytes(statement, i, type, p, p ? strlen(p) : 0, life);
            break;
        case 's':
        case 'b':
            p = va_arg(args, const char *);
            code = bind_bytes(statement, i, type, p, va_arg(args, size_t), life);
            break;
        default: assert(!"a letter that db.h does not know");
        }
    }
    return code;
}

static enum rc run(struct work *w, enum sql sql, const char *format, va_list args)
{
    struct db *db = db_of(w, sql);
    sqlite3_stmt *statement;
    enum rc rc = lend(&w->err, db, sql, &statement);
    int code;

    if (rc)
        return rc;
    code = bind(statement, format, args, SQLITE_STATIC);
    if (!code) {
        errno = 0;
        code = sqlite3_step(statement);
        assert(code != SQLITE_ROW); /* that would be a query */
        code = code == SQLITE_DONE ? SQLITE_OK : code;
    }
    if (code)
        rc = db_error(&w->err, db->handle, code, sql_name(sql));
    if ((code = give_back(db, sql, statement)) && !rc)
        rc = db_error(&w->err, db->handle, code, sql_name(sql));
    return rc;
}

enum rc db_run(struct work *w, enum sql sql, const char *format, ...)
{
    va_list args;
    enum rc rc;

    va_start(args, format);
    rc = run(w, sql, format, args);
    va_end(args);
    return rc;
}

enum rc db_change(struct work *w, enum sql sql, const char *format, ...)
{
    va_list args;
    enum rc rc;

    va_start(args, format);
    rc = run(w, sql, format, args);
    va_end(args);
    if (rc || sqlite3_changes(db_of(w, sql)->handle) != 0)
        return rc;
    (void)err_set(&w->err, RC_NOT_FOUND, "%s changed nothing", sql_name(sql));
    return err_inside(&w->err);
}

static enum rc query(struct work *w, enum sql sql, struct rows *out, const char *format,
                     va_list args)
{
    struct db *db = db_of(w, sql);
    sqlite3_stmt *statement = NULL;
    int code;

    *out = (struct rows){ .db = db, .sql = sql, .err = &w->err };
    if ((out->rc = lend(&w->err, db, sql, &statement)))
        return out->rc;
    if ((code = bind(statement, format, args, SQLITE_TRANSIENT))) {
        out->rc = db_error(&w->err, db->handle, code, sql_name(sql));
        give_back(db, sql, statement);
        return out->rc;
    }
    out->statement = statement;
    return RC_OK;
}

enum rc db_query(struct work *w, enum sql sql, struct rows *out, const char *format, ...)
{
    va_list args;
    enum rc rc;

    va_start(args, format);
    rc = query(w, sql, out, format, args);
    va_end(args);
    return rc;
}

enum rc db_one(struct work *w, enum sql sql, struct rows *out, const char *format, ...)
{
    va_list args;
    enum rc rc;

    va_start(args, format);
    rc = query(w, sql, out, format, args);
    va_end(args);
    if (rc || rows_next(out) || (rc = out->rc))
        return rc;
    (void)err_set(&w->err, RC_NOT_FOUND, "%s found nothing", sql_name(sql));
    return out->rc = err_inside(&w->err);
}

static void finish(struct rows *q)
{
    sqlite3_stmt *statement = q->statement;
    int code;

    if (!statement)
        return;
    q->statement = NULL;
    if ((code = give_back(q->db, q->sql, statement)) && !q->rc)
        q->rc = db_error(q->err, q->db->handle, code, sql_name(q->sql));
}

bool rows_next(struct rows *q)
{
    if (!q->statement || q->rc)
        return false;
    errno = 0;
    if (sqlite3_step(q->statement) == SQLITE_ROW)
        return true;
    finish(q);
    return false;
}

enum rc rows_done(struct rows *q)
{
    finish(q);
    return q->rc;
}

int64_t rows_int(const struct rows *q, int column)
{
    return sqlite3_column_int64(q->statement, column);
}

const char *rows_text(const struct rows *q, int column)
{
    return (const char *)sqlite3_column_text(q->statement, column);
}

const void *rows_blob(const struct rows *q, int column, size_t *n)
{
    const void *p = sqlite3_column_blob(q->statement, column);

    *n = (size_t)sqlite3_column_bytes(q->statement, column);
    return p;
}

bool rows_null(const struct rows *q, int column)
{
    return sqlite3_column_type(q->statement, column) == SQLITE_NULL;
}

char *rows_dup_text(struct work *w, const struct rows *q, int column)
{
    const char *text = rows_text(q, column);

    return text
               ? arena_strndup(w->mem, text, (size_t)sqlite3_column_bytes(q->statement, column))
               : NULL;
}

void *rows_dup_blob(struct work *w, const struct rows *q, int column, size_t *n)
{
    const void *p = rows_blob(q, column, n);

    return p ? arena_dup(w->mem, p, *n) : NULL;
}

void db_forget_queries(struct db *db)
{
    sqlite3_stmt *statement = NULL;

    for (int sql = 0; sql < SQL_COUNT; sql++) {
        if (!db->lent[sql])
            continue;
        LOG(LOG_ERROR, "query_left_open", L_STR("sql", sql_name(sql)));
        give_back(db, sql, db->cache[sql]);
    }
    while ((statement = sqlite3_next_stmt(db->handle, statement)))
        if (sqlite3_stmt_busy(statement))
            sqlite3_reset(statement);
}

void db_drop_statements(struct db *db)
{
    sqlite3_stmt *statement;

    for (int i = 0; i <= SQL_COUNT; i++)
        sqlite3_finalize(db->cache[i]);
    for (int i = 0; i < CONTROL_COUNT; i++)
        sqlite3_finalize(db->control[i]);
    /* Of queries that somebody left open. Where there is a full-text index, the engine has statements of its own, which go with the handle. */
    while (db->schema == DB_LIBRARY && db->handle &&
           (statement = sqlite3_next_stmt(db->handle, NULL)))
        sqlite3_finalize(statement);
}
