/*
 * scan_answer_fuzz.c - what a scanner says: clean is one text and no other, and a name has nothing in it but what may stand in a log.
 */
#include <stdlib.h>
#include <string.h>

#include "server/citizen/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    enum scan_verdict verdict = SCAN_NONE;
    char name[SCAN_NAME_MAX];
    struct err e;
    enum rc rc = scan_answer(&e, (const char *)data, n, &verdict, name);

    if ((verdict == SCAN_NONE) != (rc != RC_OK) || memchr(name, '\0', sizeof name) == NULL ||
        name[strspn(name,
                    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-")])
        abort();
    if (verdict == SCAN_CLEAN && (n != 10 || memcmp(data, "stream: OK", n) != 0))
        abort();
    return 0;
}
