/*
 * campaign_report.h - what became of a campaign, as JSON, as a table for a spreadsheet, and as it happens.
 */
#ifndef API_CAMPAIGN_REPORT_H
#define API_CAMPAIGN_REPORT_H

#include "server/http/route.h"

enum rc get_campaign_report(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_campaign_report_csv(struct work *w, const struct request *rq, struct reply *rp);
/* What should have been pushed, or stands still: push/missing.h. */
enum rc get_push_missing(struct work *w, const struct request *rq, struct reply *rp);
/* As it happens: push/live.h. */
enum rc get_campaign_live(struct work *w, const struct request *rq, struct reply *rp);

#endif
