/*
 * picture_fuzz.c - a stranger's picture.
 *
 * What is kept is no longer than what came but for the EXIF that says which way up it is, is of the same kind, and is kept as it is when it comes again.
 */
#include <stdlib.h>
#include <string.h>

#include "server/citizen/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { ORIENTATION_EXIF = 36, WEBP_PADDING = 1 };

static void keep(enum file_kind kind, const void *p, size_t n)
{
    struct buf once = BUF_HEAP, twice = BUF_HEAP;
    struct err e = { 0 };

    if (picture_strip(&e, kind, p, n, &once)) {
        if (!*e.text)
            abort();
    } else if (once.n > n + ORIENTATION_EXIF + WEBP_PADDING ||
               file_kind_of(once.p, once.n) != kind ||
               picture_strip(&e, kind, once.p, once.n, &twice) || once.n != twice.n ||
               memcmp(once.p, twice.p, once.n) != 0)
        abort();
    buf_done(&once);
    buf_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    for (int kind = FILE_JPEG; kind <= FILE_WEBP; kind++)
        keep((enum file_kind)kind, data, n);
    return 0;
}
