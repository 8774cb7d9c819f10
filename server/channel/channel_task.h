/*
 * channel_task.h - the outbox: one row for each thing to be done at a platform (docs/channels.md).
 *
 *     publish   queued --> waiting --> done        unknown: nobody knows whether it is out
 *     delete    queued --> done                    failed, cancelled
 *
 * A row with an intent is under way, or was when the process ended.
 */
#ifndef CHANNEL_TASK_H
#define CHANNEL_TASK_H

#include "server/channel/channel_version.h"

enum channel_verb { CHANNEL_PUBLISH, CHANNEL_DELETE };

/* Numbers stand in rows. */
enum channel_step {
    CHANNEL_NO_STEP,
    CHANNEL_STEP_COVER,
    CHANNEL_STEP_PICTURE,
    CHANNEL_STEP_DRAFT,
    CHANNEL_STEP_SUBMIT,
    CHANNEL_STEP_RESULT,
    CHANNEL_STEP_LOOK,
    CHANNEL_STEP_DELETE,
    CHANNEL_STEP_SHARE
};

enum { CHANNEL_LOOKS = 12, CHANNEL_SAID_MAX = 400 };

struct channel_task {
    int64_t no, channel, version;
    enum channel_verb verb;
    const char *state;
    enum channel_step intent;
    bool doomed;
    int64_t failures;
    int64_t again; /* seconds; 0: not by itself */
    const char *cover_id, *draft_id, *publish_id, *article_id, *url, *said; /* NULL: none */
    int64_t created, changed;
};

enum rc channel_task_find(struct work *w, int64_t no, struct channel_task *out);
/* RC_NOT_FOUND. */
enum rc channel_task_of(struct work *w, int64_t version, enum channel_verb verb,
                        struct channel_task *out);
/* The newest first, below number `before`; `state` NULL: of all. */
enum rc channel_task_list(struct work *w, const char *state, int64_t before,
                          struct channel_task **out, int *n);
enum rc channel_task_count(struct work *w, const char *state, int64_t *out);
/* Deletions that were refused or cancelled: what was withdrawn is still there. */
enum rc channel_task_count_stuck(struct work *w, int64_t *out);
/* Of an item, at accounts of this kind: what is out or may be, what of it was deleted again, and whose deletion waits for somebody to look (failed, unknown). */
struct channel_standing {
    int64_t out, deleted, stuck;
};
enum rc channel_standing(struct work *w, const struct id *item, const char *kind,
                         struct channel_standing *out);
/* When the oldest that has come to no end was begun, a deletion that is stuck included; 0: there is none. */
enum rc channel_task_oldest(struct work *w, int64_t *out);
bool channel_task_is_state(const char *word);
const char *channel_task_chinese(const char *state);
/* What comes next; CHANNEL_NO_STEP: nothing by itself. `pictures_left`: of the body, some have no address yet. */
enum channel_step channel_task_step(const struct channel_task *t, const char *kind,
                                    bool pictures_left);
/* Whether doing it twice could publish twice. */
bool channel_step_is_risky(enum channel_step step);

/* ---- staff; RIGHT_PUBLISH at the account's site ---- */

/* A task for an approved version; the one that is there is given back. */
enum rc channel_send(struct work *w, int64_t version, struct channel_task *out);
/* What has not left is not sent; RC_CONFLICT for what may have. */
enum rc channel_task_cancel(struct work *w, int64_t no, struct channel_task *out);
/* What failed is tried again, with a new draft; a deletion that was cancelled as well. RC_CONFLICT: it was accepted, and the platform has not said that it failed. */
enum rc channel_task_retry(struct work *w, int64_t no, struct channel_task *out);
/*
 * Of what is unknown: it went (`article` is its id there, may be NULL), or it did not and is sent again. Of a deletion that is stuck: somebody has deleted it there.
 */
enum rc channel_task_resolve(struct work *w, int64_t no, bool went, const char *article,
                             struct channel_task *out);

/* ---- the thread ---- */

/* The row says that this step is about to be done. RC_CONFLICT: it is not to be done now (any more). */
enum rc channel_task_intend(struct work *w, int64_t no, enum channel_step step,
                            struct channel_task *out);
/* What came of it: all of `t` but its numbers, if its intent is still `intent`. RC_NOT_FOUND: it is not. A doomed one that is done gets its deletion. */
enum rc channel_task_set(struct work *w, const struct channel_task *t,
                         enum channel_step intent);
/* After a crash, or an answer that never came: what may be out is unknown, the rest is done again. */
enum rc channel_task_in_doubt(struct work *w, struct channel_task *t);
enum rc channel_tasks_left(struct work *w, int *n);

/* ---- withdrawals ---- */

struct channel_coverage {
    int cancelled; /* nothing had left */
    int deleting;  /* it is out, and a deletion is on its way or done */
    int marked;    /* nobody knows yet whether it is out; if it is, a deletion follows */
};
/*
 * The item, up to that revision, is withdrawn, deleted or purged: what is not sent is cancelled, what is out is deleted there. The versions' texts go as well if `forget`. In a writer's
 * job; twice is once. `out` may be NULL.
 */
enum rc channel_withdrawn(struct work *w, const struct id *item, int64_t rev, bool forget,
                          struct channel_coverage *out);
/* Reads on in the change log and does that for what it says; *n: changes read. */
enum rc channel_follow(struct work *w, int most, int *n);

#endif
