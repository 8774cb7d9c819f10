/*
 * inbox_page.h - one's messages as a page.
 */
#ifndef API_INBOX_PAGE_H
#define API_INBOX_PAGE_H

#include "server/http/route.h"

extern const struct param inbox_page_params[];

enum rc get_account_inbox(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_inbox_seen(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_inbox_drop(struct work *w, const struct request *rq, struct reply *rp);

#endif
