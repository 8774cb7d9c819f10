/*
 * receipts_fuzz.c - any bytes as the receipts of a vendor: what is read of them is bounded, and each is of a token and a kind that exist. The first byte is the transport.
 */
#include <stdlib.h>
#include <string.h>

#include "push/vendor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct vendor *v = n ? vendor_of((enum transport)(data[0] % TRANSPORT_COUNT)) : NULL;
    struct arena *mem = arena_new();
    struct vendor_receipts *list = arena_zalloc(mem, sizeof *list);
    char *body = calloc(1, n + 1);

    list->mem = mem;
    if (n)
        memcpy(body, data + 1, n - 1);
    if (v && v->read_receipts && v->read_receipts(mem, body, n - 1, list)) {
        if (list->n < 0 || list->n > VENDOR_RECEIPTS)
            abort();
        for (int i = 0; i < list->n; i++)
            if (!*list->of[i].token || !list->of[i].mark || list->of[i].run ||
                list->of[i].kind <= 0 || list->of[i].kind >= VENDOR_RECEIPT_KINDS)
                abort();
    }
    free(body);
    arena_free(mem);
    return 0;
}
