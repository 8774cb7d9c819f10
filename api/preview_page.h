/*
 * preview_page.h - drafts for those who were given a link.
 */
#ifndef API_PREVIEW_PAGE_H
#define API_PREVIEW_PAGE_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_preview(struct work *w, const struct request *rq, struct reply *rp);

#endif
