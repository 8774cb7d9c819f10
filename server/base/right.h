/*
 * right.h - what may be allowed, as bits of a set: the table is right.def.
 */
#ifndef BASE_RIGHT_H
#define BASE_RIGHT_H

#include <stdbool.h>
#include <stddef.h>

enum right {
#define RIGHT(name, bit, word, chinese, at_site) RIGHT_##name = 1 << (bit),
#include "server/base/right.def"
#undef RIGHT
};

/* RIGHT_ALL: all that can be given. SELF and STATE cannot, they come with an account; nor ACT, which comes with acting for one. RIGHT_AT_SITE: those that can be given for one site. */
#define RIGHT(name, bit, word, chinese, at_site) | 1 << (bit)
enum {
    RIGHT_ALL = (0
#include "server/base/right.def"
                 ) &
                ~(RIGHT_SELF | RIGHT_ACT | RIGHT_STATE)
};
#undef RIGHT
#define RIGHT(name, bit, word, chinese, at_site) | ((at_site) ? 1 << (bit) : 0)
enum {
    RIGHT_AT_SITE = (0
#include "server/base/right.def"
                     )
};
#undef RIGHT

/* What everybody has who signed in, and what is his own: all others are of staff, and of programs. */
enum { RIGHT_OWN = RIGHT_READ | RIGHT_SELF | RIGHT_ACT | RIGHT_STATE };

enum { RIGHTS_TEXT = 120 }; /* all words, with commas */

/* Of one right; "unknown". */
const char *right_name(enum right right);
const char *right_chinese(enum right right);
/* 0 if it is none. */
unsigned right_parse(const char *word, size_t n);
/* "edit,review" of a set, "" of none; in the order of the table. Returns `out`. */
const char *rights_text(unsigned rights, char out[RIGHTS_TEXT]);
/* The same backwards. False: `*bad` is a word that is none. */
bool rights_parse(const char *text, unsigned *out, const char **bad);

#endif
