/*
 * level.h - how bad it is: the rows of level.def.
 */
#ifndef WARNING_LEVEL_H
#define WARNING_LEVEL_H

#include <stdbool.h>

/* The worst first. */
enum level {
    LEVEL_NONE,
#define LEVEL(name, word, severity, colour, class, push) LEVEL_##name,
#include "warning/level.def"
#undef LEVEL
    LEVEL_COUNT
};

const char *level_word(enum level level);      /* "red" */
const char *level_colour(enum level level);    /* "红色" */
enum level level_parse(const char *word);      /* LEVEL_NONE: there is none */
enum level level_by_severity(const char *cap); /* of "Extreme"; LEVEL_NONE for Unknown */

#endif
