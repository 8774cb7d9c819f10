/*
 * docs_page.h - the interface explained to people, from the same tables it runs on.
 */
#ifndef API_DOCS_PAGE_H
#define API_DOCS_PAGE_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_docs(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_problem(struct work *w, const struct request *rq, struct reply *rp);

#endif
