/*
 * patience.c - one look a second at each connection.
 *
 * libh2o times handshakes, idle connections of HTTP/2 and nothing else that depends on the peer's good will. Its requests carry the
 * times of their steps, the guard knows what has come and whether a write is under way, and the kernel what was
 * taken at the other end: so nothing here needs a timer of its own or a place in the path of a request.
 *
 * A reader moves when a byte of an answer goes to the socket, or when the peer's kernel takes one of a write that is under way. An
 * answer to a PING is neither.
 */
#include "server/http/patience.h"

enum {
    HEAD_MS = 10 * 1000,
    BODY_MS = 60 * 1000,
    BODY_GRACE_MS = 10 * 1000,
    READER_MS = 30 * 1000,
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

void patience_see(struct patience *p, const h2o_req_t *req)
{
    uint64_t begin = ms_of(req->timestamps.request_begin_at),
             body = ms_of(req->timestamps.request_body_begin_at),
             answer = ms_of(req->timestamps.response_start_at);
    struct patience_seen *s = &p->seen;

    if (!begin)
        return;
    s->requests++;
    if (is_events(req))
        return;
    earlier(&s->request_at, begin);
    if (req->processed_at.at.tv_sec && !answer) {
        s->waiting++;
        return;
    }
    if (answer) {
        earlier(&s->answer_at, answer);
        s->answered += req->bytes_sent;
    } else if (body) {
        earlier(&s->body_at, body);
    } else if (req->version < 0x200) {
        earlier(&s->head_at, begin);
    }
}

static bool is_past(uint64_t since, uint64_t ms, uint64_t now)
{
    return since && now > since && now - since > ms;
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

static bool body_is_slow(struct patience *p, const struct guard_state *g, uint64_t now)
{
    uint64_t at = g->is_http2 && !g->bodies ? 0 : p->seen.body_at;

    if (at != p->body_at) {
        p->body_at = at;
        p->body_from = g->taken;
    }
    if (!is_past(at, BODY_GRACE_MS, now))
        return false;
    return is_past(at, BODY_MS, now) || (g->taken - p->body_from) * 1000 < (now - at) * 1024;
}

static bool reader_is_slow(struct patience *p, const struct guard_state *g, uint64_t acked,
                           uint64_t now)
{
    bool at_window = g->is_http2 && !g->writing, /* what is unsent waits for one */
        taken = !at_window && (acked != p->acked || acked == UINT64_MAX),
         moved = taken || p->seen.answered > p->answered;

    if (moved || !p->moved_at || !p->seen.answer_at)
        p->moved_at = now;
    p->answered = p->seen.answered;
    p->acked = acked;
    return is_past(p->seen.answer_at, READER_MS, now) && is_past(p->moved_at, READER_MS, now);
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
    bool head = head_is_slow(p, g, now_ms), body = body_is_slow(p, g, now_ms),
         reader = reader_is_slow(p, g, acked, now_ms), idle = is_idle(p, g, now_ms);

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
