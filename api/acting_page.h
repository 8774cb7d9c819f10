/*
 * acting_page.h - in whose name one acts, as a page; and who one is again when that has ended.
 */
#ifndef API_ACTING_PAGE_H
#define API_ACTING_PAGE_H

#include "api/sheet.h"
#include "server/http/route.h"

enum rc get_account_organisations(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_act(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_act_end(struct work *w, const struct request *rq, struct reply *rp);

/* The account page of who acts: the organisation. */
enum rc acting_page_draw(struct sheet *s);
/* Acting is over by itself: the browser has its own session again, and is told so. False: there is none. */
bool acting_page_take_back(struct sheet *s);

#endif
