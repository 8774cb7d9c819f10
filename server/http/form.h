/*
 * form.h - what a browser's form, or a program that speaks OAuth, sends: application/x-www-form-urlencoded, as the body of a POST or
 * the query of a GET, read in one way only. Pure: text in, fields out.
 *
 *     form  = field *( "&" field )         at most 16 KB and 128 fields; nothing at all is a form without fields
 *     field = name "=" value               a name has 1 to 64 bytes and comes once
 *     both: visible ASCII, "+" for a space, %XX for everything else; what they say is UTF-8 without control characters
 *     value of several lines, where a page asks for that: CR LF, CR and LF in it are each one LF
 *
 * Refused with RC_INVALID: a name that comes twice (two readers could each believe another one), a field without "=", an empty one
 * ("&&"), bytes that should have been escaped, a broken escape.
 */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H

#include <stddef.h>

#include "server/base/arena.h"

enum { FORM_MAX = 16 * 1024, FORM_FIELDS = 128, FORM_NAME_MAX = 64 };

struct form_field {
    const char *name, *value; /* decoded */
};

struct form {
    struct form_field field[FORM_FIELDS]; /* as they came */
    int n;
};

enum rc form_parse(struct err *e, struct arena *mem, const char *text, size_t n,
                   struct form *out);
/* The same where a page asks for several lines. */
enum rc form_parse_lines(struct err *e, struct arena *mem, const char *text, size_t n,
                         struct form *out);
/* NULL: it is not there, or nothing was entered, which is the same (RFC 6749 section 3.1, and an empty box of a page). */
const char *form_text(const struct form *f, const char *name);

#endif
