/*
 * audit_list.h - the audit log as its readers see it: pages, the newest row first.
 */
#ifndef IDENTITY_AUDIT_LIST_H
#define IDENTITY_AUDIT_LIST_H

#include "server/identity/audit.h"

enum { AUDIT_PAGE_MAX = 500, AUDIT_CURSOR = 48 };

struct audit_filter {
    int64_t since, until;       /* from the one on, before the other; 0: no limit */
    const char *actor, *action; /* NULL: of all, everything */
    const char *cursor;         /* `next` of the page before; NULL: from the newest */
    int n;                      /* at most so many */
};

struct audit_page {
    struct audit_row *rows;
    const char **addresses; /* opened; "" if there is none, NULL if it does not open */
    int n;
    char next[AUDIT_CURSOR]; /* "": this is the last page */
};

/* In w->mem. RC_FORBIDDEN without RIGHT_AUDIT; RC_INVALID: the cursor is none, there is no such action. */
enum rc audit_list(struct work *w, const struct audit_filter *f, struct audit_page *out);

#endif
