/*
 * wire_note.c - the texts that a stream publishes: its head, its index of objects, its
 * ancestry.
 *
 * A head is a table of lines in a fixed order, read and printed from the same rows; printing
 * reads its own text back, so that a signer cannot sign what no reader accepts. Index and
 * ancestry are walked line by line and never held as a whole by this module. Not here: single
 * values (wire_text.c), whether a signature holds or a head may be accepted (verify.c).
 */
#include "sync/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- heads ---- */

enum field_type { F_STREAM, F_U64, F_U32, F_HASH, F_INDEX };

/* The lines of a head in their order. */
static const struct {
    const char *name;
    enum field_type type;
    size_t offset;
} head_fields[] = {
    { "stream ", F_STREAM, offsetof(struct wire_head, stream) },
    { "epoch ", F_U64, offsetof(struct wire_head, epoch) },
    { "seq ", F_U64, offsetof(struct wire_head, seq) },
    { "sign ", F_U64, offsetof(struct wire_head, sign) },
    { "time ", F_U64, offsetof(struct wire_head, time) },
    { "lease ", F_U32, offsetof(struct wire_head, lease) },
    { "poll ", F_U32, offsetof(struct wire_head, poll) },
    { "cut ", F_U64, offsetof(struct wire_head, cut) },
    { "size ", F_U64, offsetof(struct wire_head, size) },
    { "root ", F_HASH, offsetof(struct wire_head, root) },
    { "chain ", F_HASH, offsetof(struct wire_head, chain) },
    { "ancestry ", F_HASH, offsetof(struct wire_head, ancestry) },
    { "index ", F_INDEX, offsetof(struct wire_head, index) },
    { "directory ", F_HASH, offsetof(struct wire_head, directory) },
};
enum { HEAD_FIELDS = sizeof head_fields / sizeof head_fields[0] };

static bool take_field(struct wire_text *t, enum field_type type, struct wire_head *h, void *at)
{
    switch (type) {
    case F_STREAM: return wire_take_stream(t, at);
    case F_U64: return wire_take_u64(t, at);
    case F_U32: return wire_take_u32(t, at);
    case F_HASH: return wire_take_hex(t, at, WIRE_HASH);
    case F_INDEX:
        h->has_index = !wire_take_lit(t, "-");
        return !h->has_index || wire_take_hex(t, at, WIRE_HASH);
    }
    return false;
}

static enum sync_rc head_values(struct sync_err *e, struct wire_text *t, struct wire_head *h)
{
    if (!wire_take_lit(t, "tjzw head 1\n"))
        return sync_err_set(e, SYNC_INVALID, "head: not a head of version 1");
    for (size_t i = 0; i < HEAD_FIELDS; i++) {
        if (!wire_take_lit(t, head_fields[i].name) ||
            !take_field(t, head_fields[i].type, h, (char *)h + head_fields[i].offset) ||
            !wire_take_lit(t, "\n"))
            return sync_err_set(e, SYNC_INVALID, "head: the line `%s` is missing or malformed",
                                head_fields[i].name);
    }
    if (h->epoch == 0 || h->sign == 0 || h->size > h->seq)
        return sync_err_set(e, SYNC_INVALID, "head: epoch, sign or size out of range");
    return SYNC_OK;
}

static bool take_sig(struct wire_text *t, struct wire_sig *s)
{
    const char *word;
    size_t n;

    if (!wire_take_lit(t, "sig ") || !wire_take_word(t, &word, &n) || n > WIRE_ALGORITHM_MAX)
        return false;
    memcpy(s->algorithm, word, n);
    s->algorithm[n] = '\0';
    return wire_take_lit(t, " ") && wire_take_hex(t, s->key_id, WIRE_KEY_ID) &&
           wire_take_lit(t, " ") && wire_take_word(t, &word, &n) &&
           wire_unbase64(word, n, s->bytes, sizeof s->bytes, &s->len) && wire_take_lit(t, "\n");
}

enum sync_rc wire_take_sigs(struct sync_err *e, struct wire_text *t, const char *what,
                            struct wire_note *note)
{
    if (!wire_take_lit(t, "\n"))
        return sync_err_set(e, SYNC_INVALID, "%s: no blank line before the signatures", what);
    while (t->at < t->end && *t->at != '\n') {
        if (note->nsigs == WIRE_SIGS_MAX || !take_sig(t, &note->sigs[note->nsigs]))
            return sync_err_set(e, SYNC_INVALID, "%s: malformed signature line", what);
        note->nsigs++;
    }
    if (note->nsigs == 0)
        return sync_err_set(e, SYNC_INVALID, "%s: no signature", what);
    return SYNC_OK;
}

enum sync_rc wire_head_parse(struct sync_err *e, const char *text, size_t n,
                             struct wire_head *head, struct wire_note *note)
{
    struct wire_text t = { text, text + n };
    struct wire_head h = { 0 };
    struct wire_note w = { 0 };
    enum sync_rc rc;

    if (n >= WIRE_HEAD_MAX)
        return sync_err_set(e, SYNC_INVALID, "head: %zu bytes are too many", n);
    if ((rc = head_values(e, &t, &h)))
        return rc;
    w.signed_len = (size_t)(t.at - text);
    if ((rc = wire_take_sigs(e, &t, "head", &w)))
        return rc;
    if (t.at != t.end)
        return sync_err_set(e, SYNC_INVALID, "head: malformed signature line");
    *head = h;
    *note = w;
    return SYNC_OK;
}

static size_t print_field(char *out, size_t room, enum field_type type,
                          const struct wire_head *h, const void *at)
{
    char hex[2 * WIRE_HASH + 1];

    switch (type) {
    case F_STREAM: return (size_t)snprintf(out, room, "%s\n", (const char *)at);
    case F_U64: return (size_t)snprintf(out, room, "%" PRIu64 "\n", *(const uint64_t *)at);
    case F_U32: return (size_t)snprintf(out, room, "%" PRIu32 "\n", *(const uint32_t *)at);
    case F_INDEX:
        if (!h->has_index)
            return (size_t)snprintf(out, room, "-\n");
        [[fallthrough]];
    case F_HASH: wire_hex(at, WIRE_HASH, hex); return (size_t)snprintf(out, room, "%s\n", hex);
    }
    return room;
}

enum sync_rc wire_head_print(struct sync_err *e, const struct wire_head *head, char *out,
                             size_t *n)
{
    struct wire_head back = { 0 };
    struct wire_text t = { out, out };
    size_t len = (size_t)snprintf(out, WIRE_HEAD_MAX, "tjzw head 1\n");
    enum sync_rc rc;

    for (size_t i = 0; i < HEAD_FIELDS && len < WIRE_HEAD_MAX; i++) {
        len += (size_t)snprintf(out + len, WIRE_HEAD_MAX - len, "%s", head_fields[i].name);
        if (len < WIRE_HEAD_MAX)
            len += print_field(out + len, WIRE_HEAD_MAX - len, head_fields[i].type, head,
                               (const char *)head + head_fields[i].offset);
    }
    if (len >= WIRE_HEAD_MAX)
        return sync_err_set(e, SYNC_USAGE, "head: too long to print");
    t.end = out + len;
    if ((rc = head_values(e, &t, &back)))
        return rc; /* nobody could read it: better to hear that from the signer */
    *n = len;
    return SYNC_OK;
}

enum sync_rc wire_sig_append(struct sync_err *e, const struct wire_sig *sig, char *text,
                             size_t *n, size_t room)
{
    char id[2 * WIRE_KEY_ID + 1], bytes[WIRE_SIG_TEXT], line[WIRE_SIG_TEXT + 64];
    bool first = memmem(text, *n, "\n\n", 2) == NULL;
    size_t len;

    wire_hex(sig->key_id, WIRE_KEY_ID, id);
    wire_base64(sig->bytes, sig->len, bytes);
    len = (size_t)snprintf(line, sizeof line, "%ssig %s %s %s\n", first ? "\n" : "",
                           sig->algorithm, id, bytes);
    if (*n + len >= room)
        return sync_err_set(e, SYNC_USAGE, "no room for another signature");
    memcpy(text + *n, line, len + 1);
    *n += len;
    return SYNC_OK;
}

/* ---- index ---- */

static const char *const kind_names[] = { [WIRE_BASE] = "base ", [WIRE_LAYER] = "layer " };

enum sync_rc wire_index_begin(struct sync_err *e, const char *text, size_t n,
                              struct wire_lines *w)
{
    struct wire_text t = { text, text + n };
    uint64_t seq;

    if (n > WIRE_INDEX_MAX || !wire_take_lit(&t, "tjzw index 1\nseq ") ||
        !wire_take_u64(&t, &seq) || !wire_take_lit(&t, "\n"))
        return sync_err_set(e, SYNC_INVALID, "index: not an index of version 1");
    *w = (struct wire_lines){ .at = t.at, .end = t.end, .seq = seq, .line = 2 };
    return SYNC_OK;
}

static bool take_object(struct wire_text *t, struct wire_object *o)
{
    uint64_t *const numbers[] = { &o->first_born,  &o->last_born, &o->lowest_seq,
                                  &o->highest_seq, &o->bytes,     &o->gzip_bytes,
                                  &o->zstd_bytes };

    if (wire_take_lit(t, kind_names[WIRE_BASE]))
        o->kind = WIRE_BASE;
    else if (wire_take_lit(t, kind_names[WIRE_LAYER]))
        o->kind = WIRE_LAYER;
    else
        return false;
    if (!wire_take_hex(t, o->hash, WIRE_HASH))
        return false;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (!wire_take_lit(t, " ") || !wire_take_u64(t, numbers[i]))
            return false;
    return wire_take_lit(t, "\n");
}

enum sync_rc wire_index_next(struct sync_err *e, struct wire_lines *w, struct wire_object *out,
                             bool *more)
{
    struct wire_text t = { w->at, w->end };
    struct wire_object o;

    if (w->at == w->end) {
        *more = false;
        return SYNC_OK;
    }
    w->line++;
    if (!take_object(&t, &o))
        return sync_err_set(e, SYNC_INVALID,
                            "index: line %zu is malformed or of an unknown kind", w->line);
    if (o.first_born > o.last_born || o.lowest_seq == 0 || o.lowest_seq > o.highest_seq ||
        o.highest_seq > w->seq)
        return sync_err_set(e, SYNC_INVALID, "index: line %zu has an impossible range",
                            w->line);
    w->at = t.at;
    *out = o;
    *more = true;
    return SYNC_OK;
}

size_t wire_index_head_print(uint64_t seq, char *out)
{
    return (size_t)snprintf(out, WIRE_INDEX_LINE, "tjzw index 1\nseq %" PRIu64 "\n", seq);
}

size_t wire_object_print(const struct wire_object *o, char *out)
{
    char hex[2 * WIRE_HASH + 1];

    wire_hex(o->hash, WIRE_HASH, hex);
    return (size_t)snprintf(out, WIRE_INDEX_LINE,
                            "%s%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                            " %" PRIu64 " %" PRIu64 "\n",
                            kind_names[o->kind], hex, o->first_born, o->last_born,
                            o->lowest_seq, o->highest_seq, o->bytes, o->gzip_bytes,
                            o->zstd_bytes);
}

/* ---- ancestry ---- */

void wire_ancestry_begin(const char *text, size_t n, struct wire_lines *w)
{
    *w = (struct wire_lines){ .at = text, .end = text + n };
}

enum sync_rc wire_ancestry_next(struct sync_err *e, struct wire_lines *w,
                                struct wire_cursor *pair, bool *more)
{
    struct wire_text t = { w->at, w->end };
    struct wire_cursor c;

    if (w->at == w->end) {
        *more = false;
        return SYNC_OK;
    }
    w->line++;
    if (!wire_take_u64(&t, &c.epoch) || !wire_take_lit(&t, " ") || !wire_take_u64(&t, &c.seq) ||
        !wire_take_lit(&t, "\n"))
        return sync_err_set(e, SYNC_INVALID, "ancestry: line %zu is malformed", w->line);
    if (c.epoch <= w->epoch || c.seq == 0 || c.seq < w->first_seq)
        return sync_err_set(e, SYNC_INVALID, "ancestry: line %zu does not ascend", w->line);
    w->at = t.at;
    w->epoch = c.epoch;
    w->first_seq = c.seq;
    *pair = c;
    *more = true;
    return SYNC_OK;
}

size_t wire_ancestry_print(uint64_t epoch, uint64_t first_seq, char out[WIRE_ANCESTRY_LINE])
{
    return (size_t)snprintf(out, WIRE_ANCESTRY_LINE, "%" PRIu64 " %" PRIu64 "\n", epoch,
                            first_seq);
}

enum sync_rc wire_ancestry_allows(struct sync_err *e, const char *text, size_t n,
                                  uint64_t epoch, struct wire_cursor held, bool *ok)
{
    struct wire_cursor pair = { 0 };
    struct wire_lines w;
    bool more, listed = false, allowed = false;
    enum sync_rc rc;

    wire_ancestry_begin(text, n, &w);
    while (!(rc = wire_ancestry_next(e, &w, &pair, &more)) && more) {
        if (listed && allowed && held.seq >= pair.seq)
            allowed = false;
        if (pair.epoch == held.epoch)
            listed = allowed = true;
    }
    if (rc)
        return rc;
    if (w.epoch != epoch)
        return sync_err_set(e, SYNC_INVALID, "ancestry: does not end in the head's epoch");
    *ok = allowed;
    return SYNC_OK;
}
