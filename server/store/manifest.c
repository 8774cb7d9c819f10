/*
 * manifest.c - the list of a backup's files, and their copies.
 *
 * A manifest comes from a disk that may have rotted or from somebody else: it is read strictly,
 * and no path in it leads out of its directory.
 */
#include "server/store/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/fs.h"

enum { MANIFEST_MAX = 256 * 1024 * 1024, COPY = 65536 };

void manifest_init(struct manifest *m, struct arena *mem)
{
    *m = (struct manifest){ .mem = mem };
    m->last = &m->first;
}

struct manifest_file *manifest_add(struct manifest *m, const char *path)
{
    struct manifest_file *f = arena_zalloc(m->mem, sizeof *f);

    f->path = arena_strdup(m->mem, path);
    *m->last = f;
    m->last = &f->next;
    m->count++;
    return f;
}

bool manifest_path_ok(const char *path)
{
    size_t n;

    for (const char *c = path; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    do {
        n = strcspn(path, "/");
        if (n == 0 || (n == 1 && path[0] == '.') ||
            (n == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        path += n;
    } while (*path++ == '/');
    return true;
}

void manifest_print(const struct manifest *m, struct buf *out)
{
    buf_printf(out, "tjzw backup 1\ntime %" PRId64 "\nschema %" PRId64 "\n", m->time,
               m->schema);
    for (const struct manifest_file *f = m->first; f; f = f->next) {
        buf_printf(out, "file %" PRId64 " ", f->size);
        buf_hex(out, f->hash, HASH_BYTES);
        buf_printf(out, " %s\n", f->path);
    }
    buf_printf(out, "end %d\n", m->count);
}

/* The number behind `key` and before `end`; -1 if the text is another. Moves on. */
static int64_t take_number(char **at, const char *key, char end)
{
    size_t n = strlen(key);
    char *digits = *at + n, *behind;
    int64_t value;

    if (strncmp(*at, key, n) != 0 || *digits < '0' || *digits > '9')
        return -1;
    errno = 0;
    value = strtoll(digits, &behind, 10);
    if (errno || *behind != end)
        return -1;
    *at = behind + 1;
    return value;
}

static bool take_file(struct manifest *m, char **at)
{
    struct manifest_file *f;
    int64_t size = take_number(at, "file ", ' ');
    char *path = *at + HASH_TEXT, *end;

    if (size < 0 || strnlen(*at, HASH_TEXT) < HASH_TEXT || path[-1] != ' ' ||
        !(end = strchr(path, '\n')))
        return false;
    *end = '\0';
    if (!manifest_path_ok(path))
        return false;
    f = manifest_add(m, path);
    f->size = size;
    if (!hex_parse(*at, HASH_TEXT - 1, f->hash, HASH_BYTES))
        return false;
    *at = end + 1;
    return true;
}

enum rc manifest_read(struct err *e, struct arena *mem, const char *dir, struct manifest *out)
{
    static const char title[] = "tjzw backup 1\n";
    char path[PATH_MAX], *at;
    size_t n;
    enum rc rc;
    bool ok;

    snprintf(path, sizeof path, "%s/" MANIFEST_NAME, dir);
    rc = fs_read(e, mem, path, MANIFEST_MAX, &at, &n);
    if (rc == RC_NOT_FOUND)
        return err_set(
            e, rc, "%s is no backup, or one that was not finished: it has no " MANIFEST_NAME,
            dir);
    if (rc)
        return rc;
    manifest_init(out, mem);
    ok = strlen(at) == n && !strncmp(at, title, sizeof title - 1);
    at += ok ? sizeof title - 1 : 0;
    ok = ok && (out->time = take_number(&at, "time ", '\n')) >= 0 &&
         (out->schema = take_number(&at, "schema ", '\n')) >= 0;
    while (ok && !strncmp(at, "file ", 5))
        ok = take_file(out, &at);
    if (!ok || take_number(&at, "end ", '\n') != out->count || *at)
        return err_set(e, RC_CORRUPT, "%s is damaged or of another kind: take another backup",
                       path);
    return RC_OK;
}

static enum rc join(struct err *e, char out[PATH_MAX], const char *dir, const char *path)
{
    if (snprintf(out, PATH_MAX, "%s/%s", dir, path) >= PATH_MAX)
        return err_set(e, RC_INVALID, "the path %.100s/%.100s... is too long", dir, path);
    return RC_OK;
}

/* The whole of `in` to `out` (-1: nowhere), hashed. */
static enum rc pump(struct err *e, int in, int out, struct manifest_file *f)
{
    crypto_hash_sha256_state sum;
    uint8_t piece[COPY];
    ssize_t n;

    f->size = 0;
    crypto_hash_sha256_init(&sum);
    while ((n = read(in, piece, sizeof piece)) > 0) {
        crypto_hash_sha256_update(&sum, piece, (size_t)n);
        f->size += n;
        for (ssize_t at = 0, done; out >= 0 && at < n; at += done)
            if ((done = write(out, piece + at, (size_t)(n - at))) < 0)
                return err_errno(e, "write %s", f->path);
    }
    crypto_hash_sha256_final(&sum, f->hash);
    return n < 0 ? err_errno(e, "read %s", f->path) : RC_OK;
}

static enum rc open_file(struct err *e, const char *path, int *out, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return err_errno(e, "open %s", path);
    *out = fd;
    if (fstat(fd, st))
        return err_errno(e, "look at %s", path);
    return S_ISREG(st->st_mode) ? RC_OK : err_set(e, RC_CORRUPT, "%s is not a file", path);
}

static enum rc make_parent(struct err *e, const char *path)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof copy, "%s", path);
    return fs_mkdirs(e, dirname(copy), 0700);
}

enum rc manifest_copy(struct err *e, const char *from, const char *to, struct manifest_file *f)
{
    AUTO(closep) int in = -1;
    AUTO(closep) int out = -1;
    char source[PATH_MAX], target[PATH_MAX];
    struct stat st;
    enum rc rc;

    if ((rc = join(e, source, from, f->path)) || (rc = join(e, target, to, f->path)) ||
        (rc = open_file(e, source, &in, &st)) || (rc = make_parent(e, target)))
        return rc;
    out = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st.st_mode & 0777);
    if (out < 0)
        return err_errno(e, "create %s", target);
    if ((rc = pump(e, in, out, f)))
        return rc;
    return fsync(out) ? err_errno(e, "fsync %s", target) : RC_OK;
}

enum rc manifest_hash(struct err *e, const char *dir, struct manifest_file *f)
{
    AUTO(closep) int in = -1;
    char path[PATH_MAX];
    struct stat st;
    enum rc rc;

    if ((rc = join(e, path, dir, f->path)) || (rc = open_file(e, path, &in, &st)))
        return rc;
    return pump(e, in, -1, f);
}

enum rc manifest_link(struct err *e, const char *from, const char *to, struct manifest_file *f)
{
    char source[PATH_MAX], target[PATH_MAX];
    enum rc rc;

    if ((rc = join(e, source, from, f->path)) || (rc = join(e, target, to, f->path)) ||
        (rc = make_parent(e, target)))
        return rc;
    if (link(source, target))
        return manifest_copy(e, from, to, f);
    return manifest_hash(e, to, f);
}

enum rc manifest_verify(struct err *e, const char *dir, const struct manifest_file *f)
{
    struct manifest_file found = { .path = f->path };
    enum rc rc = manifest_hash(e, dir, &found);

    if (rc == RC_NOT_FOUND)
        return err_set(e, RC_CORRUPT, "%s/%s is missing", dir, f->path);
    if (rc)
        return rc;
    if (found.size != f->size)
        return err_set(e, RC_CORRUPT, "%s/%s has %" PRId64 " bytes, not %" PRId64, dir, f->path,
                       found.size, f->size);
    if (memcmp(found.hash, f->hash, HASH_BYTES) != 0)
        return err_set(e, RC_CORRUPT, "%s/%s has been changed: its SHA-256 is another", dir,
                       f->path);
    return RC_OK;
}

enum rc manifest_sync(struct err *e, const char *dir)
{
    AUTO(closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 || syncfs(fd) ? err_errno(e, "sync %s", dir) : RC_OK;
}

enum rc manifest_remove(struct err *e, const char *path)
{
    DIR *dir = opendir(path);
    enum rc rc = RC_OK;
    char below[PATH_MAX];

    if (!dir)
        return errno == ENOENT ? RC_OK : err_errno(e, "open directory %s", path);
    for (struct dirent *d; !rc && (d = readdir(dir));) {
        if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
            continue;
        if (snprintf(below, sizeof below, "%s/%s", path, d->d_name) >= (int)sizeof below)
            rc = err_set(e, RC_INVALID, "the path %.100s... is too long", below);
        else if (unlink(below) && errno == EISDIR)
            rc = manifest_remove(e, below);
        else if (fs_exists(below))
            rc = err_errno(e, "remove %s", below);
    }
    closedir(dir);
    return rc ? rc : rmdir(path) ? err_errno(e, "remove %s", path) : RC_OK;
}
