/*
 * guest.h - a phone on which nobody has signed in: an account of its own, which knows nothing of who it is.
 *
 *     made --(heard of)--> OPEN --(its session ends: 385 silent days)--> LEAVING --(15 days)--> erased (server/identity/erase.c)
 *                            \---adopted--> MERGED: a pointer to the account that has its state now
 */
#ifndef CITIZEN_GUEST_H
#define CITIZEN_GUEST_H

#include "server/identity/session.h"

enum { GUESTS_PER_HOUR = 60 /* of one client: many phones may stand behind one address */ };

/* On the writer. `client`: an address, as a number that says nothing by itself. RC_TOO_MANY: *wait seconds. */
enum rc guest_make(struct work *w, const char *device, uint64_t client, int64_t *account,
                   struct session_tokens *tokens, int64_t *wait);

/* On the writer: the guest whose token this is becomes a part of the account, or is one already. RC_INVALID: it is no token of ours, or has expired and its session has not; RC_CONFLICT: it is no guest's. */
enum rc guest_adopt(struct work *w, int64_t account, const char *token);

#endif
