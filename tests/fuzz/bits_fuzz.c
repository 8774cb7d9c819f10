/*
 * bits_fuzz.c - any bytes as a set of places: refused, or a set that is written as these very bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "push/bits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t out[BITS_BYTES];
    struct bits b;

    if (!bits_read(&b, data, n))
        return bits_count(&b) ? (abort(), 0) : 0;
    if (bits_write(&b, out) != n || (n && memcmp(out, data, n)))
        abort();
    return 0;
}
