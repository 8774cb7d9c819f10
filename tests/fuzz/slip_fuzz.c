/*
 * slip_fuzz.c - a slip that we did not make is none, whatever it says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/identity/slip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = strndup((const char *)data, n);
    struct slip s;

    for (int kind = SLIP_SIGN_IN; kind <= SLIP_DEVICE; kind++)
        if (slip_read(text, (enum slip_kind)kind, INT64_MAX, &s))
            abort();
    free(text);
    return 0;
}
