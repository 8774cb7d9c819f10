/*
 * find.h - what is found, and shown because the library says that it is published (docs/search.md).
 */
#ifndef SEARCH_FIND_H
#define SEARCH_FIND_H

#include "server/library/item.h"

enum {
    SEARCH_PAGE_MAX = 50,
    SEARCH_SUGGESTIONS = 8,
    SEARCH_LOOK_MOST = 200, /* documents that one request looks through */
    SEARCH_CURSOR = 32
};

struct search_filter {    /* 0 and NULL: any */
    int64_t site, column; /* as the library here numbers them */
    const char *theme, *organ;
    const char *area; /* 2 to 12 digits: what it begins with */
    const char *validity, *kind;
    int64_t from, until; /* seconds: date >= from's day and < until's day, in Beijing */
    int64_t year;
    bool catalogue; /* only 公开目录 */
};

struct search_ask {
    const char *q; /* NULL: only what the filters say */
    size_t q_n;
    struct search_filter filter;
    int limit;         /* 1 to SEARCH_PAGE_MAX */
    const char *after; /* a page's `next`; NULL: from the first */
    bool newest; /* one list, the newest first, wherever the words stand: for who follows it */
};

struct search_hit {
    struct item item;
    const char *title; /* HTML, escaped, with <mark> */
    const char *snippet;
};

struct search_page {
    struct search_hit *hits;
    int n;
    char next
        [SEARCH_CURSOR]; /* "": this was all. A page may be short, or empty, and have a next one */
};

/*
 * First what answers a question (kind faq), then what has it in the title, then what has it anywhere; of each the newest first. RC_INVALID for what
 * cannot be searched for, RC_BUSY while the index is being made anew. In w->mem. On a worker.
 */
enum rc search_find(struct work *w, const struct search_ask *in, struct search_page *out);

/* Titles that hold what was typed so far, each once. */
struct search_titles {
    struct search_hit hits[SEARCH_SUGGESTIONS];
    int n;
};
enum rc search_suggest(struct work *w, const char *q, size_t n, struct search_titles *out);

#endif
