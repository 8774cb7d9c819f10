/*
 * html_page.h - a page of a government site: its meta tags of 国办发〔2017〕47号, its text, the pages of its own site that it leads to.
 *
 * Pure, bounded as html_tree.h says. The text is the element whose own paragraphs hold most; where nothing stands in paragraphs, an element with one of the names that such sites use.
 */
#ifndef INGEST_HTML_PAGE_H
#define INGEST_HTML_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/arena.h"
#include "server/base/buf.h"
#include "server/base/err.h"

enum page_tag {
    PAGE_SITE_NAME,
    PAGE_SITE_DOMAIN,
    PAGE_SITE_CODE,
    PAGE_COLUMN_NAME,
    PAGE_COLUMN_DESCRIPTION,
    PAGE_COLUMN_KEYWORDS,
    PAGE_COLUMN_TYPE,
    PAGE_TITLE,
    PAGE_DATE,
    PAGE_SOURCE,
    PAGE_KEYWORDS,
    PAGE_AUTHOR,
    PAGE_DESCRIPTION,
    PAGE_IMAGE,
    PAGE_URL,
    PAGE_TAGS
};

enum { PAGE_LINKS_MAX = 300 };

struct html_page {
    const char *meta[PAGE_TAGS]; /* in `mem`; NULL: it is not there */
    const char *text;            /* a piece of the page's bytes; NULL: none was found */
    size_t text_n;
    const char **links; /* absolute, each once, in the order of the page; in `mem` */
    int nlinks;
    bool other_charset; /* it says that it is not UTF-8 */
};

/* `url`: the page's own. RC_TOO_LARGE. */
enum rc html_page_read(struct err *e, struct arena *mem, const char *html, size_t n,
                       const char *url, struct html_page *out);

/* What an article's page (else: a column's) must have by the table and has not, or not as it is to be: a Chinese sentence each. */
void html_page_judge(const struct html_page *p, bool article,
                     void (*say)(void *arg, const char *said), void *arg);

/* "2026-03-16 09:30", as the table wants it. */
bool html_page_date_ok(const char *date);

#endif
