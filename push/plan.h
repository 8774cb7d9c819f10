/*
 * plan.h - what will become of a campaign if it is sent as it is: whom it reaches, who is lost on the way and why, when it is done.
 *
 *     audience           those of the expression
 *       - refused        want nothing of this class or column
 *     per transport      of the others, those it reaches
 *       - quota          had as many today as the vendor allows a device, or as we allow a person
 *       - quiet          it is their night when it starts (class marketing)
 *       = send
 *     ends               behind what other campaigns still have there, at the vendor's pace and the campaign's; it stops where a vendor refuses messages at night
 *
 * Computed whenever it is looked at, and kept with each approval. A forecast: other campaigns may come, and who was asked of limit.def may have changed his mind.
 */
#ifndef PUSH_PLAN_H
#define PUSH_PLAN_H

#include "push/campaign.h"

struct plan_line {
    enum transport by;
    bool on;
    int64_t reach, quota, quiet; /* devices */
    int64_t send;                /* reach - quota - quiet; 0 where it is off */
    int64_t ahead;               /* of other campaigns, there */
    int64_t pace;                /* devices a second */
    enum push_night night;
    int32_t night_from, night_to; /* minutes of the day */
    int64_t ends;                 /* seconds; 0: nothing is sent */
    bool held; /* some of it comes into the vendor's night, and is shown when that is over */
};

struct plan_district {
    char code[7];
    int64_t devices;
};

struct plan {
    int64_t made, start; /* seconds; when it starts at once, they are the same */
    int64_t audience, refused;
    struct plan_line lines[TRANSPORT_COUNT];
    int n;
    int64_t send, off; /* of all lines; off: of those whose transport is */
    int64_t ends;      /* 0: nothing is sent */
    struct plan_district districts[CAMPAIGN_DISTRICTS]; /* in their order; others follow */
    int ndistricts;
    int eyes; /* who must approve */
};

/* Pure: what follows from reach, quota, quiet, ahead, pace and night of each line. `pace`: of the campaign, devices a second; 0: none. */
void plan_reckon(struct plan *p, int64_t pace);

/* Counts it, of this moment. */
enum rc plan_of(struct work *w, const struct campaign *c, struct plan *out);
/* As JSON, members by name. */
void plan_print(const struct plan *p, struct buf *out);

#endif
