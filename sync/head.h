/*
 * head.h - signed heads: made on the writer thread, stored, and only then shown
 * (docs/protocol/sync.md section 5).
 */
#ifndef SYNC_HEAD_H
#define SYNC_HEAD_H

#include "sync/live.h"
#include "sync/wire.h"

/* The head as served, copied into `mem`; `etag` with its quotes. RC_BUSY before the first one
 * is signed. Any thread. */
enum rc head_now(struct live *l, struct err *e, struct arena *mem, const char **note, size_t *n,
                 const char **etag);
/* Its values, for whoever compares. false before the first. Any thread. */
bool head_values(struct live *l, struct wire_head *out);
/* A stored head. RC_NOT_FOUND. */
enum rc head_twin(struct work *w, struct live *l, uint64_t epoch, uint64_t seq, uint64_t sign,
                  const char **note, size_t *n);
/*
 * RC_OK if a reader may hold a head of this state now: it is the newest, or still in its lease.
 * RC_NOT_FOUND otherwise. Reads the table.
 */
enum rc head_known(struct work *w, struct live *l, uint64_t epoch, uint64_t seq);

/* Signs now what is committed, unless the newest head says it all. Waits for the writer: for
 * commands and tests. */
enum rc head_flush(struct live *l, struct err *e);

/* ---- for live.c and index.c, on the writer thread ---- */

/* Inside a transaction: signs if there is something to say or if a quarter of the lease has
 * passed; `must`: in any case. */
enum rc head_sign(struct work *w, struct live *l, bool must);
/* At start: takes over the newest stored head, and signs unless it still holds. */
enum rc head_resume(struct work *w, struct live *l);
/* What answers were kept is to be forgotten (sync_on_cut). */
void head_forget_answers(void);
/* Something changed: sign at once, or when the debounce has passed. Outside a transaction,
 * after COMMIT. */
void head_touch(struct live *l);
/* Time passed: outside a transaction. */
void head_tick(struct live *l, struct db *db);

#endif
