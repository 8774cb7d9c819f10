/*
 * db_sqlite.c - the SQL seam on SQLite 3.40: connections, transactions, errors, services.
 *
 *     DB_WRITE   one a process, the writer's: WAL, synchronous=FULL, so a COMMIT that returned
 *                is on the disk
 *     DB_READ    one a thread: read only, sees the last COMMIT, neither waits for the writer
 *                nor makes it wait
 *     derived.db has a writer of its own, with synchronous=NORMAL: after a power cut it is what it
 *                was some COMMITs before, and goes on from there
 *
 * Settings, and why (measured with a record of 2-10 KB, its change and its leaf a row, groups
 * of 100, 2 shared cores):
 *
 *     page_size 4096      35,000 items/s and 7.0 KB an item; with 8192 37,000 items/s, but
 *                         7.7 KB, and twice the WAL for a small change
 *     secure_delete ON    what is deleted is overwritten with zeros: drafts and, later,
 *                         citizens' data do not linger in free pages. Inserts pay nothing that
 *                         can be measured (37,000 against 38,600 items/s)
 *     cache_size          8 MB for the writer, 2 MB a reader: 16 MB with four readers. The
 *                         system's page cache does the rest
 *     wal_autocheckpoint  every 16 MB; after a burst the file is cut back to 64 MB
 *     mmap_size 0         a random record takes 5 us, mapped 3.5; but a failing disk must be
 *                         an error (RC_IO), and on mapped pages it is a SIGBUS
 *
 * DEFENSIVE, trusted_schema OFF, no extensions and no double-quoted strings: a file that was
 * tampered with runs nothing. busy_timeout stands before the first statement: connections
 * that open together after a crash race for the recovery of the WAL.
 *
 * Not here: statements and rows (rows.c), schema versions (migrate.c), who may write when
 * (writer.c).
 */
#include "server/store/db_sqlite.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/fs.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/store/derived_gen.h"
#include "server/store/schema_gen.h"

enum {
    BUSY_TIMEOUT_MS = 5000,
    BACKUP_STEP = 256, /* pages between two calls of progress() */
};

const int db_schema_newest = sizeof embed_schema / sizeof embed_schema[0] - 1;

static const struct {
    int code; /* extended codes first, then the primary code they belong to */
    enum rc rc;
} kinds[] = {
    { SQLITE_CONSTRAINT_UNIQUE, RC_CONFLICT },
    { SQLITE_CONSTRAINT_PRIMARYKEY, RC_CONFLICT },
    { SQLITE_CONSTRAINT_ROWID, RC_CONFLICT },
    { SQLITE_IOERR_WRITE, RC_UNWRITABLE },
    { SQLITE_IOERR_FSYNC, RC_UNWRITABLE },
    { SQLITE_IOERR_DIR_FSYNC, RC_UNWRITABLE },
    { SQLITE_IOERR_TRUNCATE, RC_UNWRITABLE },
    { SQLITE_FULL, RC_FULL },
    { SQLITE_IOERR, RC_IO },
    { SQLITE_CANTOPEN, RC_IO },
    { SQLITE_READONLY, RC_UNWRITABLE },
    { SQLITE_PERM, RC_FORBIDDEN },
    { SQLITE_AUTH, RC_FORBIDDEN },
    { SQLITE_CORRUPT, RC_CORRUPT },
    { SQLITE_NOTADB, RC_CORRUPT },
    { SQLITE_BUSY, RC_BUSY },
    { SQLITE_LOCKED, RC_BUSY },
    { SQLITE_TOOBIG, RC_TOO_LARGE },
};

static enum rc kind_of(int code, int os)
{
    /* EFBIG: the process's own limit on file sizes, a quota in another guise. */
    if ((code & 0xff) == SQLITE_IOERR && (os == ENOSPC || os == EDQUOT || os == EFBIG))
        return RC_FULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].code == code || kinds[i].code == (code & 0xff))
            return kinds[i].rc;
    return RC_INTERNAL;
}

enum rc db_error(struct err *e, sqlite3 *handle, int code, const char *what)
{
    bool disk = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    int os = disk ? errno : 0;

    (void)err_set(e, kind_of(code, os), "%s: %s%s%s", what,
                  handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code), os ? ": " : "",
                  os ? strerror(os) : "");
    return err_inside(e);
}

enum rc db_script(struct err *e, sqlite3 *handle, const char *what, const char *sql)
{
    int code;

    errno = 0;
    code = sqlite3_exec(handle, sql, NULL, NULL, NULL);
    return code ? db_error(e, handle, sqlite3_extended_errcode(handle), what) : RC_OK;
}

enum rc db_number(struct err *e, sqlite3 *handle, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);

    if (code)
        return db_error(e, handle, code, sql);
    errno = 0;
    code = sqlite3_step(statement);
    *out = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    code = sqlite3_finalize(statement);
    return code ? db_error(e, handle, code, sql) : RC_OK;
}

/* Why a path cannot be opened, in words that help: SQLite only says that it is unable to. */
static enum rc open_failed(struct err *e, const char *path, int code, sqlite3 *handle)
{
    int os = handle ? sqlite3_system_errno(handle) : 0;

    if ((code & 0xff) == SQLITE_CANTOPEN && os) {
        errno = os;
        return err_errno(e, "open database %s", path);
    }
    if ((code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT)
        return err_set(e, RC_CORRUPT,
                       "%s is no database or is damaged (%s): choose another data directory or "
                       "restore a backup",
                       path, sqlite3_errmsg(handle));
    return db_error(e, handle, code, path);
}

static enum rc configure(struct err *e, struct db *db, const char *path)
{
    /* The last one reads the file for the first time. */
    static const char *const shared =
        "PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; "
        "SELECT count(*) FROM sqlite_schema;";
    static const char *const of_mode[] = {
        [DB_READ] = "PRAGMA cache_size = -2048; PRAGMA query_only = ON;",
        /* The page size counts only before the first table, secure_delete before the first
           deletion. */
        [DB_WRITE] = "PRAGMA page_size = 4096; PRAGMA secure_delete = ON; PRAGMA journal_mode "
                     "= WAL; PRAGMA foreign_keys = ON; "
                     "PRAGMA synchronous = FULL; PRAGMA cache_size = -8192; "
                     "PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 67108864;",
    };
    static const char *const derived_writer =
        "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -2048;";
    enum rc rc;
    int version;

    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    if (db_script(e, db->handle, path, shared))
        return open_failed(e, path, sqlite3_extended_errcode(db->handle), db->handle);
    /* Before anything is set that changes the file. */
    if ((rc = migrate_version(e, db, path, &version)))
        return rc;
    rc = db_script(e, db->handle, path, of_mode[db->mode]);
    return rc || db->schema == DB_LIBRARY || db->mode == DB_READ
               ? rc
               : db_script(e, db->handle, path, derived_writer);
}

/* Nobody asks how much memory it has, and counting is a lock of all threads at each piece. Too late, where another part of a process had it first, is no harm. */
static void set_up_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* PostgreSQL's decode(text, 'hex'), which SQLite has from 3.41 on under another name. NULL: no hex digits. */
static void decode(sqlite3_context *c, int n, sqlite3_value **v)
{
    const char *text = (const char *)sqlite3_value_text(v[0]);
    uint8_t bytes[HASH_BYTES];
    size_t half = text ? (size_t)sqlite3_value_bytes(v[0]) / 2 : 0;

    (void)n;
    if (half && half <= sizeof bytes && hex_parse(text, 2 * half, bytes, half))
        sqlite3_result_blob(c, bytes, (int)half, SQLITE_TRANSIENT);
}

int db_define(sqlite3 *handle)
{
    return sqlite3_create_function(handle, "decode", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                   NULL, decode, NULL, NULL);
}

static enum rc bring_up(struct err *e, struct db *db, const char *path)
{
    if (db->schema == DB_DERIVED)
        return migrate_derived(e, db, path, embed_derived);
    return db->mode == DB_WRITE ? migrate(e, db, path, embed_schema)
                                : migrate_check(e, db, path, embed_schema);
}

static enum rc open_one(struct err *e, const char *path, enum db_schema schema,
                        enum db_mode mode, struct db **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int flags =
        mode == DB_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    struct db *db = calloc(1, sizeof *db);
    enum rc rc;
    int code;

    if (!db)
        memory_end();
    pthread_once(&once, set_up_library);
    db->mode = mode;
    db->schema = schema;
    code = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code || (code = db_define(db->handle)))
        rc = open_failed(e, path, code, db->handle);
    else if (!(rc = configure(e, db, path)))
        rc = bring_up(e, db, path);
    if (rc) {
        db_close(db);
        return rc;
    }
    *out = db;
    return RC_OK;
}

enum rc db_open(struct err *e, const char *path, enum db_mode mode, struct db **out)
{
    return open_one(e, path, DB_LIBRARY, mode, out);
}

enum rc db_open_derived(struct err *e, const char *path, enum db_mode mode, struct db **out)
{
    return open_one(e, path, DB_DERIVED, mode, out);
}

enum rc db_remove(struct err *e, const char *path)
{
    static const char *const behind[] = { "-wal", "-shm", "" };
    char name[PATH_MAX];

    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        snprintf(name, sizeof name, "%s%s", path, behind[i]);
        if (unlink(name) && errno != ENOENT)
            return err_errno(e, "remove %s", name);
    }
    return RC_OK;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    db_drop_statements(db);
    if (sqlite3_close(db->handle) != SQLITE_OK)
        LOG(LOG_ERROR, "db_close_failed", L_STR("why", sqlite3_errmsg(db->handle)));
    free(db);
}

static enum rc control(struct err *e, struct db *db, enum control which)
{
    static const struct {
        const char *name, *text;
    } texts[CONTROL_COUNT] = {
        [CONTROL_BEGIN_WRITE] = { "begin", "BEGIN IMMEDIATE" },
        [CONTROL_BEGIN_READ] = { "begin", "BEGIN" },
        [CONTROL_COMMIT] = { "commit", "COMMIT" },
        [CONTROL_ROLLBACK] = { "rollback", "ROLLBACK" },
        [CONTROL_SAVEPOINT] = { "savepoint",
                                "SAVEPOINT s" }, /* they nest: a name means the innermost */
        [CONTROL_RELEASE] = { "release", "RELEASE s" },
        [CONTROL_BACK] = { "back", "ROLLBACK TO s" },
    };
    sqlite3_stmt **statement = &db->control[which];
    int code;

    if (!*statement) {
        code = sqlite3_prepare_v3(db->handle, texts[which].text, -1, SQLITE_PREPARE_PERSISTENT,
                                  statement, NULL);
        if (code)
            return db_error(e, db->handle, code, texts[which].name);
    }
    errno = 0;
    sqlite3_step(*statement);
    code = sqlite3_reset(*statement);
    return code ? db_error(e, db->handle, code, texts[which].name) : RC_OK;
}

enum rc db_begin(struct work *w)
{
    return control(&w->err, w->db, CONTROL_BEGIN_WRITE);
}

enum rc db_commit(struct work *w)
{
    db_forget_queries(w->db);
    return control(&w->err, w->db, CONTROL_COMMIT);
}

void db_rollback(struct db *db)
{
    struct err ignored; /* SQLite has rolled back by itself if this fails */

    db_forget_queries(db);
    if (!sqlite3_get_autocommit(db->handle) && control(&ignored, db, CONTROL_ROLLBACK))
        LOG(LOG_ERROR, "rollback_failed", L_STR("why", ignored.text));
}

enum rc db_begin_read(struct work *w)
{
    return control(&w->err, w->db, CONTROL_BEGIN_READ);
}

void db_end_read(struct db *db)
{
    db_rollback(db);
}

enum rc db_savepoint(struct work *w)
{
    return control(&w->err, w->db, CONTROL_SAVEPOINT);
}

enum rc db_release(struct work *w)
{
    return control(&w->err, w->db, CONTROL_RELEASE);
}

enum rc db_back(struct work *w)
{
    enum rc rc = control(&w->err, w->db, CONTROL_BACK);

    return rc ? rc : control(&w->err, w->db, CONTROL_RELEASE);
}

bool db_in_transaction(struct db *db)
{
    return !sqlite3_get_autocommit(db->handle);
}

static int copy_pages(sqlite3 *from, sqlite3 *to, void (*progress)(void *, int, int), void *arg)
{
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
    int code;

    if (!copy)
        return sqlite3_extended_errcode(to);
    errno = 0;
    do {
        code = sqlite3_backup_step(copy, BACKUP_STEP);
        if (progress)
            progress(arg, sqlite3_backup_pagecount(copy) - sqlite3_backup_remaining(copy),
                     sqlite3_backup_pagecount(copy));
    } while (code == SQLITE_OK);
    sqlite3_backup_finish(copy);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Into `part`, which is gone again if anything fails. */
static enum rc backup_into(struct err *e, struct db *db, const char *part,
                           void (*progress)(void *, int, int), void *arg)
{
    sqlite3 *to = NULL;
    enum rc rc = RC_OK;
    int code;

    unlink(part);
    code = sqlite3_open_v2(
        part, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code)
        rc = open_failed(e, part, code, to);
    else if ((code = copy_pages(db->handle, to, progress, arg)))
        rc = db_error(e, sqlite3_errcode(to) ? to : NULL, code, part);
    sqlite3_close(to);
    if (rc)
        unlink(part);
    return rc;
}

enum rc db_backup(struct err *e, struct db *db, const char *to,
                  void (*progress)(void *, int done, int all), void *arg)
{
    bool own = sqlite3_get_autocommit(db->handle);
    char part[PATH_MAX];
    enum rc rc;
    int64_t ignored;

    if (snprintf(part, sizeof part, "%s.part", to) >= (int)sizeof part)
        return err_set(e, RC_INVALID, "the path %.100s... is too long", to);
    if (fs_exists(to))
        return err_set(e, RC_CONFLICT, "%s exists already", to);
    /* One snapshot for the whole copy: else every COMMIT of the writer would make the copy
     * start over. */
    if (own && (rc = control(e, db, CONTROL_BEGIN_READ)))
        return rc;
    rc = db_number(e, db->handle, "SELECT count(*) FROM sqlite_schema", &ignored);
    if (!rc)
        rc = backup_into(e, db, part, progress, arg);
    if (own)
        db_rollback(db);
    if (rc)
        return rc;
    if (rename(part, to) != 0) {
        unlink(part);
        return err_errno(e, "rename %s", part);
    }
    return fs_sync_dir(e, dirname(part));
}

enum rc db_check(struct err *e, struct db *db)
{
    sqlite3_stmt *statement;
    enum rc rc = RC_OK;
    int code =
        sqlite3_prepare_v2(db->handle, "PRAGMA integrity_check(1)", -1, &statement, NULL);

    if (code)
        return db_error(e, db->handle, code, "integrity_check");
    errno = 0;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const char *found = (const char *)sqlite3_column_text(statement, 0);

        if (!found || strcmp(found, "ok") != 0)
            rc = err_set(e, RC_CORRUPT, "the database is damaged: %s",
                         found ? found : "no reason given");
    }
    code = sqlite3_finalize(statement);
    return !rc && code ? db_error(e, db->handle, code, "integrity_check") : rc;
}

/* A path as SQLite's URI wants it. False if it does not fit. */
static bool file_uri(const char *path, const char *query, char *out, size_t out_n)
{
    static const char hex[] = "0123456789abcdef";
    size_t n = (size_t)snprintf(out, out_n, "file:");

    for (; *path && n + 4 < out_n; path++) {
        unsigned char c = (unsigned char)*path;

        if (c > ' ' && c < 0x7f && !strchr("%?#", c)) {
            out[n++] = (char)c;
        } else {
            out[n++] = '%';
            out[n++] = hex[c >> 4];
            out[n++] = hex[c & 15];
        }
    }
    return !*path && snprintf(out + n, out_n - n, "%s", query) < (int)(out_n - n);
}

enum rc db_check_file(struct err *e, const char *path)
{
    char uri[3 * PATH_MAX];
    struct db db = { .mode = DB_READ };
    enum rc rc;
    int code;

    /* immutable: no -wal or -shm file is looked for or made. */
    if (!file_uri(path, "?immutable=1", uri, sizeof uri))
        return err_set(e, RC_INVALID, "the path %.100s... is too long", path);
    code = sqlite3_open_v2(uri, &db.handle,
                           SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    rc = code ? open_failed(e, path, code, db.handle) : db_check(e, &db);
    sqlite3_close(db.handle);
    return rc;
}

bool db_forget_log(struct db *db)
{
    int code;

    sqlite3_busy_timeout(db->handle, 0);
    code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    return code == SQLITE_OK;
}

int db_schema_version(struct db *db)
{
    struct err ignored;
    int64_t version;

    return db_number(&ignored, db->handle, "PRAGMA user_version", &version) ? -1 : (int)version;
}
