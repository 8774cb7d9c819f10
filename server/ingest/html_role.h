/*
 * html_role.h - what an element of a page is to a reader: the allow-list of the cleaner.
 */
#ifndef INGEST_HTML_ROLE_H
#define INGEST_HTML_ROLE_H

#include <gumbo.h>
#include <stdbool.h>

#include "server/ingest/html_clean.h"

enum role {
    ROLE_INLINE, /* its text stands in the line: also every element that is not known */
    ROLE_BLOCK,  /* its text stands for itself */
    ROLE_HEADING,
    ROLE_LIST,
    ROLE_ITEM,
    ROLE_TABLE,
    ROLE_LINK,
    ROLE_PICTURE,
    ROLE_BREAK,
    ROLE_LINES, /* its line ends count: pre */
    ROLE_DROP   /* nobody sees it, or nobody should */
};

/* Also counts in `found` what is dropped, and handlers. */
enum role html_role(const GumboNode *element, struct html_found *found);
/* Bold by itself or by its style; `outer` if it says nothing. */
bool html_is_bold(const GumboNode *element, bool outer);
/* An attribute's value; NULL if it is not there. */
const char *html_attribute(const GumboNode *element, const char *name);
/* The same as a number of 1 to `max`; `otherwise` if it is none. */
int html_number(const GumboNode *element, const char *name, int max, int otherwise);
/* A child of an element, or NULL past the last. */
const GumboNode *html_child(const GumboNode *element, unsigned i);
bool html_is(const GumboNode *node, GumboTag tag);
/* A table that says something by its rows and columns, and not one that only puts things in place:
 * two columns at least, and no table, heading or list in it. */
bool html_is_data_table(const GumboNode *table);

#endif
