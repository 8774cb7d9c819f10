/*
 * survey_page.h - a survey as a form.
 */
#ifndef API_SURVEY_PAGE_H
#define API_SURVEY_PAGE_H

#include "server/http/route.h"

extern const struct param survey_page_params[];

enum rc get_survey_page(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_survey_page(struct work *w, const struct request *rq, struct reply *rp);

#endif
