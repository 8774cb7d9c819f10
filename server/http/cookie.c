/*
 * cookie.c - "a=1; __Host-tjzw=tja_…; b=2".
 */
#include "server/http/cookie.h"

#include <string.h>

const char *cookie_name(bool secure)
{
    return secure ? "__Host-tjzw" : "tjzw";
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

void cookie_find(const char *field, size_t n, const char *name, struct cookie *out, int *found)
{
    const char *end = field + n, *next;
    size_t length = strlen(name);

    for (const char *at = field; at < end; at = next + 1) {
        next = memchr(at, ';', (size_t)(end - at));
        next = next ? next : end;
        while (at < next && is_blank(*at))
            at++;
        if ((size_t)(next - at) <= length || memcmp(at, name, length) || at[length] != '=')
            continue;
        *out = (struct cookie){ at + length + 1, (size_t)(next - at) - length - 1 };
        ++*found;
    }
}
