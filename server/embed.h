/*
 * embed.h - a file that is part of the program. server/embed.py makes the rows.
 */
#ifndef EMBED_H
#define EMBED_H

#include <stddef.h>

struct embed {
    const char *name;  /* the file's base name; NULL ends a table */
    const char *bytes; /* NUL-terminated, the NUL not counted */
    size_t n;
};

#endif
