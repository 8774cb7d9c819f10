/*
 * statements.c - every named statement of server/store/sql, looked at once.
 *
 *     statements          TAP: each prepares on SQLite and reads by an index, or says why it
 *                         does not
 *     statements --pg     prints each of the library's as one line "PREPARE name AS text;" for postgres_test.py
 *
 * What counts as a full scan is a line "SCAN table ..." of EXPLAIN QUERY PLAN, with or without
 * an index: both read every row. A statement that gives a reason (`-- scan:`) and reads by an
 * index all the same is an error too: the reason is stale.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "server/store/db_sqlite.h"
#include "server/store/derived_gen.h"
#include "server/store/schema_gen.h"

/* "SCAN x" of something that the statement made itself: a constant row, a subquery in braces, a
 * materialized one. */
static bool is_table_scan(const char *detail, const char *made)
{
    char name[128], word[130];

    if (sscanf(detail, "SCAN %127s", name) != 1 || *name == '(' ||
        strstr(detail, "SCAN CONSTANT ROW"))
        return false;
    snprintf(word, sizeof word, " %s ", name);
    return !strstr(made, word);
}

/* The first line of the plan that reads a whole table, "" if none does. */
static int find_scan(sqlite3_stmt *plan, char *out, size_t out_n)
{
    char made[1024] = " ";
    int code;

    *out = '\0';
    while ((code = sqlite3_step(plan)) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(plan, 3);
        char name[128];

        if (sscanf(detail, "MATERIALIZE %127s", name) == 1 ||
            sscanf(detail, "CO-ROUTINE %127s", name) == 1) {
            strncat(made, name, sizeof made - strlen(made) - 2);
            strcat(made, " ");
        }
        if (!*out && is_table_scan(detail, made))
            snprintf(out, out_n, "%s", detail);
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* What is wrong with the statement, "" if nothing is. */
static void inspect(sqlite3 *db, enum sql sql, char *out, size_t out_n)
{
    char query[16384], scan[256] = "";
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, sql_text(sql), -1, &statement, NULL);

    sqlite3_finalize(statement);
    *out = '\0';
    if (!code) {
        snprintf(query, sizeof query, "EXPLAIN QUERY PLAN %s", sql_text(sql));
        code = sqlite3_prepare_v2(db, query, -1, &statement, NULL);
    }
    if (!code) {
        code = find_scan(statement, scan, sizeof scan);
        sqlite3_finalize(statement);
    }
    if (code)
        snprintf(out, out_n, "%s", sqlite3_errmsg(db));
    else if (*scan && !sql_scan_reason(sql))
        snprintf(out, out_n, "reads a whole table: %s", scan);
    else if (!*scan && sql_scan_reason(sql))
        snprintf(out, out_n, "reads by an index: its '-- scan:' is stale");
}

static int print_for_postgres(void)
{
    for (int sql = 0; sql < SQL_COUNT; sql++)
        if (sql_schema(sql) == DB_LIBRARY)
            printf("PREPARE %s AS %s;\n", sql_name(sql), sql_pg_text(sql));
    return 0;
}

/* NULL, and the reason said, if the schema's scripts do not run. */
static sqlite3 *make(const struct embed *scripts)
{
    sqlite3 *db;

    if (sqlite3_open(":memory:", &db) || db_define(db))
        return NULL;
    for (const struct embed *s = scripts; s->name; s++)
        if (sqlite3_exec(db, s->bytes, NULL, NULL, NULL)) {
            printf("Bail out! %s: %s\n", s->name, sqlite3_errmsg(db));
            sqlite3_close(db);
            return NULL;
        }
    return db;
}

int main(int argc, char **argv)
{
    sqlite3 *db[2];
    int failures = 0;

    if (argc > 1 && !strcmp(argv[1], "--pg"))
        return print_for_postgres();
    db[DB_LIBRARY] = make(embed_schema);
    db[DB_DERIVED] = make(embed_derived);
    if (!db[DB_LIBRARY] || !db[DB_DERIVED])
        return 1;
    printf("1..%d\n", SQL_COUNT);
    for (int sql = 0; sql < SQL_COUNT; sql++) {
        char why[512];

        inspect(db[sql_schema(sql)], sql, why, sizeof why);
        printf("%s %d - %s%s%s\n", *why ? "not ok" : "ok", sql + 1, sql_name(sql),
               *why ? ": " : "", why);
        failures += *why != '\0';
    }
    sqlite3_close(db[DB_LIBRARY]);
    sqlite3_close(db[DB_DERIVED]);
    return failures != 0;
}
