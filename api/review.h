/*
 * review.h - how a site reviews, what reviewers say beside the steps of staff.h, and what changed between revisions.
 */
#ifndef API_REVIEW_H
#define API_REVIEW_H

#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/library/item.h"

enum rc get_site_chain(struct work *w, const struct request *rq, struct reply *rp);
enum rc put_site_chain(struct work *w, const struct request *rq, struct reply *rp);
enum rc put_site_reviewers(struct work *w, const struct request *rq, struct reply *rp);

enum rc post_secrecy(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_comment(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_schedule(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_schedule(struct work *w, const struct request *rq, struct reply *rp);

enum rc get_draft_revisions(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_draft_revision(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_draft_diff(struct work *w, const struct request *rq, struct reply *rp);

/* `"fields":[…],"from":1,"to":2`, the two revisions compared (diff.h). RC_NOT_FOUND, RC_GONE. */
enum rc review_put_diff(struct work *w, const struct id *id, int64_t from, int64_t to,
                        struct buf *out);
/* The chain and its decisions, the time it is scheduled for, the takedown that was asked for: members of a draft. */
enum rc review_put(struct work *w, const struct item *item, struct buf *out);
/* `"asked":{…}` if somebody asked for a takedown that another one has to confirm. */
enum rc review_put_asked(struct work *w, const struct item *item, struct buf *out);

#endif
