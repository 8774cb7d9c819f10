/*
 * campaign_step.h - a campaign's life: what staff do with it, and what the server does itself. Each step is a row of push_step and of the audit log, in the transaction in which it happens.
 *
 * What a step asks stands in campaign_state.def; how that is found out, in campaign_ask.c.
 */
#ifndef PUSH_CAMPAIGN_STEP_H
#define PUSH_CAMPAIGN_STEP_H

#include "push/campaign.h"

/* What is said with a step. */
struct campaign_order {
    const char *text;    /* why; NULL: nothing */
    const uint8_t *hash; /* that was looked at; NULL: none */
    const char *plan;    /* approve: JSON, what could be seen then; NULL: none */
};

/* On the writer. RC_FORBIDDEN without the right at the record's site. */

/* `in` as campaign_read() made it of a new one. RC_NOT_FOUND, RC_CONFLICT: the record; RC_INVALID: what it says. */
enum rc campaign_create(struct work *w, const struct campaign *in, struct campaign *out);
/* A new draft that says the same of the record as it is now, and starts at once. */
enum rc campaign_copy(struct work *w, int64_t no, struct campaign *out);
/* What `body` says of it is other than it was: it is a draft of the record as it is now, and what was approved or tested is not. */
enum rc campaign_edit(struct work *w, int64_t no, const json_t *body, struct campaign *out);
/* One of the other steps of staff. */
enum rc campaign_do(struct work *w, int64_t no, enum campaign_step step,
                    const struct campaign_order *o, struct campaign *out);

/*
 * On the writer, in the caller's transaction: a step of the server's own (DUE, LATE, DONE, RECALLED); `why` may be NULL. RC_CONFLICT, and nothing was changed, if it stands elsewhere by now: somebody was quicker.
 */
enum rc campaign_step(struct work *w, int64_t no, enum campaign_step step, const char *why,
                      struct campaign *out);

/*
 * On the writer: reads the change log on, at most `most` changes. A record's newer revision, or its move to another column, makes drafts of its campaigns; its withdrawal cancels what has not begun, and begins the recall
 * of what has. *n: how many were read; less than `most`: that was all. Call it until then, in the transaction that fires, before it does.
 */
enum rc campaign_follow(struct work *w, int most, int *n);

struct campaign_event {
    int64_t no, at;
    const char *step, *state, *actor, *text; /* words; text NULL: none */
    uint8_t hash[HASH_BYTES];
};
/* In their order; in w->mem. */
enum rc campaign_events(struct work *w, int64_t no, struct campaign_event **out, int *n);

/* ---- for the other campaign_*.c ---- */
enum rc campaign_ask(struct work *w, const struct campaign *c, enum campaign_step step,
                     const struct campaign_order *o);
/* The record as it is published now: rev, col, site. RC_NOT_FOUND, RC_CONFLICT: it is not. */
enum rc campaign_bind(struct work *w, struct campaign *c);
/* How a test send ended, as a step of what was tested; nothing if it stands where nobody asks any more. */
enum rc campaign_log_test(struct work *w, int64_t no, const uint8_t hash[HASH_BYTES],
                          const char *text);
/* The row that says so, and the new state if it is one; also of the audit log if nobody asked for it by a route. */
enum rc campaign_log(struct work *w, struct campaign *c, enum campaign_step step,
                     enum campaign_state to, const char *text);

#endif
