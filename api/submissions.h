/*
 * submissions.h - what platforms of departments and districts hand in (报送), and what a site has agreed upon with them: docs/ingest.md.
 */
#ifndef API_SUBMISSIONS_H
#define API_SUBMISSIONS_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc prepare_submission(struct work *w, struct request *rq);
enum rc post_submission(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_submission(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_submissions(struct work *w, const struct request *rq, struct reply *rp);

enum rc get_site_agreements(struct work *w, const struct request *rq, struct reply *rp);
enum rc put_site_agreement(struct work *w, const struct request *rq, struct reply *rp);

#endif
