#include "tests/lib/all_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "server/store/db.h"

/* The sandbox itself, and what is written of every request. */
static bool is_of_requests(const char *table)
{
    static const char *const these[] = { "party_sandbox", "party_request",  "party_key",
                                         "audit",         "audit_head",     "audit_end",
                                         "idempotency",   "sqlite_sequence" };

    for (size_t i = 0; i < sizeof these / sizeof *these; i++)
        if (!strcmp(these[i], table))
            return true;
    return false;
}

static uint64_t sum_row(sqlite3_stmt *q)
{
    uint64_t h = 14695981039346656037u;

    for (int i = 0; i < sqlite3_column_count(q); i++) {
        const unsigned char *p = sqlite3_column_blob(q, i);

        for (int k = 0; k < sqlite3_column_bytes(q, i); k++)
            h = (h ^ p[k]) * 1099511628211u;
        h = (h ^ 0x1ff) * 1099511628211u;
    }
    return h;
}

static uint64_t sum_table(struct world *t, sqlite3 *db, const char *table)
{
    sqlite3_stmt *q;
    uint64_t sum = 0;

    assert_int_equal(sqlite3_prepare_v2(db, URL("SELECT * FROM \"%s\"", table), -1, &q, NULL),
                     SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW)
        sum += sum_row(q);
    sqlite3_finalize(q);
    return sum;
}

void all_rows_read(struct world *t, struct all_rows *out)
{
    struct stat st = { 0 };
    sqlite3_stmt *q;
    sqlite3 *db;

    out->n = 0;
    (void)stat(URL("%s/takedowns", world_dir(t)), &st);
    out->journal = st.st_size;
    assert_int_equal(sqlite3_open(URL("%s/" DB_NAME, world_dir(t)), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT name FROM sqlite_master WHERE type = 'table' "
                                        "ORDER BY name",
                                        -1, &q, NULL),
                     SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(q, 0);

        if (is_of_requests(name))
            continue;
        assert_true(out->n < ALL_ROWS_TABLES && strlen(name) < sizeof out->name[0]);
        strcpy(out->name[out->n], name);
        out->sum[out->n++] = sum_table(t, db, name);
    }
    sqlite3_finalize(q);
    sqlite3_close(db);
}

/* The first table that is not as it was; NULL: none. */
const char *all_rows_changed(struct world *t, const struct all_rows *before)
{
    static struct all_rows now;

    all_rows_read(t, &now);
    assert_int_equal(now.n, before->n);
    for (int i = 0; i < now.n; i++)
        if (now.sum[i] != before->sum[i])
            return now.name[i];
    return now.journal == before->journal ? NULL : "the journal of takedowns";
}
