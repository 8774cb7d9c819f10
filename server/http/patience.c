/*
 * patience.c - one look a second at each connection.
 *
 * libh2o times handshakes, idle connections of HTTP/2 and nothing else that depends on the peer's good will. Its requests carry the
 * times of their steps, the guard knows what has come and whether a write is under way, and the kernel what was
 * taken at the other end: so nothing here needs a timer of its own or a place in the path of a request.
 *
 * A reader moves by the bytes of answers that go to the socket, and by those that the peer's kernel takes of a write that is under way. An
 * answer to a PING is neither. Eight kilobytes in half a minute are a bad line; less is somebody who holds what he does not want.
 *
 * A stream that is read must not shelter those beside it. One whose own window is shut has as long as the slowest reader would need for what it has taken: who takes
 * much at once and then nothing holds the rest no longer than who takes it evenly. One that waits for the
 * connection's window, or for its turn, is not timed by itself: so it is with many on a bad line.
 */
#include "server/http/patience.h"

enum {
    HEAD_MS = 10 * 1000,
    BODY_GRACE_MS = 10 * 1000,
    BODY_AHEAD_MS = 60 * 1000,
    READER_MS = 30 * 1000,
    READER_LEAST = 8 << 10,
    IDLE_MS = 60 * 1000,
    REQUEST_MS = 10 * 60 * 1000,
};

static uint64_t ms_of(struct timeval at)
{
    return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_usec / 1000;
}

static void earlier(uint64_t *oldest, uint64_t at)
{
    if (!*oldest || at < *oldest)
        *oldest = at;
}

/* Such a stream lasts as long as its reader, and sse_reader.c knows who takes none of it. */
static bool is_events(const h2o_req_t *req)
{
    ssize_t at = h2o_find_header(&req->res.headers, H2O_TOKEN_CONTENT_TYPE, -1);
    const h2o_iovec_t *v = at < 0 ? NULL : &req->res.headers.entries[at].value;

    return v && v->len >= 17 && h2o_memis(v->base, 17, H2O_STRLIT("text/event-stream"));
}

void patience_begin(struct patience *p)
{
    p->seen = (struct patience_seen){ 0 };
}

static bool is_past(uint64_t since, uint64_t ms, uint64_t now)
{
    return since && now > since && now - since > ms;
}

static bool see_answer(struct patience_seen *s, const h2o_req_t *req, uint64_t since, bool shut,
                       uint64_t now)
{
    bool stalled =
        shut && is_past(since, READER_MS + req->bytes_sent * READER_MS / READER_LEAST, now);

    earlier(&s->answer_at, since);
    s->answered += req->bytes_sent;
    s->answers++;
    s->stalled += stalled;
    return stalled;
}

bool patience_see(struct patience *p, const h2o_req_t *req, bool shut, uint64_t now_ms)
{
    uint64_t begin = ms_of(req->timestamps.request_begin_at),
             body = ms_of(req->timestamps.request_body_begin_at),
             answer = ms_of(req->timestamps.response_start_at);
    struct patience_seen *s = &p->seen;

    if (!begin)
        return false;
    s->requests++;
    if (is_events(req))
        return false;
    earlier(&s->request_at, begin);
    if (answer)
        return see_answer(s, req, answer, shut, now_ms);
    if (req->processed_at.at.tv_sec)
        s->waiting++;
    else if (body)
        earlier(&s->body_at, body);
    else if (req->version < 0x200)
        earlier(&s->head_at, begin);
    return false;
}

/* What was not read because of us does not count against who sends: his clocks stand while the guard holds a frame back. The reader's goes on, and ends
 * who holds it back by not reading. */
static void stand_still(struct patience *p, const struct guard_state *g, uint64_t now)
{
    uint64_t ms = g->held && p->looked_at ? now - p->looked_at : 0;

    p->looked_at = now;
    p->midway_at += p->midway_at ? ms : 0;
    p->body_since += ms;
    p->body_paid += ms;
}

static bool head_is_slow(struct patience *p, const struct guard_state *g, uint64_t now)
{
    if (!g->midway)
        p->midway_at = 0;
    else if (!p->midway_at || p->begun != g->begun)
        p->midway_at = now;
    p->begun = g->begun;
    return is_past(p->midway_at, HEAD_MS, now) || is_past(p->seen.head_at, HEAD_MS, now);
}

/* Each kilobyte pays for a second, and not far ahead: who has sent a megabyte at once must not be silent for a quarter of an hour. */
static bool body_is_slow(struct patience *p, const struct guard_state *g, uint64_t now)
{
    uint64_t at = g->is_http2 && !g->bodies ? 0 : p->seen.body_at;

    if (at != p->body_at) {
        p->body_at = at;
        p->body_since = p->body_paid = now;
    }
    p->body_paid += (g->taken - p->taken) * 1000 / 1024;
    p->taken = g->taken;
    if (p->body_paid > now + BODY_AHEAD_MS)
        p->body_paid = now + BODY_AHEAD_MS;
    return at && is_past(p->body_since, BODY_GRACE_MS, now) && p->body_paid < now;
}

/* Of what the peer's kernel has taken, that which was of answers: at a window all of them may be with the kernel, and what is taken beyond them
 * is something else. */
static uint64_t took(struct patience *p, bool at_window, uint64_t acked)
{
    uint64_t more = acked > p->acked ? acked - p->acked : 0,
             of_answers = more < p->untaken ? more : p->untaken;

    p->untaken -= of_answers;
    p->acked = acked;
    return at_window ? of_answers : more;
}

static bool reader_is_slow(struct patience *p, const struct guard_state *g, uint64_t acked,
                           uint64_t now)
{
    bool at_window = g->is_http2 && !g->writing; /* what is unsent waits for one */
    uint64_t given = p->seen.answered > p->answered ? p->seen.answered - p->answered : 0;

    p->answered = p->seen.answered;
    p->untaken += given;
    p->moved += given;
    if (acked != UINT64_MAX)
        p->moved += took(p, at_window, acked);
    else if (!at_window)
        p->moved = READER_LEAST;
    if (p->moved >= READER_LEAST || !p->moved_at || !p->seen.answer_at) {
        p->moved_at = now;
        p->moved = 0;
    }
    return (p->seen.answers && p->seen.stalled == p->seen.answers) ||
           (is_past(p->seen.answer_at, READER_MS, now) && is_past(p->moved_at, READER_MS, now));
}

static bool is_idle(struct patience *p, const struct guard_state *g, uint64_t now)
{
    if (!p->idle_at || p->seen.requests || g->taken != p->idle_from)
        p->idle_at = now;
    p->idle_from = g->taken;
    return is_past(p->idle_at, IDLE_MS, now);
}

enum patience_end patience_judge(struct patience *p, const struct guard_state *g,
                                 uint64_t acked, uint64_t now_ms)
{
    bool head, body, reader, idle;

    stand_still(p, g, now_ms);
    head = head_is_slow(p, g, now_ms);
    body = body_is_slow(p, g, now_ms);
    reader = reader_is_slow(p, g, acked, now_ms);
    idle = is_idle(p, g, now_ms);
    if (head)
        return PATIENCE_HEAD;
    if (body)
        return PATIENCE_BODY;
    if (reader)
        return PATIENCE_READER;
    if (is_past(p->seen.request_at, REQUEST_MS, now_ms))
        return PATIENCE_REQUEST;
    return idle ? PATIENCE_IDLE : PATIENCE_FINE;
}
