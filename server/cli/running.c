/*
 * running.c - by the admin socket, whose kernel knows who listens, and by /proc.
 */
#include "server/cli/running.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/base/fs.h"
#include "server/http/client.h"

pid_t running_server(const char *data)
{
    AUTO(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct ucred who = { 0 };
    socklen_t n = sizeof who;

    if (fd < 0 || snprintf(at.sun_path, sizeof at.sun_path, "%s/admin.sock", data) >=
                      (int)sizeof at.sun_path)
        return 0;
    if (connect(fd, (struct sockaddr *)&at, sizeof at) ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n))
        return 0;
    return who.pid;
}

static FILE *open_proc(pid_t pid, const char *file)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    return fopen(path, "re");
}

int64_t running_status(pid_t pid, const char *name)
{
    AUTO(fclosep) FILE *in = open_proc(pid, "status");
    size_t n = strlen(name);
    char line[256];

    while (in && fgets(line, sizeof line, in))
        if (!strncmp(line, name, n) && line[n] == ':')
            return strtoll(line + n + 1, NULL, 10);
    return -1;
}

static bool is_serve(pid_t pid)
{
    AUTO(fclosep) FILE *in = open_proc(pid, "cmdline");
    char text[4096] = "";

    if (in)
        text[fread(text, 1, sizeof text - 2, in)] = '\0';
    return !strcmp(text + strlen(text) + 1, "serve");
}

pid_t running_parent(pid_t server)
{
    int64_t parent = running_status(server, "PPid");

    return parent > 1 && is_serve(server) && is_serve((pid_t)parent) ? (pid_t)parent : 0;
}

char *upgrade_socket(pid_t asks, char out[UPGRADE_SOCKET])
{
    snprintf(out, UPGRADE_SOCKET, "@tjzw-upgrade-%d", (int)asks);
    return out;
}

int64_t running_metric(const char *data, const char *name)
{
    struct arena *mem = arena_new();
    const char *page = client_ask(data, mem, "/metrics");
    const char *line = page ? strstr(page, arena_printf(mem, "\ntjzw_%s ", name)) : NULL;
    int64_t value = line ? strtoll(strchr(line, ' '), NULL, 10) : -1;

    arena_free(mem);
    return value;
}
