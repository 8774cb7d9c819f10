/*
 * alerts_fuzz.c - DATA/alerts, however damaged: what is understood of it is written and read again as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "server/health/alert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf once = BUF_HEAP, twice = BUF_HEAP;
    struct alert all[ALERTS];

    alert_parse((const char *)data, n, all);
    alert_print(all, &once);
    alert_parse(once.p, once.n, all);
    alert_print(all, &twice);
    if (once.n != twice.n || memcmp(once.p, twice.p, once.n) != 0)
        abort();
    buf_done(&once);
    buf_done(&twice);
    return 0;
}
