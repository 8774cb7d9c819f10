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
 * Bodies are counted as long as libh2o keeps them. Over HTTP/2 the meter has those that are not ended, and from the moment it forgets one the
 * request has it, until that is freed. Over HTTP/1 libh2o keeps all in the input, and takes it away when the answer is sent,
 * before it reads again. (Its buffers are up to twice as long as what is in them.) Long heads of HTTP/2 are counted like bodies, and twice. Open
 * streams are counted by themselves.
 *
 * What libh2o answers before it has read the whole body (413 over HTTP/1) is its last word: it closes when that is
 * written, and of a peer that still writes the kernel would take the answer away with a reset (RFC 9112 section 9.6). So
 * the rest of the body is read first, from the kernel into nothing, and only then libh2o hears that it was written.
 *
 * TLS is decrypted before anything comes here. Its records are told beforehand (records.c); whoever sends too many that carry nothing is
 * ended from within, and what was decrypted of them is taken away.
 *
 * libh2o may close the socket in any callback: `busy` keeps the guard until we are out of it.
 */
#include "server/http/guard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/http/crowd.h"
#include "server/http/frame.h"
#include "server/http/strict.h"

enum {
    BILL = 1000,            /* credits that a connection spends before its client pays */
    HEAD_USUAL = 4 << 10,   /* of HTTP/1: an input no longer than this counts for nothing */
    HEADS_MAX = 1 << 20,    /* of HTTP/2: of one connection, counted twice */
    LITTLE_MAX = 272 << 10, /* one body of 256 KB, and what is around it */
    DRAIN_MAX = 16 << 20,   /* of a body that was refused: a phone's picture, and some */
    DRAIN_AT_ONCE = 64 << 10,
    STREAMS_STEP = 8, /* so many are told of at a time: who has fewer costs nobody an atomic */
};

struct guard {
    h2o_socket_t *sock; /* NULL: closed */
    h2o_socket_cb read, written;
    guard_start start;
    struct guard_conf conf;
    struct frame_meter *meter; /* NULL: no byte yet, or this is not HTTP/2 */
    struct strict strict;
    struct record_meter records; /* of TLS */
    char *held;
    size_t nheld;
    uint64_t kept;    /* bytes of bodies that have ended, while their requests last */
    uint64_t heads;   /* likewise, of the heads of such requests */
    uint64_t counted; /* with the client: these and all others */
    int requests;     /* of HTTP/2 that have come whole, while they last */
    int streams;      /* told of: these, and those that are not ended */
    uint64_t writes, taken;
    uint64_t paid; /* by the client, of what the meter says is spent */
    uint32_t owed; /* for small records of TLS */
    uint64_t drained;
    int busy;
    bool begun; /* a byte was judged */
    bool plain; /* not HTTP/2 */
    bool asked; /* libh2o wants to read while we hold */
    bool ended;
    bool refused;      /* nothing more goes on to libh2o */
    uint8_t nwithheld; /* so many of line_ends go on when more of them has come */
};

static const enum metric ends[FRAME_ENDS] = {
    [FRAME_SPENT] = METRIC_guard_ended_spent,     [FRAME_CROWD] = METRIC_guard_ended_crowd,
    [FRAME_HEADERS] = METRIC_guard_ended_headers, [FRAME_STREAMS] = METRIC_guard_ended_streams,
    [FRAME_BODIES] = METRIC_guard_ended_bodies,   [FRAME_ILLEGAL] = METRIC_guard_ended_illegal,
    [FRAME_LATE] = METRIC_guard_ended_late,       [FRAME_RECORDS] = METRIC_guard_ended_records,
};

static const enum metric refusals[STRICT_ENDS] = {
    [STRICT_LINE] = METRIC_guard_refused_line,     [STRICT_BYTE] = METRIC_guard_refused_byte,
    [STRICT_FIELD] = METRIC_guard_refused_field,   [STRICT_HOST] = METRIC_guard_refused_host,
    [STRICT_LENGTH] = METRIC_guard_refused_length, [STRICT_CHUNK] = METRIC_guard_refused_chunk,
};

static const char line_ends[] = "\r\n\r\n";
static const char ended_here[] = "ended by the guard";

/* ---- its life ---- */

static void drop_meter(struct guard *g)
{
    if (g->meter)
        frame_meter_done(g->meter);
    free(g->meter);
    g->meter = NULL;
}

static void guard_free(struct guard *g)
{
    drop_meter(g);
    free(g->held);
    free(g);
}

/* What libh2o makes of a head is more than what came, and lies in blocks that are not full. */
static uint64_t heads_of(const struct guard *g)
{
    return 2 * (g->heads + (g->meter ? g->meter->heads : 0));
}

static bool has_room_for_heads(const struct guard *g)
{
    return heads_of(g) <= (uint64_t)HEADS_MAX * (g->conf.is_many ? FRAME_MANY : 1);
}

/* Bytes of requests that libh2o has, or will have when it has read what is there. */
static uint64_t bodies_of(const struct guard *g)
{
    size_t input = g->plain && g->sock ? g->sock->input->size : 0;

    return g->kept + (g->meter ? g->meter->body : 0) + heads_of(g) +
           (input > HEAD_USUAL ? input : 0);
}

/* Tells the client's account what has changed. Whether there is room. */
static bool count(struct guard *g)
{
    uint64_t now = bodies_of(g);
    int64_t more = (int64_t)(now - g->counted);

    g->counted = now;
    return !more || crowd_carry(g->conf.client, more, now <= LITTLE_MAX);
}

/* Likewise of streams. */
static bool count_streams(struct guard *g)
{
    int now = (g->requests + (g->meter ? g->meter->open : 0)) / STREAMS_STEP * STREAMS_STEP,
        more = now - g->streams;

    g->streams = now;
    return !more || crowd_open(g->conf.client, more);
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
    crowd_spend(g->conf.client, g->owed, clock_mono_us());
    crowd_carry(g->conf.client, -(int64_t)g->counted, true);
    crowd_open(g->conf.client, -g->streams);
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
                                 .held = g->nheld > 0,
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
    drop_meter(g);
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

    metric_add(METRIC_guard_frames, (int64_t)(g->meter->frames - frames));
    if (!count(g) && !v.end)
        v.end = FRAME_BODIES;
    if (!count_streams(g) && !v.end)
        v.end = FRAME_STREAMS;
    if (!v.end && !has_room_for_heads(g))
        v.end = FRAME_HEADERS;
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
    if (g->ended)
        g->sock->input->size = at;
    if (at == in->size)
        return;
    g->begun = true;
    if (is_metered(g, in->bytes[at]))
        meter(g, at);
    else
        check(g, at, 0);
    if (g->plain && !count(g)) {
        g->sock->input->size = at;
        end(g, FRAME_BODIES);
    }
}

/* ---- what comes below, in TLS ---- */

static bool client_pays_record(struct guard *g)
{
    if (++g->owed < BILL)
        return true;
    g->owed = 0;
    return crowd_spend(g->conf.client, BILL, clock_mono_us());
}

bool guard_hear(h2o_socket_t *sock, enum record_word word, size_t n)
{
    struct guard *g = guard_of(sock);

    if (!g || !g->start) /* libh2o reads past us */
        return true;
    if (g->ended)
        return false;
    if (word == RECORD_RESUMED)
        crowd_spend(g->conf.client, CROWD_RESUMED - CROWD_HANDSHAKE, clock_mono_us());
    else if (!record_meter_take(&g->records, word, n))
        end(g, FRAME_RECORDS);
    else if (n < RECORD_SMALL && !client_pays_record(g))
        end(g, FRAME_CROWD);
    return !g->ended;
}

/* ---- requests that have come whole ---- */

/* In the memory of a request. */
struct kept {
    struct guard *by;
    size_t head, body;
};

static void give_back(void *p)
{
    const struct kept *k = p;

    k->by->kept -= k->body;
    k->by->heads -= k->head;
    k->by->requests--;
    count(k->by);
    count_streams(k->by);
}

void guard_keep(struct guard *g, h2o_mem_pool_t *request, size_t head, size_t body)
{
    enum frame_end why = FRAME_FINE;
    struct kept *k;

    if (!g->start)
        return;
    k = h2o_mem_alloc_shared(request, sizeof *k, give_back);
    *k = (struct kept){ .by = g, .head = head > FRAME_HEAD_USUAL ? head : 0, .body = body };
    g->kept += k->body;
    g->heads += k->head;
    g->requests++;
    if (!count(g))
        why = FRAME_BODIES;
    if (!count_streams(g))
        why = FRAME_STREAMS;
    if (!has_room_for_heads(g))
        why = FRAME_HEADERS;
    if (why && !g->ended)
        end(g, why);
}

/* ---- what libh2o calls, and what calls libh2o ---- */

static void on_read(h2o_socket_t *sock, const char *err)
{
    struct guard *g = guard_of(sock);

    record_meter_turn(&g->records);
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
    if (g->begun)
        count(g);
    else
        judge(g, 0);
    library(sock, on_read);
}

/* ---- a body that was refused ---- */

static void drained(struct guard *g)
{
    h2o_socket_cb written = g->written;

    h2o_socket_read_stop(g->sock);
    h2o_socket_dont_read(g->sock, 0);
    g->written = NULL;
    call(g, written, NULL);
}

static void on_rest(h2o_socket_t *sock, const char *err)
{
    struct guard *g = guard_of(sock);
    char nothing[16 << 10];
    ssize_t n = 1;

    for (size_t got = 0; !err && n > 0 && got<DRAIN_AT_ONCE; got += n> 0 ? (size_t)n : 0) {
        n = recv(h2o_socket_get_fd(sock), nothing, sizeof nothing, MSG_DONTWAIT);
        g->drained += n > 0 ? (size_t)n : 0;
    }
    if (err || !n || (n < 0 && errno != EAGAIN && errno != EINTR) || g->drained > DRAIN_MAX)
        drained(g);
}

static void on_last_word(h2o_socket_t *sock, const char *err)
{
    struct guard *g = guard_of(sock);

    if (err) {
        drained(g);
        return;
    }
    g->taken++; /* something moves: patience begins anew */
    h2o_socket_dont_read(sock, 1);
    g->start(sock, on_rest);
}

/* An answer that says so, while the peer is in the midst of a body. */
static bool is_last_word(const struct guard *g, const h2o_iovec_t *bufs, size_t n)
{
    static const char close[] = "\r\nConnection: close\r\n";

    return g->plain && !g->refused && !g->ended && strict_is_in_body(&g->strict) && n &&
           h2o_strstr(bufs[0].base, bufs[0].len, close, sizeof close - 1) != SIZE_MAX;
}

void guard_write(h2o_socket_t *sock, h2o_iovec_t *bufs, size_t n, h2o_socket_cb cb,
                 guard_send library)
{
    struct guard *g = guard_of(sock);

    if (!g || (!g->meter && !is_last_word(g, bufs, n))) {
        library(sock, bufs, n, cb);
        return;
    }
    g->writes++;
    g->written = cb;
    library(sock, bufs, n, g->meter ? on_written : on_last_word);
}
