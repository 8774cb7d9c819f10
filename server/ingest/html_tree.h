/*
 * html_tree.h - a page of somebody else's, parsed as a browser would, within limits.
 *
 * Pure: no I/O, no clock. The parser is libgumbo, which knows HTML5's rules for broken pages but
 * no limit of memory, depth or work; all of them stand here.
 */
#ifndef INGEST_HTML_TREE_H
#define INGEST_HTML_TREE_H

#include <stddef.h>

#include <gumbo.h>

#include "server/base/err.h"

enum {
    HTML_MAX = 2 * 1024 * 1024,          /* bytes of a page */
    HTML_NODES_MAX = 200000,             /* elements and texts */
    HTML_DEPTH_MAX = 256,                /* one in the other */
    HTML_ATTRIBUTES_MAX = 1000,          /* of one tag */
    HTML_MEMORY_MAX = 128 * 1024 * 1024, /* bytes while it is parsed */
};

struct html_tree;

/*
 * Parses `n` bytes of UTF-8; bytes that are not become U+FFFD. RC_TOO_LARGE with a sentence when a
 * limit is passed. The bytes must stay as long as the tree; html_tree_free() takes NULL too.
 */
enum rc html_tree_parse(struct err *e, const char *html, size_t n, struct html_tree **out);
void html_tree_free(struct html_tree *t);

/* The <body>, or whatever stands for it; NULL if there is none (a frameset). */
const GumboNode *html_tree_body(const struct html_tree *t);

#endif
