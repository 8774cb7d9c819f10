/*
 * wire_texts_fuzz.c - the texts of the protocol: head, index, ancestry, cursor, URL, place.
 *
 * The first byte chooses the text. What the parser lets in must be printed again byte for byte:
 * there is one spelling of everything, so no two caches or signatures can differ about the same
 * thing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must_equal(const char *printed, size_t m, const char *text, size_t n)
{
    if (m != n || memcmp(printed, text, n))
        abort();
}

static void try_head(const char *text, size_t n)
{
    struct wire_head head;
    struct wire_note note;
    struct sync_err e;
    char again[WIRE_HEAD_MAX];
    size_t m;

    if (wire_head_parse(&e, text, n, &head, &note))
        return;
    if (wire_head_print(&e, &head, again, &m))
        abort();
    must_equal(again, m, text, note.signed_len);
    for (size_t i = 0; i < note.nsigs; i++)
        if (wire_sig_append(&e, &note.sigs[i], again, &m, sizeof again))
            abort();
    must_equal(again, m, text, n);
}

static void try_index(const char *text, size_t n)
{
    struct wire_lines w;
    struct wire_object o;
    struct sync_err e;
    char line[WIRE_INDEX_LINE];
    size_t m, at;
    bool more;

    if (wire_index_begin(&e, text, n, &w))
        return;
    at = (size_t)(w.at - text);
    m = wire_index_head_print(w.seq, line);
    must_equal(line, m, text, at);
    while (!wire_index_next(&e, &w, &o, &more) && more) {
        m = wire_object_print(&o, line);
        must_equal(line, m, text + at, (size_t)(w.at - text) - at);
        at = (size_t)(w.at - text);
    }
}

static void try_ancestry(const char *text, size_t n)
{
    struct wire_lines w;
    struct wire_cursor pair;
    struct sync_err e;
    char line[WIRE_ANCESTRY_LINE];
    size_t at = 0;
    bool more, ok;

    wire_ancestry_begin(text, n, &w);
    while (!wire_ancestry_next(&e, &w, &pair, &more) && more) {
        must_equal(line, wire_ancestry_print(pair.epoch, pair.seq, line), text + at,
                   (size_t)(w.at - text) - at);
        at = (size_t)(w.at - text);
    }
    if (!wire_ancestry_allows(&e, text, n, 1763712000, (struct wire_cursor){ 1763712000, 5 },
                              &ok) &&
        at != n)
        abort();
}

static void try_cursor(const char *text, size_t n)
{
    struct wire_cursor c;
    struct sync_err e;
    char again[WIRE_CURSOR_MAX];

    if (!wire_cursor_parse(&e, text, n, &c))
        must_equal(again, wire_cursor_print(c, again), text, n);
}

static void try_url(const char *text, size_t n)
{
    struct wire_url u;
    struct sync_err e;
    char again[WIRE_URL_MAX];

    if (!wire_url_parse(&e, text, n, &u))
        must_equal(again, wire_url_print(&u, again), text, n);
}

static void try_place(const char *text, size_t n)
{
    struct sync_err e;
    char again[64];
    uint64_t born, seq;

    if (!wire_place_parse(&e, text, n, &born, &seq))
        must_equal(
            again,
            (size_t)snprintf(again, sizeof again, "%" PRIu64 " %" PRIu64 "\n", born, seq), text,
            n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static void (*const tries[])(const char *, size_t) = { try_head,   try_index, try_ancestry,
                                                           try_cursor, try_url,   try_place };

    if (n)
        tries[data[0] % 6]((const char *)data + 1, n - 1);
    return 0;
}
