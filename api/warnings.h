/*
 * warnings.h - warnings (预警): the feed, the signed way in, who may issue them.
 */
#ifndef API_WARNINGS_H
#define API_WARNINGS_H

#include "server/http/route.h"

extern const struct param warnings_params[], warning_params[], warning_list_params[],
    warning_sender_params[];
extern const char TYPE_CAP[]; /* "application/cap+xml" */

enum rc get_warnings(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_warning(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_warning(struct work *w, struct request *rq);
enum rc post_warning(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_staff_warnings(struct work *w, const struct request *rq, struct reply *rp);

enum rc get_warning_senders(struct work *w, const struct request *rq, struct reply *rp);
enum rc put_warning_sender(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_warning_sender_confirm(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_warning_sender_stop(struct work *w, const struct request *rq, struct reply *rp);

#endif
