/*
 * area.c - digits: a place's code begins with that of the place around it.
 */
#include "warning/area.h"

#include <string.h>

bool area_read(const char *text, size_t n, char out[AREA_TEXT])
{
    if ((n != 6 && n != 9 && n != 12) || text[0] == '0')
        return false;
    for (size_t i = 0; i < n; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    while (n > 6 && !memcmp(text + n - 3, "000", 3))
        n -= 3;
    memcpy(out, text, n);
    out[n] = '\0';
    return true;
}

/* How many digits say where it is: 2 of a province, 4 of a prefecture, then 6, 9, 12. */
static size_t telling(const char *area)
{
    size_t n = strlen(area);

    if (n == 6 && !strcmp(area + 2, "0000"))
        return 2;
    if (n == 6 && !strcmp(area + 4, "00"))
        return 4;
    return n;
}

bool area_within(const char *inner, const char *outer)
{
    size_t n = telling(outer);

    return telling(inner) >= n && !memcmp(inner, outer, n);
}

bool area_is_whole(const char *area)
{
    return telling(area) == 2;
}
