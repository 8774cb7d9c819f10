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
/* Whether it is for everybody, or everybody but some. */
bool campaign_is_for_all(struct work *w, const struct campaign *c);

/* Whether it goes as licensed news: its record stands in a column of news, and the settings name the licence. */
enum rc campaign_is_news(struct work *w, const struct campaign *c, bool *yes);

#endif
