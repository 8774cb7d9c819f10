/*
 * set_up_page.h - where a member of staff begins, the first administrator too: behind a link that is good once (server/identity/invite.h).
 */
#ifndef API_SET_UP_PAGE_H
#define API_SET_UP_PAGE_H

#include "server/http/route.h"

#define SET_UP_ADDRESS "/set-up?token=" /* the invitation's text comes behind it */

enum rc get_set_up(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_set_up(struct work *w, struct request *rq);
enum rc post_set_up(struct work *w, const struct request *rq, struct reply *rp);

#endif
