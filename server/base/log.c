/*
 * log.c - one write(2) a line, so that lines of several threads never mix.
 */
#include "server/base/log.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/jx.h"

static const char *const names[] = { "debug", "info", "warn", "error" };

static _Atomic int least = LOG_INFO;
static _Atomic int where = STDERR_FILENO;

void log_set_level(enum log_level level)
{
    atomic_store(&least, (int)level);
}

void log_set_fd(int fd)
{
    atomic_store(&where, fd);
}

const char *log_level_name(enum log_level level)
{
    return names[level];
}

int log_level_parse(const char *name)
{
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
        if (!strcmp(name, names[i]))
            return i;
    return -1;
}

void log_write(enum log_level level, const char *event, const struct logkv *kv)
{
    struct buf line = BUF_HEAP;
    char at[CLOCK_TEXT];
    int fd = atomic_load(&where);

    if ((int)level < atomic_load_explicit(&least, memory_order_relaxed) || fd < 0)
        return;
    buf_addc(&line, '{');
    jx_put_text(&line, "at", clock_text(clock_now(), at));
    jx_put_text(&line, "level", names[level]);
    jx_put_text(&line, "event", event);
    for (; kv->key; kv++) {
        if (kv->str)
            jx_put_text(&line, kv->key, kv->str);
        else
            jx_put_int(&line, kv->key, kv->num);
    }
    buf_adds(&line, "}\n");
    if (write(fd, line.p, line.n) < 0) {
        /* nowhere to complain to */
    }
    buf_done(&line);
}
