/*
 * frame.c - what frames cost, and which are never let through.
 *
 *     PREFACE --24 right bytes--> HEAD --9 bytes--> priced --> PAYLOAD --its last byte--> HEAD
 *         \--a wrong one--> other: HTTP/1, none of ours
 *
 * A frame is judged when its head is complete, so it never reaches libh2o whole before that: libh2o acts on
 * whole frames only. That is why it is enough to hold the rest of a risky frame when its first bytes
 * have already gone on, and why the verdict does not depend on how the bytes were cut.
 *
 * A stream is open here from a HEADERS without END_STREAM to the last byte of a frame or header block with it, or of
 * RST_STREAM: until then libh2o keeps the body for certain; afterwards who keeps it is the guard's affair. That libh2o may
 * have reset it is not seen; only a client that breaks the protocol leaves such entries behind, and
 * they count against it.
 */
#include "server/http/frame.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/memory.h"

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum { PREFACE = sizeof preface - 1, HEAD = 9, PARAMETER = 6 };

enum type {
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION,
    UNKNOWN
};

enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, HAS_PRIORITY = 32 };

/* Besides its price: of DATA that carries nothing, of DATA that libh2o answers with a reset, of a stream's window that may
 * overflow, which it answers with a reset too. */
enum { COST_EMPTY = 50, COST_ASTRAY = 100, COST_LEAP = 98 };

enum { INITIAL_WINDOW = 4, WIDE = 1 << 30, LEAP = 1 << 24 };

struct frame {
    uint32_t length, stream;
    uint8_t type, flags;
};

static enum frame_end spend(struct frame_meter *m, int32_t credits)
{
    m->spent += (uint64_t)credits;
    if (m->is_many)
        return FRAME_FINE;
    m->credits -= credits;
    return m->credits < 0 ? FRAME_SPENT : FRAME_FINE;
}

/* ---- streams that are not ended ---- */

static struct frame_stream *streams_of(struct frame_meter *m)
{
    return m->many ? m->many : m->few;
}

static struct frame_stream *find(struct frame_meter *m, uint32_t id)
{
    struct frame_stream *of = streams_of(m);

    for (int i = 0; i < m->open; i++)
        if (of[i].id == id)
            return &of[i];
    return NULL;
}

static void make_room(struct frame_meter *m)
{
    if (m->many || m->open < FRAME_STREAMS_FEW)
        return;
    m->many = malloc(FRAME_STREAMS_MAX * sizeof *m->many);
    if (!m->many)
        memory_end();
    memcpy(m->many, m->few, sizeof m->few);
}

static enum frame_end begin(struct frame_meter *m, uint32_t id)
{
    if (m->open == FRAME_STREAMS_MAX)
        return FRAME_STREAMS;
    make_room(m);
    streams_of(m)[m->open++] = (struct frame_stream){ .id = id };
    return FRAME_FINE;
}

static uint32_t counted(uint32_t head)
{
    return head > FRAME_HEAD_USUAL ? head : 0;
}

static void lengthen_head(struct frame_meter *m, struct frame_stream *s, uint32_t n)
{
    if (!s)
        return;
    m->heads -= counted(s->head);
    s->head += n;
    m->heads += counted(s->head);
}

static void end(struct frame_meter *m, struct frame_stream *s)
{
    if (!s)
        return;
    m->body -= s->body;
    m->heads -= counted(s->head);
    *s = streams_of(m)[--m->open];
}

static void end_what_is_complete(struct frame_meter *m)
{
    if (!m->ending || m->left || m->is_begun)
        return;
    end(m, find(m, m->ending));
    m->ending = 0;
}

/* ---- what is looked at in a frame of each type ---- */

static enum frame_end see_data(struct frame_meter *m, const struct frame *f)
{
    struct frame_stream *s = find(m, f->stream);
    enum frame_end why = FRAME_FINE;

    if (!s)
        why = spend(m, COST_ASTRAY);
    else if (!f->length && !(f->flags & END_STREAM))
        why = spend(m, COST_EMPTY);
    if (why || !s)
        return why;
    s->body += f->length;
    m->body += f->length;
    if (f->flags & END_STREAM)
        m->ending = f->stream;
    return m->body > m->body_max ? FRAME_BODIES : FRAME_FINE;
}

static enum frame_end begin_block(struct frame_meter *m, const struct frame *f)
{
    m->block_bytes += f->length;
    m->block_left = f->length;
    if (m->block_bytes > FRAME_BLOCK_MAX)
        return FRAME_HEADERS;
    if (m->ending != f->stream)
        lengthen_head(m, find(m, f->stream), f->length);
    return spend(m, (int32_t)(f->length / FRAME_BLOCK_CREDIT));
}

static enum frame_end see_headers(struct frame_meter *m, const struct frame *f)
{
    enum frame_end why = FRAME_FINE;

    if (f->flags & END_STREAM)
        m->ending = f->stream;
    else if (f->stream > m->newest)
        why = begin(m, f->stream);
    if (f->stream > m->newest)
        m->newest = f->stream;
    if (why)
        return why;
    m->block = (struct block){ 0 };
    m->block_bytes = 0;
    m->pieces = 0;
    m->padded = f->flags & PADDED;
    m->prefix = (f->flags & PADDED ? 1 : 0) + (f->flags & HAS_PRIORITY ? 5 : 0);
    return begin_block(m, f);
}

static enum frame_end see_continuation(struct frame_meter *m, const struct frame *f)
{
    if (!f->length || ++m->pieces > FRAME_CONTINUATIONS_MAX)
        return FRAME_HEADERS;
    m->prefix = 0;
    m->padded = false;
    return begin_block(m, f);
}

static enum frame_end see_reset(struct frame_meter *m, const struct frame *f)
{
    m->ending = f->stream;
    return FRAME_FINE;
}

static enum frame_end see_settings(struct frame_meter *m, const struct frame *f)
{
    (void)m;
    return f->length > FRAME_PARAMETERS_MAX * PARAMETER ? FRAME_ILLEGAL : FRAME_FINE;
}

static enum frame_end see_push(struct frame_meter *m, const struct frame *f)
{
    (void)m, (void)f;
    return FRAME_ILLEGAL;
}

/* The price list of docs/shield.md. */
static const struct {
    int32_t credits;
    enum frame_end (*see)(struct frame_meter *m, const struct frame *f);
} rows[] = {
    [DATA] = { 1, see_data },
    [HEADERS] = { 5, see_headers },
    [PRIORITY] = { 20, NULL },
    [RST_STREAM] = { 100, see_reset },
    [SETTINGS] = { 100, see_settings },
    [PUSH_PROMISE] = { 0, see_push },
    [PING] = { 100, NULL },
    [GOAWAY] = { 100, NULL },
    [WINDOW_UPDATE] = { 2, NULL },
    [CONTINUATION] = { 100, see_continuation },
    [UNKNOWN] = { 100, NULL },
};

/* ---- the walk ---- */

/* May not come to libh2o between the beginning of a write and its end: it asserts that no stream that
 * has just been written gets a window (h2o's pull request 1951). */
static bool is_risky(const struct frame *f)
{
    return (f->type == WINDOW_UPDATE && f->stream) ||
           (f->type == SETTINGS && !(f->flags & ACK));
}

static struct frame decode(const uint8_t h[HEAD])
{
    return (struct frame){ .length = (uint32_t)h[0] << 16 | (uint32_t)h[1] << 8 | h[2],
                           .type = h[3] < UNKNOWN ? h[3] : UNKNOWN,
                           .flags = h[4],
                           .stream = (uint32_t)(h[5] & 0x7f) << 24 | (uint32_t)h[6] << 16 |
                                     (uint32_t)h[7] << 8 | h[8] };
}

static enum frame_end judge(struct frame_meter *m, const struct frame_now *now,
                            const struct frame *f)
{
    enum frame_end why;

    m->frames++;
    m->got = 0;
    m->type = f->type;
    m->risky = is_risky(f);
    m->left = f->length;
    m->number = 0;
    if (f->type == HEADERS || f->type == CONTINUATION)
        m->is_begun = !(f->flags & END_HEADERS);
    if (f->type == CONTINUATION && now->leaving)
        return FRAME_LATE;
    if ((why = spend(m, rows[f->type].credits)))
        return why;
    return rows[f->type].see ? rows[f->type].see(m, f) : FRAME_FINE;
}

/* Octets of HEADERS before the block itself: length of the padding, priority. */
static size_t skip_prefix(struct frame_meter *m, const uint8_t *p, size_t n)
{
    size_t at = 0;

    for (; at < n && m->prefix; at++, m->prefix--) {
        m->block_left -= m->block_left > 0;
        if (m->padded)
            m->block_left = m->block_left > p[at] ? m->block_left - p[at] : 0;
        m->padded = false;
    }
    return at;
}

static enum frame_end read_block(struct frame_meter *m, const uint8_t *p, size_t n)
{
    size_t at = skip_prefix(m, p, n), take = n - at < m->block_left ? n - at : m->block_left;

    block_take(&m->block, p + at, take);
    m->block_left -= (uint32_t)take;
    return m->block.fields > FRAME_FIELDS_MAX ? FRAME_HEADERS : FRAME_FINE;
}

/* From an ordinary window a stream's overflows by great leaps, or by more small ones than are cheap. */
static enum frame_end read_increment(struct frame_meter *m, const uint8_t *p, size_t n)
{
    uint32_t by;

    for (size_t i = 0; i < n; i++)
        m->number = m->number << 8 | p[i];
    by = (uint32_t)m->number & 0x7fffffff;
    if (m->left > n)
        return FRAME_FINE;
    if (!by)
        return FRAME_ILLEGAL;
    return m->risky && (m->is_wide || by >= LEAP) ? spend(m, COST_LEAP) : FRAME_FINE;
}

static void read_parameters(struct frame_meter *m, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m->number = m->number << 8 | p[i];
        if ((m->left - i - 1) % PARAMETER)
            continue;
        if ((m->number >> 32 & 0xffff) == INITIAL_WINDOW)
            m->is_wide = (uint32_t)m->number >= WIDE;
    }
}

/* As much of the payload as is there. */
static size_t read_payload(struct frame_meter *m, const uint8_t *p, size_t n,
                           enum frame_end *why)
{
    size_t step = n < m->left ? n : m->left;

    if (m->type == HEADERS || m->type == CONTINUATION)
        *why = read_block(m, p, step);
    else if (m->type == WINDOW_UPDATE)
        *why = read_increment(m, p, step);
    else if (m->type == SETTINGS)
        read_parameters(m, p, step);
    else if (m->type == DATA)
        m->data += step;
    m->left -= (uint32_t)step;
    return step;
}

static size_t read_preface(struct frame_meter *m, const uint8_t *p, size_t n)
{
    size_t at = 0;

    for (; at < n && m->got < PREFACE; at++, m->got++)
        if (p[at] != (uint8_t)preface[m->got]) {
            m->is_other = true;
            return n;
        }
    if (m->got == PREFACE) {
        m->is_http2 = true;
        m->got = 0;
    }
    return at;
}

static void refill(struct frame_meter *m, uint64_t now_ms)
{
    uint64_t passed = now_ms > m->now_ms ? now_ms - m->now_ms : 0;

    m->now_ms = now_ms;
    if (passed > FRAME_CREDITS_MAX / FRAME_CREDITS_A_MS)
        passed = FRAME_CREDITS_MAX / FRAME_CREDITS_A_MS;
    m->credits += (int32_t)passed * FRAME_CREDITS_A_MS;
    if (m->credits > FRAME_CREDITS_MAX)
        m->credits = FRAME_CREDITS_MAX;
}

bool frame_meter_is_midway(const struct frame_meter *m)
{
    return !m->is_http2 || m->got || m->is_begun || (m->left && m->type != DATA);
}

void frame_meter_init(struct frame_meter *m, uint64_t now_ms, uint64_t largest_body)
{
    *m = (struct frame_meter){ .now_ms = now_ms,
                               .body_max = largest_body + FRAME_BODY_SLACK,
                               .credits = FRAME_CREDITS_MAX };
}

void frame_meter_done(struct frame_meter *m)
{
    free(m->many);
    m->many = NULL;
}

void frame_meter_share(struct frame_meter *m)
{
    m->is_many = true;
    m->body_max = FRAME_MANY * (m->body_max - FRAME_BODY_SLACK) + FRAME_BODY_SLACK;
}

/* Bytes read; none if the frame must wait. */
static size_t read_head(struct frame_meter *m, const struct frame_now *now, const uint8_t *p,
                        size_t n, struct frame_verdict *v)
{
    uint8_t had = m->got;
    size_t step = n < (size_t)(HEAD - had) ? n : (size_t)(HEAD - had);
    struct frame f;

    memcpy(m->head + had, p, step);
    m->got += (uint8_t)step;
    if (m->got < HEAD)
        return step;
    f = decode(m->head);
    if (now->writing && is_risky(&f)) {
        m->got = had;
        v->hold = true;
        return 0;
    }
    v->end = judge(m, now, &f);
    return step;
}

struct frame_verdict frame_meter_take(struct frame_meter *m, const struct frame_now *now,
                                      const uint8_t *p, size_t n)
{
    struct frame_verdict v = { 0 };

    if (m->is_other)
        return (struct frame_verdict){ .pass = n };
    refill(m, now->ms);
    if (!m->is_http2)
        v.pass = read_preface(m, p, n);
    if (m->left && m->risky && now->writing)
        v.hold = true;
    if (m->left && m->type == CONTINUATION && now->leaving)
        v.end = FRAME_LATE;
    while (v.pass < n && !v.hold && !v.end) {
        v.pass += m->left ? read_payload(m, p + v.pass, n - v.pass, &v.end)
                          : read_head(m, now, p + v.pass, n - v.pass, &v);
        end_what_is_complete(m);
    }
    return v;
}
