/*
 * bearer_fuzz.c - a token as text: whatever is read is written again as it was, and nothing that we did not make passes for ours.
 */
#include <stdlib.h>
#include <string.h>

#include "server/identity/bearer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t key[32] = "never a key of the corpus";
    char *text = strndup((const char *)data, n), back[BEARER_TEXT];
    struct bearer b;

    if (bearer_read(text, &b)) {
        bearer_put(&b, back);
        if (b.session <= 0 || strcmp(text, back) ||
            (b.kind == BEARER_REFRESH && bearer_is_ours(&b, key)))
            abort();
    }
    free(text);
    return 0;
}
