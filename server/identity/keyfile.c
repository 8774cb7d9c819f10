/*
 * keyfile.c - one table of kinds, and what the database remembers of the files.
 */
#include "server/identity/keyfile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/base/buf.h"
#include "server/base/fs.h"
#include "server/base/secret.h"
#include "server/store/db.h"

enum { PRINT = 8 };

static const struct keyfile_kind kinds[] = {
#define KEYFILE(name, use, chinese, loss) { name, use, chinese, loss },
#include "server/identity/keyfile.def"
#undef KEYFILE
};

static bool fits(const char *pattern, const char *name)
{
    size_t head = strcspn(pattern, "#*"), n = strlen(name), tail;

    if (!pattern[head])
        return !strcmp(pattern, name);
    tail = strlen(pattern + head + 1);
    if (n <= head + tail || strncmp(pattern, name, head) != 0 ||
        strcmp(name + n - tail, pattern + head + 1) != 0)
        return false;
    return pattern[head] == '*' || strspn(name + head, "0123456789") == n - head;
}

const struct keyfile_kind *keyfile_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (fits(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct keyfile *)a)->name, ((const struct keyfile *)b)->name);
}

enum rc keyfile_list(struct err *e, struct arena *mem, const char *dir, struct keyfile **out,
                     int *n)
{
    struct buf all = BUF_IN(mem);
    DIR *d = opendir(dir);

    if (!d)
        return err_errno(e, "open directory %s", dir);
    for (struct dirent *entry; (entry = readdir(d));) {
        struct keyfile f = { .kind = keyfile_kind(entry->d_name) };
        struct stat st;

        if (!f.kind || strlen(entry->d_name) >= sizeof f.name ||
            stat(arena_printf(mem, "%s/%s", dir, entry->d_name), &st))
            continue;
        strcpy(f.name, entry->d_name);
        f.made = st.st_mtime;
        f.mode = st.st_mode & 0777;
        buf_add(&all, &f, sizeof f);
    }
    closedir(d);
    *out = (struct keyfile *)(void *)all.p;
    *n = (int)(all.n / sizeof **out);
    if (*n)
        qsort(*out, (size_t)*n, sizeof **out, by_name);
    return RC_OK;
}

/* Zeros for one that may change. */
static enum rc print_of(struct work *w, const char *dir, const char *name, uint8_t out[PRINT])
{
    uint8_t hash[SECRET_BYTES];
    char *bytes;
    size_t n;
    enum rc rc;

    memset(out, 0, PRINT);
    if (keyfile_kind(name)->use != KEY_FIXED)
        return RC_OK;
    if ((rc = fs_read(&w->err, w->mem, arena_printf(w->mem, "%s/%s", dir, name), KEYFILE_MAX,
                      &bytes, &n)))
        return rc;
    secret_mac(NULL, bytes, n, hash);
    memcpy(out, hash, PRINT);
    secret_wipe(bytes, n);
    return RC_OK;
}

/* Whether the file is there, and the one it was. */
static bool is_right(struct work *w, const char *dir, const struct rows *q)
{
    const char *name = rows_text(q, 0);
    uint8_t print[PRINT];
    size_t n;
    const void *known = rows_blob(q, 1, &n);

    if (!keyfile_kind(name))
        return true; /* of a newer program */
    return fs_exists(arena_printf(w->mem, "%s/%s", dir, name)) &&
           !print_of(w, dir, name, print) && known && n == PRINT &&
           !memcmp(known, print, PRINT);
}

enum rc keyfile_check(struct work *w, const char *dir)
{
    struct buf lost = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_key_file_all, &q, "")))
        return rc;
    while (rows_next(&q))
        if (!is_right(w, dir, &q))
            buf_printf(&lost, "%s%s (%s)", lost.n ? ", " : "", rows_text(&q, 0),
                       keyfile_kind(rows_text(&q, 0))->loss);
    if ((rc = rows_done(&q)) || !lost.n)
        return rc;
    return err_set(
        &w->err, RC_CORRUPT,
        "keys are missing from %s, or are others: %.300s. Bring them back: tjzw keys "
        "restore BACKUP",
        dir, lost.p);
}

enum rc keyfile_remember(struct work *w, const char *dir)
{
    struct keyfile *files;
    enum rc rc;
    int n;

    if ((rc = keyfile_list(&w->err, w->mem, dir, &files, &n)))
        return rc;
    for (int i = 0; i < n && !rc; i++) {
        uint8_t print[PRINT];

        if (files[i].kind->use < KEY_HELD)
            continue;
        if (!(rc = print_of(w, dir, files[i].name, print)))
            rc = db_run(w, SQL_key_file_add, "tb", files[i].name, print, sizeof print);
    }
    return rc;
}
