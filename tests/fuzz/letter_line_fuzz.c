/*
 * letter_line_fuzz.c - one line of another system's letters.
 *
 * Refused with a reason, or read: then it has an origin, was not received in the future, and an answer comes with its time.
 */
#include <stdlib.h>

#include "server/base/clock.h"
#include "server/citizen/letter_import.h"
#include "server/citizen/letter_redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct letter_known known[] = { { "李雷", NULL },
                                                 { "2730-1234", "［电话］" } };
    struct arena *mem = arena_new();
    struct letter_line line;

    letter_import_read(mem, (const char *)data, n, &line);
    if (!line.value && !*line.why.text)
        abort();
    if (line.value &&
        (!line.origin || line.received > clock_now() || !line.answer != !line.answered))
        abort();
    if (line.value && line.answer)
        letter_redact(mem, line.answer, known, 2);
    arena_free(mem);
    return 0;
}
