/*
 * article.h - one item as its pages see it: the record read into members, and where it stands.
 */
#ifndef API_ARTICLE_H
#define API_ARTICLE_H

#include <jansson.h>

#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/library/column.h"
#include "server/library/item.h"
#include "server/library/site.h"

struct article {
    const struct item *item;
    const json_t *record; /* published or drafted members */
    struct column column;
    struct site site;
    const char *path; /* "/a/ID"; NULL in a preview */
    bool preview;
    const char
        *query; /* behind the addresses of its files: "", or the preview's right to them */
};

/*
 * The published item of the request. *shown is false when the answer is already made, because
 * it was withdrawn: 410, saying when and why. `item` must live as long as `out`.
 */
enum rc article_open(struct work *w, const struct request *rq, struct article *out,
                     struct item *item, bool *shown, struct reply *rp);
enum rc article_place(struct work *w,
                      struct article *a); /* fills column and site from the item */

const char *article_value(const struct article *a,
                          enum field_no field);      /* a text member; NULL: absent */
const char *article_source(const struct article *a); /* 来源; without one the site itself */
bool article_is_reprint(const struct article *a);

/* What the article points at (解读, 原件): an item here under its title, or a page elsewhere. */
struct article_link {
    const char *title; /* or the URL of a page elsewhere */
    const char *path;  /* "/a/ID"; NULL: elsewhere */
};
/* How many there are; what is not published, or not any more, is left out. In w->mem. */
int article_related(struct work *w, const struct article *a, struct article_link **out);

const char *article_joined(struct work *w, const json_t *lines, const char *between);
/* The field has a place of its own in the pages, not under its label among the others. */
bool article_is_apart(enum field_no field);

#endif
