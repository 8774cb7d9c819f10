/*
 * audit_heads_fuzz.c - DATA/audit-heads, or a copy of it that lay elsewhere, however damaged.
 *
 * Every byte belongs to a head or to something that is none, in their order, and without our key none of them holds.
 */
#include <stdlib.h>
#include <string.h>

#include "server/identity/audit_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct audit_keys keys;
    enum audit_heads_step step;
    struct audit_head h;
    struct wire_note note;
    const char *file = (const char *)data, *one;
    size_t at = 0, before = 0, len;

    while ((step = audit_heads_next(file, n, &at, &h, &note, &one)) != AUDIT_HEADS_END) {
        if (one != file + before || at <= before || at > n)
            abort();
        if (step == AUDIT_HEADS_ONE &&
            (note.signed_len > at - before || audit_head_holds(&keys, one, &note)))
            abort();
        if (step == AUDIT_HEADS_ONE && !audit_head_parse(one, at - before, &h, &note, &len))
            abort();
        before = at;
    }
    return 0;
}
