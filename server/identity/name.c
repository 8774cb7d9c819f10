/*
 * name.c - by what Unicode says of each character.
 */
#include "server/identity/name.h"

#include <utf8proc.h>

enum { JOINER = 0x200d }; /* ties a man, a woman and a child into one picture */

/* Unassigned characters are none that anybody can read yet. */
static bool is_hidden(utf8proc_int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return c != JOINER;
    default: return false;
    }
}

bool name_is_fit(const char *text)
{
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text;
    bool seen = false;
    utf8proc_int32_t c;

    while (*p) {
        utf8proc_ssize_t n = utf8proc_iterate(p, -1, &c);

        if (n < 1 || is_hidden(c))
            return false;
        seen = seen || (c != JOINER && utf8proc_category(c) != UTF8PROC_CATEGORY_ZS);
        p += n;
    }
    return seen;
}
