/*
 * count_report_fuzz.c - any bytes as a report of reads: refused with a sentence, or a day that may be told of, and items in order, each once, with numbers
 * that keep their limits.
 */
#include <stdlib.h>
#include <string.h>

#include "server/citizen/count.h"
#include "server/citizen/count_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { NOW = 1795000000 };

static void check(const struct count_report *r)
{
    if (r->n < 1 || r->n > COUNT_ENTRIES || r->day != count_day(r->day) ||
        r->day > count_day(NOW) || r->day < count_day(NOW) - COUNT_LATE)
        abort();
    for (int i = 0; i < r->n; i++) {
        const struct count_entry *e = &r->entries[i];

        if (e->reads < 1 || e->reads > COUNT_READS_MOST ||
            (e->reads > COUNT_READS && e->verdict != COUNT_IMPLAUSIBLE))
            abort();
        if (i && memcmp(r->entries[i - 1].item.b, e->item.b, ID_BYTES) >= 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();
    struct err e = { 0 };
    struct count_report r;
    enum rc rc = count_report_read(&e, mem, (const char *)data, n, NOW, &r);

    if (rc && !e.text[0])
        abort();
    if (!rc)
        check(&r);
    arena_free(mem);
    return 0;
}
