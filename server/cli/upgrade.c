/*
 * upgrade.c - `tjzw upgrade`: the server that runs is to become the program that now lies in its place.
 *
 * It replaces no file itself. It sends the server's parent SIGUSR2, and waits:
 *
 *     SERVING --SIGUSR2--> the admin socket goes away --> another child answers                 taken over
 *                     \                              \--> the parent says that it died         does not serve
 *                      \--> the parent says why not, or it stays for longer than it tries a program    refused
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/cli/commands.h"
#include "server/cli/running.h"
#include "server/http/client.h"
#include "server/supervise.h"

enum { LOOK_MS = 20, REFUSE_MS = SUPERVISE_TRY_MS + 3000, START_MS = 60000, WHY_MAX = 512 };

/* What the server says it is; NULL if it does not answer. */
static const char *version(const char *data, struct arena *mem)
{
    const char *text = client_ask(data, mem, "/version");
    struct err ignored = { 0 };
    json_t *answer = NULL;

    if (!text || jx_object(&ignored, mem, text, strlen(text), &answer))
        return NULL;
    return jx_text(answer, "version");
}

/* Where the parent says why not. */
static int listen_for_why(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    char name[UPGRADE_SOCKET];
    size_t n = strlen(upgrade_socket(getpid(), name));

    memcpy(at.sun_path + 1, name + 1, n - 1);
    if (bind(fd, (struct sockaddr *)&at,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n))) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool told(int fd, char why[WHY_MAX])
{
    ssize_t n = recv(fd, why, WHY_MAX - 1, 0);

    why[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* Until another child than `before` serves. Who; -1: the time is over, or we are told why there will be none. */
static pid_t wait_for_another(const char *data, pid_t before, int said, char why[WHY_MAX])
{
    int64_t begun_us = clock_mono_us();
    pid_t now = before;

    while (clock_mono_us() <
               begun_us + (now == before ? REFUSE_MS : START_MS) * INT64_C(1000) &&
           !told(said, why)) {
        now = running_server(data);
        if (now && now != before)
            return now;
        clock_sleep_ms(LOOK_MS);
    }
    return -1;
}

static int fail(enum rc rc, const char *what, const char *why, const char *mend)
{
    struct err e = { 0 };

    (void)err_set(&e, rc, "%s", why);
    return cli_fail(&e, what, mend);
}

static int refused(enum rc rc, const char *why, const char *mend)
{
    return fail(rc, "no program was taken over", why, mend);
}

static int upgrade(const char *data, struct arena *mem)
{
    AUTO(closep) int said = listen_for_why();
    char why[WHY_MAX] = "";
    pid_t child = running_server(data), parent = child ? running_parent(child) : 0, now;
    const char *before = version(data, mem), *after;
    int64_t begun_us = clock_mono_us();

    if (!child)
        return refused(RC_NOT_FOUND, "no server runs here, or it is another user's",
                       "name its directory with --data; tjzw serve starts one");
    if (!parent)
        return refused(RC_CONFLICT, "another command is at work here",
                       "try again when it has ended");
    if (kill(parent, SIGUSR2))
        return refused(RC_FORBIDDEN, strerror(errno),
                       "run this as the server's user, or as root");
    now = wait_for_another(data, child, said, why);
    if (now < 0 && running_server(data) == child)
        return refused(RC_CONFLICT, *why ? why : "the server gave no reason",
                       "the server goes on as it was; its log has the same: not_upgraded");
    if (now < 0 || !(after = version(data, mem)))
        return fail(RC_IO, "the new program was taken over, and does not serve",
                    *why ? why : "it gave no reason",
                    "its log says why: mend that, and it serves within 10 s; or put the old "
                    "program back and restart the service");
    printf("taken over after %" PRId64 " ms: %s became %s, process %d under %d\n",
           (clock_mono_us() - begun_us) / 1000,
           before ? before : "a server that did not answer", after, (int)now, (int)parent);
    return 0;
}

int cmd_upgrade(const struct args *a)
{
    struct arena *mem = arena_new();
    struct conf c;
    int code;

    if (!(code = cli_conf(a, &c))) {
        code = upgrade(c.data, mem);
        conf_done(&c);
    }
    arena_free(mem);
    return code;
}
