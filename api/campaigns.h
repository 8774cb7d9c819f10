/*
 * campaigns.h - what staff do with push campaigns.
 */
#ifndef API_CAMPAIGNS_H
#define API_CAMPAIGNS_H

#include "push/campaign.h"
#include "server/http/route.h"

enum { CAMPAIGN_RIGHTS = RIGHT_PUSH | RIGHT_PUSH_APPROVE, CAMPAIGN_ORDER_MAX = 4096 };

extern const struct param campaigns_params[], campaign_params[];

enum rc get_campaigns(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_campaign(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_campaign(struct work *w, const struct request *rq, struct reply *rp);
enum rc patch_campaign(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_campaign_copy(struct work *w, const struct request *rq, struct reply *rp);
/* The last segment of the path is the step. */
enum rc post_campaign_step(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_campaign_approval(struct work *w, struct request *rq);
enum rc get_campaign_steps(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_campaign_plan(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_campaign_sample(struct work *w, const struct request *rq, struct reply *rp);

/* That of the path, if he may see it. RC_NOT_FOUND, RC_FORBIDDEN. */
enum rc campaign_of(struct work *w, const struct request *rq, struct campaign *out);

#endif
