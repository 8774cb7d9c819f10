/*
 * takedown.h - what a takedown does beside the log: the journal outside the database, the files
 * that nobody has any more, the URLs that caches must forget; and doing it all again after a
 * restore.
 */
#ifndef LIBRARY_TAKEDOWN_H
#define LIBRARY_TAKEDOWN_H

#include "server/library/item.h"
#include "server/library/journal.h"

/* Why an item is withdrawn whose corrected text was lost in a restore; citizens read it. */
#define TAKEDOWN_UNCORRECTED "恢复备份后缺少更正稿，暂不公开"

/* Before the writer starts: DATA/takedowns is opened, blobs are those of `data`. */
enum rc takedown_open(struct err *e, const char *data);
void takedown_close(void); /* after the writer stopped */

struct takedown {
    uint8_t (*files)[HASH_BYTES]; /* of the item, in all its revisions; in w->mem */
    int n;
};
/* Before the item's rows change: it only reads. The next only inside a writer job. */
enum rc takedown_begin(struct work *w, const struct id *item, struct takedown *out);
/*
 * After all of them have: the line is in the journal, durably, and the rest follows the COMMIT.
 * `it` is the item as it is now, `rev` the revision that ended, or that was published with the
 * purge. RC_IO, RC_FULL: then the takedown must fail.
 */
enum rc takedown_end(struct work *w, const struct takedown *t, const struct item *it,
                     enum journal_verb verb, int64_t rev, const char *reason);
/* Of takedown_end() the files alone. */
enum rc takedown_files(struct work *w, const struct takedown *t);
/* The caller has added rows to blob_drop: the tick after the COMMIT removes those files that nobody has. */
void takedown_drops(struct work *w);
/* Files that nobody has any more, and that are not removed yet. */
enum rc takedown_waiting(struct work *w, int64_t *files);
/* Text was removed that the database's write-ahead log may still hold: after the COMMIT the tick empties it. */
void takedown_lingers(struct work *w);
/* Whatever text was removed for good: what mutations were answered may hold it, so those answers go, all of
 * them, because nobody can tell which. */
enum rc takedown_forget_answers(struct work *w);
/* A purge forgets the revisions before `rev`: their text, notes and files. */
enum rc takedown_forget_before(struct work *w, const struct id *item, int64_t rev);

/* Between transactions on the writer thread, about once a second (writer_tick). */
void takedown_tick(struct db *db, void *arg);

/*
 * Does again what the journal holds and the log of this stream does not, because a backup was
 * restored (replay.c). Inside a transaction, after the stream has its epoch and before its first
 * head. Doing it twice changes nothing more.
 */
enum rc takedown_replay(struct work *w, int64_t stream);

#endif
