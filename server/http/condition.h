/*
 * condition.h - what a client says of the copy it holds, and which part it wants. Pure: text in, answer out.
 */
#ifndef HTTP_CONDITION_H
#define HTTP_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `etag` stands in one line of If-None-Match; the comparison is the weak one, as RFC 9110
 * section 13.1.2 wants. What is no list of entity tags holds none. */
bool condition_lists(const char *list, size_t n, const char *etag);

enum condition_range { RANGE_NONE, RANGE_PART, RANGE_OUTSIDE };

/* Range of a content of `len` bytes: one range of bytes. Several, other units and what makes no sense are ignored, as RFC
 * 9110 section 14.2 allows. *from and *part: where it begins, and its bytes (RANGE_PART). */
enum condition_range condition_range(const char *value, size_t n, size_t len, size_t *from,
                                     size_t *part);

#endif
