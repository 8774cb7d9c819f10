/*
 * html_page_fuzz.c - any bytes as a page of a site: its text is a piece of it, its links are of its own host.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/ingest/html_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define HERE "https://www.example.cn/a/index.html"

static void say(void *arg, const char *said)
{
    (void)arg;
    if (!*said)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();
    const char *html = (const char *)data;
    struct html_page page;
    struct err e = { 0 };

    if (!html_page_read(&e, mem, html, n, HERE, &page)) {
        if (page.text && (page.text < html || page.text + page.text_n > html + n))
            abort();
        for (int i = 0; i < page.nlinks; i++)
            if (strncasecmp(page.links[i], "https://www.example.cn/", 23) &&
                strncasecmp(page.links[i], "http://www.example.cn/", 22))
                abort();
        html_page_judge(&page, true, say, NULL);
        html_page_judge(&page, false, say, NULL);
    }
    arena_free(mem);
    return 0;
}
