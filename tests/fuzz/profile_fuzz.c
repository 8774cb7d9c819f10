/*
 * profile_fuzz.c - the file that `tjzw login` keeps, however damaged.
 *
 * Refused with a sentence, or read: then it is written and read again as the same profile.
 */
#include <stdlib.h>
#include <string.h>

#include "server/cli/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();
    struct buf once = BUF_IN(mem), twice = BUF_IN(mem);
    struct err e = { 0 };
    struct profile p, again;

    if (!profile_parse(&e, mem, (const char *)data, n, &p)) {
        profile_print(&p, &once);
        if (profile_parse(&e, mem, once.p, once.n, &again))
            abort();
        profile_print(&again, &twice);
        if (once.n != twice.n || memcmp(once.p, twice.p, once.n))
            abort();
    } else if (!e.text[0]) {
        abort();
    }
    arena_free(mem);
    return 0;
}
