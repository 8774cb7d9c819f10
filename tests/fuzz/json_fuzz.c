/*
 * json_fuzz.c - strict JSON in, canonical JSON out: what is canonical stays as it is.
 *
 * The canonical text of what was let in must be let in again and come out the same, because
 * signatures and hashes are made over it.
 */
#include <stdlib.h>
#include <string.h>

#include "server/base/jx.h"
#include "sync/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The canonical form has integers only, and neither real numbers nor null. */
static bool has_canonical(const json_t *v)
{
    const char *key;
    size_t i;
    json_t *member;

    json_object_foreach((json_t *)(uintptr_t)v, key, member)
    {
        if (!has_canonical(member))
            return false;
    }
    json_array_foreach((json_t *)(uintptr_t)v, i, member)
    {
        if (!has_canonical(member))
            return false;
    }
    return !json_is_real(v) && !json_is_null(v);
}

static void try_canonical(struct arena *mem, const char *text, size_t n)
{
    struct buf once = BUF_IN(mem), twice = BUF_IN(mem);
    struct err e;
    json_t *v;

    if (jx_object(&e, mem, text, n, &v) || !has_canonical(v))
        return;
    jx_canonical(&once, v);
    if (!wire_is_canonical(once.p, once.n) &&
        !memmem(once.p, once.n, "-9223372036854775808", 20))
        abort(); /* that number's like without the sign is none that the page has */
    if (wire_is_canonical(text, n) && (once.n != n || memcmp(once.p, text, n)))
        abort();
    if (jx_object(&e, mem, once.p, once.n, &v))
        abort();
    jx_canonical(&twice, v);
    if (once.n != twice.n || memcmp(once.p, twice.p, once.n))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();

    try_canonical(mem, (const char *)data, n);
    arena_free(mem);
    return 0;
}
