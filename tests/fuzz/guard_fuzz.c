/*
 * guard_fuzz.c - any bytes as a connection: guard and libh2o as a server has them, on a socket pair.
 *
 *     mode | size of the pieces, less one | bytes (HTTP/2: behind a preface of ours)
 *
 * However they are cut, and whatever waits for a write meanwhile: libh2o neither falls nor turns for ever, no request reaches the
 * handler of which the guard has not seen the frame, an open connection has had all its frames counted, and when the peer has
 * gone nothing is left (LeakSanitizer looks).
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>

#include "server/http/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum {
    HTTP2 = 1,
    EARLY =
        2, /* the first piece has come when libh2o begins to read, as with the end of a TLS handshake */
    UNREAD = 4,   /* the peer takes nothing before it has sent all */
    NARROW = 8,   /* the socket takes little at once */
    LEAVING = 16, /* the loop is told to end in the middle */
    LARGE = 32,   /* answers larger than any window */
};

enum {
    HEADERS = 1,
    ANSWER = 8000,
    ANSWER_LARGE = 70000,
    LITTLE = 4096,
    BODY_MAX = 1 << 16,
    TURNS = 1000
};

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static struct world {
    h2o_globalconf_t global;
    h2o_hostconf_t *hosts[2];
    h2o_context_t ctx;
    h2o_accept_ctx_t accept;
    h2o_timeout_entry_t knock;
    h2o_socket_t *sock;
    struct guard *guard;
    int peer;
    bool closed, leaving;
    bool http2;
    size_t answer;
    uint64_t asked;      /* requests that reached the handler */
    const uint8_t *said; /* frames, all of them */
    size_t length;
} w;

/* Heads of frames in the first `sent` bytes; how many of the first `most` of them begin a request. */
static uint64_t frames_in(const uint8_t *p, size_t sent, uint64_t most, uint64_t *requests)
{
    uint64_t frames = 0;

    for (size_t at = 0; sent - at >= 9; frames++) {
        size_t length = (size_t)p[at] << 16 | (size_t)p[at + 1] << 8 | p[at + 2];

        *requests += frames < most && p[at + 3] == HEADERS;
        if (sent - at - 9 < length)
            return frames + 1;
        at += 9 + length;
    }
    return frames;
}

/* Behind a SETTINGS that was counted a request that was not would not show. */
static uint64_t requests_seen(void)
{
    uint64_t requests = 0;

    frames_in(w.said, w.length, guard_frames(w.guard), &requests);
    return requests;
}

static int answer(h2o_handler_t *self, h2o_req_t *req)
{
    static const char body[ANSWER_LARGE];

    (void)self;
    w.asked++;
    if (req->version >= 0x200 && w.asked > requests_seen())
        abort();
    req->res.status = 200;
    req->res.reason = "OK";
    h2o_send_inline(req, body, w.answer);
    return 0;
}

static void on_closed(void *p)
{
    (void)p;
    w.closed = true;
}

static void open_world(void)
{
    signal(SIGPIPE, SIG_IGN);
    h2o_config_init(&w.global);
    w.global.http1.upgrade_to_http2 = 0;
    w.global.max_request_entity_size = 4 * BODY_MAX;
    w.hosts[0] = h2o_config_register_host(&w.global, h2o_iovec_init(H2O_STRLIT("fuzz")), 65535);
    h2o_create_handler(h2o_config_register_path(w.hosts[0], "/", 0), sizeof(h2o_handler_t))
        ->on_req = answer;
    h2o_context_init(&w.ctx, h2o_evloop_create(), &w.global);
    w.accept = (h2o_accept_ctx_t){ .ctx = &w.ctx, .hosts = w.hosts };
}

static void turn(int times)
{
    while (times--)
        h2o_evloop_run(w.ctx.loop, 0);
}

/* In a turn of the loop, as a server accepts: a socket that is closed outside of one is freed too early by libh2o. */
static void accept_it(h2o_timeout_entry_t *knock)
{
    struct timeval now = *h2o_get_timestamp(&w.ctx, NULL, NULL);

    (void)knock;
    if (w.http2)
        h2o_http2_accept(&w.accept, w.sock, now);
    else
        h2o_http1_accept(&w.accept, w.sock, now);
}

static void dial(uint8_t mode, const uint8_t *early, size_t n)
{
    struct guard_conf conf = { .body_max = BODY_MAX,
                               .leaving = &w.leaving,
                               .closed = on_closed };
    int fds[2], little = LITTLE;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds))
        abort();
    if (mode & NARROW)
        setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    w.peer = fds[1];
    w.closed = w.leaving = false;
    w.asked = 0;
    w.answer = mode & LARGE ? ANSWER_LARGE : ANSWER;
    w.http2 = mode & HTTP2;
    w.sock =
        h2o_evloop_socket_create(w.ctx.loop, fds[0], H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
    w.guard = guard_new(w.sock, &conf);
    memcpy(h2o_buffer_reserve(&w.sock->input, n + 1).base, early, n);
    w.sock->input->size += n;
    w.knock.cb = accept_it;
    h2o_timeout_link(w.ctx.loop, &w.ctx.zero_timeout, &w.knock);
    turn(1);
}

/* Takes what was answered. */
static void hear(void)
{
    static char heard[1 << 16];

    for (int silent = 0; silent < 3 && !w.closed; silent++) {
        turn(1);
        while (!w.closed && recv(w.peer, heard, sizeof heard, 0) > 0) {
            silent = 0;
            turn(1);
        }
    }
}

/* What the kernel does not take any more is lost: a peer gives up in the middle, too. Returns what it took. */
static size_t pour(uint8_t mode, const uint8_t *p, size_t n)
{
    size_t sent = 0;

    for (int tries = 0; sent < n && tries < 4 && !w.closed; tries++) {
        ssize_t took = send(w.peer, p + sent, n - sent, MSG_NOSIGNAL);

        sent += took > 0 ? (size_t)took : 0;
        turn(2);
        if (!(mode & UNREAD))
            hear();
    }
    return sent;
}

static void leave(void)
{
    w.leaving = true;
    h2o_context_request_shutdown(&w.ctx);
}

/* The context serves the next input as if nobody had told it to end. */
static void stay(void)
{
    h2o_timeout_unlink(&w.ctx.http2._graceful_shutdown_timeout);
    w.ctx.http2._graceful_shutdown_timeout.cb = NULL;
    w.ctx.shutdown_requested = 0;
}

static void hang_up(void)
{
    shutdown(w.peer, SHUT_RDWR);
    for (int turns = 0; !w.closed; turns++) {
        if (turns == TURNS)
            abort();
        turn(1);
    }
    close(w.peer);
    stay();
}

static void converse(uint8_t mode, size_t piece, const uint8_t *data, size_t n)
{
    uint8_t *all = malloc(sizeof preface + n);
    uint64_t requests = 0;
    size_t before = mode & HTTP2 ? sizeof preface - 1 : 0, total = before + n, sent;

    memcpy(all, preface, before);
    memcpy(all + before, data, n);
    w.said = all + before;
    w.length = n;
    sent = mode & EARLY ? before + (n < piece ? n : piece) : 0;
    dial(mode, all, sent);
    for (size_t part, took; sent < total && !w.closed; sent += took) {
        if (mode & LEAVING && !w.leaving && sent > total / 2)
            leave();
        part = sent < before ? before - sent : total - sent < piece ? total - sent : piece;
        if ((took = pour(mode, all + sent, part)) < part) {
            sent += took;
            break;
        }
    }
    hear();
    if (mode & HTTP2 && !w.closed && sent >= before &&
        guard_frames(w.guard) != frames_in(all + before, sent - before, 0, &requests))
        abort();
    hang_up();
    free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static bool made;

    if (!made)
        open_world();
    made = true;
    if (n >= 2)
        converse(data[0], data[1] + 1u, data + 2, n - 2);
    return 0;
}
