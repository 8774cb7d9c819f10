/*
 * html_clean_fuzz.c - whatever a page is, its body is text that the library takes, and shows
 * nothing but our marks.
 *
 * Either a limit is told, or the Markdown passes the rule for a body and markup_html() makes only
 * web links and pictures of ours from it (markup_fuzz.c looks at every tag). A page that is cleaned
 * from what it was cleaned to says the same again.
 */
#include <stdlib.h>
#include <string.h>

#include "server/base/markup.h"
#include "server/ingest/html_clean.h"
#include "server/ingest/html_url.h"
#include "server/library/field.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const bases[] = { NULL, "https://www.tj.gov.cn/a/b.html", "http://x?q#f",
                                     "" };

static enum html_picture picture(void *arg, const char *url, char name[65])
{
    const uint8_t *first = arg;

    if (strncmp(url, "http://", 7) && strncmp(url, "https://", 8))
        abort();
    memset(name, 'c', 64);
    name[64] = '\0';
    return (enum html_picture)(*first / 4 % 3);
}

/* No tag but ours begins, and no address but of the web. */
static void check(const char *page)
{
    for (const char *p = page; (p = strchr(p, '<')); p++) {
        if (!strncmp(p, "<script", 7) || !strncmp(p, "<style", 6) || !strncmp(p, "<svg", 4) ||
            !strncmp(p, "<iframe", 7))
            abort();
        if (!strncmp(p, "<img", 4) && strncmp(p, "<img src=\"/v1/blobs/cccc", 24))
            abort();
    }
    for (const char *p = page; (p = strstr(p, "href=\"")); p++)
        if (p[-1] == ' ' && strstr(p - 30 > page ? p - 30 : page, "<a rel=") &&
            strncmp(p + 6, "http", 4))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct html_how how = { .picture = picture, .arg = (void *)(uintptr_t)data };
    struct buf body = BUF_HEAP, page = BUF_HEAP, again = BUF_HEAP, url = BUF_HEAP;
    struct html_found found;
    struct err e = { 0 };

    if (!n)
        return 0;
    how.base = bases[*data % 4];
    if (!html_clean(&e, (const char *)data + 1, n - 1, &how, &body, &found) && body.n) {
        if (field_check_text(&e, "body", body.p, body.n, 1, HTML_BODY_MAX))
            abort();
        markup_html(&page, body.p, body.n);
        check(page.p);
        if (!html_clean(&e, page.p, page.n, &how, &again, NULL) && !again.n && !found.pictures)
            abort();
    }
    if (!memchr(data, 0, n) && n < 4000) {
        char text[4000];

        memcpy(text, data, n);
        text[n] = '\0';
        if (html_url(&url, how.base, text) && url.n > HTML_URL_MAX)
            abort();
    }
    buf_done(&body);
    buf_done(&page);
    buf_done(&again);
    buf_done(&url);
    return 0;
}
