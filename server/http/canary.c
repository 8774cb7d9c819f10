/*
 * canary.c - a connection that never left the process, to see whether the guard sees it.
 *
 * A preface, SETTINGS and a PING come over a socket pair into a context of libh2o that has no handler. If libh2o
 * answers them, the guard has counted two frames and a write, and it took the time from us (steady.h), then its calls come to us, and
 * the structs we were compiled with are its own. Otherwise nothing of the guard can be relied on, and no server
 * shall run: libh2o was linked statically or with -Bsymbolic, our symbols are hidden, or it is of
 * another version.
 */
#include "server/http/canary.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <h2o.h>
#include <h2o/http2.h>

#include "server/base/clock.h"
#include "server/http/guard.h"
#include "server/http/steady.h"

enum { PATIENCE_MS = 2000, FRAMES = 2, ANSWER_LEAST = 27 /* SETTINGS, its ACK, the PING's */ };

static const char song[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                           "\0\0\0\4\0\0\0\0\0"
                           "\0\0\10\6\0\0\0\0\0canary..";

struct cage {
    h2o_globalconf_t global;
    h2o_hostconf_t *hosts[2];
    h2o_context_t ctx;
    h2o_accept_ctx_t accept;
    int far; /* the canary's end */
    bool closed, leaving;
    struct guard *guard;
};

static void on_closed(void *p)
{
    ((struct cage *)p)->closed = true;
}

/* libh2o's destructor of a loop leaves its epoll descriptor open: one for each start of a server. */
static void cage_done(struct cage *c)
{
    h2o_loop_t *loop = c->ctx.loop;

    h2o_context_dispose(&c->ctx);
    h2o_evloop_destroy(loop);
    h2o_config_dispose(&c->global);
}

static void cage_init(struct cage *c)
{
    h2o_config_init(&c->global);
    c->hosts[0] =
        h2o_config_register_host(&c->global, h2o_iovec_init(H2O_STRLIT("canary")), 65535);
    h2o_context_init(&c->ctx, h2o_evloop_create(), &c->global);
    c->accept = (h2o_accept_ctx_t){ .ctx = &c->ctx, .hosts = c->hosts };
}

static void put_in(struct cage *c, int near)
{
    struct timeval now = *h2o_get_timestamp(&c->ctx, NULL, NULL);
    h2o_socket_t *sock =
        h2o_evloop_socket_create(c->ctx.loop, near, H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
    struct guard_conf conf = { .leaving = &c->leaving, .closed = on_closed, .of = c };

    c->guard = guard_new(sock, &conf);
    h2o_http2_accept(&c->accept, sock, now);
}

/* Runs the loop until `far` has heard so many bytes, or has seen the other end close. */
static void listen_for(struct cage *c, size_t bytes)
{
    int64_t end_us = clock_mono_us() + PATIENCE_MS * 1000;
    char answer[256];
    size_t heard = 0;
    ssize_t n;

    while (!c->closed && heard < bytes && clock_mono_us() < end_us) {
        h2o_evloop_run(c->ctx.loop, 10);
        n = recv(c->far, answer, sizeof answer, MSG_DONTWAIT);
        heard += n > 0 ? (size_t)n : 0;
    }
}

static enum rc sing(struct err *e, struct cage *c)
{
    uint64_t frames, writes, asked = steady_asked();

    if (write(c->far, song, sizeof song - 1) != (ssize_t)sizeof song - 1)
        return err_errno(e, "write to a socket pair");
    listen_for(c, ANSWER_LEAST);
    frames = guard_frames(c->guard);
    writes = guard_writes(c->guard);
    shutdown(c->far, SHUT_WR);
    listen_for(c, SIZE_MAX);
    if (frames == FRAMES && writes && steady_asked() != asked)
        return RC_OK;
    return err_set(
        e, RC_INTERNAL,
        "the guard against hostile HTTP/2 is not in place, so this server does not "
        "start: libh2o does not call it. It should be Debian's libh2o-evloop 2.2.5, "
        "as a shared library, and the program should export what interpose.c defines");
}

enum rc canary_check(struct err *e)
{
    struct cage c = { 0 };
    int fds[2];
    enum rc rc;

    if (guard_is_off)
        return RC_OK;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds))
        return err_errno(e, "make a socket pair");
    cage_init(&c);
    c.far = fds[1];
    put_in(&c, fds[0]);
    rc = sing(e, &c);
    close(c.far);
    cage_done(&c);
    return rc;
}
