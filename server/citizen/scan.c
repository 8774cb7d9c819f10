/*
 * scan.c - clamd's INSTREAM (clamd(8)), on a connection for each file.
 *
 *     we:   "zINSTREAM\0"   length 4, big-endian | bytes   ...   0 0 0 0
 *     it:   "stream: OK\0"   "stream: NAME FOUND\0"   "… ERROR\0"
 *
 * An answer that comes before the end is none: who has not seen the whole file cannot say that it is clean.
 */
#include "server/citizen/scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"

/* ---- the answer ---- */

static bool ends(const char *p, size_t n, const char *with)
{
    size_t length = strlen(with);

    return n >= length && !memcmp(p + n - length, with, length);
}

/* What it is called, for a log: nothing in it but what stands for itself. */
static void copy_name(const char *p, size_t n, char name[static SCAN_NAME_MAX])
{
    static const char kept[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
    size_t i = 0;

    for (; i < n && i < SCAN_NAME_MAX - 1; i++)
        name[i] = p[i] && strchr(kept, p[i]) ? p[i] : '_';
    name[i] = '\0';
}

enum rc scan_answer(struct err *e, const char *p, size_t n, enum scan_verdict *out,
                    char name[static SCAN_NAME_MAX])
{
    static const char ok[] = "stream: OK", stream[] = "stream: ", found[] = " FOUND";
    size_t around = strlen(stream) + strlen(found);

    if (n == strlen(ok) && !memcmp(p, ok, n)) {
        *out = SCAN_CLEAN;
        *name = '\0';
        return RC_OK;
    }
    if (n > around && !memcmp(p, stream, strlen(stream)) && ends(p, n, found)) {
        *out = SCAN_INFECTED;
        copy_name(p + strlen(stream), n - around, name);
        return RC_OK;
    }
    copy_name(p, n, name);
    return err_set(e, RC_UNPROCESSABLE, "the scanner says %s", *name ? name : "nothing");
}

/* ---- the connection ---- */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } at;
    socklen_t n;
};

static bool read_address(const char *where, struct address *out)
{
    const char *colon = strrchr(where, ':');
    struct addrinfo want = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM },
                    *found;
    size_t n = strlen(where);
    char host[INET6_ADDRSTRLEN + 2];

    *out = (struct address){ .n = sizeof out->at.un };
    if (*where == '/' && n < sizeof out->at.un.sun_path) {
        out->at.un.sun_family = AF_UNIX;
        memcpy(out->at.un.sun_path, where, n);
        return true;
    }
    if (*where == '/' || !colon || !colon[1] || colon == where ||
        (size_t)(colon - where) >= sizeof host)
        return false;
    if (*where == '[' && colon[-1] == ']') /* [::1]:3310 */
        snprintf(host, sizeof host, "%.*s", (int)(colon - where) - 2, where + 1);
    else
        snprintf(host, sizeof host, "%.*s", (int)(colon - where), where);
    if (getaddrinfo(host, colon + 1, &want, &found))
        return false;
    memcpy(&out->at, found->ai_addr, found->ai_addrlen);
    out->n = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

enum rc scan_check(struct err *e, const char *where)
{
    struct address a;

    if (read_address(where, &a))
        return RC_OK;
    return err_set(e, RC_INVALID,
                   "scan_socket is the path of a socket, or an address and a port: %s", where);
}

/* Until the connection can do one of `events`. */
static enum rc await(const struct scan *t, short events)
{
    struct pollfd both[] = { { t->fd, events, 0 }, { t->stop, POLLIN, 0 } };
    int64_t left;
    int n;

    do {
        left = (t->until_us - clock_mono_us()) / 1000;
        n = poll(both, 2, left > 0 ? (int)left : 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_errno(t->e, "wait for the scanner");
    if (both[1].revents)
        return err_set(t->e, RC_IO, "the server stops");
    return n ? RC_OK : err_set(t->e, RC_IO, "the scanner does not answer");
}

static enum rc dial(struct scan *t, const char *where)
{
    struct address a;
    int failed = 0;
    socklen_t n = sizeof failed;
    enum rc rc;

    if (!read_address(where, &a))
        return scan_check(t->e, where);
    t->fd = socket(a.at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (t->fd < 0)
        return err_errno(t->e, "open a socket for the scanner");
    if (!connect(t->fd, &a.at.any, a.n))
        return RC_OK;
    if (errno != EINPROGRESS)
        return err_set(t->e, RC_IO, "the scanner at %s: %s", where, strerror(errno));
    if ((rc = await(t, POLLOUT)))
        return rc;
    if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &failed, &n) || failed)
        return err_set(t->e, RC_IO, "the scanner at %s: %s", where, strerror(failed));
    return RC_OK;
}

static enum rc say(const struct scan *t, const void *p, size_t n)
{
    for (const char *at = p, *end = at + n; at < end;) {
        ssize_t sent = send(t->fd, at, (size_t)(end - at), MSG_NOSIGNAL);
        enum rc rc;

        if (sent > 0)
            at += sent;
        else if (errno != EAGAIN && errno != EINTR)
            return err_set(t->e, RC_IO, "the scanner broke off: %s", strerror(errno));
        else if ((rc = await(t, POLLOUT)))
            return rc;
    }
    return RC_OK;
}

static enum rc say_chunk(const struct scan *t, const char *p, size_t n)
{
    uint32_t length = htonl((uint32_t)n);
    enum rc rc = say(t, &length, sizeof length);

    return rc ? rc : say(t, p, n);
}

static bool speaks_already(const struct scan *t)
{
    struct pollfd one = { t->fd, POLLIN, 0 };

    return poll(&one, 1, 0) > 0;
}

/* Up to its NUL; what comes behind that, or never ends, is no answer of clamd. */
static enum rc hear(const struct scan *t, char out[static SCAN_ANSWER_MAX], size_t *n)
{
    for (*n = 0; *n < SCAN_ANSWER_MAX;) {
        ssize_t got = recv(t->fd, out + *n, SCAN_ANSWER_MAX - *n, 0);
        enum rc rc;

        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return err_set(t->e, RC_IO, "the scanner broke off: %s", strerror(errno));
        if (got < 0 && (rc = await(t, POLLIN)))
            return rc;
        if (got < 0)
            continue;
        if (!got)
            return err_set(t->e, RC_IO, "the scanner broke off");
        *n += (size_t)got;
        if (memchr(out, '\0', *n)) {
            if (out[--*n])
                break;
            return RC_OK;
        }
    }
    return err_set(t->e, RC_UNPROCESSABLE, "the scanner says more than an answer");
}

enum rc scan_begin(struct err *e, const char *where, int stop, struct scan *out)
{
    enum rc rc;

    *out = (struct scan){ e, -1, stop, clock_mono_us() + SCAN_MS * INT64_C(1000) };
    rc = dial(out, where);
    return rc ? rc : say(out, "zINSTREAM", sizeof "zINSTREAM");
}

enum rc scan_show(struct scan *s, const void *p, size_t n)
{
    return n ? say_chunk(s, p, n) : RC_OK; /* nothing is the end */
}

enum rc scan_end(struct scan *s, enum scan_verdict *out, char name[static SCAN_NAME_MAX])
{
    char answer[SCAN_ANSWER_MAX];
    size_t length;
    enum rc rc;

    if (speaks_already(s))
        return err_set(s->e, RC_UNPROCESSABLE,
                       "the scanner answers before it saw the whole file");
    if ((rc = say_chunk(s, "", 0)) || (rc = hear(s, answer, &length)))
        return rc;
    return scan_answer(s->e, answer, length, out, name);
}

void scan_close(struct scan *s)
{
    closep(&s->fd);
}
