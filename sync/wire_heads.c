/*
 * wire_heads.c - the platform's texts: the list of its streams, and the items that a server
 * withholds (docs/protocol/sync.md sections 5 and 7).
 *
 *     tjzw heads 1          | signed by the platform
 *     counter, time, lease  |
 *     stream NAME WITHHELD  | ascending
 *                             blank line
 *     sig …                   at least one
 *                             blank line, only if a note follows
 *     tjzw head 1 …           a head with its own blank line and signatures
 *                             blank line, only if another follows
 *
 * The list tells where its notes begin; a note is read by wire_note.c, as if it had come alone.
 * Printing reads its own text back, so that nobody signs what no reader accepts.
 */
#include "sync/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char note_begins[] = "tjzw head 1\n";

/* ---- the list ---- */

static bool take_stream(struct wire_text *t, struct wire_heads_stream *s)
{
    const char *name;
    size_t n;

    if (!wire_take_word(t, &name, &n) || !wire_stream_ok(name, n) || !wire_take_lit(t, " "))
        return false;
    *s = (struct wire_heads_stream){ .has_withheld = !wire_take_lit(t, "-") };
    memcpy(s->name, name, n);
    return (!s->has_withheld || wire_take_hex(t, s->withheld, WIRE_HASH)) &&
           wire_take_lit(t, "\n");
}

static enum sync_rc take_streams(struct sync_err *e, struct wire_text *t, struct wire_heads *h)
{
    struct wire_heads_stream s;

    while (wire_take_lit(t, "stream ")) {
        if (h->n == WIRE_STREAMS_MAX)
            return sync_err_set(e, SYNC_INVALID, "heads: more than %d streams",
                                WIRE_STREAMS_MAX);
        if (!take_stream(t, &s))
            return sync_err_set(e, SYNC_INVALID, "heads: the line of stream %zu is malformed",
                                h->n + 1);
        if (h->n > 0 && strcmp(h->stream[h->n - 1].name, s.name) >= 0)
            return sync_err_set(e, SYNC_INVALID, "heads: stream %s is out of order", s.name);
        h->stream[h->n++] = s;
    }
    return SYNC_OK;
}

static enum sync_rc take_list(struct sync_err *e, struct wire_text *t, struct wire_heads *h)
{
    if (!wire_take_lit(t, "tjzw heads 1\n"))
        return sync_err_set(e, SYNC_INVALID, "heads: not a list of version 1");
    if (!wire_take_lit(t, "counter ") || !wire_take_u64(t, &h->counter) ||
        !wire_take_lit(t, "\ntime ") || !wire_take_u64(t, &h->time) ||
        !wire_take_lit(t, "\nlease ") || !wire_take_u32(t, &h->lease) ||
        !wire_take_lit(t, "\n"))
        return sync_err_set(e, SYNC_INVALID, "heads: counter, time or lease is malformed");
    return take_streams(e, t, h);
}

enum sync_rc wire_heads_parse(struct sync_err *e, const char *text, size_t n,
                              struct wire_heads *out, struct wire_note *note, size_t *notes)
{
    struct wire_text t = { text, text + n };
    struct wire_heads h = { 0 };
    struct wire_note w = { 0 };
    enum sync_rc rc;

    if (n >= WIRE_HEADS_MAX)
        return sync_err_set(e, SYNC_INVALID, "heads: %zu bytes are too many", n);
    if ((rc = take_list(e, &t, &h)))
        return rc;
    w.signed_len = (size_t)(t.at - text);
    if ((rc = wire_take_sigs(e, &t, "heads", &w)))
        return rc;
    if (t.at < t.end) {
        struct wire_text behind = { t.at + 1, t.end };

        if (*t.at != '\n' || !wire_take_lit(&behind, note_begins))
            return sync_err_set(e, SYNC_INVALID, "heads: no head behind the signatures");
        t.at++;
    }
    *out = h;
    *note = w;
    *notes = (size_t)(t.at - text);
    return SYNC_OK;
}

enum sync_rc wire_heads_next(struct sync_err *e, const char *text, size_t n, size_t *at,
                             const char **head, size_t *len)
{
    static const char between[] = "\n\ntjzw head 1\n";
    struct wire_text t = { text + *at, text + n };
    const char *end;

    if (t.at == t.end) {
        *len = 0;
        return SYNC_OK;
    }
    *head = t.at;
    if (!wire_take_lit(&t, note_begins))
        return sync_err_set(e, SYNC_INVALID, "heads: not a head at offset %zu", *at);
    end = memmem(t.at, (size_t)(t.end - t.at), between, sizeof between - 1);
    *len = (size_t)((end ? end + 1 : t.end) - *head);
    *at = end ? (size_t)(end + 2 - text) : n;
    return SYNC_OK;
}

enum sync_rc wire_heads_print(struct sync_err *e, const struct wire_heads *heads, char *out,
                              size_t *n)
{
    struct wire_heads back = { 0 };
    struct wire_text t = { out, out };
    char hex[2 * WIRE_HASH + 1] = "-";
    enum sync_rc rc;

    if (heads->n > WIRE_STREAMS_MAX)
        return sync_err_set(e, SYNC_USAGE, "heads: more than %d streams", WIRE_STREAMS_MAX);
    t.end +=
        snprintf(out, WIRE_HEADS_MAX,
                 "tjzw heads 1\ncounter %" PRIu64 "\ntime %" PRIu64 "\nlease %" PRIu32 "\n",
                 heads->counter, heads->time, heads->lease);
    for (size_t i = 0; i < heads->n; i++) {
        const struct wire_heads_stream *s = &heads->stream[i];

        if (s->has_withheld)
            wire_hex(s->withheld, WIRE_HASH, hex);
        t.end += snprintf(out + (t.end - out), 2 * WIRE_HASH + WIRE_STREAM_MAX + 16,
                          "stream %s %s\n", s->name, s->has_withheld ? hex : "-");
    }
    *n = (size_t)(t.end - out);
    if ((rc = take_list(e, &t, &back)))
        return rc; /* nobody could read it: better to hear that from the signer */
    if (t.at != t.end || back.n != heads->n)
        return sync_err_set(e, SYNC_USAGE, "heads: a stream's name cannot be printed");
    return SYNC_OK;
}

/* ---- withheld ---- */

enum sync_rc wire_withheld_begin(struct sync_err *e, const char *text, size_t n,
                                 struct wire_lines *w)
{
    struct wire_text t = { text, text + n };

    if (!wire_take_lit(&t, "tjzw withheld 1\n"))
        return sync_err_set(e, SYNC_INVALID, "withheld: not a list of version 1");
    *w = (struct wire_lines){ .at = t.at, .end = t.end, .line = 1 };
    return SYNC_OK;
}

enum sync_rc wire_withheld_next(struct sync_err *e, struct wire_lines *w, uint8_t id[WIRE_ID],
                                bool *more)
{
    struct wire_text t = { w->at, w->end };
    uint8_t taken[WIRE_ID];

    if (w->at == w->end) {
        *more = false;
        return SYNC_OK;
    }
    if (!wire_take_id(&t, taken) || !wire_take_lit(&t, "\n"))
        return sync_err_set(e, SYNC_INVALID, "withheld: line %zu is malformed", w->line + 1);
    /* All lines are equally long and their texts sort as the ids do. */
    if (w->line > 1 && memcmp(w->at - WIRE_ID_TEXT, w->at, WIRE_ID_TEXT - 1) >= 0)
        return sync_err_set(e, SYNC_INVALID, "withheld: line %zu does not ascend", w->line + 1);
    w->line++;
    w->at = t.at;
    memcpy(id, taken, WIRE_ID);
    *more = true;
    return SYNC_OK;
}
