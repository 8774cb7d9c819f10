/*
 * leave_page.h - one's data to take away, and leaving, as pages.
 */
#ifndef API_LEAVE_PAGE_H
#define API_LEAVE_PAGE_H

#include "api/sheet.h"
#include "server/http/route.h"
#include "server/identity/account.h"

enum rc get_account_data(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_account_export(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_account_leave(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_leave(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_stay(struct work *w, const struct request *rq, struct reply *rp);

/* On the account's page: when it will be erased, and how to stay; nothing where nobody asked for that. */
void leave_page_note(struct sheet *s, const struct account *a);

#endif
