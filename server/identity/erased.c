/*
 * erased.c - appended, fsynced; read once, at the start.
 */
#include "server/identity/erased.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/secret.h"
#include "server/store/backup.h"

enum { FILE_MAX = 1 << 30, MARK_TEXT = 2 * ERASED_MARK + 1 };

static char file[PATH_MAX], directory[PATH_MAX];

void erased_mark(const uint8_t *subject, size_t n, uint8_t out[ERASED_MARK])
{
    uint8_t hash[HASH_BYTES];

    secret_mac(NULL, subject, n, hash);
    memcpy(out, hash, ERASED_MARK);
}

enum rc erased_open(struct err *e, const char *data)
{
    if ((size_t)snprintf(directory, sizeof directory, "%s", data) >= sizeof directory ||
        (size_t)snprintf(file, sizeof file, "%s/" ERASED_NAME, data) >= sizeof file)
        return err_set(e, RC_INVALID, "the data directory's path is too long");
    return RC_OK;
}

void erased_close(void)
{
    *file = '\0';
}

char *erased_print(const struct erased_line *l, char out[ERASED_TEXT])
{
    char mark[MARK_TEXT], at[CLOCK_TEXT];

    snprintf(out, ERASED_TEXT, "%" PRId64 " %s %s", l->account,
             hex_text(l->mark, ERASED_MARK, mark), clock_text(l->at, at));
    return out;
}

bool erased_parse(const char *text, struct erased_line *out)
{
    struct erased_line l;
    char mark[MARK_TEXT], at[CLOCK_TEXT];
    int end = 0;

    if (sscanf(text, "%18" SCNd64 " %32[0-9a-f] %31s%n", &l.account, mark, at, &end) != 3 ||
        text[end] || l.account < 1 || !hex_parse(mark, strlen(mark), l.mark, ERASED_MARK) ||
        clock_parse(at, strlen(at), &l.at))
        return false;
    *out = l;
    return true;
}

/* The line begins a line, whatever a crash left before it. */
static enum rc append(struct err *e, int fd, const struct erased_line *l)
{
    char line[ERASED_TEXT], text[ERASED_TEXT + 2], last = '\n';
    struct stat st;
    int n;

    if (fstat(fd, &st) || (st.st_size && pread(fd, &last, 1, st.st_size - 1) != 1))
        return err_errno(e, "read %s", file);
    n = snprintf(text, sizeof text, "%s%s\n", last == '\n' ? "" : "\n", erased_print(l, line));
    if (write(fd, text, (size_t)n) != n || fsync(fd))
        return err_unwritten(e, "write %s", file);
    return RC_OK;
}

enum rc erased_append(struct err *e, const struct erased_line *l)
{
    AUTO(closep) int fd = -1;
    enum rc rc;

    if (!*file)
        return RC_OK;
    fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "open %s", file);
    rc = append(e, fd, l);
    return rc ? rc : fs_sync_dir(e, directory);
}

enum rc erased_read(struct err *e, struct arena *mem, struct erased_line **out, int *n)
{
    struct buf list = BUF_IN(mem);
    char *text, *rest;
    size_t length;
    enum rc rc;

    *n = 0;
    *out = NULL;
    if (!*file || !fs_exists(file))
        return RC_OK;
    if ((rc = fs_read(e, mem, file, FILE_MAX, &text, &length)))
        return rc;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        struct erased_line l;

        if (erased_parse(line, &l))
            buf_add(&list, &l, sizeof l);
        else
            LOG(LOG_WARN, "erased_line_passed_over",
                L_INT("after", (int64_t)(list.n / sizeof l)));
    }
    *out = (struct erased_line *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}
