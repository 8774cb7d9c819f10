/*
 * area.h - codes of places: 6 digits down to a district (GB/T 2260), 9 of a street, 12 of a village (GB/T 10114 and the statistical codes below it). A code of 12 or 9 digits that
 * ends in zeros names what is around: 120101000000 is 120101.
 */
#ifndef WARNING_AREA_H
#define WARNING_AREA_H

#include <stdbool.h>
#include <stddef.h>

enum { AREA_TEXT = 13 };

/* The shortest code of the same place; false: it is none. */
bool area_read(const char *text, size_t n, char out[AREA_TEXT]);
/* Whether `inner` is `outer`, or lies in it; both as area_read() gave them. */
bool area_within(const char *inner, const char *outer);
/* A whole province or municipality: 120000. */
bool area_is_whole(const char *area);

#endif
