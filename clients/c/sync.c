/*
 * sync.c - tjzw_sync, tjzw_background and tjzw_fetch: runs of the pull engine on a stream, with the store at one end and
 * the network (link.c) at the other; and the exchange of who is on this phone (exchange.c) behind them.
 */
#include <stdio.h>
#include <string.h>

#include "clients/c/count.h"
#include "clients/c/entries.h"
#include "clients/c/exchange.h"
#include "clients/c/sync.h"

enum { POLL_S = 60 /* where the server said nothing */, BACKGROUND_S = 25 };

/* ---- a run ---- */

static void take_numbers(struct tjzw_sync_result *out, const struct follow_result *r)
{
    out->changed |= r->changed;
    out->first_use |= r->first_use;
    out->repaired |= r->repaired;
    out->records += r->records;
    out->requests += r->requests;
    out->bytes_down += r->bytes_down;
    out->bytes_up += r->bytes_up;
    out->wait = out->wait > r->wait ? out->wait : r->wait;
    wire_hex(r->trust, sizeof r->trust, out->trust);
    if (r->head.epoch)
        wire_cursor_print((struct wire_cursor){ r->head.epoch, r->head.seq }, out->cursor);
}

/* When it was and how it ended: what the next background sync goes by. */
static enum tjzw_code note_tried(struct stream *s, bool good, uint32_t wait,
                                 struct tjzw_error *e)
{
    int64_t now = s->t->clock();
    sqlite3_stmt *q = store_stmt(s->t, STMT_STREAM_TRIED, e);
    enum tjzw_code rc;

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_int64(q, 1, s->no);
    sqlite3_bind_int64(q, 2, now);
    sqlite3_bind_int64(q, 3, wait);
    sqlite3_bind_int64(q, 4, good ? 0 : (int64_t)s->failures + 1);
    if ((rc = store_run(s->t, q, e)) || !good)
        return rc;
    if (!(q = store_stmt(s->t, STMT_STREAM_CHECKED, e)))
        return TJZW_STORE;
    sqlite3_bind_int64(q, 1, s->no);
    sqlite3_bind_int64(q, 2, now);
    return store_run(s->t, q, e);
}

int64_t sync_due(const struct stream *s, int64_t now)
{
    uint32_t wait = s->poll, more;

    if (s->failures > 0) {
        /* the same number every time it is asked for, another after every attempt */
        more = follow_backoff(POLL_S, s->failures, (uint32_t)s->tried * 2654435761u);
        wait = wait > more ? wait : more;
    }
    if (s->tried > now)
        return now; /* the clock was set back */
    return s->tried + wait;
}

/* The cursor of the head that is held; 0.0: none. */
static struct wire_cursor held_before(struct stream *s)
{
    struct wire_note signatures;
    struct wire_head head = { 0 };
    char note[WIRE_HEAD_MAX];
    size_t n;

    (void)!stream_head(s, &head, note, &n, &signatures, NULL);
    return (struct wire_cursor){ head.epoch, head.seq };
}

enum tjzw_code sync_stream(struct link *l, struct stream *s, const struct run *run,
                           struct tjzw_sync_result *out, struct tjzw_error *e)
{
    struct follow_store store = stream_store(s);
    struct follow_transport transport = { l, link_get, link_wait };
    struct follow_options options = {
        .stream = s->name,
        .trust = s->has_trust ? s->trust : NULL,
        .encoding = WIRE_ZSTD,
        .repair = s->damaged && !run->item,
        .horizon = s->wanted,
        .in_steps = run->in_steps,
        .twin = run->twin,
        .progress = link_progress,
        .progress_ctx = l,
    };
    struct follow_result result;
    struct sync_err why = { 0 };
    struct wire_cursor before = held_before(s);
    enum tjzw_code code;
    enum sync_rc rc;

    link_to(l, s);
    s->mending = options.repair;
    rc = run->item ? follow_fetch_item(&why, &store, &transport, &options, run->item, &result)
                   : follow_run(&why, &store, &transport, &options, &result);
    take_numbers(out, &result);
    if (rc && run->item)
        return l->untrusted ? fail_with(e, TJZW_TLS, "%s", why.text) : fail_sync(e, &why);
    if (rc && rc != SYNC_CANCELLED)
        (void)!note_tried(s, false, result.wait, NULL);
    if (rc == SYNC_NET && l->untrusted)
        return fail_with(e, TJZW_TLS, "%s", why.text);
    if (rc)
        return fail_sync(e, &why);
    if (!(code = stream_keep(s, e)) && result.changed)
        code = entries_came(l->t, s->name, before, e);
    return code ? code : note_tried(s, true, result.wait, e);
}

/* ---- who is on this phone ---- */

enum tjzw_code sync_me(struct link *l, const void *none, struct tjzw_sync_result *out,
                       struct tjzw_error *e)
{
    enum tjzw_code rc = exchange_wanted(l->t) ? exchange_run(l, out, e) : TJZW_OK;

    (void)none;
    return rc ? rc : count_run(l, out, e);
}

/* Behind the streams, also if they failed: what somebody wrote is to arrive. The streams' failure is the one that is told. */
static enum tjzw_code sync_person(struct link *l, enum tjzw_code rc,
                                  struct tjzw_sync_result *out, struct tjzw_error *e)
{
    struct tjzw_error why = { 0 };
    enum tjzw_code one = rc == TJZW_STOPPED ? rc : sync_me(l, NULL, out, &why);

    if (rc || !one)
        return rc;
    if (e)
        *e = why;
    return one;
}

/* ---- tjzw_sync ---- */

static enum tjzw_code sync_streams(struct link *l, struct tjzw_sync_result *out,
                                   struct tjzw_error *e)
{
    const struct run usual = { 0 };
    struct stream s = { 0 };
    enum tjzw_code rc;
    bool any = false;

    if (l->options->stream) {
        rc = stream_find(l->t, l->options->stream, &s, e);
        return rc ? rc : sync_stream(l, &s, &usual, out, e);
    }
    while (!(rc = stream_next(l->t, s.no, &s, e)) && s.no) {
        any = true;
        if ((rc = sync_stream(l, &s, &usual, out, e)))
            return rc;
    }
    return rc || any ? rc : fail_with(e, TJZW_NOT_FOUND, "no stream is followed");
}

static enum tjzw_code sync_all(struct link *l, const void *none, struct tjzw_sync_result *out,
                               struct tjzw_error *e)
{
    enum tjzw_code rc;

    (void)none;
    if (!(rc = stream_begin(l->t, e)) && !(rc = sync_streams(l, out, e)) && out->changed)
        rc = blob_weed(l->t, e);
    return l->options->stream ? rc : sync_person(l, rc, out, e);
}

enum tjzw_code tjzw_sync(struct tjzw *t, const struct tjzw_sync_options *options,
                         struct tjzw_sync_result *out, struct tjzw_error *e)
{
    atomic_store(&t->stop, false);
    return link_run(t, options, sync_all, NULL, out, e);
}

void tjzw_stop(struct tjzw *t)
{
    atomic_store(&t->stop, true);
}

/* ---- tjzw_background ---- */

/* A next call is of use when the first thing is due. */
static void wait_until(struct tjzw_sync_result *out, int64_t due, int64_t now)
{
    if (due != INT64_MAX && due > now && (out->wait == 0 || due - now < out->wait))
        out->wait = (uint32_t)(due - now);
}

/* One stream after the other, each with an equal part of the time that is left; one that fails does not keep the others back. */
static enum tjzw_code sync_those_due(struct link *l, struct tjzw_sync_result *out,
                                     struct tjzw_error *e)
{
    const struct run in_steps = { .in_steps = true };
    int64_t now = l->t->clock();
    uint64_t end = l->deadline;
    struct tjzw_error why;
    enum tjzw_code rc, first = TJZW_OK;
    unsigned left = 0;
    struct stream s;

    out->skipped = true;
    for (s.no = 0; !(rc = stream_next(l->t, s.no, &s, e)) && s.no;) {
        int64_t due = sync_due(&s, now);

        left += due <= now;
        wait_until(out, due, now);
    }
    for (s.no = 0; !rc && left > 0 && !(rc = stream_next(l->t, s.no, &s, e)) && s.no;) {
        uint64_t at = link_now_ms();
        enum tjzw_code one;

        if (sync_due(&s, now) > now)
            continue;
        out->skipped = false;
        l->deadline = at < end ? at + (end - at) / left : end;
        left--;
        one = sync_stream(l, &s, &in_steps, out, &why);
        if (one == TJZW_STOPPED && !atomic_load(&l->t->stop)) {
            out->unfinished = true; /* only the time was up */
            one = TJZW_OK;
        }
        if (one && !first) {
            first = one;
            if (e)
                *e = why;
        }
    }
    return rc ? rc : first;
}

/* What waits to be sent is due; otherwise it is as with a stream. Needs little, so it has what time there is. */
static enum tjzw_code sync_person_if_due(struct link *l, enum tjzw_code rc,
                                         struct tjzw_sync_result *out, struct tjzw_error *e)
{
    int64_t now = l->t->clock(), due = exchange_due(l->t, now);

    wait_until(out, due, now);
    if (due > now)
        return rc;
    out->skipped = false;
    return sync_person(l, rc, out, e);
}

static enum tjzw_code sync_slot(struct link *l, const void *none, struct tjzw_sync_result *out,
                                struct tjzw_error *e)
{
    enum tjzw_code rc;

    (void)none;
    if (!(rc = stream_begin(l->t, e)))
        rc = sync_those_due(l, out, e);
    if (!rc && out->changed)
        rc = blob_weed(l->t, e);
    l->deadline = l->began + (uint64_t)l->options->timeout * 1000;
    if (!(rc = sync_person_if_due(l, rc, out, e)) && !(rc = count_run(l, out, e)))
        wait_until(out, count_due(l->t), l->t->clock());
    sqlite3_db_release_memory(l->t->db);
    return rc;
}

enum tjzw_code tjzw_background(struct tjzw *t, uint32_t seconds, struct tjzw_sync_result *out,
                               struct tjzw_error *e)
{
    const struct tjzw_sync_options options = { .timeout = seconds ? seconds : BACKGROUND_S };

    atomic_store(&t->stop, false);
    return link_run(t, &options, sync_slot, NULL, out, e);
}

/* ---- tjzw_fetch ---- */

/* From the first of the streams that has it. */
static enum tjzw_code fetch_from(struct link *l, const uint8_t id[WIRE_ID],
                                 struct tjzw_sync_result *out, struct tjzw_error *e)
{
    const struct run one = { .item = id };
    const char *only = l->options->stream;
    enum tjzw_code rc = fail_with(e, TJZW_NOT_FOUND, "no stream is followed"), next;
    struct stream s = { 0 };

    while (!(next = stream_next(l->t, s.no, &s, e)) && s.no) {
        if (only && strcmp(only, s.name) != 0)
            continue;
        rc = sync_stream(l, &s, &one, out, e);
        if (rc != TJZW_NOT_FOUND)
            return rc;
    }
    return next ? next : rc;
}

struct wanted {
    const char *id;
    uint8_t raw[WIRE_ID];
};

static enum tjzw_code fetch_and_keep(struct link *l, const void *what,
                                     struct tjzw_sync_result *out, struct tjzw_error *e)
{
    const struct wanted *w = what;
    enum tjzw_code rc;

    if (!(rc = stream_begin(l->t, e)) && !(rc = fetch_from(l, w->raw, out, e)) &&
        (rc = tjzw_keep(l->t, w->id, true, e)) == TJZW_NOT_FOUND)
        (void)!tjzw_keep(l->t, w->id, false, NULL); /* withheld: fetched in vain */
    return rc;
}

enum tjzw_code tjzw_fetch(struct tjzw *t, const char *id,
                          const struct tjzw_sync_options *options, struct tjzw_sync_result *out,
                          struct tjzw_error *e)
{
    struct wanted w = { .id = id };
    enum tjzw_code rc;

    if (out)
        *out = (struct tjzw_sync_result){ 0 };
    if (!store_take_id(id, w.raw))
        return fail_with(e, TJZW_USAGE, "an id has 8-4-4-4-12 hex digits");
    atomic_store(&t->stop, false);
    if ((rc = item_find(t, w.raw, NULL, e)) != TJZW_NOT_FOUND)
        return rc; /* held anyhow */
    return link_run(t, options, fetch_and_keep, &w, out, e);
}
