/*
 * campaign_audience.h - whom a campaign reaches: its expression, without those who refuse its class or its record's column.
 */
#ifndef PUSH_CAMPAIGN_AUDIENCE_H
#define PUSH_CAMPAIGN_AUDIENCE_H

#include "push/audience.h"
#include "push/campaign.h"

/* The record's column, as followers name it: "main/12". */
enum rc campaign_column(struct work *w, const struct campaign *c, const char **out);
/* Opened: what it counts is of this moment. */
enum rc campaign_audience(struct work *w, const struct campaign *c, struct audience **out);
/*
 * Whether it is for everybody, in whatever words: {"all":true}, everybody but some, a whole province, the phones of one make; or areas that together hold nine in ten of all devices, or of those of
 * their province. Who follows a column, an organisation or a tag asked for it himself: an audience of followers is not "all", however many they are (campaign_eyes() counts them).
 */
enum rc campaign_is_for_all(struct work *w, const struct campaign *c, bool *yes);

/* Whether it goes as licensed news: its record stands in a column of news, and the settings name the licence. */
enum rc campaign_is_news(struct work *w, const struct campaign *c, bool *yes);

#endif
