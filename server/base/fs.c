/*
 * fs.c - a file appears by rename(2), after its bytes are on the disk; the rename is made
 * durable by fsync of the directory.
 */
#include "server/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fclosep(FILE **f)
{
    if (*f)
        fclose(*f);
}

void closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

bool fs_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

enum rc fs_sync_dir(struct err *e, const char *path)
{
    AUTO(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_errno(e, "open directory %s", path);
    return fsync(fd) ? err_unwritten(e, "fsync directory %s", path) : RC_OK;
}

static enum rc sync_parent(struct err *e, const char *path)
{
    char copy[4096];

    snprintf(copy, sizeof copy, "%s", path);
    return fs_sync_dir(e, dirname(copy));
}

/* What root writes belongs to whose directory it is: root's commands must leave nothing that the server cannot read. */
static enum rc give_to_owner(struct err *e, int fd, const char *path)
{
    char copy[4096];
    struct stat st;

    snprintf(copy, sizeof copy, "%s", path);
    if (geteuid() != 0 || stat(dirname(copy), &st) || st.st_uid == 0)
        return RC_OK;
    return fchown(fd, st.st_uid, st.st_gid) ? err_errno(e, "give away %s", path) : RC_OK;
}

enum rc fs_begin(struct err *e, const char *path, unsigned mode, struct fs_new *out)
{
    static _Atomic unsigned serial;
    struct fs_new f = { .path = path };
    enum rc rc;

    if (snprintf(f.tmp, sizeof f.tmp, "%s.%d-%u.tmp", path, (int)getpid(), serial++) >=
        (int)sizeof f.tmp)
        return err_set(e, RC_INVALID, "the path %.100s… is too long", path);
    f.fd = open(f.tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (f.fd < 0)
        return err_unwritten(e, "create %s", f.tmp);
    *out = f;
    rc = give_to_owner(e, f.fd, path);
    return rc ? fs_end(e, out, rc) : RC_OK;
}

enum rc fs_add(struct err *e, const struct fs_new *f, const void *p, size_t n)
{
    for (const char *at = p, *end = at + n; at < end;) {
        ssize_t done = write(f->fd, at, (size_t)(end - at));

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_unwritten(e, "write %s", f->tmp);
        at += done;
    }
    return RC_OK;
}

enum rc fs_end(struct err *e, struct fs_new *f, enum rc rc)
{
    if (!rc && fsync(f->fd))
        rc = err_unwritten(e, "fsync %s", f->tmp);
    close(f->fd);
    if (!rc && rename(f->tmp, f->path))
        rc = err_unwritten(e, "rename %s to %s", f->tmp, f->path);
    if (rc) {
        unlink(f->tmp);
        return rc;
    }
    return sync_parent(e, f->path);
}

enum rc fs_write(struct err *e, const char *path, const void *p, size_t n, unsigned mode)
{
    struct fs_new f;
    enum rc rc = fs_begin(e, path, mode, &f);

    return rc ? rc : fs_end(e, &f, fs_add(e, &f, p, n));
}

/* A path of this machine is no client's business. */
static enum rc hide(struct err *e, enum rc rc)
{
    (void)err_inside(e);
    return rc;
}

static bool read_whole(int fd, char *p, size_t n)
{
    ssize_t done = 0;

    for (size_t at = 0; at<n; at += done> 0 ? (size_t)done : 0) {
        done = read(fd, p + at, n - at);
        if (!done || (done < 0 && errno != EINTR))
            return false;
    }
    return true;
}

enum rc fs_read(struct err *e, struct arena *mem, const char *path, size_t max, char **out,
                size_t *out_n)
{
    AUTO(closep)
    int in = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe is none either */
    struct stat st;
    char *p;

    if (in < 0 || fstat(in, &st))
        return err_errno(e, "open %s", path);
    if (!S_ISREG(st.st_mode))
        return hide(e, err_set(e, RC_INVALID, "%s is not a file", path));
    if ((uintmax_t)st.st_size > max)
        return hide(e, err_set(e, RC_TOO_LARGE, "%s has %" PRIdMAX " bytes, more than %zu",
                               path, (intmax_t)st.st_size, max));
    p = arena_alloc(mem, (size_t)st.st_size + 1);
    if (!read_whole(in, p, (size_t)st.st_size))
        return err_set(e, RC_IO, "%s could not be read whole", path);
    p[st.st_size] = '\0';
    *out = p;
    *out_n = (size_t)st.st_size;
    return RC_OK;
}

static enum rc make_one(struct err *e, const char *path, unsigned mode)
{
    struct stat st;

    if (!mkdir(path, mode))
        return RC_OK;
    if (errno != EEXIST)
        return err_unwritten(e, "make directory %s", path);
    if (!stat(path, &st) && !S_ISDIR(st.st_mode))
        return hide(e, err_set(e, RC_CONFLICT, "%s is a file, not a directory", path));
    return RC_OK;
}

enum rc fs_mkdirs(struct err *e, const char *path, unsigned mode)
{
    char copy[4096];
    enum rc rc;

    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return err_set(e, RC_INVALID, "the path %.100s… is too long", path);
    for (char *slash = copy + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        if ((rc = make_one(e, copy, mode)))
            return rc;
    }
    return make_one(e, copy, mode);
}
