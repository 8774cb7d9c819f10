/*
 * guard.c - libh2o's callbacks are called by us, with no byte that the meter has not seen.
 *
 *     socket --on_read--> [ judged | fresh ] --meter--> pass: libh2o's reading callback
 *                             input                     hold: moved aside, the socket is not read;
 *                                                             on_written gives it back
 *                                                       end:  libh2o hears an error
 *
 * What is fresh at a read is its last sock->bytes_read bytes; the rest was judged before, and libh2o takes from the
 * front whenever it likes. Bytes that came with the TLS Finished lie in the input already when libh2o
 * begins to read, and it takes them without a callback: they are judged in guard_read_start(), before it can.
 *
 * A write is under way from h2o_socket_write() to its callback, which is ours. While we hold bytes libh2o finds its
 * reading stopped; the callback of a write is where it starts again what has stopped, if it wants to
 * read. Then it gets what we held. So its own limits on unsent answers work as they did, and nothing
 * polls.
 *
 * What is no HTTP/2 is read strictly. What is refused is taken away, and something that libh2o refuses put in its
 * place: libh2o answers 400 and closes, when it has answered what came before.
 *
 * What a connection spends on frames, its client pays too, a bill of 1,000 credits at a time: that is seldom enough to
 * cost nothing.
 *
 * libh2o may close the socket in any callback: `busy` keeps the guard until we are out of it.
 */
#include "server/http/guard.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/http/crowd.h"
#include "server/http/frame.h"
#include "server/http/strict.h"

enum {
    BODIES_MAX = 64 << 20, /* not ended, of the whole process */
    BILL = 1000,           /* credits that a connection spends before its client pays */
};

struct guard {
    h2o_socket_t *sock; /* NULL: closed */
    h2o_socket_cb read, written;
    guard_start start;
    struct guard_conf conf;
    struct frame_meter *meter; /* NULL: no byte yet, or this is not HTTP/2 */
    struct strict strict;
    char *held;
    size_t nheld;
    uint64_t counted, writes, taken;
    uint64_t paid; /* by the client, of what the meter says is spent */
    int busy;
    bool begun; /* a byte was judged */
    bool plain; /* not HTTP/2 */
    bool asked; /* libh2o wants to read while we hold */
    bool ended;
    bool refused;      /* nothing more goes on to libh2o */
    uint8_t nwithheld; /* so many of line_ends go on when more of them has come */
};

static _Atomic int64_t bodies; /* bytes not ended of all connections */

static const enum metric ends[FRAME_ENDS] = {
    [FRAME_SPENT] = METRIC_guard_ended_spent,     [FRAME_CROWD] = METRIC_guard_ended_crowd,
    [FRAME_HEADERS] = METRIC_guard_ended_headers, [FRAME_STREAMS] = METRIC_guard_ended_streams,
    [FRAME_BODIES] = METRIC_guard_ended_bodies,   [FRAME_ILLEGAL] = METRIC_guard_ended_illegal,
    [FRAME_LATE] = METRIC_guard_ended_late,
};

static const enum metric refusals[STRICT_ENDS] = {
    [STRICT_LINE] = METRIC_guard_refused_line,     [STRICT_BYTE] = METRIC_guard_refused_byte,
    [STRICT_FIELD] = METRIC_guard_refused_field,   [STRICT_HOST] = METRIC_guard_refused_host,
    [STRICT_LENGTH] = METRIC_guard_refused_length, [STRICT_CHUNK] = METRIC_guard_refused_chunk,
};

static const char line_ends[] = "\r\n\r\n";
static const char ended_here[] = "ended by the guard";

/* ---- its life ---- */

static void guard_free(struct guard *g)
{
    atomic_fetch_sub_explicit(&bodies, (int64_t)g->counted, memory_order_relaxed);
    free(g->meter);
    free(g->held);
    free(g);
}

/* False: it cannot. */
static bool client_pays(struct guard *g)
{
    uint64_t due = g->meter->spent - g->paid;

    g->paid = g->meter->spent;
    return crowd_spend(g->conf.client, (int64_t)due, clock_mono_us());
}

static void on_close(void *p)
{
    struct guard *g = p;

    g->sock = NULL;
    if (g->meter)
        client_pays(g);
    g->conf.closed(g->conf.of);
    if (!g->busy)
        guard_free(g);
}

struct guard *guard_new(h2o_socket_t *sock, const struct guard_conf *conf)
{
    struct guard *g = h2o_mem_alloc(sizeof *g);

    *g = (struct guard){ .sock = sock, .conf = *conf };
    sock->on_close.cb = on_close;
    sock->on_close.data = g;
    return g;
}

static struct guard *guard_of(const h2o_socket_t *sock)
{
    return sock->on_close.cb == on_close ? sock->on_close.data : NULL;
}

uint64_t guard_frames(const struct guard *g)
{
    return g->meter ? g->meter->frames : 0;
}

uint64_t guard_writes(const struct guard *g)
{
    return g->writes;
}

struct guard_state guard_state(const struct guard *g)
{
    const struct frame_meter *m = g->meter;

    if (!m)
        return (struct guard_state){ .taken = g->taken };
    return (struct guard_state){ .is_http2 = true,
                                 .writing = g->written,
                                 .midway = frame_meter_is_midway(m),
                                 .begun = m->is_begun ? UINT64_MAX - m->newest : m->frames,
                                 .bodies = m->open,
                                 .taken = m->data };
}

void *guard_owner(const h2o_socket_t *sock)
{
    const struct guard *g = guard_of(sock);

    return g ? g->conf.of : NULL;
}

/* Calls libh2o. False: the connection is gone, and `g` too. */
static bool call(struct guard *g, h2o_socket_cb cb, const char *err)
{
    g->busy++;
    cb(g->sock, err);
    g->busy--;
    if (g->sock)
        return true;
    if (!g->busy)
        guard_free(g);
    return false;
}

/* ---- judging ---- */

/* Only HTTP/2 pays for a meter: its preface begins with a P. What has none is HTTP/1. */
static bool is_metered(struct guard *g, char first)
{
    if (!g->meter && !g->plain && first == 'P') {
        g->meter = h2o_mem_alloc(sizeof *g->meter);
        frame_meter_init(g->meter, h2o_now(h2o_socket_get_loop(g->sock)), g->conf.body_max);
        if (g->conf.is_many)
            frame_meter_share(g->meter);
    } else if (!g->meter) {
        g->plain = true;
    }
    return g->meter;
}

static void forget_meter(struct guard *g)
{
    free(g->meter);
    g->meter = NULL;
    g->plain = true;
}

static void put(struct guard *g, size_t at, const char *bytes, size_t n)
{
    h2o_iovec_t room = h2o_buffer_reserve(&g->sock->input, n);
    h2o_buffer_t *in = g->sock->input;

    if (!room.base)
        h2o_fatal("no memory for what the guard puts in");
    memmove(in->bytes + at + n, in->bytes + at, in->size - at);
    memcpy(in->bytes + at, bytes, n);
    in->size += n;
}

/* In a head libh2o takes no NUL (but it looks at a version only when there are nine bytes of it), and in a chunk's
 * size not more digits than a number has; both are said after what it has seen already, wherever that ended. */
static void refuse(struct guard *g, size_t at, enum strict_end why)
{
    static const char no_head[] = "\0\0\0\0\0\0\0\0\0\r\n\r\n", no_size[] = "fffffffffffffffff";
    bool in_chunks = strict_in_chunks(&g->strict);

    g->refused = true;
    g->sock->input->size = at;
    put(g, at, in_chunks ? no_size : no_head,
        in_chunks ? sizeof no_size - 1 : sizeof no_head - 1);
    metric_add(refusals[why], 1);
}

/* What is fresh of HTTP/1 begins at `at`; the `seen` bytes before it libh2o has had, but no check. */
static void check(struct guard *g, size_t at, size_t seen)
{
    h2o_buffer_t *in;
    struct strict_verdict v;
    size_t from = at - seen;

    if (g->refused) {
        g->sock->input->size = at;
        return;
    }
    if (g->nwithheld)
        put(g, at, line_ends, g->nwithheld);
    in = g->sock->input;
    v = strict_take(&g->strict, (uint8_t *)in->bytes + from, in->size - from);
    g->nwithheld = 0;
    if (v.end) {
        refuse(g, v.pass > seen ? from + v.pass : at, v.end);
        return;
    }
    g->nwithheld = (uint8_t)(in->size - from - v.pass);
    in->size = from + v.pass;
}

/* What the meter counted goes to the process. Whether there is room for the bodies. */
static bool count(struct guard *g, uint64_t frames_before)
{
    int64_t more = (int64_t)(g->meter->body - g->counted), all;

    metric_add(METRIC_guard_frames, (int64_t)(g->meter->frames - frames_before));
    if (!more)
        return true;
    g->counted = g->meter->body;
    all = atomic_fetch_add_explicit(&bodies, more, memory_order_relaxed) + more;
    return more < 0 || all <= BODIES_MAX;
}

/* Moves the end of the input, from `at` on, out of libh2o's sight, and stops reading. */
static void hold(struct guard *g, size_t at)
{
    h2o_buffer_t *in = g->sock->input;

    g->nheld = in->size - at;
    g->held = h2o_mem_alloc(g->nheld);
    memcpy(g->held, in->bytes + at, g->nheld);
    in->size = at;
    g->asked = false;
    h2o_socket_read_stop(g->sock);
    metric_add(METRIC_guard_held, 1);
}

/* A peer that takes no bytes must not keep us: what is being written fails now. */
static void end(struct guard *g, enum frame_end why)
{
    g->ended = true;
    shutdown(h2o_socket_get_fd(g->sock), SHUT_RDWR);
    metric_add(ends[why], 1);
}

static void meter(struct guard *g, size_t at)
{
    h2o_buffer_t *in = g->sock->input;
    struct frame_now now = { .ms = h2o_now(h2o_socket_get_loop(g->sock)),
                             .writing = g->written,
                             .leaving = *g->conf.leaving };
    uint64_t frames = g->meter->frames;
    size_t seen = g->meter->got; /* of the preface, if it was not whole */
    struct frame_verdict v =
        frame_meter_take(g->meter, &now, (uint8_t *)in->bytes + at, in->size - at);

    if (!count(g, frames) && !v.end)
        v.end = FRAME_BODIES;
    if (!v.end && g->meter->spent - g->paid >= BILL && !client_pays(g))
        v.end = FRAME_CROWD;
    if (v.end) {
        in->size = at;
        end(g, v.end);
    } else if (v.hold) {
        hold(g, at + v.pass);
    } else if (g->meter->is_other) {
        forget_meter(g);
        check(g, at, seen);
    }
}

/* The input from `at` on is fresh. Afterwards libh2o may have all that is there, unless g->ended. */
static void judge(struct guard *g, size_t at)
{
    const h2o_buffer_t *in = g->sock->input;

    g->taken += in->size - at;
    if (g->ended || at == in->size)
        return;
    g->begun = true;
    if (is_metered(g, in->bytes[at]))
        meter(g, at);
    else
        check(g, at, 0);
}

/* ---- what libh2o calls, and what calls libh2o ---- */

static void on_read(h2o_socket_t *sock, const char *err)
{
    struct guard *g = guard_of(sock);

    if (!err)
        judge(g, sock->input->size - sock->bytes_read);
    call(g, g->read, g->ended ? ended_here : err);
}

void guard_hang_up(struct guard *g)
{
    call(g, g->read, "the peer has gone");
}

static void release(struct guard *g)
{
    size_t at = g->sock->input->size;
    h2o_iovec_t room = h2o_buffer_reserve(&g->sock->input, g->nheld);

    if (!room.base)
        h2o_fatal("no memory for what the guard held");
    memcpy(room.base, g->held, g->nheld);
    g->sock->input->size += g->nheld;
    free(g->held);
    g->held = NULL;
    g->nheld = 0;
    g->start(g->sock, on_read);
    judge(g, at);
    call(g, g->read, g->ended ? ended_here : NULL);
}

static void on_written(h2o_socket_t *sock, const char *err)
{
    struct guard *g = guard_of(sock);
    h2o_socket_cb written = g->written;

    g->written = NULL;
    if (call(g, written, err) && g->nheld && g->asked && !g->written)
        release(g);
}

void guard_read_start(h2o_socket_t *sock, h2o_socket_cb cb, guard_start library)
{
    struct guard *g = guard_of(sock);

    if (!g) {
        library(sock, cb);
        return;
    }
    g->read = cb;
    g->start = library;
    g->asked = true;
    if (g->nheld)
        return;
    if (!g->begun)
        judge(g, 0);
    library(sock, on_read);
}

void guard_write(h2o_socket_t *sock, h2o_iovec_t *bufs, size_t n, h2o_socket_cb cb,
                 guard_send library)
{
    struct guard *g = guard_of(sock);

    if (!g || !g->meter) {
        library(sock, bufs, n, cb);
        return;
    }
    g->writes++;
    g->written = cb;
    library(sock, bufs, n, on_written);
}
