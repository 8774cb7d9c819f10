/*
 * backup.c - a data directory put away while it is in use.
 *
 *     1. the database, by SQLite's backup of one snapshot; what comes later is not in it
 *     2. every other file: keys are copied, blobs (which never change) linked where possible.
 *        They are read after the database, so what it speaks of is there
 *     3. everything is on the disk (syncfs), then read back: hashes, and the database's own
 *        check
 *     4. the keys are still what they were when they were copied: they belong together
 *     5. MANIFEST (manifest.h), last
 *
 * Not copied: objects (made anew from the log), mirror (bodies of other servers, which come and go
 * all the time, and are fetched again), alerts and last-backup (they are the server's that runs), epoch, takedowns, erased, audit-heads and audit-mark (they tell
 * what came after: see restore.c), lock, sockets, and what is being written just now.
 */
#include "server/store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/store/db.h"
#include "server/store/manifest.h"

struct job {
    struct err *e;
    const char *data, *to;
    struct manifest m;
};

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), k = strlen(suffix);

    return n >= k && !strcmp(name + n - k, suffix);
}

/* `path` is relative to the data directory. */
static bool left_out(const char *path)
{
    static const char *const names[] = { "objects",        "mirror",         "epoch",
                                         TAKEDOWNS_NAME,   "lock",           ALERTS_NAME,
                                         LAST_BACKUP_NAME, AUDIT_HEADS_NAME, AUDIT_MARK_NAME,
                                         ERASED_NAME };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(path, names[i]))
            return true;
    return !strncmp(path, DB_NAME, sizeof DB_NAME - 1) ||
           !strncmp(path, DB_DERIVED_NAME, sizeof DB_DERIVED_NAME - 1) ||
           ends_with(path, ".tmp") || ends_with(path, ".part");
}

static enum rc add_tree(struct job *j, const char *path);

static enum rc add_one(struct job *j, const char *path)
{
    bool immutable = !strncmp(path, "blobs/", 6) || !strncmp(path, "letters/blobs/", 14);
    char full[PATH_MAX];
    struct stat st;
    enum rc rc;

    if (left_out(path))
        return RC_OK;
    snprintf(full, sizeof full, "%s/%s", j->data, path);
    if (lstat(full, &st))
        return errno == ENOENT ? RC_OK : err_errno(j->e, "look at %s", full);
    if (S_ISDIR(st.st_mode))
        return add_tree(j, path);
    if (!S_ISREG(st.st_mode))
        return RC_OK;
    if (!manifest_path_ok(path))
        return err_set(j->e, RC_INVALID,
                       "the data directory holds a file with a control character in its name");
    rc = (immutable ? manifest_link : manifest_copy)(j->e, j->data, j->to,
                                                     manifest_add(&j->m, path));
    /* Removed since we saw it: a takedown, which is meant to be thorough. */
    return rc == RC_NOT_FOUND
               ? err_set(j->e, RC_CONFLICT, "%s went away meanwhile: try again", path)
               : rc;
}

/* The files below `path`, "" for all. */
static enum rc add_tree(struct job *j, const char *path)
{
    struct dirent **names;
    char full[PATH_MAX];
    enum rc rc = RC_OK;
    int n;

    if (snprintf(full, sizeof full, "%s/%s", j->data, path) >= (int)sizeof full)
        return err_set(j->e, RC_INVALID, "the path %.100s... is too long", full);
    if ((n = scandir(full, &names, NULL, alphasort)) < 0)
        return err_errno(j->e, "open directory %s", full);
    for (int i = 0; i < n; i++) {
        const char *name = names[i]->d_name;

        if (!rc && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            rc = add_one(j, *path ? arena_printf(j->m.mem, "%s/%s", path, name) : name);
        free(names[i]);
    }
    free(names);
    return rc;
}

static enum rc add_database(struct job *j, void (*progress)(void *, int, int), void *arg)
{
    char path[PATH_MAX], copy[PATH_MAX];
    struct db *db;
    enum rc rc;

    snprintf(path, sizeof path, "%s/" DB_NAME, j->data);
    snprintf(copy, sizeof copy, "%s/" DB_NAME, j->to);
    if ((rc = db_open(j->e, path, DB_READ, &db)))
        return rc;
    j->m.schema = db_schema_version(db);
    rc = db_backup(j->e, db, copy, progress, arg);
    db_close(db);
    if (!rc)
        rc = chmod(copy, 0600) ? err_errno(j->e, "chmod %s", copy) : RC_OK;
    if (!rc)
        rc = manifest_hash(j->e, j->to, manifest_add(&j->m, DB_NAME));
    return rc;
}

static enum rc check_empty(struct err *e, const char *to)
{
    DIR *dir = opendir(to);
    int names = 0;

    if (!dir)
        return err_errno(e, "open directory %s", to);
    while (names < 3 && readdir(dir)) /* "." and ".." are two */
        names++;
    closedir(dir);
    return names < 3 ? RC_OK
                     : err_set(e, RC_CONFLICT, "%s is not empty: name a new directory", to);
}

/* An empty directory that is not in the one we are about to walk. */
static enum rc make_target(struct err *e, const char *data, const char *to)
{
    char real_data[PATH_MAX], real_to[PATH_MAX];
    size_t n;
    enum rc rc;

    if (!realpath(data, real_data))
        return err_errno(e, "find %s", data);
    if ((rc = fs_mkdirs(e, to, 0700)))
        return rc;
    if (!realpath(to, real_to))
        return err_errno(e, "find %s", to);
    n = strlen(real_data);
    if (!strncmp(real_to, real_data, n) && (real_to[n] == '/' || !real_to[n])) {
        rmdir(to); /* unless it holds something */
        return err_set(
            e, RC_INVALID,
            "%s lies in the data directory: put backups elsewhere, best on another disk", to);
    }
    return check_empty(e, to);
}

static enum rc verify_all(struct err *e, const char *dir, const struct manifest *m)
{
    char path[PATH_MAX];
    enum rc rc;

    for (const struct manifest_file *f = m->first; f; f = f->next)
        if ((rc = manifest_verify(e, dir, f)))
            return rc;
    snprintf(path, sizeof path, "%s/" DB_NAME, dir);
    return db_check_file(e, path);
}

/* Keys and their chain belong together: all of them must be what they were when they were copied. */
static enum rc check_keys(struct job *j)
{
    for (const struct manifest_file *f = j->m.first; f; f = f->next)
        if (!strncmp(f->path, "keys/", 5) && manifest_verify(j->e, j->data, f))
            return err_set(j->e, RC_CONFLICT, "%s changed while the backup was made", f->path);
    return RC_OK;
}

static enum rc fill(struct job *j, const char *manifest, void (*progress)(void *, int, int),
                    void *arg)
{
    struct buf text = BUF_IN(j->m.mem);
    enum rc rc;

    if ((rc = add_database(j, progress, arg)) || (rc = add_tree(j, "")) ||
        (rc = manifest_sync(j->e, j->to)) || (rc = verify_all(j->e, j->to, &j->m)) ||
        (rc = check_keys(j)))
        return rc;
    manifest_print(&j->m, &text);
    return fs_write(j->e, manifest, text.p, text.n, 0600);
}

/* It is a backup without that, too. */
static void remember(const char *data, int64_t time)
{
    char path[PATH_MAX], text[CLOCK_TEXT];
    struct err e;

    clock_text(time, text);
    snprintf(path, sizeof path, "%s/" LAST_BACKUP_NAME, data);
    if (fs_write(&e, path, text, strlen(text), 0644))
        LOG(LOG_WARN, "backup_not_remembered", L_STR("why", e.text));
}

enum rc backup_last(struct err *e, const char *data, int64_t *out)
{
    struct arena *mem = arena_new();
    char *text;
    size_t n;
    enum rc rc;

    if (!(rc = fs_read(e, mem, arena_printf(mem, "%s/" LAST_BACKUP_NAME, data), CLOCK_TEXT,
                       &text, &n)) &&
        clock_parse(text, n, out))
        rc = err_set(e, RC_INVALID, "%s/" LAST_BACKUP_NAME " holds no time", data);
    arena_free(mem);
    return rc;
}

enum rc backup_make(struct err *e, const char *data, const char *to,
                    void (*progress)(void *, int, int), void *arg)
{
    struct job j = { .e = e, .data = data, .to = to };
    char path[PATH_MAX];
    struct err ignored;
    enum rc rc;

    if (snprintf(path, sizeof path, "%s/" MANIFEST_NAME, to) >= (int)sizeof path)
        return err_set(e, RC_INVALID, "the path %.100s... is too long", to);
    if ((rc = make_target(e, data, to)))
        return rc;
    manifest_init(&j.m, arena_new());
    j.m.time = clock_now();
    rc = fill(&j, path, progress, arg);
    if (rc && manifest_remove(&ignored, to))
        LOG(LOG_WARN, "backup_left_behind", L_STR("directory", to));
    if (!rc)
        remember(data, j.m.time);
    arena_free(j.m.mem);
    return rc;
}

enum rc backup_check(struct err *e, const char *from)
{
    struct arena *mem = arena_new();
    struct manifest m;
    enum rc rc;

    if (!(rc = manifest_read(e, mem, from, &m)))
        rc = verify_all(e, from, &m);
    arena_free(mem);
    return rc;
}
