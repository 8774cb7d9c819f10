/*
 * campaign_said.h - what the messages of a run say, as it was when the run began.
 *
 * A campaign on its way cannot be edited, so its own run says what it says. The run of a test send carries what was hashed, for the draft goes on changing; that of a recall, what takes the
 * message's place, and by whom it is removed instead. Both stand as JSON in push_run.said:
 *
 *     {"bare":"…","class":"marketing","collapse":"…","link":"","picture":"","revokes":0,"sender":"…","text":"…","title":"…","ttl":86400}
 */
#ifndef PUSH_CAMPAIGN_SAID_H
#define PUSH_CAMPAIGN_SAID_H

#include "push/campaign.h"

struct campaign_said {
    struct campaign_shown shown;   /* in w->mem */
    const char *sender, *collapse; /* NULL: the settings', the campaign's */
    enum push_class class;
    int64_t ttl, pace; /* seconds; devices a second, 0: as the vendors allow */
    int64_t ends_ms;   /* nobody is tried again from then on */
    bool news;         /* licensed */
    unsigned
        revokes; /* of a recall: bits 1 << enum transport of those that remove a message; others show this in its place */
};

/* For run_begin(): what a test of the campaign as it is now says. In w->mem. */
enum rc campaign_said_test(struct work *w, const struct campaign *c, const char **out);
/* What a recall says, in its order of business. */
enum rc campaign_said_recall(struct work *w, const struct campaign *c, unsigned revokes,
                             const char **out);
/* For run_begin(), in w->mem. */
const char *campaign_said_print(struct work *w, const struct campaign_said *s);
/* Of a run, whichever it is. RC_NOT_FOUND, RC_CORRUPT. */
enum rc campaign_said(struct work *w, int64_t run, struct campaign_said *out);

#endif
