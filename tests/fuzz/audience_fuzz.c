/*
 * audience_fuzz.c - any text as an audience: refused with a reason, or one whose canonical text is read as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "push/audience.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct audience *read(struct work *w, const char *text, size_t n)
{
    struct audience *a = NULL;
    json_t *value;

    if (jx_object(&w->err, w->mem, text, n, &value))
        return NULL;
    if (audience_parse(w, value, &a)) {
        if (!*w->err.text)
            abort();
        return NULL;
    }
    return a;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct work w;
    struct buf first, second;
    struct audience *a;

    work_init(&w, arena_new(), NULL, "fuzz", 0);
    if ((a = read(&w, (const char *)data, n))) {
        first = second = BUF_IN(w.mem);
        audience_print(a, &first);
        if (!(a = read(&w, first.p, first.n)))
            abort();
        audience_print(a, &second);
        if (strcmp(first.p, second.p))
            abort();
    }
    arena_free(w.mem);
    return 0;
}
