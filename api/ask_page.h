/*
 * ask_page.h - what a program asks of a person, as pages: may it know this, and is this the device before you.
 */
#ifndef API_ASK_PAGE_H
#define API_ASK_PAGE_H

#include "server/http/route.h"

enum rc get_consent(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_consent(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_device_page(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_device_page(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_device_confirm(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_device_confirm(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_account_programs(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_account_program(struct work *w, const struct request *rq, struct reply *rp);

#endif
