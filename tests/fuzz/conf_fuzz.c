/*
 * conf_fuzz.c - a file of settings, however broken: settings or one clear sentence.
 *
 * What was let in must be let in again as conf_print() writes it, and print the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/base/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum rc load(struct err *e, const void *text, size_t n, struct conf *out)
{
    int fd = memfd_create("conf", 0);
    char path[64];
    enum rc rc;

    if (fd < 0 || write(fd, text, n) != (ssize_t)n)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    rc = conf_load(e, path, NULL, out);
    close(fd);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf once = BUF_HEAP, twice = BUF_HEAP;
    struct err e = { 0 };
    struct conf c, again;

    if (load(&e, data, n, &c)) {
        if (!e.text[0])
            abort();
        return 0;
    }
    conf_print(&c, &once);
    if (load(&e, once.p, once.n, &again))
        abort();
    conf_print(&again, &twice);
    if (once.n != twice.n || memcmp(once.p, twice.p, once.n))
        abort();
    conf_done(&c);
    conf_done(&again);
    buf_done(&once);
    buf_done(&twice);
    return 0;
}
