/*
 * import_line_fuzz.c - one line of an import, however hostile.
 *
 * Refused with a reason, or taken: then its content, written and read again, is the same
 * content with the same hash, or an import of the same text would count as a change.
 */
#include <stdlib.h>
#include <string.h>

#include "server/library/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must_stay(struct arena *mem, const struct content *c)
{
    struct buf once = BUF_IN(mem), twice = BUF_IN(mem);
    struct content again;
    struct err e;

    content_write(c, &once);
    if (content_parse(&e, mem, once.p, once.n, &again))
        abort();
    content_write(&again, &twice);
    if (once.n != twice.n || memcmp(once.p, twice.p, once.n) ||
        memcmp(c->hash, again.hash, HASH_BYTES))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();
    struct import_line line;

    import_prepare(mem, (const char *)data, n, &line);
    if (!line.why.rc)
        must_stay(mem, &line.content);
    else if (!line.why.text[0])
        abort();
    arena_free(mem);
    return 0;
}
