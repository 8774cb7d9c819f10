/*
 * accounts.h - the accounts of staff, as security administrators see them; and any account kept out, or let in again.
 */
#ifndef API_ACCOUNTS_H
#define API_ACCOUNTS_H

#include "server/http/route.h"

extern const struct param account_list_params[], account_params[];

enum rc get_accounts(struct work *w, const struct request *rq, struct reply *rp);
enum rc patch_account(struct work *w, const struct request *rq, struct reply *rp);

#endif
