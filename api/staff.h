/*
 * staff.h - editors and publishers: drafts, the steps to publication, and what ends it.
 */
#ifndef API_STAFF_H
#define API_STAFF_H

#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/library/item.h"

enum { DRAFT_BODY_MAX = 512 * 1024, STEP_BODY_MAX = 8 * 1024 };

enum rc get_staff_items(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_draft(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_item(struct work *w, const struct request *rq, struct reply *rp);
enum rc put_item(struct work *w, const struct request *rq, struct reply *rp);
/* An item as staff sees it, with the revision as its ETag. */
enum rc staff_reply(struct work *w, const struct item *item, struct reply *rp);
/*
 * The item of the path, and that its newest revision is the one that If-Match names: RC_PRECONDITION. Without the header, or with "*", the newest is
 * meant, whatever it is.
 */
enum rc staff_seen(struct work *w, const struct request *rq, struct item *out);
/* The last segment of the path is a verb of the state table: submit, return, approve, publish,
 * withdraw, gone, restore. */
enum rc post_verb(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_move(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_preview(struct work *w, const struct request *rq, struct reply *rp);

#endif
