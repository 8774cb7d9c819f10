/*
 * heads.h - the platform's list of streams and their newest heads: what phones poll
 * (docs/protocol/sync.md section 5).
 */
#ifndef SYNC_HEADS_H
#define SYNC_HEADS_H

#include "sync/live.h"
#include "sync/wire.h"

/*
 * The list as served, with the note of one stream behind it (NULL: of all), in `mem`; `etag` with
 * its quotes. RC_NOT_FOUND: no such stream; RC_BUSY before the first list is signed. Any thread,
 * from memory.
 */
enum rc heads_now(struct err *e, struct arena *mem, const char *stream, const char **text,
                  size_t *n, const char **etag);
/* Its values. false before the first. Any thread. */
bool heads_values(struct wire_heads *out);

/*
 * The rows of `withheld` of this stream changed in this transaction: makes the object and signs a
 * list that names it, which everybody sees after COMMIT. On the writer thread.
 */
enum rc heads_withheld_changed(struct work *w, int64_t stream);

/*
 * fn() is called, on the writer thread, for each stream of which something else is withheld, from the moment the list that says
 * so is shown; `counter` is the list's. Before writer_start(); NULL: nobody listens.
 */
void sync_on_withheld(void (*fn)(const char *stream, uint64_t counter));

/*
 * An edge signs nothing: it shows the list and the chain of keys of the server it mirrors, as that
 * server signed them. The list without notes; on the writer thread; false: it is none. The chain, on any
 * thread: what heads_adopted_keys() gives lives as long as the process; NULL: this is no edge, or it knows none yet.
 */
bool heads_adopt(const char *text, size_t n);
void heads_adopt_keys(const char *chain, size_t n);
const char *heads_adopted_keys(size_t *n);

/* ---- for live.c, on the writer thread ---- */

struct keys;
void heads_open(struct keys *k, uint32_t lease); /* seconds; before the start */
void heads_close(void);
/* Inside a transaction, when the streams are known: shows the stored list if it still holds, else
 * signs another. */
enum rc heads_resume(struct work *w);
/* Inside a transaction: signs if the list says something else than the newest, or a quarter of the
 * lease has passed; `must`: in any case. */
enum rc heads_sign(struct work *w, bool must);
/* There is another stream, or one fewer: the next tick signs. */
void heads_touch(void);
/* There is another platform key: whoever signs next signs in any case. */
void heads_renew(void);
/* Time passed: outside a transaction. */
void heads_tick(struct db *db);

#endif
