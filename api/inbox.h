/*
 * inbox.h - messages to one account (server/citizen/inbox.h): what operators send and take back.
 */
#ifndef API_INBOX_H
#define API_INBOX_H

#include "server/http/route.h"

extern const struct param inbox_group_params[];

enum rc post_message(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_messages(struct work *w, const struct request *rq, struct reply *rp);

#endif
