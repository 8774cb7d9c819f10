/*
 * org.h - organisations: who publishes, and where they stand in the country.
 */
#ifndef LIBRARY_ORG_H
#define LIBRARY_ORG_H

#include "server/base/work.h"

struct org {
    int64_t no;
    const char *code; /* unified social credit code, or a name we were given */
    const char *name;
    const char *region; /* GB/T 2260: 6, 9 or 12 digits; NULL: not said */
    int64_t parent;     /* 0: none */
};

/* RC_INVALID, RC_CONFLICT (the code is taken), RC_NOT_FOUND (parent). Sets in->no. Needs
 * RIGHT_EDIT. Nothing is deleted. */
enum rc org_create(struct work *w, struct org *in);
enum rc org_edit(struct work *w, const struct org *in); /* by no; the code stays */
enum rc org_find(struct work *w, const char *code, struct org *out);
enum rc org_by_no(struct work *w, int64_t no, struct org *out);
enum rc org_list(struct work *w, struct org **out, int *n);           /* by number, in w->mem */
enum rc org_some(struct work *w, int most, struct org **out, int *n); /* the first of them */

/*
 * Whether `code` is built as a region's code: 6 digits for province, city and county (GB/T
 * 2260), 9 with the street or town, 12 with the village. Which of them exist today is data that
 * changes every year and is not checked here.
 */
bool org_region_ok(const char *code);

#endif
