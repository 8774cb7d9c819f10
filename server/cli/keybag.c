/*
 * keybag.c - `tjzw keys backup` and `tjzw keys restore`: the keys alone, as a directory, or in one file behind a
 * passphrase.
 */
#include "server/identity/keybag.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "server/base/fs.h"
#include "server/base/secret.h"
#include "server/cli/commands.h"
#include "server/identity/audit.h"
#include "server/identity/keyfile.h"
#include "server/lock.h"

struct bag {
    struct arena *mem;
    struct keybag_file *files;
    int n;
};

static unsigned mode_of(const char *name)
{
    return keyfile_kind(name)->use == KEY_PUBLIC ? 0644 : 0600;
}

/* The first line of the file; NULL if no option names one. */
static enum rc read_passphrase(struct err *e, struct arena *mem, const struct args *a,
                               char **out)
{
    const char *path = arg_text(a, "passphrase-file", NULL);
    size_t n;
    enum rc rc;

    *out = NULL;
    if (!path)
        return RC_OK;
    if ((rc = fs_read(e, mem, path, 4096, out, &n)))
        return rc;
    (*out)[strcspn(*out, "\r\n")] = '\0';
    return RC_OK;
}

/* All of a directory that is ours. */
static enum rc read_files(struct err *e, struct bag *b, const char *dir)
{
    struct keyfile *files;
    enum rc rc;

    if ((rc = keyfile_list(e, b->mem, dir, &files, &b->n)))
        return rc;
    b->files = arena_zalloc(b->mem, (size_t)(b->n + 1) * sizeof *b->files);
    for (int i = 0; i < b->n; i++) {
        char *bytes;

        b->files[i].name = files[i].name;
        if ((rc = fs_read(e, b->mem, arena_printf(b->mem, "%s/%s", dir, files[i].name),
                          KEYFILE_MAX, &bytes, &b->files[i].n)))
            return rc;
        b->files[i].bytes = bytes;
    }
    return b->n ? RC_OK : err_set(e, RC_NOT_FOUND, "there are no keys in %s", dir);
}

static void wipe(struct bag *b)
{
    for (int i = 0; i < b->n; i++)
        secret_wipe((void *)(uintptr_t)b->files[i].bytes, b->files[i].n);
}

/* ---- backup ---- */

static enum rc write_bag(struct err *e, const struct bag *b, const char *passphrase,
                         const char *to)
{
    struct buf out = BUF_IN(b->mem);
    enum rc rc;

    if (fs_exists(to))
        return err_set(e, RC_CONFLICT, "%s is there already", to);
    if ((rc = keybag_close(e, b->files, b->n, passphrase, &out)))
        return rc;
    return fs_write(e, to, out.p, out.n, 0600);
}

static enum rc write_directory(struct err *e, const struct bag *b, const char *to)
{
    enum rc rc;

    if (fs_exists(to))
        return err_set(e, RC_CONFLICT, "%s is there already", to);
    rc = fs_mkdirs(e, to, 0700);
    for (int i = 0; i < b->n && !rc; i++)
        rc = fs_write(e, arena_printf(b->mem, "%s/%s", to, b->files[i].name), b->files[i].bytes,
                      b->files[i].n, mode_of(b->files[i].name));
    return rc;
}

static enum rc back_up(struct err *e, const struct args *a, const struct conf *c, struct bag *b)
{
    char *passphrase;
    enum rc rc;

    if ((rc = read_passphrase(e, b->mem, a, &passphrase)) ||
        (rc = read_files(e, b, arena_printf(b->mem, "%s/keys", c->data))))
        return rc;
    rc = passphrase ? write_bag(e, b, passphrase, a->pos[0]) : write_directory(e, b, a->pos[0]);
    if (passphrase)
        secret_wipe(passphrase, strlen(passphrase));
    return rc;
}

int cmd_keys_backup(const struct args *a)
{
    struct bag b = { .mem = arena_new() };
    struct err e = { 0 };
    struct conf c;
    int code;

    if (!(code = cli_conf(a, &c))) {
        if (back_up(&e, a, &c, &b)) {
            code = cli_fail(
                &e, "the keys were not backed up",
                "name a file or directory that does not exist yet, on a medium of its own");
        } else {
            printf(
                "%d files of keys in %s\n  bring them back: tjzw keys restore --data %s %s%s\n",
                b.n, a->pos[0], c.data,
                arg_text(a, "passphrase-file", NULL) ? "--passphrase-file FILE " : "",
                a->pos[0]);
            cli_note(a, &c, audit_word(AUDIT_key_backup));
        }
        conf_done(&c);
    }
    wipe(&b);
    arena_free(b.mem);
    return code;
}

/* ---- restore ---- */

static enum rc read_back(struct err *e, struct bag *b, const char *from, const char *passphrase)
{
    struct stat st;
    char *bytes;
    size_t n;
    enum rc rc;

    if (stat(from, &st))
        return err_errno(e, "find %s", from);
    if (S_ISDIR(st.st_mode))
        return read_files(e, b, from);
    if (!passphrase)
        return err_set(e, RC_INVALID, "%s needs its passphrase", from);
    if ((rc = fs_read(e, b->mem, from, KEYBAG_MAX, &bytes, &n)))
        return rc;
    return keybag_open(e, b->mem, bytes, n, passphrase, &b->files, &b->n);
}

/* Nothing is replaced by something else. */
static enum rc check_others(struct err *e, const struct bag *b, const char *dir)
{
    for (int i = 0; i < b->n; i++) {
        const struct keybag_file *f = &b->files[i];
        const char *path = arena_printf(b->mem, "%s/%s", dir, f->name);
        struct err ignored;
        char *bytes;
        size_t n;

        if (!keyfile_kind(f->name))
            return err_set(e, RC_INVALID, "%s is no key that this tjzw knows", f->name);
        if (keyfile_kind(f->name)->use == KEY_FIXED && fs_exists(path) &&
            (fs_read(&ignored, b->mem, path, KEYFILE_MAX, &bytes, &n) || n != f->n ||
             memcmp(bytes, f->bytes, n) != 0))
            return err_set(e, RC_CONFLICT, "%s is there, and another: move it away first",
                           path);
    }
    return RC_OK;
}

/* Keys that are exchanged in their files stay as they are here: the backup may be older. */
static enum rc put_back(struct err *e, const struct bag *b, const char *dir, int *put)
{
    enum rc rc;

    *put = 0;
    if ((rc = check_others(e, b, dir)) || (rc = fs_mkdirs(e, dir, 0700)))
        return rc;
    for (int i = 0; i < b->n && !rc; i++) {
        const char *path = arena_printf(b->mem, "%s/%s", dir, b->files[i].name);

        if (fs_exists(path))
            continue;
        rc = fs_write(e, path, b->files[i].bytes, b->files[i].n, mode_of(b->files[i].name));
        *put += !rc;
    }
    return rc;
}

static enum rc bring_back(struct err *e, const struct args *a, const struct conf *c,
                          struct bag *b, int *put)
{
    char *passphrase;
    int lock = -1;
    enum rc rc;

    if ((rc = read_passphrase(e, b->mem, a, &passphrase)) ||
        (rc = lock_take(e, c->data, &lock)))
        return rc;
    if (!(rc = read_back(e, b, a->pos[0], passphrase)))
        rc = put_back(e, b, arena_printf(b->mem, "%s/keys", c->data), put);
    lock_drop(lock);
    if (passphrase)
        secret_wipe(passphrase, strlen(passphrase));
    return rc;
}

int cmd_keys_restore(const struct args *a)
{
    struct bag b = { .mem = arena_new() };
    struct err e = { 0 };
    struct conf c;
    int code, put = 0;

    if (!(code = cli_conf(a, &c))) {
        if (bring_back(&e, a, &c, &b, &put)) {
            code = cli_fail(
                &e, "no keys were restored",
                "stop the server; name what tjzw keys backup made, with --passphrase-file "
                "if it is a file");
        } else {
            printf("%d of %d files were missing and are back; those that are there were left "
                   "alone\n",
                   put, b.n);
            cli_note(a, &c, audit_word(AUDIT_key_restore));
        }
        conf_done(&c);
    }
    wipe(&b);
    arena_free(b.mem);
    return code;
}
