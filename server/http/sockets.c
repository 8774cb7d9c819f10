/*
 * sockets.c - a line a URL: "URL FD FD ...\n".
 */
#include "server/http/sockets.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum rc sockets_loops(struct err *e, int64_t setting, int *out)
{
    int64_t loops = setting ? setting : sysconf(_SC_NPROCESSORS_ONLN);

    if (loops > LOOPS_MAX && !setting)
        loops = LOOPS_MAX;
    if (loops < 1 || loops > LOOPS_MAX)
        return err_set(e, RC_INVALID, "loops should be 1 to %d", LOOPS_MAX);
    *out = (int)loops;
    return RC_OK;
}

/* ---- inherited ones ---- */

/* The descriptors behind a line's URL; how many. */
static int read_fds(const char *p, const char *end, int fds[LOOPS_MAX])
{
    int n = 0;

    while (p < end && n < LOOPS_MAX) {
        char *next;
        long fd = strtol(p, &next, 10);

        if (next == p || fd < 3)
            break;
        fds[n++] = (int)fd;
        p = next;
    }
    return n;
}

static bool asked_for(const struct conf_list *urls, const char *line, size_t n)
{
    for (int i = 0; i < urls->n; i++)
        if (strlen(urls->v[i]) == n && !memcmp(urls->v[i], line, n))
            return true;
    return false;
}

/* Those of a URL; how many. */
static int adopt(const char *text, const char *url, struct endpoint *at, int fds[LOOPS_MAX])
{
    size_t n = strlen(url);
    int held;

    for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        if (strncmp(line, url, n) || line[n] != ' ' || !(held = read_fds(line + n, end, fds)))
            continue;
        at->addr_len = sizeof at->addr;
        if (getsockname(fds[0], (struct sockaddr *)&at->addr, &at->addr_len))
            return 0;
        for (int i = 0; i < held; i++)
            fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        return held;
    }
    return 0;
}

/* What no URL asks for is let go. */
static void close_others(const char *text, const struct conf_list *urls)
{
    for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        size_t n = strcspn(line, " \n");
        int fds[LOOPS_MAX], count = read_fds(line + n, end, fds);

        if (!asked_for(urls, line, n))
            for (int i = 0; i < count; i++)
                close(fds[i]);
    }
}

/* ---- all of them ---- */

static enum rc open_one(struct err *e, struct sockets *s, const char *url,
                        const char *inherited)
{
    struct endpoint *at = &s->at[s->n];
    int *fds = s->fds[s->n], *held = &s->held[s->n];
    enum rc rc;

    if ((rc = endpoint_parse(e, url, at)))
        return rc;
    if (!(*held = adopt(inherited, url, at, fds))) {
        if ((rc = endpoint_open(e, at, s->loops, fds)))
            return rc;
        *held = s->loops;
    }
    snprintf(s->url[s->n++], LISTEN_URL, "%s", url);
    return RC_OK;
}

enum rc sockets_open(struct err *e, const struct conf_list *urls, int loops,
                     const char *inherited, struct sockets *out)
{
    enum rc rc = RC_OK;

    *out = (struct sockets){ .loops = loops };
    inherited = inherited ? inherited : "";
    close_others(inherited, urls);
    for (int i = 0; i < urls->n && !rc; i++)
        rc = open_one(e, out, urls->v[i], inherited);
    if (rc)
        sockets_close(out);
    return rc;
}

void sockets_close(struct sockets *s)
{
    for (int i = 0; i < s->n; i++)
        for (int k = 0; k < s->held[i]; k++) {
            if (s->fds[i][k] >= 0)
                close(s->fds[i][k]);
            s->fds[i][k] = -1;
        }
}

void sockets_text(const struct sockets *s, char out[SOCKETS_TEXT])
{
    char *p = out, *end = out + SOCKETS_TEXT;

    *out = '\0';
    for (int i = 0; i < s->n; i++) {
        p += snprintf(p, (size_t)(end - p), "%s", s->url[i]);
        for (int k = 0; k < s->held[i]; k++) {
            fcntl(s->fds[i][k], F_SETFD, 0);
            p += snprintf(p, (size_t)(end - p), " %d", s->fds[i][k]);
        }
        p += snprintf(p, (size_t)(end - p), "\n");
    }
}
