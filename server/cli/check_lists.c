/*
 * check_lists.c - see the header.
 */
#include "server/cli/check_lists.h"

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/check/words.h"

static int read_lists(const struct args *a, struct check_lists *out)
{
    const struct conf_list *files = arg_list(a, "words");
    struct arena *mem = arena_new();
    int code = 0;

    for (int i = 0; files && i < files->n && !code; i++) {
        struct err e = { 0 };
        struct words *list;
        char *text;
        size_t n;

        if (i == LISTS_MAX)
            code = cli_usage(a->command, "at most %d lists of words", LISTS_MAX);
        else if (fs_read(&e, mem, files->v[i], WORDS_FILE_MAX, &text, &n) ||
                 words_read(&e, text, n, &list))
            code = cli_fail(&e, files->v[i], "its form: docs/editorial.md");
        else
            out->lists[out->n++] = list;
    }
    arena_free(mem);
    return code;
}

int check_lists_open(const struct args *a, struct check_lists *out)
{
    const struct conf_list *hosts = arg_list(a, "hosts");

    *out = (struct check_lists){ 0 };
    for (int i = 0; hosts && i < hosts->n && i < CHECK_HOSTS_MAX; i++)
        out->hosts[i] = hosts->v[i];
    out->context = (struct check_context){ .now = clock_now(),
                                           .words = out->lists,
                                           .hosts = hosts && hosts->n ? out->hosts : NULL };
    return read_lists(a, out);
}

void check_lists_close(struct check_lists *l)
{
    for (int i = 0; i < l->n; i++)
        words_free((struct words *)(uintptr_t)l->lists[i]);
}
