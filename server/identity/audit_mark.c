/*
 * audit_mark.c - one line, written over.
 */
#include "server/identity/audit_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/store/backup.h"

enum { PATH = 4112, DIGITS = 20, LINE = DIGITS + 1 + 2 * HASH_BYTES + 1 };

static struct { /* the writer's thread, once the server runs */
    int fd;     /* -1: not open */
    bool told;  /* a failure is told when it begins */
    bool own;   /* the newest is a row of this process */
    struct audit_end newest;
} mark = { .fd = -1 };

static bool parse(const char line[static LINE], struct audit_end *out)
{
    char digits[DIGITS + 1] = "";
    char *end;

    memcpy(digits, line, DIGITS);
    *out = (struct audit_end){ .no = strtoll(digits, &end, 10), .holds = true };
    return !*end && out->no > 0 && line[DIGITS] == ' ' && line[LINE - 1] == '\n' &&
           hex_parse(line + DIGITS + 1, 2 * HASH_BYTES, out->chain, HASH_BYTES);
}

static bool read_fd(int fd, struct audit_end *out)
{
    char line[LINE];

    return pread(fd, line, LINE, 0) == LINE && parse(line, out);
}

static void path_of(const char *data, char out[static PATH])
{
    snprintf(out, PATH, "%s/" AUDIT_MARK_NAME, data);
}

enum rc audit_mark_open(struct err *e, const char *data)
{
    char path[PATH];

    audit_mark_close();
    path_of(data, path);
    mark.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (mark.fd < 0)
        return err_errno(e, "open %s", path);
    if (!read_fd(mark.fd, &mark.newest))
        mark.newest = (struct audit_end){ 0 };
    return RC_OK;
}

void audit_mark_close(void)
{
    if (mark.fd >= 0)
        close(mark.fd);
    mark.fd = -1;
    mark.own = false;
    mark.newest = (struct audit_end){ 0 };
}

static void note(void *arg)
{
    const struct audit_end *end = arg;
    char line[LINE + 1], hex[HASH_TEXT];
    bool failed;

    if (end->no < mark.newest.no) /* rows were lost: audit_head_settle() tells of them */
        return;
    mark.newest = *end;
    mark.own = true;
    snprintf(line, sizeof line, "%0*" PRId64 " %s\n", DIGITS, end->no,
             hex_text(end->chain, HASH_BYTES, hex));
    failed = pwrite(mark.fd, line, LINE, 0) != LINE;
    if (failed && !mark.told)
        LOG(LOG_ERROR, "audit_mark_not_written", L_STR("why", strerror(errno)));
    mark.told = failed;
}

void audit_mark_later(struct work *w, const struct audit_end *end)
{
    struct audit_end *copy;

    if (mark.fd < 0)
        return;
    copy = arena_alloc(work_kept(w), sizeof *copy);
    *copy = *end;
    work_after_commit(w, note, copy);
}

bool audit_mark(struct audit_end *out, bool *own)
{
    *out = mark.newest;
    *own = mark.own;
    return out->no > 0;
}

bool audit_mark_read(const char *data, struct audit_end *out)
{
    char path[PATH];
    AUTO(closep) int fd = -1;

    path_of(data, path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && read_fd(fd, out);
}
