/*
 * surveys.h - surveys as JSON: what is asked, for everybody; what came back, for staff (server/citizen/survey.h); and votes on items.
 */
#ifndef API_SURVEYS_H
#define API_SURVEYS_H

#include "server/http/route.h"

extern const struct param survey_answers_params[];
extern const struct param vote_params[];

enum rc get_surveys(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_survey(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_survey_result(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_survey_answers(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_survey_csv(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_survey_close(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_survey_draft(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_votes(struct work *w, const struct request *rq, struct reply *rp);

#endif
