/*
 * campaign_view.h - how a campaign looks in JSON, and what is known of it.
 */
#ifndef API_CAMPAIGN_VIEW_H
#define API_CAMPAIGN_VIEW_H

#include "push/campaign.h"

/* Appends one object, with the comma that an array wants before it. `whole`: with who has approved, and where it has room. */
enum rc campaign_view(struct work *w, struct buf *b, const struct campaign *c, bool whole);
enum rc campaign_view_steps(struct work *w, struct buf *b, const struct campaign *c);

#endif
