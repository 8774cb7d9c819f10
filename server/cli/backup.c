/*
 * backup.c - `tjzw backup` and `tjzw restore`.
 */
#include "server/store/backup.h"

#include <stdio.h>
#include <unistd.h>

#include "server/app.h"
#include "server/base/fs.h"
#include "server/cli/commands.h"
#include "server/identity/audit.h"
#include "server/identity/audit_head.h"
#include "server/library/journal.h"
#include "server/lock.h"

static void show(void *arg, int done, int all)
{
    (void)arg;
    if (isatty(STDERR_FILENO) && all)
        fprintf(stderr, "\r%3d %% of the library copied%s", (int)(100LL * done / all),
                done == all ? "\n" : "");
}

struct cure {
    enum rc rc;
    const char *mend;
};

static const struct cure backup_cures[] = {
    { RC_NOT_FOUND, "name the library's directory with --data" },
    { RC_CONFLICT,
      "name a directory that does not exist yet; if a file went missing meanwhile, try again" },
    { RC_INVALID, "name a directory outside the data directory" },
    { RC_FULL, "name a directory on a disk with more room" },
    { RC_CORRUPT, "keep the last good backup; see tjzw doctor and tjzw verify" },
    { RC_OK, NULL },
};
static const struct cure restore_cures[] = {
    { RC_NOT_FOUND, "this is no whole backup: name a directory that tjzw backup made" },
    { RC_CORRUPT, "this backup is damaged: use another one" },
    { RC_CONFLICT,
      "name an empty or new directory with --data, and stop the server that uses it" },
    { RC_FULL, "name a directory on a disk with more room with --data" },
    { RC_OK, NULL },
};

static const char *cure(const struct cure *cures, const struct err *e)
{
    while (cures->rc && cures->rc != e->rc)
        cures++;
    return cures->mend;
}

int cmd_backup(const struct args *a)
{
    struct err e = { 0 };
    struct conf c;
    int code;

    if ((code = cli_conf(a, &c)))
        return code;
    cli_note(a, &c,
             audit_word(AUDIT_backup)); /* before it is made: it stands in the backup too */
    if (backup_make(&e, c.data, a->pos[0], show, NULL))
        code = cli_fail(&e, "no backup was made", cure(backup_cures, &e));
    else
        printf("backup of %s in %s: complete and checked\n  restore it: tjzw restore --data "
               "NEW-DIR %s\n",
               c.data, a->pos[0], a->pos[0]);
    conf_done(&c);
    return code;
}

/* Whether it is what it should be; a restore must not find that out at the next start. */
static enum rc check_takedowns(struct err *e, const char *path)
{
    struct arena *mem = arena_new();
    struct journal_line *lines;
    int n;
    enum rc rc = path ? journal_read(e, mem, path, &lines, &n) : RC_OK;

    arena_free(mem);
    return rc;
}

static void say_restored(const char *data, const char *from)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/" TAKEDOWNS_NAME, data);
    printf("restored %s from %s; phones will notice by themselves\n", data, from);
    if (fs_exists(path))
        printf("  what %s says was taken down later is taken down again\n", path);
    else
        printf("  no file '" TAKEDOWNS_NAME "' was found: what was withdrawn after the backup "
               "is public again (see --takedowns)\n");
    snprintf(path, sizeof path, "%s/" ERASED_NAME, data);
    if (fs_exists(path))
        printf("  whose data %s says were erased later is erased again\n", path);
    else
        printf("  no file '" ERASED_NAME "' was found: whoever had his data erased after the "
               "backup is there again (see --erased)\n");
    printf("  start it: tjzw serve --data %s\n", data);
}

/* One start with nobody to serve: export and verify must not see what a restore brought back either. */
static enum rc replay(struct err *e, const struct conf *c)
{
    char path[4096];
    struct app *app;
    enum rc rc;

    snprintf(path, sizeof path, "%s/" TAKEDOWNS_NAME, c->data);
    if (!fs_exists(path)) {
        snprintf(path, sizeof path, "%s/" ERASED_NAME, c->data);
        if (!fs_exists(path))
            return RC_OK;
    }
    if (!(rc = app_start(e, c, NULL, false, false, &app)))
        app_stop(app, c->stop_deadline);
    return rc;
}

/* In the restored database, with the keys that came with it; a backup of before there was an audit log has none. */
static enum rc tell_restored(struct work *w, const char *dir)
{
    enum rc rc;

    if (!fs_exists(arena_printf(w->mem, "%s/keys/audit", dir)))
        return RC_OK;
    if ((rc = audit_head_load_public(&w->err, dir)))
        return rc;
    rc = audit_add(w, AUDIT_restore, NULL, RC_OK);
    audit_head_forget();
    return rc;
}

int cmd_restore(const struct args *a)
{
    const struct backup_past past = { arg_text(a, "takedowns", NULL),
                                      arg_text(a, "erased", NULL) };
    struct err e = { 0 };
    struct conf c;
    int code, lock = -1;

    if ((code = cli_conf(a, &c)))
        return code;
    if (check_takedowns(&e, past.takedowns))
        code = cli_fail(&e, "nothing was restored",
                        "name the file 'takedowns' of the lost data directory");
    else if (lock_take(&e, c.data, &lock) ||
             backup_restore(&e, a->pos[0], c.data, &past, tell_restored))
        code = cli_fail(&e, "nothing was restored", cure(restore_cures, &e));
    else {
        lock_drop(lock);
        lock = -1;
        if (replay(&e, &c))
            code = cli_fail(&e,
                            "all is restored, but what was taken down since is there again "
                            "until the next start",
                            "start it: tjzw serve");
        else
            say_restored(c.data, a->pos[0]);
    }
    lock_drop(lock);
    conf_done(&c);
    return code;
}
