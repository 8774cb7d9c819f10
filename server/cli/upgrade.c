/*
 * upgrade.c - `tjzw upgrade`: the server that runs is to become the program that now lies in its place.
 *
 * It replaces no file itself. It sends the server's parent SIGUSR2, and waits:
 *
 *     SERVING --SIGUSR2--> the admin socket goes away --> another child answers    taken over
 *                     \--> it stays, for longer than the parent tries a program    refused; the log says why
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/cli/commands.h"
#include "server/cli/running.h"
#include "server/supervise.h"

enum { LOOK_MS = 20, REFUSE_MS = SUPERVISE_VERSION_MS + 3000, START_MS = 60000 };

/* What the server says it is; NULL if it does not answer. */
static const char *version(const char *data, struct arena *mem)
{
    const char *text = running_ask(data, mem, "/version");
    struct err ignored = { 0 };
    json_t *answer = NULL;

    if (!text || jx_object(&ignored, mem, text, strlen(text), &answer))
        return NULL;
    return jx_text(answer, "version");
}

/* Until somebody other than `before` serves, or, unless `somebody`, nobody does any more. Who serves; -1: the time is over. */
static pid_t wait_for(const char *data, pid_t before, bool somebody, int64_t ms)
{
    const struct timespec look = { 0, LOOK_MS * 1000000L };
    int64_t until = clock_mono_us() + ms * 1000;

    while (clock_mono_us() < until) {
        pid_t now = running_server(data);

        if (now != before && (now || !somebody))
            return now;
        nanosleep(&look, NULL);
    }
    return -1;
}

static int fail(enum rc rc, const char *why, const char *mend)
{
    struct err e = { 0 };

    (void)err_set(&e, rc, "%s", why);
    return cli_fail(&e, "no program was taken over", mend);
}

static int upgrade(const char *data, int64_t stop_ms, struct arena *mem)
{
    pid_t child = running_server(data), parent = child ? running_parent(child) : 0;
    const char *before = version(data, mem), *after;
    int64_t begun_us = clock_mono_us();

    if (!child)
        return fail(RC_NOT_FOUND, "no server runs here, or it is another user's",
                    "name its directory with --data; tjzw serve starts one");
    if (!parent)
        return fail(RC_CONFLICT, "another command is at work here",
                    "try again when it has ended");
    if (kill(parent, SIGUSR2))
        return fail(RC_FORBIDDEN, strerror(errno), "run this as the server's user, or as root");
    if (wait_for(data, child, false, REFUSE_MS) < 0)
        return fail(RC_CONFLICT, "the server goes on as it was",
                    "its log says why: not_upgraded (journalctl -u tjzw)");
    child = wait_for(data, child, true, stop_ms + START_MS);
    if (child < 0 || !(after = version(data, mem)))
        return fail(RC_IO, "the new program does not serve",
                    "its log says why; put the old program back and restart the service");
    printf("taken over after %" PRId64 " ms: %s became %s, process %d under %d\n",
           (clock_mono_us() - begun_us) / 1000,
           before ? before : "a server that did not answer", after, (int)child, (int)parent);
    return 0;
}

int cmd_upgrade(const struct args *a)
{
    struct arena *mem = arena_new();
    struct conf c;
    int code;

    if (!(code = cli_conf(a, &c))) {
        code = upgrade(c.data, c.stop_deadline, mem);
        conf_done(&c);
    }
    arena_free(mem);
    return code;
}
