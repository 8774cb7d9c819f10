/*
 * notice_words.h - what a template of notices says: title, text and link with places in braces, and what may stand in each. Knows no rows.
 *
 *     {"group":"visit","item":"0190…","label":"预约提醒","link":"https://bd.example.cn/visit/{no}","mandatory":false,"days":30,"ttl":86400,
 *      "places":{"no":{"most":20,"type":"code"},"thing":{"most":20,"type":"text"},"when":{"type":"time"}},
 *      "text":"您预约的{thing}，请于{when}前往。","title":"预约提醒：{thing}"}
 *
 * With every place as long as it may be, title and text keep their limits: so whatever is sent later has room.
 */
#ifndef PUSH_NOTICE_WORDS_H
#define PUSH_NOTICE_WORDS_H

#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/base/work.h"

enum {
    NOTICE_TITLE_MAX = 50, /* characters, with all places filled */
    NOTICE_TEXT_MAX = 500,
    NOTICE_LINK_MAX = 500, /* bytes, likewise */
    NOTICE_LABEL_MAX = 20, /* characters */
    NOTICE_WORD_MAX = 32,  /* bytes of a template's name, and of its group's */
    NOTICE_PLACES = 16,
    NOTICE_PLACE_MAX = 20,  /* bytes of a place's name */
    NOTICE_VALUE_MAX = 200, /* characters of a value */
    NOTICE_DAYS_MAX = 366,
    NOTICE_TTL_MIN = 60, /* seconds */
    NOTICE_TTL_MAX = 2592000,
    NOTICE_TTL_USUAL = 86400,
    NOTICE_JSON_MAX = 16384
};

enum notice_type { NOTICE_LINE, NOTICE_NUMBER, NOTICE_CODE, NOTICE_DATE, NOTICE_TIME };

struct notice_place {
    const char *name;
    enum notice_type type;
    int most; /* characters */
};

struct notice_words {
    const char *title, *text, *link; /* text, link: NULL if there is none */
    const char *group, *label;       /* what a citizen refuses as one, and its name */
    struct id item;                  /* the published item that it is about */
    bool has_item, mandatory;        /* mandatory: cannot be refused */
    int64_t days, ttl; /* in the inbox; until a phone need not ring any more, seconds */
    struct notice_place place[NOTICE_PLACES];
    int places;
};

/* The name of a template, or of a group: [a-z0-9][a-z0-9_-]{0,31}. */
bool notice_word_ok(const char *word);

/* The members of `body` and no others; what it points at lives as long as `body`. RC_INVALID names the field and says why. */
enum rc notice_words_read(struct work *w, const json_t *body, struct notice_words *out);
/* "bd.example.cn" of a link, in w->mem; NULL: it has none. */
const char *notice_words_host(struct work *w, const struct notice_words *t);

struct notice_filled {
    const char *title, *text, *link; /* in w->mem; NULL as above */
};
/* `values` is an object of texts, one for each place. RC_INVALID names the one that is missing, unknown, too long or of another type; it never holds a value. */
enum rc notice_words_fill(struct work *w, const struct notice_words *t, const json_t *values,
                          struct notice_filled *out);

#endif
