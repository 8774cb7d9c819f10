/*
 * store.c - one SQLite file: opening it, bringing it to this version, and its statements.
 *
 * WAL, so that readers go on reading the last verified state while a sync writes the next one.
 * synchronous=NORMAL: a power cut may take the last commits but never tears the file, and what
 * it takes is fetched again. secure_delete is on, because what was withdrawn should be gone
 * from the flash as well; for the same reason a sync leaves SQLite's log empty. All SQL stands
 * in store.def and schema.c.
 */
#include "clients/c/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUSY_MS = 10000,
    FORGET_MS = 200,
    APPLICATION = 0x746a7a77 /* "tjzw": marks the file as one of ours */
};

static const char *const sql[] = {
#define STMT(name, text) [STMT_##name] = text,
#include "clients/c/store.def"
#undef STMT
};

/* ---- statements ---- */

bool store_is_full(struct tjzw *t)
{
    int code = sqlite3_errcode(t->db) & 0xff, why = sqlite3_system_errno(t->db);

    return code == SQLITE_FULL ||
           (code == SQLITE_IOERR && (why == ENOSPC || why == EDQUOT || why == EFBIG));
}

enum tjzw_code store_error(struct tjzw *t, struct tjzw_error *e)
{
    return fail_with(e, store_is_full(t) ? TJZW_FULL : TJZW_STORE, "%s: %s", t->path,
                     sqlite3_errmsg(t->db));
}

sqlite3_stmt *store_stmt(struct tjzw *t, enum stmt which, struct tjzw_error *e)
{
    if (!t->stmts[which] && sqlite3_prepare_v3(t->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                               &t->stmts[which], NULL)) {
        (void)store_error(t, e);
        return NULL;
    }
    return t->stmts[which];
}

void store_reset(sqlite3_stmt *s)
{
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
}

enum tjzw_code store_run(struct tjzw *t, sqlite3_stmt *s, struct tjzw_error *e)
{
    int code = sqlite3_step(s);
    enum tjzw_code rc = TJZW_OK;

    if (code != SQLITE_DONE && code != SQLITE_ROW)
        rc = store_error(t, e);
    store_reset(s);
    return rc;
}

static enum tjzw_code store_exec(struct tjzw *t, const char *text, struct tjzw_error *e)
{
    return sqlite3_exec(t->db, text, NULL, NULL, NULL) ? store_error(t, e) : TJZW_OK;
}

/* ---- opening ---- */

static enum tjzw_code pragma_int(struct tjzw *t, const char *text, int *out,
                                 struct tjzw_error *e)
{
    sqlite3_stmt *s;

    if (sqlite3_prepare_v2(t->db, text, -1, &s, NULL))
        return store_error(t, e);
    if (sqlite3_step(s) != SQLITE_ROW) {
        sqlite3_finalize(s);
        return store_error(t, e);
    }
    *out = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return TJZW_OK;
}

/* Runs in one transaction, so that two processes that open a new store at once do not both fill
 * it. */
static enum tjzw_code migrate_in(struct tjzw *t, struct tjzw_error *e)
{
    int version, application;
    enum tjzw_code rc;
    char text[64];

    if ((rc = pragma_int(t, "PRAGMA user_version", &version, e)) ||
        (rc = pragma_int(t, "PRAGMA application_id", &application, e)))
        return rc;
    if (version > 0 && application != APPLICATION)
        return fail_with(e, TJZW_STORE, "%s is a database of another program", t->path);
    if (version > store_schema_version)
        return fail_with(e, TJZW_NEWER_STORE, "%s has version %d, this library knows %d",
                         t->path, version, store_schema_version);
    for (; version < store_schema_version; version++)
        if ((rc = store_exec(t, store_schema[version], e)))
            return rc;
    snprintf(text, sizeof text, "PRAGMA user_version=%d; PRAGMA application_id=%d", version,
             APPLICATION);
    return store_exec(t, text, e);
}

static enum tjzw_code migrate(struct tjzw *t, struct tjzw_error *e)
{
    int version = 0, application = 0;
    enum tjzw_code rc;

    if ((rc = pragma_int(t, "PRAGMA user_version", &version, e)) ||
        (rc = pragma_int(t, "PRAGMA application_id", &application, e)))
        return rc;
    if (version == store_schema_version && application == APPLICATION)
        return TJZW_OK; /* the usual case takes no write lock */
    if ((rc = store_exec(t, "BEGIN IMMEDIATE", e)))
        return rc;
    if (!(rc = migrate_in(t, e)))
        rc = store_exec(t, "COMMIT", e);
    if (rc)
        sqlite3_exec(t->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* While another process makes the same new store, SQLite says at once that it is busy, whatever the timeout. */
static enum tjzw_code enter_wal(struct tjzw *t, struct tjzw_error *e)
{
    enum { STEP_MS = 10 };

    for (int ms = 0; ms < BUSY_MS; ms += STEP_MS) {
        if (!sqlite3_exec(t->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL))
            return TJZW_OK;
        if ((sqlite3_errcode(t->db) & 0xff) != SQLITE_BUSY)
            break;
        sqlite3_sleep(STEP_MS);
    }
    return store_error(t, e);
}

/* A person's words and tokens are in it: nobody else's to read. What SQLite lays beside it has its mode. */
static void make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return; /* SQLite will say why */
    (void)!fchmod(fd, 0600);
    close(fd);
}

enum tjzw_code store_open(const char *path, struct tjzw *t, struct tjzw_error *e)
{
    enum tjzw_code rc;

    t->path = strdup(path);
    if (!t->path)
        abort();
    make_private(path);
    if (sqlite3_open_v2(path, &t->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL))
        return store_error(t, e);
    sqlite3_extended_result_codes(t->db, 1);
    sqlite3_busy_timeout(t->db, BUSY_MS);
    if ((rc = enter_wal(t, e)) ||
        (rc = store_exec(t,
                         "PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;"
                         "PRAGMA journal_size_limit=1048576; PRAGMA cache_size=-4096",
                         e)) ||
        (rc = migrate(t, e)))
        return rc;
    return store_exec(
        t, "CREATE TEMP TABLE touched (born INTEGER PRIMARY KEY, leaf BLOB NOT NULL)", e);
}

void store_close(struct tjzw *t)
{
    for (size_t i = 0; i < STMTS; i++)
        sqlite3_finalize(t->stmts[i]);
    sqlite3_close(t->db);
    free(t->path);
}

/* A reader in the middle of something holds it up; then the next sync tries again. */
void store_forget_log(struct tjzw *t)
{
    sqlite3_busy_timeout(t->db, FORGET_MS);
    (void)sqlite3_wal_checkpoint_v2(t->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(t->db, BUSY_MS);
}

enum tjzw_code store_lock(const struct tjzw *t, int *fd, struct tjzw_error *e)
{
    char path[4096];

    snprintf(path, sizeof path, "%s-sync", t->path);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return fail_with(e, TJZW_STORE, "open %s: %s", path, strerror(errno));
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return TJZW_OK;
    close(*fd);
    *fd = -1;
    return fail_with(e, TJZW_LOCKED, "%s is locked", path);
}

/* ---- streams ---- */

struct asked **stream_asked(struct tjzw *t, const char *name)
{
    struct asked **a = &t->asked;

    while (*a && strcmp((*a)->s.name, name) != 0)
        a = &(*a)->next;
    return *a ? a : NULL;
}

static void lay_over(struct stream *s)
{
    struct asked **a = stream_asked(s->t, s->name);

    if (!a)
        return;
    memcpy(s->url, (*a)->s.url, sizeof s->url);
    memcpy(s->cacert, (*a)->s.cacert, sizeof s->cacert);
    memcpy(s->trust, (*a)->s.trust, sizeof s->trust);
    s->has_trust = (*a)->s.has_trust;
}

static void column_text(sqlite3_stmt *s, int column, char *out, size_t room)
{
    const char *text = (const char *)sqlite3_column_text(s, column);

    snprintf(out, room, "%s", text ? text : "");
}

/* Steps a statement that gives a stream's row, or none. */
static enum tjzw_code stream_row(struct tjzw *t, sqlite3_stmt *s, struct stream *out,
                                 struct tjzw_error *e)
{
    int code = sqlite3_step(s);
    enum tjzw_code rc = TJZW_OK;

    *out = (struct stream){ .t = t };
    if (code == SQLITE_ROW) {
        out->no = sqlite3_column_int64(s, 0);
        column_text(s, 1, out->name, sizeof out->name);
        column_text(s, 2, out->url, sizeof out->url);
        column_text(s, 3, out->cacert, sizeof out->cacert);
        out->has_trust = sqlite3_column_bytes(s, 4) == VERIFY_ED25519;
        if (out->has_trust)
            memcpy(out->trust, sqlite3_column_blob(s, 4), VERIFY_ED25519);
        out->checked = sqlite3_column_int64(s, 5);
        out->damaged = sqlite3_column_int(s, 6);
        out->wanted = (uint64_t)sqlite3_column_int64(s, 7);
        out->horizon = (uint64_t)sqlite3_column_int64(s, 8);
        out->poll = (uint32_t)sqlite3_column_int64(s, 9);
        out->tried = sqlite3_column_int64(s, 10);
        out->failures = (uint32_t)sqlite3_column_int64(s, 11);
        lay_over(out);
    } else if (code != SQLITE_DONE) {
        rc = store_error(t, e);
    }
    store_reset(s);
    return rc;
}

enum tjzw_code stream_find(struct tjzw *t, const char *name, struct stream *out,
                           struct tjzw_error *e)
{
    sqlite3_stmt *s = store_stmt(t, STMT_STREAM_FIND, e);
    struct asked **asked;
    enum tjzw_code rc;

    if (!s)
        return TJZW_STORE;
    name = name ? name : "main";
    sqlite3_bind_text(s, 1, name, -1, SQLITE_TRANSIENT);
    if ((rc = stream_row(t, s, out, e)))
        return rc;
    if (out->no == 0 && !(asked = stream_asked(t, name)))
        return fail_with(e, TJZW_NOT_FOUND, "stream %s is not followed", name);
    if (out->no == 0)
        *out = (*asked)->s;
    return TJZW_OK;
}

enum tjzw_code stream_next(struct tjzw *t, int64_t after, struct stream *out,
                           struct tjzw_error *e)
{
    sqlite3_stmt *s = store_stmt(t, STMT_STREAM_NEXT, e);

    if (!s)
        return TJZW_STORE;
    sqlite3_bind_int64(s, 1, after);
    return stream_row(t, s, out, e);
}

enum tjzw_code stream_head(struct stream *s, struct wire_head *out, char *note, size_t *n,
                           struct wire_note *signatures, struct tjzw_error *e)
{
    struct follow_store store = stream_store(s);
    struct sync_err why;

    *out = (struct wire_head){ 0 };
    if (store.get(s, &why, FOLLOW_HEAD, note, WIRE_HEAD_MAX, n))
        return fail_sync(e, &why);
    if (*n > 0 && wire_head_parse(&why, note, *n, out, signatures))
        return fail_with(e, TJZW_DAMAGED, "%s", why.text);
    return TJZW_OK;
}

uint64_t store_signed(struct tjzw *t)
{
    struct wire_note signatures;
    struct wire_head head;
    char note[WIRE_HEAD_MAX];
    struct stream s = { 0 };
    uint64_t newest = 0;
    size_t n;

    while (!stream_next(t, s.no, &s, NULL) && s.no)
        if (!stream_head(&s, &head, note, &n, &signatures, NULL) && head.time > newest)
            newest = head.time;
    return newest;
}

uint64_t store_clock(struct tjzw *t)
{
    int64_t now = t->clock();
    uint64_t newest = store_signed(t);

    return now > 0 && (uint64_t)now > newest ? (uint64_t)now : newest;
}
