/*
 * owned_page.h - the programs one is answerable for, as pages: one's own, or those of the organisation that one acts for.
 */
#ifndef API_OWNED_PAGE_H
#define API_OWNED_PAGE_H

#include "api/sheet.h"
#include "server/http/route.h"

enum rc get_account_owned(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_owned(struct work *w, const struct request *rq, struct reply *rp);

/* How many there are of who asks: the way to the page stands where there is one. */
enum rc owned_page_count(struct work *w, int *n);

#endif
