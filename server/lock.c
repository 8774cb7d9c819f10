/*
 * lock.c - flock(2) goes with the process, so a crash leaves nothing to clean up; the file
 * itself stays.
 */
#include "server/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "server/base/fs.h"
#include "server/user.h"

static enum rc taken(struct err *e, int fd, const char *data)
{
    char who[32] = "";

    if (pread(fd, who, sizeof who - 1, 0) < 0)
        who[0] = '\0';
    who[strcspn(who, "\n")] = '\0';
    return err_set(e, RC_CONFLICT, "the data directory %s is in use by process %s", data,
                   *who ? who : "(unknown)");
}

static enum rc sign(struct err *e, int fd, const char *path)
{
    char pid[32];
    int n = snprintf(pid, sizeof pid, "%d\n", (int)getpid());

    if (ftruncate(fd, 0) || pwrite(fd, pid, (size_t)n, 0) != n)
        return err_errno(e, "write %s", path);
    return RC_OK;
}

/* Who may not write here still hears of a server that is at work, and can ask that. */
enum rc lock_take(struct err *e, const char *data, int *out)
{
    enum rc rc = user_owns(e, data);
    char path[4096];
    int fd;

    if (!rc && (rc = fs_mkdirs(e, data, 0700)))
        return rc;
    snprintf(path, sizeof path, "%s/lock", data);
    fd = open(path, O_RDWR | (rc ? 0 : O_CREAT) | O_CLOEXEC, 0600);
    if (fd < 0)
        return rc ? rc : err_errno(e, "open %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB))
        rc = errno == EWOULDBLOCK ? taken(e, fd, data) : err_errno(e, "lock %s", path);
    else if (!rc)
        rc = sign(e, fd, path);
    if (rc) {
        close(fd);
        return rc;
    }
    *out = fd;
    return RC_OK;
}

void lock_drop(int fd)
{
    if (fd >= 0)
        close(fd);
}
