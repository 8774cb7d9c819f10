/*
 * account_page.h - one's own account as pages: who one is, where one is signed in, whom one has allowed what.
 */
#ifndef API_ACCOUNT_PAGE_H
#define API_ACCOUNT_PAGE_H

#include "server/http/route.h"

enum { ACCOUNT_DONE_MAX = 20 }; /* bytes of ?done= */

enum rc get_account_page(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_name(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_account_devices(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_device(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_devices(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_account_password(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_account_password(struct work *w, struct request *rq);
enum rc post_account_password(struct work *w, const struct request *rq, struct reply *rp);

#endif
