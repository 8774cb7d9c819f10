/*
 * query.h - what somebody typed, as phrases; each of them has to be in a text.
 *
 *     社保卡 "补办"，2024   -->   社保卡 | 补办 | 2024
 *
 * Nothing in it is an operator: quotes, stars, AND and NEAR( are blanks or words like others.
 */
#ifndef SEARCH_QUERY_H
#define SEARCH_QUERY_H

#include "server/base/err.h"
#include "server/search/words.h"

enum {
    QUERY_CHARS_MAX = 100,
    QUERY_PHRASES_MAX = 16 /* the rest of a longer one is not asked for */
};

struct phrase {
    const char *p; /* folded */
    size_t n;
    int words;   /* that ask for it; with more than one it has to be looked for in the text */
    bool prefix; /* its last word may go on */
};

struct query {
    struct phrase v[QUERY_PHRASES_MAX];
    int n;
    const char *match; /* for FTS5: all words of all phrases */
    bool looks;        /* some phrase has to be looked for */
};

/*
 * RC_INVALID, with the field `q`: nothing to search for (empty, only punctuation), more than QUERY_CHARS_MAX characters, or no UTF-8. `typing`: the last
 * ASCII word may be a part of one.
 */
enum rc query_parse(struct err *e, struct arena *mem, const char *s, size_t n, bool typing,
                    struct query *out);

/* Whether the folded text holds all phrases. */
bool query_holds(const struct query *q, const struct folded *text);

#endif
