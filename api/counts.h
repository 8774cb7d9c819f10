/*
 * counts.h - how often items were read: what phones tell, what browsers were shown, and what staff see of it (server/citizen/count.h).
 */
#ifndef API_COUNTS_H
#define API_COUNTS_H

#include "server/http/route.h"
#include "server/http/shown.h"

extern const struct param count_params[];

enum rc prepare_counts(struct work *w, struct request *rq);
enum rc post_counts(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_counts(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_counts_csv(struct work *w, const struct request *rq, struct reply *rp);

/* What the paths of articles begin with, and who is told when one was shown (server/http/shown.h). */
#define COUNTS_PREFIX "/a/"
void counts_shown(const struct shown *s);

#endif
