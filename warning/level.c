/*
 * level.c - levels by their words.
 */
#include "warning/level.h"

#include <string.h>

static const struct {
    const char *word, *severity, *colour;
} table[LEVEL_COUNT] = {
    [LEVEL_NONE] = { "", "", "" },
#define LEVEL(name, word, severity, colour, class, push) \
    [LEVEL_##name] = { word, severity, colour },
#include "warning/level.def"
#undef LEVEL
};

const char *level_word(enum level level)
{
    return table[level].word;
}

const char *level_colour(enum level level)
{
    return table[level].colour;
}

enum level level_parse(const char *word)
{
    for (int i = 1; i < LEVEL_COUNT; i++)
        if (!strcmp(table[i].word, word))
            return (enum level)i;
    return LEVEL_NONE;
}

enum level level_by_severity(const char *cap)
{
    for (int i = 1; i < LEVEL_COUNT; i++)
        if (!strcmp(table[i].severity, cap))
            return (enum level)i;
    return LEVEL_NONE;
}
