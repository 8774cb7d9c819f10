/*
 * missing.h - what should have been pushed and was not, and what stands still: so that somebody looks before citizens ask.
 *
 *     CAMPAIGN   a column of the setting push_columns has a major revision for longer than push_missing_after, and no campaign is about it
 *     SCHEDULE   a campaign is approved for so long, and not scheduled
 *     FIRE       its time is over by MISSING_FIRE_AFTER, and it has not begun; it may wait for somebody's word, since it missed it
 *     PROGRESS   it is on its way, and nothing of it has moved for MISSING_STALLED
 *     DAMAGED    it was paused because of damage, and nobody has gone on with it
 *
 * Each is a row here and an alert (server/health/alert.def); both are gone when it is done, cancelled or otherwise settled.
 */
#ifndef PUSH_MISSING_H
#define PUSH_MISSING_H

#include "push/campaign.h"

enum missing_kind {
    MISSING_CAMPAIGN,
    MISSING_SCHEDULE,
    MISSING_FIRE,
    MISSING_PROGRESS,
    MISSING_DAMAGED,
    MISSINGS
};
enum {
    MISSING_FIRE_AFTER = 120, /* seconds */
    MISSING_STALLED = 600,
    MISSING_BACK = 7 * 86400, /* what was published longer ago is no news */
    MISSING_MOST = 100        /* of each kind */
};

extern const char *const missing_words[MISSINGS]; /* "campaign" … */

struct missing {
    enum missing_kind kind;
    int64_t campaign, site; /* campaign 0: there is none */
    struct id item;
    const char *title; /* in w->mem */
    int64_t since;     /* seconds */
};
/* Of one kind, the oldest first; in w->mem. */
enum rc missing_list(struct work *w, enum missing_kind kind, struct missing **out, int *n);

#endif
