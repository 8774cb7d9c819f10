/*
 * fake_me_state.h - what accounts of a fake_me hold. For fake_me.c alone.
 */
#ifndef TESTS_LIB_FAKE_ME_STATE_H
#define TESTS_LIB_FAKE_ME_STATE_H

#include "tests/lib/fake_me.h"

void fake_accounts_drop(struct fake_me *f);
/* Made if it was not there; `guest` counts then. */
struct fake_account *fake_account_of(struct fake_me *f, int64_t no, bool guest);
/* The answer to that body of POST /v1/me/sync. */
json_t *fake_exchange(struct fake_me *f, struct fake_account *a, const json_t *asked);
/* What `from` had becomes `to`'s, and `from` is gone. */
void fake_merge(struct fake_me *f, int64_t from, int64_t to);

#endif
