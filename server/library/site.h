/*
 * site.h - sites: what a citizen knows as one publisher's portal. A site belongs to one stream
 * and is never deleted, only closed.
 */
#ifndef LIBRARY_SITE_H
#define LIBRARY_SITE_H

#include "server/base/buf.h"
#include "server/base/work.h"

struct site {
    int64_t no; /* its number in the stream's directory; never used twice */
    int64_t stream;
    const char *code; /* SiteIDCode of 10 characters where there is one, else a short name */
    const char *name;
    const char *domain; /* NULL: none */
    int64_t org;        /* 0: none */
    bool open;
    int64_t created;
};

/* RC_INVALID, RC_CONFLICT (the code is taken), RC_NOT_FOUND (stream, org). Sets in->no. RC_FORBIDDEN
 * without RIGHT_EDIT, for an import too. */
enum rc site_create(struct work *w, struct site *in);
enum rc site_edit(struct work *w, const struct site *in); /* name, domain, org, open; by no */
enum rc site_find(struct work *w, const char *code, struct site *out);
enum rc site_by_no(struct work *w, int64_t no, struct site *out);
enum rc site_list(struct work *w, int64_t stream, struct site **out,
                  int *n); /* by number, in w->mem; closed ones too; stream 0: of all */

/*
 * The stream's `directory` object (docs/protocol/sync.md section 7): its open sites and
 * columns, and closed ones that published items still point at.
 */
enum rc directory_json(struct work *w, int64_t stream, struct buf *out);

#endif
