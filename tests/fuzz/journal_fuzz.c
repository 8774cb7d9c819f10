/*
 * journal_fuzz.c - one line of DATA/takedowns, however damaged.
 *
 * Refused, or read: then it is written and read again as the same line.
 */
#include <stdlib.h>
#include <string.h>

#include "server/library/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();
    struct buf once = BUF_IN(mem), twice = BUF_IN(mem);
    struct journal_line line, again;

    if (journal_parse((const char *)data, n, mem, &line)) {
        journal_print(&line, &once);
        if (!journal_parse(once.p, once.n - 1, mem, &again) ||
            strcmp(line.reason, again.reason) != 0)
            abort();
        journal_print(&again, &twice);
        if (once.n != twice.n || memcmp(once.p, twice.p, once.n))
            abort();
    }
    arena_free(mem);
    return 0;
}
