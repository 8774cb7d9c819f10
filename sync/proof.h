/*
 * proof.h - proves that the signed heads are those that were signed; server/library/verify.h
 * proves that the log beneath them is whole.
 */
#ifndef SYNC_PROOF_H
#define SYNC_PROOF_H

#include "server/library/stream.h"

/*
 * Checks every stored head of the stream against its present key in DATA/keys/chain, and calls
 * fault(arg, seq, sentence) for each that does not hold; *faults grows by their number. A head
 * that only an earlier key signed is passed over. RC_OK unless the store or the chain cannot be
 * read.
 */
enum rc proof_heads(struct work *w, const char *data, const struct stream *s,
                    void (*fault)(void *arg, int64_t seq, const char *text), void *arg,
                    int64_t *faults);

/*
 * The same for a mirrored stream, whose log is elsewhere: its newest head, by the key that our chain names for it (none yet: passed
 * over), and that the leaves make up the root it says.
 */
enum rc proof_mirror(struct work *w, const char *data, const struct stream *s,
                     void (*fault)(void *arg, int64_t seq, const char *text), void *arg,
                     int64_t *items, int64_t *faults);

#endif
