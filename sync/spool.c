/*
 * spool.c
 *
 *     DIR/HASH      the bytes so far; HASH is the beginning of SHA-256(path)
 *     DIR/HASH.is   "ETAG\nPATH\nWHOLE\n": WHOLE is the length of a body that came to its end, else "-"
 *
 * A body that begins anew loses its .is first and gets the new one last, so that an ETag never stands beside
 * bytes of another body.
 */
#include "sync/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAME_BYTES = 16,
    FILE_MAX = SPOOL_DIR_MAX + 2 * NAME_BYTES + 16,
    IS_MAX = FOLLOW_ETAG_MAX + WIRE_URL_MAX + 32
};

static enum sync_rc trouble(struct sync_err *e, const char *file)
{
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

    return sync_err_set(e, full ? SYNC_FULL : SYNC_STORE, "%s: %s", file, strerror(errno));
}

/* ---- names ---- */

static void name_of(const char *path, char out[2 * NAME_BYTES + 1])
{
    uint8_t hash[WIRE_HASH];

    crypto_hash_sha256(hash, (const uint8_t *)path, strlen(path));
    wire_hex(hash, NAME_BYTES, out);
}

static void file_of(const char *dir, const char *path, const char *suffix, char out[FILE_MAX])
{
    char name[2 * NAME_BYTES + 1];

    name_of(path, name);
    snprintf(out, FILE_MAX, "%s/%s%s", dir, name, suffix);
}

/* The folder, and the one it lies in. */
static bool make_folder(const char *dir)
{
    char parent[SPOOL_DIR_MAX];
    char *slash;

    if (!mkdir(dir, 0700) || errno == EEXIST)
        return true;
    snprintf(parent, sizeof parent, "%s", dir);
    if (errno != ENOENT || !(slash = strrchr(parent, '/')))
        return false;
    *slash = '\0';
    return (!mkdir(parent, 0700) || errno == EEXIST) && (!mkdir(dir, 0700) || errno == EEXIST);
}

/* The same two, if nothing is left in them. */
static void drop_folders(const char *dir)
{
    char parent[SPOOL_DIR_MAX];
    char *slash;

    snprintf(parent, sizeof parent, "%s", dir);
    if (!rmdir(dir) && (slash = strrchr(parent, '/'))) {
        *slash = '\0';
        rmdir(parent);
    }
}

/* ---- what a body is ---- */

static size_t read_small(const char *file, char *out, size_t room)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, out, room - 1);

    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* False: there is no .is, or it is none, or not for this path. */
static bool read_is(const char *file, const char *path, struct follow_part *out,
                    uint64_t *whole)
{
    char text[IS_MAX], *line[3] = { text };

    if (!read_small(file, text, sizeof text))
        return false;
    for (int i = 0; i < 3; i++) {
        char *end = strchr(line[i], '\n');

        if (!end)
            return false;
        *end = '\0';
        if (i < 2)
            line[i + 1] = end + 1;
    }
    if (strcmp(line[1], path) || strlen(line[0]) >= sizeof out->etag)
        return false;
    strcpy(out->etag, line[0]);
    *whole = strcmp(line[2], "-") ? strtoull(line[2], NULL, 10) : UINT64_MAX;
    return true;
}

static enum sync_rc body_find(void *dir, struct sync_err *e, const char *path,
                              struct follow_part *out)
{
    struct follow_part part = { 0 };
    char file[FILE_MAX];
    struct stat st;
    uint64_t whole;

    (void)e;
    *out = part;
    file_of(dir, path, ".is", file);
    if (!read_is(file, path, &part, &whole))
        return SYNC_OK;
    file_of(dir, path, "", file);
    if (stat(file, &st))
        return SYNC_OK;
    part.bytes = (uint64_t)st.st_size;
    part.whole = part.bytes == whole;
    *out = part;
    return SYNC_OK;
}

/* ---- writing ---- */

/* The file ends behind `bytes`. */
static enum sync_rc put(struct sync_err *e, const char *file, int flags, uint64_t at,
                        const void *bytes, size_t n)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    bool ok = fd >= 0 && ftruncate(fd, (off_t)at) == 0;

    for (size_t done = 0; ok && done < n;) {
        ssize_t step = pwrite(fd, (const char *)bytes + done, n - done, (off_t)(at + done));

        ok = step >= 0 || errno == EINTR;
        done += step > 0 ? (size_t)step : 0;
    }
    if (!ok)
        (void)trouble(e, file);
    if (fd >= 0)
        close(fd);
    return ok ? SYNC_OK : e->rc;
}

static enum sync_rc put_is(struct sync_err *e, const char *file, const char *path,
                           const char *etag, bool whole, uint64_t bytes)
{
    char temporary[FILE_MAX + 8], text[IS_MAX], length[24] = "-";
    enum sync_rc rc;
    int n;

    if (whole)
        snprintf(length, sizeof length, "%" PRIu64, bytes);
    n = snprintf(text, sizeof text, "%s\n%s\n%s\n", etag, path, length);
    snprintf(temporary, sizeof temporary, "%s.new", file);
    if ((rc = put(e, temporary, O_TRUNC, 0, text, (size_t)n)))
        return rc;
    return rename(temporary, file) ? trouble(e, file) : SYNC_OK;
}

static enum sync_rc body_write(void *dir, struct sync_err *e, const char *path, uint64_t at,
                               const void *bytes, size_t n, const char *etag, bool whole)
{
    char file[FILE_MAX], is[FILE_MAX];
    enum sync_rc rc;

    file_of(dir, path, "", file);
    file_of(dir, path, ".is", is);
    if (at == 0 && !make_folder(dir))
        return trouble(e, dir);
    if (at == 0 && unlink(is) && errno != ENOENT)
        return trouble(e, is);
    if ((rc = put(e, file, 0, at, bytes, n)))
        return rc;
    return at == 0 || whole ? put_is(e, is, path, etag, whole, at + n) : SYNC_OK;
}

/* ---- reading ---- */

static enum sync_rc body_read(void *dir, struct sync_err *e, const char *path, uint64_t at,
                              void *out, size_t room, size_t *n)
{
    char file[FILE_MAX];
    ssize_t got;
    int fd;

    *n = 0;
    file_of(dir, path, "", file);
    if ((fd = open(file, O_RDONLY | O_CLOEXEC)) < 0)
        return errno == ENOENT ? SYNC_OK : trouble(e, file);
    while ((got = pread(fd, out, room, (off_t)at)) < 0 && errno == EINTR)
        ;
    if (got < 0)
        (void)trouble(e, file);
    else
        *n = (size_t)got;
    close(fd);
    return got < 0 ? e->rc : SYNC_OK;
}

/* ---- all of them ---- */

static bool is_kept(const char *file, const char *const *paths, size_t n)
{
    char name[2 * NAME_BYTES + 1];

    for (size_t i = 0; i < n; i++) {
        name_of(paths[i], name);
        if (!strncmp(file, name, 2 * NAME_BYTES))
            return true;
    }
    return false;
}

static enum sync_rc keep(void *dir, struct sync_err *e, const char *const *paths, size_t n)
{
    DIR *folder = opendir(dir);
    struct dirent *file;

    (void)e;
    if (!folder)
        return SYNC_OK;
    while ((file = readdir(folder)))
        if (file->d_name[0] != '.' && !is_kept(file->d_name, paths, n))
            unlinkat(dirfd(folder), file->d_name, 0);
    closedir(folder);
    drop_folders(dir);
    return SYNC_OK;
}

struct follow_parts spool_parts(const char *dir)
{
    return (struct follow_parts){ (void *)(uintptr_t)dir, body_find, body_write, body_read,
                                  keep };
}

void spool_drop(const char *dir)
{
    (void)keep((void *)(uintptr_t)dir, NULL, NULL, 0);
}

uint64_t spool_bytes(const char *dir)
{
    DIR *folder = opendir(dir);
    struct dirent *file;
    uint64_t sum = 0;
    struct stat st;

    if (!folder)
        return 0;
    while ((file = readdir(folder)))
        if (strlen(file->d_name) == 2 * NAME_BYTES &&
            !fstatat(dirfd(folder), file->d_name, &st, 0))
            sum += (uint64_t)st.st_size;
    closedir(folder);
    return sum;
}
