/*
 * frame_fuzz.c - any bytes as an HTTP/2 connection: the verdict does not depend on how they were cut, nor on what had to wait
 * for a write meanwhile.
 *
 * The first byte is the size of the pieces, less one; what follows comes after the preface.
 */
#include <stdlib.h>
#include <string.h>

#include "server/http/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum { BODY_MAX = 1 << 16 };

static void open_meter(struct frame_meter *m)
{
    static const struct frame_now now;
    struct frame_verdict v;

    frame_meter_done(m);
    frame_meter_init(m, 0, BODY_MAX);
    v = frame_meter_take(m, &now, (const uint8_t *)preface, sizeof preface - 1);
    if (v.end || v.hold || v.pass != sizeof preface - 1 || !m->is_http2)
        abort();
}

/* Shows a piece as the guard does: what is held while a write is under way is shown again after it. */
static enum frame_end show(struct frame_meter *m, bool writing, const uint8_t *p, size_t n)
{
    struct frame_now now = { .writing = writing };
    uint8_t *exact = malloc(n);
    struct frame_verdict v;

    memcpy(exact, p, n); /* no longer than it is, so that a read too far is seen */
    v = frame_meter_take(m, &now, exact, n);
    if (v.pass > n || (v.hold && !writing) || (!v.hold && !v.end && v.pass != n))
        abort();
    if (v.hold) {
        now.writing = false;
        v = frame_meter_take(m, &now, exact + v.pass, n - v.pass);
    }
    if (v.hold || m->open > FRAME_STREAMS_MAX || (!v.end && m->body > m->body_max))
        abort();
    free(exact);
    return v.end;
}

static enum frame_end show_all(struct frame_meter *m, bool writing, const uint8_t *p, size_t n,
                               size_t piece)
{
    enum frame_end end = FRAME_FINE;

    open_meter(m);
    for (size_t at = 0; at < n && !end; at += piece)
        end = show(m, writing, p + at, n - at < piece ? n - at : piece);
    return end;
}

static void must_agree(const struct frame_meter *a, const struct frame_meter *b)
{
    if (a->frames != b->frames || a->credits != b->credits || a->body != b->body ||
        a->open != b->open)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct frame_meter whole, other;
    enum frame_end end;

    if (n < 2)
        return 0;
    end = show_all(&whole, false, data + 1, n - 1, n);
    for (int writing = 0; writing < 2; writing++) {
        if (show_all(&other, writing, data + 1, n - 1, 1) != end)
            abort();
        must_agree(&whole, &other);
        if (show_all(&other, writing, data + 1, n - 1, data[0] + 1u) != end)
            abort();
        must_agree(&whole, &other);
    }
    return 0;
}
