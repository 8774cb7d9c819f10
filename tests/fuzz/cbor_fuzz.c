/*
 * cbor_fuzz.c - items as a stranger's authenticator may write them.
 *
 * What is read lies within the bytes; reading exactly its bytes again gives the same; one byte less is cut. In a map that was read each
 * member that can be asked for lies within it.
 */
#include <stdlib.h>
#include <string.h>

#include "server/identity/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void within(const struct cbor *v, const uint8_t *p, size_t n)
{
    if (v->bytes && (v->bytes < p || v->bytes > p + n || v->n > (size_t)(p + n - v->bytes)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const names[] = { "fmt", "attStmt", "authData", "" };
    struct cbor v, again, member;
    size_t used, used_again;

    if (!cbor_read(data, n, &v, &used))
        return 0;
    if (!used || used > n)
        abort();
    within(&v, data, used);
    if (!cbor_read(data, used, &again, &used_again) || used_again != used ||
        again.type != v.type || again.number != v.number)
        abort();
    if (cbor_read(data, used - 1, &again, &used_again))
        abort();
    for (int64_t key = -3; key <= 3; key++)
        if (cbor_at(&v, key, &member))
            within(&member, v.bytes, v.n);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (cbor_at_name(&v, names[i], &member))
            within(&member, v.bytes, v.n);
    return 0;
}
