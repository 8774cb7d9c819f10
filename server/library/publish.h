/*
 * publish.h - what the public sees of our own streams changes only here. Every function writes
 * exactly one change, in the caller's transaction, or none when it fails.
 */
#ifndef LIBRARY_PUBLISH_H
#define LIBRARY_PUBLISH_H

#include "server/library/item.h"

/* Publishes the newest revision, which must be `rev` and approved. RC_CONFLICT, RC_FORBIDDEN,
 * RC_NOT_FOUND. */
enum rc publish_item(struct work *w, const struct id *id, int64_t rev, struct item *out);
/*
 * An approved revision is published only if the site's chain of review, as it is now, was gone through (review.h). In an emergency without it, from whatever
 * unfinished state, with a reason; the audit log says so. RC_FORBIDDEN for programs.
 */
enum rc publish_emergency(struct work *w, const struct id *id, int64_t rev, const char *reason,
                          struct item *out);
/* A draft of which no text is new, made by the library itself: nobody reviews that. */
enum rc publish_formal(struct work *w, const struct id *id, int64_t rev, struct item *out);
/*
 * The same as publish_item(), and all earlier revisions are purged: their records, texts, notes and the files that
 * only they have. For a text that must not have been published, corrected. RC_INVALID without a
 * reason, which only those who edit see; RC_CONFLICT if nothing was published before.
 */
enum rc publish_purge(struct work *w, const struct id *id, int64_t rev, const char *reason,
                      struct item *out);
/* To another column, perhaps of another site of the same stream. An item that is not published
 * moves without a change. */
enum rc publish_move(struct work *w, const struct id *id, int64_t col, struct item *out);
/*
 * VERB_WITHDRAW, VERB_EXPIRE or VERB_GONE: a tombstone takes the item's place. The reason is
 * part of it, and so is public. VERB_WITHDRAW and VERB_GONE take the text from every answer;
 * after a withdrawal the revisions still have it, for those who edit, and VERB_GONE removes it
 * there too.
 */
enum rc publish_end(struct work *w, const struct id *id, enum verb verb, const char *reason,
                    struct item *out);

/* Whether publish_end() would be let through as far as the table of states, rights and the reason go. */
enum rc publish_may_end(struct work *w, const struct id *id, enum verb verb,
                        const char *reason);

/* VERB_GONE for an item the public never saw: its text is forgotten, and no change is written. */
enum rc publish_never(struct work *w, const struct id *id, const char *reason);

/* Expires at most `limit` items that are due; *done says how many. For a writer_tick, in a
 * transaction of its own. */
enum rc publish_expire_due(struct work *w, int limit, int *done);
/* The tick itself: opens the transaction, expires what is due, commits. */
void publish_tick(struct db *db, void *arg);
/* At the start, with a writer's work: the gauge of what is published. Afterwards every change moves it. */
enum rc publish_count(struct work *w, void *unused);

#endif
