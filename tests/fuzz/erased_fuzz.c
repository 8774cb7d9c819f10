/*
 * erased_fuzz.c - one line of DATA/erased, however damaged.
 *
 * Refused, or read: then it is written and read again as the same line.
 */
#include <stdlib.h>
#include <string.h>

#include "server/identity/erased.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();
    struct erased_line line, again;
    char text[ERASED_TEXT];

    if (erased_parse(arena_strndup(mem, (const char *)data, n), &line) &&
        (!erased_parse(erased_print(&line, text), &again) || line.account != again.account ||
         line.at != again.at || memcmp(line.mark, again.mark, sizeof line.mark)))
        abort();
    arena_free(mem);
    return 0;
}
