/*
 * notice_words_fuzz.c - any text as a template: refused with a reason, or one that has room however it is filled. The values are the object `values` beside it.
 */
#include <stdlib.h>
#include <string.h>

#include "push/notice_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t characters(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += (*s & 0xc0) != 0x80;
    return n;
}

static void fill(struct work *w, const struct notice_words *t, const json_t *values)
{
    struct notice_filled f;

    if (notice_words_fill(w, t, values, &f)) {
        if (!*w->err.text)
            abort();
        return;
    }
    if (characters(f.title) > NOTICE_TITLE_MAX || strpbrk(f.title, "\n\r") ||
        (f.text && characters(f.text) > NOTICE_TEXT_MAX))
        abort();
    if (f.link && (strlen(f.link) > NOTICE_LINK_MAX || strncmp(f.link, "https://", 8) ||
                   strcmp(arena_strndup(w->mem, f.link + 8, strcspn(f.link + 8, "/")),
                          notice_words_host(w, t))))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct notice_words t;
    json_t *value, *values = NULL;
    struct work w;

    work_init(&w, arena_new(), NULL, "fuzz", 0);
    if (!jx_object(&w.err, w.mem, (const char *)data, n, &value)) {
        values = json_incref(json_object_get(value, "values"));
        json_object_del(value, "values");
        w.err = (struct err){ 0 };
        if (!notice_words_read(&w, value, &t))
            fill(&w, &t, values);
        else if (!*w.err.text)
            abort();
        json_decref(values);
    }
    arena_free(w.mem);
    return 0;
}
