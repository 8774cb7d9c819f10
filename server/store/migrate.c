/*
 * migrate.c - brings a database file to the schema this program knows.
 *
 *     PRAGMA user_version     0 (a new file) .. N, the version of its schema
 *     PRAGMA application_id   0x746a7a77, "tjzw": no other program's database is touched
 *
 * derived.db is never changed: its user_version is a hash of the script that made it, its application_id 0x746a7a64.
 *
 * schema/sqlite/0001.sql makes version 1 of nothing, 0002.sql version 2 of version 1, and so
 * on; a file once released never changes. All that is missing is run in one transaction, so a
 * crash leaves the old version whole. Before an existing database is changed, a copy of it is
 * put beside it as FILE.before-N, N being the version it is about to get: to go back, stop the
 * server, put that file in the place of the database (its -wal and -shm files away), and start
 * the older program.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/store/db_sqlite.h"

static const int application_ids[] = { [DB_LIBRARY] = 0x746a7a77, [DB_DERIVED] = 0x746a7a64 };

static int newest_of(const struct embed *schema)
{
    int n = 0;

    while (schema[n].name)
        n++;
    return n;
}

enum rc migrate_version(struct err *e, struct db *db, const char *path, int *out)
{
    int64_t application, version, tables;
    enum rc rc;

    if ((rc = db_number(e, db->handle, "PRAGMA application_id", &application)) ||
        (rc = db_number(e, db->handle, "PRAGMA user_version", &version)) ||
        (rc = db_number(e, db->handle, "SELECT count(*) FROM sqlite_schema", &tables)))
        return rc;
    if (application != application_ids[db->schema] && (application || version || tables))
        return err_set(e, RC_CORRUPT,
                       "%s is a database of another program: choose another data directory",
                       path);
    *out = (int)version;
    return RC_OK;
}

static enum rc refuse_newer(struct err *e, const char *path, int version, int newest)
{
    return err_set(e, RC_CONFLICT,
                   "%s has schema version %d and this tjzw knows only up to %d: install the "
                   "newer tjzw that "
                   "wrote it, or restore a backup made before the upgrade",
                   path, version, newest);
}

enum rc migrate_check(struct err *e, struct db *db, const char *path,
                      const struct embed *schema)
{
    int version, newest = newest_of(schema);
    enum rc rc;

    if ((rc = migrate_version(e, db, path, &version)))
        return rc;
    if (version > newest)
        return refuse_newer(e, path, version, newest);
    if (version < newest)
        return err_set(
            e, RC_CONFLICT,
            "%s has schema version %d and this tjzw needs %d: start the server once, it "
            "migrates the database",
            path, version, newest);
    return RC_OK;
}

static enum rc keep_copy(struct err *e, struct db *db, const char *path, int newest)
{
    char buf[PATH_MAX];
    const char *copy = buf;
    enum rc rc;

    if (snprintf(buf, sizeof buf, "%s.before-%d", path, newest) >= (int)sizeof buf)
        return err_set(e, RC_INVALID, "the path %.100s... is too long", path);
    /* One that is there already is of an attempt that failed or was undone, and the database
     * has lived on since. */
    unlink(copy);
    if ((rc = db_backup(e, db, copy, NULL, NULL)))
        return rc;
    LOG(LOG_INFO, "schema_backup", L_STR("file", copy));
    return RC_OK;
}

static enum rc put_seal(struct err *e, struct db *db, int version)
{
    char seal[96];

    snprintf(seal, sizeof seal, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
             application_ids[db->schema], version);
    return db_script(e, db->handle, "set the schema version", seal);
}

static enum rc run_scripts(struct err *e, struct db *db, const struct embed *schema,
                           int version, int newest)
{
    enum rc rc;

    for (int i = version; i < newest; i++)
        if ((rc = db_script(e, db->handle, schema[i].name, schema[i].bytes)))
            return rc;
    return put_seal(e, db, newest);
}

enum rc migrate(struct err *e, struct db *db, const char *path, const struct embed *schema)
{
    int version, newest = newest_of(schema);
    struct work w = { .db = db };
    enum rc rc;

    if ((rc = migrate_version(e, db, path, &version)))
        return rc;
    if (version > newest)
        return refuse_newer(e, path, version, newest);
    if (version == newest)
        return RC_OK;
    if (version > 0 && (rc = keep_copy(e, db, path, newest)))
        return rc;
    if ((rc = db_begin(&w)) || (rc = run_scripts(&w.err, db, schema, version, newest)) ||
        (rc = db_commit(&w))) {
        db_rollback(db);
        *e = w.err;
        return rc;
    }
    LOG(LOG_INFO, "schema_migrated", L_INT("from", version), L_INT("to", newest));
    return RC_OK;
}

/* FNV-1a of the script, positive and never 0. */
static int script_version(const char *text)
{
    uint32_t h = 2166136261;

    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 16777619;
    return (int)(h >> 1 | 1);
}

enum rc migrate_derived(struct err *e, struct db *db, const char *path,
                        const struct embed *script)
{
    int version, newest = script_version(script->bytes);
    struct work w = { .db = db };
    enum rc rc;

    if ((rc = migrate_version(e, db, path, &version)) || version == newest)
        return rc;
    if (version || db->mode != DB_WRITE)
        return err_set(e, RC_CONFLICT, "%s was made by another tjzw", path);
    if ((rc = db_begin(&w)) ||
        (rc = db_script(&w.err, db->handle, script->name, script->bytes)) ||
        (rc = put_seal(&w.err, db, newest)) || (rc = db_commit(&w))) {
        db_rollback(db);
        *e = w.err;
    }
    return rc;
}
