/*
 * field.h - what an item may say: the table of field.def, and what its rows have in common.
 */
#ifndef LIBRARY_FIELD_H
#define LIBRARY_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/err.h"

enum item_kind {
    KIND_ARTICLE,
    KIND_POLICY,
    KIND_NOTICE,
    KIND_MESSAGE,
    KIND_FAQ,     /* the title is the question, the body the answer */
    KIND_GUIDE,   /* how to get a public service */
    KIND_SURVEY,  /* asks, and is answered: server/citizen/survey.h */
    KIND_WARNING, /* 预警: relayed from who may issue it, never written here (relay.h) */
    KIND_COUNT
};

const char *kind_name(enum item_kind kind);  /* "article" … */
const char *kind_label(enum item_kind kind); /* Chinese */
int kind_parse(const char *name);            /* -1 if unknown */

enum field_no {
#define FIELD(name, type, kinds, min, max, label, meta) FIELD_##name,
#define CHOICE_FIELD(name, kinds, label)                FIELD_##name,
#include "server/library/field.def"
#undef FIELD
#undef CHOICE_FIELD
    FIELD_COUNT
};

enum field_type {
    FIELD_SYSTEM,
    FIELD_LINE,
    FIELD_TEXT,
    FIELD_DAY,
    FIELD_LINES,
    FIELD_CHOICE,
    FIELD_HASH,
    FIELD_URL,
    FIELD_FILES,
    FIELD_BOOL,
    FIELD_LINKS,
    FIELD_QUESTIONS,
    FIELD_ADDRESSED
};

struct field {
    const char *name;
    enum field_type type;
    unsigned kinds; /* bit 1 << enum item_kind */
    int64_t min, max;
    const char *label;
    const char *meta;           /* NULL: no tag */
    const char *const *choices; /* CHOICE: NULL-terminated; otherwise NULL */
};

extern const struct field fields[FIELD_COUNT];

/* The row of that name; -1 if there is none. */
int field_find(const char *name);

/*
 * Text as we store and show it: valid UTF-8, `min` to `max` characters, no control characters.
 * A line has no line breaks, nothing that turns the reading direction round or hides (U+202E
 * makes a title lie), and something to see; lines of text may have \n and \t. `name` is for the
 * sentence.
 */
enum rc field_check_line(struct err *e, const char *name, const char *s, size_t n, int64_t min,
                         int64_t max);
enum rc field_check_text(struct err *e, const char *name, const char *s, size_t n, int64_t min,
                         int64_t max);

/* A line that must be there: NULL is refused as missing. */
enum rc field_need_line(struct err *e, const char *name, const char *s, int64_t max);

#endif
