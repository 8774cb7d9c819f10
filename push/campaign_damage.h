/*
 * campaign_damage.h - what cannot be read costs the campaign that wants it, and no other.
 *
 *     its own run      what is damaged is put aside, it is paused, and somebody has to look: resume goes on with the rest
 *     a test, a recall it goes on with the rest; if nothing could be put aside, it is over
 */
#ifndef PUSH_CAMPAIGN_DAMAGE_H
#define PUSH_CAMPAIGN_DAMAGE_H

#include "push/campaign.h"

/* On the writer, with nothing of the step that found it; `why`: what was said then. It is in push_step, in the audit log, and an alert (push_damaged). */
enum rc campaign_damaged(struct work *w, int64_t run, const char *why);

#endif
