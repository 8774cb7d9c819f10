/*
 * shown.h - who is told that a page was shown to a person: the counts of reads, which this layer does not know.
 *
 * Pages come out of the answer cache, where no handler runs, so this looks at the answers themselves.
 */
#ifndef HTTP_SHOWN_H
#define HTTP_SHOWN_H

#include <h2o.h>

#include "server/http/proxy.h"

struct shown {
    const char *path; /* as it was asked for, without the query; not ended by NUL */
    size_t n;
    uint64_t client; /* limit_client() of who asked */
};

/* Before the loops start. `prefix`: what the paths begin with. `told` is called on the loops. NULL: nobody is told. */
void shown_set(const char *prefix, void (*told)(const struct shown *));
/* The proxies whose word counts for who asked; it must live as long as the process. */
void shown_trust(const struct networks *trusted);
/* On a loop, before the answer leaves, which is the whole one (200): a browser may have it already, and be told so. */
void shown_tell(h2o_req_t *req, int status);

#endif
