/*
 * sync.c - tjzw_sync, tjzw_background and tjzw_fetch: runs of the pull engine on a stream, with the store at one end and
 * the network (link.c) at the other.
 */
#include <stdio.h>
#include <string.h>

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
    code = stream_keep(s, e);
    return code ? code : note_tried(s, true, result.wait, e);
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

enum tjzw_code tjzw_sync(struct tjzw *t, const struct tjzw_sync_options *options,
                         struct tjzw_sync_result *out, struct tjzw_error *e)
{
    struct tjzw_sync_result ignored;
    struct link l;
    enum tjzw_code rc;

    out = out ? out : &ignored;
    *out = (struct tjzw_sync_result){ 0 };
    atomic_store(&t->stop, false);
    if ((rc = link_open(&l, t, options, e)))
        return rc;
    if (!(rc = stream_begin(t, e)) && !(rc = sync_streams(&l, out, e)) && out->changed)
        rc = blob_weed(t, e);
    out->ms = link_now_ms() - l.began;
    link_close(&l);
    return rc;
}

void tjzw_stop(struct tjzw *t)
{
    atomic_store(&t->stop, true);
}

/* ---- tjzw_background ---- */

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
        if (due > now && (out->wait == 0 || due - now < out->wait))
            out->wait = (uint32_t)(due - now);
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

enum tjzw_code tjzw_background(struct tjzw *t, uint32_t seconds, struct tjzw_sync_result *out,
                               struct tjzw_error *e)
{
    const struct tjzw_sync_options options = { .timeout = seconds ? seconds : BACKGROUND_S };
    struct tjzw_sync_result ignored;
    struct link l;
    enum tjzw_code rc;

    out = out ? out : &ignored;
    *out = (struct tjzw_sync_result){ 0 };
    atomic_store(&t->stop, false);
    if ((rc = link_open(&l, t, &options, e)))
        return rc;
    if (!(rc = stream_begin(t, e)))
        rc = sync_those_due(&l, out, e);
    if (!rc && out->changed)
        rc = blob_weed(t, e);
    sqlite3_db_release_memory(t->db);
    out->ms = link_now_ms() - l.began;
    link_close(&l);
    return rc;
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

enum tjzw_code tjzw_fetch(struct tjzw *t, const char *id,
                          const struct tjzw_sync_options *options, struct tjzw_sync_result *out,
                          struct tjzw_error *e)
{
    struct tjzw_sync_result ignored;
    uint8_t raw[WIRE_ID];
    struct link l;
    enum tjzw_code rc;

    out = out ? out : &ignored;
    *out = (struct tjzw_sync_result){ 0 };
    if (!store_take_id(id, raw))
        return fail_with(e, TJZW_USAGE, "an id has 8-4-4-4-12 hex digits");
    atomic_store(&t->stop, false);
    if ((rc = item_find(t, raw, NULL, e)) != TJZW_NOT_FOUND)
        return rc; /* held anyhow */
    if ((rc = link_open(&l, t, options, e)))
        return rc;
    if (!(rc = stream_begin(t, e)) && !(rc = fetch_from(&l, raw, out, e)) &&
        (rc = tjzw_keep(t, id, true, e)) == TJZW_NOT_FOUND)
        (void)!tjzw_keep(t, id, false, NULL); /* withheld: fetched in vain */
    out->ms = link_now_ms() - l.began;
    link_close(&l);
    return rc;
}
