/*
 * campaign_addressed.h - a campaign about a message that says whom it is for: it reaches those, and no others (sync/addressed.h).
 */
#ifndef PUSH_CAMPAIGN_ADDRESSED_H
#define PUSH_CAMPAIGN_ADDRESSED_H

#include "push/campaign.h"
#include "server/library/item.h"

/* Into the body of a new campaign that names no audience, that of its record. Nothing, if the record says none, or is not there: campaign_read() and campaign_create() say what is wrong. */
enum rc campaign_address(struct work *w, json_t *body);
/* RC_INVALID: its audience is not whom the record is for. */
enum rc campaign_addressed(struct work *w, const struct campaign *c, const struct item *it);

#endif
