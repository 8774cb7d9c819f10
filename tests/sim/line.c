/*
 * line.c - a header of fixed size, then the texts.
 */
#include "tests/sim/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct header {
    int32_t kind, number, more;
    uint32_t n[TEXTS];
};

static bool put(int fd, const void *p, size_t n)
{
    for (ssize_t done; n; p = (const char *)p + done, n -= (size_t)done)
        if ((done = send(fd, p, n, MSG_NOSIGNAL)) < 0)
            return false;
    return true;
}

static bool take(int fd, void *p, size_t n)
{
    for (ssize_t done; n; p = (char *)p + done, n -= (size_t)done)
        if ((done = recv(fd, p, n, 0)) <= 0)
            return false;
    return true;
}

void message_text(struct message *m, int which, const char *p, size_t n)
{
    m->text[which] = (char *)(uintptr_t)p;
    m->n[which] = n;
}

void message_done(struct message *m)
{
    for (int i = 0; i < TEXTS; i++)
        free(m->text[i]);
    *m = (struct message){ 0 };
}

bool line_send(int fd, const struct message *m)
{
    struct header h = { m->kind, m->number, m->more, { 0 } };

    for (int i = 0; i < TEXTS; i++)
        h.n[i] = (uint32_t)m->n[i];
    if (!put(fd, &h, sizeof h))
        return false;
    for (int i = 0; i < TEXTS; i++)
        if (!put(fd, m->text[i], m->n[i]))
            return false;
    return true;
}

bool line_receive(int fd, struct message *out)
{
    struct header h;

    *out = (struct message){ 0 };
    if (!take(fd, &h, sizeof h))
        return false;
    *out = (struct message){ .kind = h.kind, .number = h.number, .more = h.more };
    for (int i = 0; i < TEXTS; i++) {
        out->n[i] = h.n[i];
        out->text[i] = calloc(1, h.n[i] + 1);
        if (!out->text[i])
            abort();
        if (!take(fd, out->text[i], h.n[i])) {
            message_done(out);
            return false;
        }
    }
    return true;
}
