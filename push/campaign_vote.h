/*
 * campaign_vote.h - who has approved a campaign, and how many must.
 *
 *     service      1; 2 if it is for as many devices as push_two_eyes_from
 *     marketing    1; 2 if it is for as many, or for all (campaign_is_for_all())
 *
 * An approval is of a hash, and of somebody who may approve at the record's site for as long as it is to count. It is good for CAMPAIGN_APPROVED_FOR: until then the campaign has to be scheduled; once it is, its time is a part of what was approved.
 */
#ifndef PUSH_CAMPAIGN_VOTE_H
#define PUSH_CAMPAIGN_VOTE_H

#include "push/campaign.h"

enum campaign_vote_is {
    CAMPAIGN_VOTE_GOOD,
    CAMPAIGN_VOTE_OLD, /* given longer ago than CAMPAIGN_APPROVED_FOR */
    CAMPAIGN_VOTE_LOST, /* who gave it may not approve any more: his role is gone, or his account is locked or gone */
    CAMPAIGN_VOTE_OTHER, /* of another hash */
};

struct campaign_vote {
    const char *actor, *plan;
    int64_t at;
    enum campaign_vote_is is; /* GOOD alone counts */
};

/* How many must approve, of the audience as it is now. */
enum rc campaign_eyes(struct work *w, const struct campaign *c, int *need);
/* In the order in which they were given. *counting: how many of them count. */
enum rc campaign_votes(struct work *w, const struct campaign *c, struct campaign_vote **out,
                       int *n, int *counting);
/* On the writer. RC_CONFLICT: he did already. */
enum rc campaign_vote(struct work *w, const struct campaign *c, const char *plan);

/* Whether at least `many` devices are in its audience: no more of it is counted than is needed. */
enum rc campaign_reaches(struct work *w, const struct campaign *c, int64_t many, bool *yes);

#endif
