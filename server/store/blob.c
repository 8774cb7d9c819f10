/*
 * blob.c - files named by their hash.
 *
 *     DATA/blobs/ab/abcdef...          a blob: 64 hex digits, mode 0600
 *     DATA/blobs/ab/abcdef....part     one that is coming in pieces; its size is how far it is
 *     DATA/blobs/ab/abcdef....N.tmp    one that blob_put() is writing
 *
 * A name without suffix appears by rename(2), after the bytes were fsynced and their hash
 * compared, and the directory is fsynced after it. So whatever a crash leaves has a suffix: a
 * .part is continued or swept away, a .tmp swept away.
 *
 * A piece is fsynced before it is acknowledged, for the sender may forget it then. Two senders
 * of one blob are kept apart by a lock on the .part file; who comes second is told to come again, or, when
 * the first has ended meanwhile, finds the blob done: the same hash is the same bytes.
 */
#include "server/store/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/fs.h"

enum { COPY = 65536 };

struct place {
    char name[HASH_TEXT];
    char dir[PATH_MAX], path[PATH_MAX], part[PATH_MAX];
};

static enum rc place_of(struct err *e, const char *data, const uint8_t hash[HASH_BYTES],
                        struct place *out)
{
    hex_text(hash, HASH_BYTES, out->name);
    snprintf(out->dir, sizeof out->dir, "%s/blobs/%.2s", data, out->name);
    snprintf(out->path, sizeof out->path, "%s/blobs/%.2s/%s", data, out->name, out->name);
    if (snprintf(out->part, sizeof out->part, "%s/blobs/%.2s/%s.part", data, out->name,
                 out->name) >= (int)sizeof out->part)
        return err_set(e, RC_INVALID, "the path %.100s... is too long", data);
    return RC_OK;
}

/* blobs/ab, durably: a directory is an entry of its parent. */
static enum rc make_dir(struct err *e, const char *data, const struct place *at)
{
    char blobs[PATH_MAX];
    enum rc rc;

    if (fs_exists(at->dir))
        return RC_OK;
    snprintf(blobs, sizeof blobs, "%.*s", (int)(strlen(at->dir) - 3), at->dir);
    if ((rc = fs_mkdirs(e, at->dir, 0700)) || (rc = fs_sync_dir(e, blobs)))
        return rc;
    return fs_sync_dir(e, data);
}

static enum rc check_size(struct err *e, int64_t size)
{
    if (size < 0)
        return err_set(e, RC_INVALID, "a blob cannot have %" PRId64 " bytes", size);
    if (size > BLOB_MAX)
        return err_set(e, RC_TOO_LARGE, "a blob of %" PRId64 " bytes: at most %d are taken",
                       size, BLOB_MAX);
    return RC_OK;
}

static enum rc wrong_hash(struct err *e, const struct place *at)
{
    return err_set(e, RC_INVALID, "the bytes do not have the SHA-256 %s", at->name);
}

/* It was sent again: blob_shelf() counts from now. */
static bool has(const struct place *at)
{
    return !utimensat(AT_FDCWD, at->path, NULL, AT_SYMLINK_NOFOLLOW) || fs_exists(at->path);
}

enum rc blob_put(struct err *e, const char *data, const uint8_t hash[HASH_BYTES], const void *p,
                 size_t n)
{
    uint8_t found[HASH_BYTES];
    struct place at;
    enum rc rc;

    if ((rc = place_of(e, data, hash, &at)) || (rc = check_size(e, (int64_t)n)))
        return rc;
    sha256(p, n, found);
    if (memcmp(found, hash, HASH_BYTES) != 0)
        return wrong_hash(e, &at);
    if (has(&at))
        return RC_OK;
    if ((rc = make_dir(e, data, &at)) || (rc = fs_write(e, at.path, p, n, 0600)))
        return rc;
    unlink(at.part); /* what somebody had begun in pieces is not needed any more */
    return RC_OK;
}

static enum rc write_piece(struct err *e, int fd, const struct place *at, int64_t offset,
                           const char *p, size_t n)
{
    for (size_t at_byte = 0; at_byte < n;) {
        ssize_t done = pwrite(fd, p + at_byte, n - at_byte, offset + (int64_t)at_byte);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            enum rc rc = err_unwritten(e, "write blob %s", at->name);

            /* A torn piece must not count as had. */
            return ftruncate(fd, offset) ? err_unwritten(e, "truncate blob %s", at->name) : rc;
        }
        at_byte += (size_t)done;
    }
    return n && fsync(fd) ? err_unwritten(e, "fsync blob %s", at->name) : RC_OK;
}

static enum rc hash_file(struct err *e, int fd, const char *name, uint8_t out[HASH_BYTES])
{
    crypto_hash_sha256_state sum;
    uint8_t piece[COPY];
    off_t offset = 0;
    ssize_t n;

    crypto_hash_sha256_init(&sum);
    while ((n = pread(fd, piece, sizeof piece, offset)) > 0) {
        crypto_hash_sha256_update(&sum, piece, (size_t)n);
        offset += n;
    }
    crypto_hash_sha256_final(&sum, out);
    return n < 0 ? err_errno(e, "read blob %s", name) : RC_OK;
}

/* All bytes are there: it becomes a blob, or goes. */
static enum rc complete(struct err *e, int fd, const struct place *at,
                        const uint8_t hash[HASH_BYTES], int64_t *have)
{
    uint8_t found[HASH_BYTES];
    enum rc rc = hash_file(e, fd, at->name, found);

    if (rc)
        return rc;
    if (memcmp(found, hash, HASH_BYTES) != 0) {
        unlink(at->part);
        *have = 0;
        return wrong_hash(e, at);
    }
    if (rename(at->part, at->path) &&
        !fs_exists(at->path)) /* blob_put() may have been quicker */
        return err_unwritten(e, "rename blob %s", at->name);
    return fs_sync_dir(e, at->dir);
}

/* The .part file, locked; it is still the one of that name. */
static enum rc open_part(struct err *e, const struct place *at, int *out, int64_t *have)
{
    int fd = open(at->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat mine, named;

    if (fd < 0)
        return err_errno(e, "open blob %s", at->name);
    if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &mine) || stat(at->part, &named) ||
        mine.st_ino != named.st_ino) {
        close(fd);
        return err_set(e, RC_BUSY,
                       "another upload of blob %s is under way: ask again when it has ended",
                       at->name);
    }
    *out = fd;
    *have = mine.st_size;
    return RC_OK;
}

static enum rc append(struct err *e, const struct place *at, const uint8_t hash[HASH_BYTES],
                      int64_t size, int64_t offset, const void *p, size_t n, int64_t *have)
{
    AUTO(closep) int fd = -1;
    enum rc rc = open_part(e, at, &fd, have);

    if (fs_exists(at->path)) { /* another sender has ended since the caller looked */
        if (!rc)
            unlink(at->part);
        *have = size;
        return RC_OK;
    }
    if (rc)
        return rc;
    if (*have > size) { /* begun by somebody who named another size */
        if (ftruncate(fd, 0))
            return err_unwritten(e, "truncate blob %s", at->name);
        *have = 0;
    }
    if (*have == size) /* a crash came between the last piece and its answer */
        return complete(e, fd, at, hash, have);
    if (n && offset != *have)
        return err_set(e, RC_CONFLICT,
                       "the next byte of blob %s is number %" PRId64 ", not %" PRId64, at->name,
                       *have, offset);
    if ((rc = write_piece(e, fd, at, *have, p, n)))
        return rc;
    if (*have == 0 && (rc = fs_sync_dir(e, at->dir)))
        return rc;
    *have += (int64_t)n;
    return *have == size ? complete(e, fd, at, hash, have) : RC_OK;
}

enum rc blob_chunk(struct err *e, const char *data, const uint8_t hash[HASH_BYTES],
                   int64_t size, int64_t offset, const void *p, size_t n, int64_t *have)
{
    struct place at;
    enum rc rc;

    *have = 0;
    if ((rc = place_of(e, data, hash, &at)) || (rc = check_size(e, size)))
        return rc;
    if (n > BLOB_CHUNK_MAX)
        return err_set(e, RC_TOO_LARGE, "a piece of %zu bytes: at most %d are taken", n,
                       BLOB_CHUNK_MAX);
    if (offset < 0 || offset > size || (int64_t)n > size - offset)
        return err_set(e, RC_INVALID, "the piece ends behind the blob's %" PRId64 " bytes",
                       size);
    if (has(&at)) {
        *have = size;
        return RC_OK;
    }
    if ((rc = make_dir(e, data, &at)))
        return rc;
    return append(e, &at, hash, size, offset, p, n, have);
}

enum rc blob_open(struct err *e, const char *data, const uint8_t hash[HASH_BYTES], int *fd,
                  int64_t *size)
{
    struct place at;
    struct stat st;
    enum rc rc;
    int opened;

    if ((rc = place_of(e, data, hash, &at)))
        return rc;
    opened = open(at.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (opened < 0 && errno == ENOENT)
        return err_set(e, RC_NOT_FOUND, "there is no blob %s", at.name);
    if (opened < 0)
        return err_errno(e, "open blob %s", at.name);
    if (fstat(opened, &st)) {
        close(opened);
        return err_errno(e, "look at blob %s", at.name);
    }
    *fd = opened;
    *size = st.st_size;
    return RC_OK;
}

bool blob_exists(const char *data, const uint8_t hash[HASH_BYTES])
{
    struct place at;
    struct err ignored;

    return !place_of(&ignored, data, hash, &at) && fs_exists(at.path);
}

void blob_forget_part(const char *data, const uint8_t hash[HASH_BYTES])
{
    struct place at;
    struct err ignored;

    if (!place_of(&ignored, data, hash, &at))
        unlink(at.part);
}

enum rc blob_remove(struct err *e, const char *data, const uint8_t hash[HASH_BYTES])
{
    struct place at;
    enum rc rc;

    if ((rc = place_of(e, data, hash, &at)))
        return rc;
    unlink(at.part);
    if (unlink(at.path))
        return err_errno(e, "remove blob %s", at.name);
    return fs_sync_dir(e, at.dir);
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

enum rc blob_shelf(struct err *e, const char *data, int shelf, int64_t before, int most,
                   uint8_t (*out)[HASH_BYTES], int *n)
{
    char path[PATH_MAX];
    AUTO(close_dir) DIR *dir = NULL;

    *n = 0;
    if (snprintf(path, sizeof path, "%s/blobs/%02x", data, (unsigned)shelf) >= (int)sizeof path)
        return err_set(e, RC_INVALID, "the path %.100s... is too long", data);
    if (!fs_exists(path))
        return RC_OK;
    if (!(dir = opendir(path)))
        return err_errno(e, "open directory %s", path);
    for (struct dirent *d; *n < most && (d = readdir(dir));) {
        struct stat st;

        if (strlen(d->d_name) == 2 * HASH_BYTES &&
            hex_parse(d->d_name, 2 * HASH_BYTES, out[*n], HASH_BYTES) &&
            !fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) && st.st_mtime < before)
            ++*n;
    }
    return RC_OK;
}

static int sweep_dir(int parent, const char *name, int64_t before)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    AUTO(close_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    int removed = 0;

    for (struct dirent *d; dir && (d = readdir(dir));) {
        const char *suffix = strchr(d->d_name, '.');
        struct stat st;

        if (suffix && suffix != d->d_name &&
            !fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
            st.st_mtime < before && !unlinkat(fd, d->d_name, 0))
            removed++;
    }
    return removed;
}

enum rc blob_sweep(struct err *e, const char *data, int64_t before, int *n)
{
    char blobs[PATH_MAX];
    AUTO(close_dir) DIR *dir = NULL;

    *n = 0;
    if (snprintf(blobs, sizeof blobs, "%s/blobs", data) >= (int)sizeof blobs)
        return err_set(e, RC_INVALID, "the path %.100s... is too long", data);
    if (!fs_exists(blobs))
        return RC_OK;
    if (!(dir = opendir(blobs)))
        return err_errno(e, "open directory %s", blobs);
    for (struct dirent *d; (d = readdir(dir));)
        if (strlen(d->d_name) == 2 && d->d_name[0] != '.')
            *n += sweep_dir(dirfd(dir), d->d_name, before);
    return RC_OK;
}
