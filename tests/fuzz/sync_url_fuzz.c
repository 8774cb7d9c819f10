/*
 * sync_url_fuzz.c - any bytes as a place in a stream: what stands behind /v1/sync/main/ in a URL, in which E, S, G and C stand for the
 * numbers of the newest head. An answer, or a refusal that is no fault of ours; the same again when it is asked again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "server/http/params.h"
#include "server/http/router.h"
#include "tests/lib/sync_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { CHANGES = 40 };

static struct sync_world *stream;
static struct wire_head head;

static void fill_stream(void)
{
    struct err e = { 0 };
    void *state;

    sync_world_set_up(&state);
    stream = state;
    for (int i = 0; i < CHANGES; i++)
        sync_world_random_change(stream, 2000);
    sync_world_settle(stream);
    if (head_flush(stream->live, &e) || !head_values(stream->live, &head))
        abort();
    routes_set(routes_table);
}

/* What stands for a number. */
static void add_expanded(struct buf *b, char c)
{
    switch (c) {
    case 'E': buf_printf(b, "%" PRIu64, head.epoch); break;
    case 'S': buf_printf(b, "%" PRIu64, head.seq); break;
    case 'G': buf_printf(b, "%" PRIu64, head.sign); break;
    case 'C': buf_printf(b, "%" PRIu64, head.cut); break;
    default: buf_addc(b, c);
    }
}

static void try_url(struct work *w, const uint8_t *data, size_t n)
{
    struct reply rp = { 0 }, again = { 0 };
    struct buf raw = BUF_IN(w->mem);
    struct request rq = { 0 };
    struct target t;
    struct match match;
    enum rc rc;

    buf_adds(&raw, "/v1/sync/main/");
    for (size_t i = 0; i < n; i++)
        add_expanded(&raw, (char)data[i]);
    if (target_parse(&w->err, w->mem, raw.p, raw.n, &t))
        return;
    match = router_find(&t, GET);
    if (!match.route || params_fill(&w->err, w->mem, match.route, &t, &rq))
        return;
    rq.path = rq.target = t.path;
    rc = match.route->handler(w, &rq, &rp);
    if (rc > RC_TOO_LARGE || (!rc && !rp.body))
        abort();
    if (match.route->handler(w, &rq, &again) != rc || again.len != rp.len ||
        (rp.len && memcmp(again.body, rp.body, rp.len)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct work w;

    if (!stream)
        fill_stream();
    work_init(&w, arena_new(), stream->w.db, "public", RIGHT_READ);
    try_url(&w, data, n);
    arena_free(w.mem);
    return 0;
}
