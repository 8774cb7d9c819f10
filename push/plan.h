/*
 * plan.h - what will become of a campaign if it is sent as it is: whom it reaches, who is lost on the way and why, when it is done.
 *
 *     audience           those of the expression
 *       - refused        want nothing of this class or column
 *     per transport      of the others, those it reaches
 *       - quota          had as many today as the vendor allows a device, or as we allow a person
 *       - quiet          it is their night when it starts (class marketing)
 *       - late         its time to live is over before their turn
 *       = send
 *     ends               behind what goes before it there, at the rate of that transport and the campaign's; it stops where a vendor refuses messages at night
 *
 * Computed whenever it is looked at, and kept with each approval. A forecast: other campaigns may come, and who was asked of limit.def may have changed his mind.
 */
#ifndef PUSH_PLAN_H
#define PUSH_PLAN_H

#include "push/campaign.h"

enum {
    PLAN_ANSWER_MS =
        250, /* from a request's leaving until another may take its place: assumed, for no vendor was tried */
    PLAN_OTHERS = 64 /* scheduled campaigns that are looked at, the soonest; and what runs */
};

struct plan_line {
    enum transport by;
    bool on;
    int tried;                   /* transport.def: YYYYMMDD; 0: unverified with vendor */
    int64_t reach, quota, quiet; /* devices */
    int64_t late;                /* not their turn before the campaign's time is over */
    int64_t send;                /* reach - quota - quiet - late; 0 where it is off */
    int64_t ahead;           /* of other campaigns, that are still before them when it starts */
    int64_t pace;            /* devices a second that the vendor allows */
    int64_t rate;            /* … that we send: as many as may be under way, per answer */
    struct push_limit limit; /* its night, and how many devices a request has */
    int64_t ends;            /* seconds; 0: nothing is sent */
    bool held; /* some of it comes into the vendor's night, and is shown when that is over */
};

/* What others still have to send. `haste` as the engine has it: 0 warnings, recalls and notices; else the class. */
struct plan_other {
    int64_t start; /* seconds */
    int haste;
    int64_t left[TRANSPORT_COUNT];
};

struct plan_district {
    char code[7];
    int64_t devices;
};

struct plan {
    int64_t made, start; /* seconds; when it starts at once, they are the same */
    int64_t ttl;         /* seconds from its start in which it is sent; 0: for ever */
    int haste;           /* its class */
    int64_t audience, refused;
    struct plan_line lines[TRANSPORT_COUNT];
    int n;
    int64_t send, off, late; /* of all lines; off: of those whose transport is */
    int64_t ends;            /* 0: nothing is sent */
    struct plan_district districts[CAMPAIGN_DISTRICTS]; /* in their order; others follow */
    int ndistricts;
    int eyes;                              /* who must approve */
    struct plan_other others[PLAN_OTHERS]; /* by their start */
    int nothers;
};

/* Pure: what follows from reach, quota, quiet, pace and limit of each line, and from the others. `pace`: of the campaign, devices a second; 0: none. */
void plan_reckon(struct plan *p, int64_t pace);

/* Counts it, of this moment. */
enum rc plan_of(struct work *w, const struct campaign *c, struct plan *out);
/* As JSON, members by name. */
void plan_print(const struct plan *p, struct buf *out);

#endif
