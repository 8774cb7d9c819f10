/*
 * acting.h - acting for an organisation, as its people begin and end it, and as security administrators allow it.
 */
#ifndef API_ACTING_H
#define API_ACTING_H

#include "server/http/route.h"

extern const struct param organisation_person_params[];

enum rc get_my_organisations(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_my_act(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_my_act(struct work *w, const struct request *rq, struct reply *rp);

enum rc get_organisations(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_organisation(struct work *w, const struct request *rq, struct reply *rp);
enum rc put_organisation_person(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_organisation_person(struct work *w, const struct request *rq, struct reply *rp);

#endif
