/*
 * notices.h - templates of notices, and notices: docs/notices.md.
 */
#ifndef API_NOTICES_H
#define API_NOTICES_H

#include "push/notice_words.h"
#include "server/http/route.h"

enum {
    NOTICE_RIGHTS = RIGHT_NOTICE | RIGHT_PUSH | RIGHT_PUSH_APPROVE,
    NOTICE_ORDER_MAX = 4096 /* bytes of a body that orders a step */
};

extern const struct param notice_templates_params[], notice_template_params[], notice_params[];

enum rc get_notice_templates(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_notice_template(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_notice_template(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_notice_approve(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_notice_return(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_notice_retire(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_notice(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_notice(struct work *w, const struct request *rq, struct reply *rp);

#endif
