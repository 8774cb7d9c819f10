/*
 * wire_heads_fuzz.c - the platform's texts: the list of streams with its notes, and what is withheld.
 *
 * The first byte chooses the text. What the parser lets in must be printed again byte for byte, and the notes are the rest of the
 * text, a blank line before each.
 */
#include <stdlib.h>
#include <string.h>

#include "sync/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must_equal(const char *printed, size_t m, const char *text, size_t n)
{
    if (m != n || memcmp(printed, text, n))
        abort();
}

static void try_notes(const char *text, size_t n, size_t at)
{
    struct wire_head head;
    struct wire_note note;
    const char *one;
    struct sync_err e;
    size_t len;

    while (at < n) {
        size_t from = at;

        if (wire_heads_next(&e, text, n, &at, &one, &len))
            abort(); /* parse has seen that the first is one, and the walk that the others are */
        if (one != text + from || len == 0 || one + len > text + n ||
            (at != n && at != from + len + 1))
            abort();
        (void)!wire_head_parse(&e, one, len, &head, &note);
    }
    if (wire_heads_next(&e, text, n, &at, &one, &len) || len != 0)
        abort();
}

static void try_heads(const char *text, size_t n)
{
    static char again[WIRE_HEADS_MAX];
    struct wire_heads heads;
    struct wire_note note;
    struct sync_err e;
    size_t m, notes;

    if (wire_heads_parse(&e, text, n, &heads, &note, &notes))
        return;
    if (wire_heads_print(&e, &heads, again, &m))
        abort();
    must_equal(again, m, text, note.signed_len);
    for (size_t i = 0; i < note.nsigs; i++)
        if (wire_sig_append(&e, &note.sigs[i], again, &m, sizeof again))
            abort();
    must_equal(again, m, text, notes == n ? n : notes - 1);
    try_notes(text, n, notes);
}

static void try_withheld(const char *text, size_t n)
{
    char line[WIRE_ID_TEXT];
    uint8_t id[WIRE_ID];
    struct wire_lines w;
    struct sync_err e;
    bool more;

    if (wire_withheld_begin(&e, text, n, &w))
        return;
    for (const char *at = w.at; !wire_withheld_next(&e, &w, id, &more) && more; at = w.at) {
        wire_id_print(id, line);
        must_equal(line, WIRE_ID_TEXT - 1, at, (size_t)(w.at - at) - 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n)
        (data[0] % 2 ? try_withheld : try_heads)((const char *)data + 1, n - 1);
    return 0;
}
