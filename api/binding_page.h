/*
 * binding_page.h - what one signs in by, as pages: the list, and a phone that is bound to it.
 */
#ifndef API_BINDING_PAGE_H
#define API_BINDING_PAGE_H

#include "api/sheet.h"
#include "server/http/route.h"

enum rc get_account_bindings(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_binding_end(struct work *w, const struct request *rq, struct reply *rp);

enum rc get_account_phone(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_phone(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_account_phone_code(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_phone_code(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_phone_join(struct work *w, const struct request *rq, struct reply *rp);

#endif
