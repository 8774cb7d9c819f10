/*
 * lockout.h - an account that is kept out, and let in again: somebody left, a password leaked, a telephone was stolen.
 *
 *     OPEN --lock--> LOCKED: its sessions end, nobody signs in, links that it made for others are void, keys of its programs are not good
 *     LOCKED --open--> OPEN: as before, its roles and its programs too
 *     LEAVING --lock--> HELD: likewise; its owner cannot take it back, and on its day it is erased
 *     HELD --open--> LEAVING: as before, with what is left of his time to think
 */
#ifndef IDENTITY_LOCKOUT_H
#define IDENTITY_LOCKOUT_H

#include "server/identity/account.h"

/*
 * On the writer. RC_FORBIDDEN without RIGHT_SECURE, of oneself, and of one of the three administrators but by the operator: none of them can keep the others
 * out. RC_NOT_FOUND; RC_CONFLICT: it became a part of another. What is so already stays so.
 */
enum rc lockout_set(struct work *w, int64_t account, bool locked, struct account *out);

#endif
