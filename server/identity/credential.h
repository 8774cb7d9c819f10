/*
 * credential.h - what somebody shows with a request, and who he is then: from memory, on any thread.
 *
 *     tja_…     an access token of a session: the account, its rights, its level; or the organisation that it acts for
 *     tjp_…     a party's key: the party, what it may do
 */
#ifndef IDENTITY_CREDENTIAL_H
#define IDENTITY_CREDENTIAL_H

#include "server/base/work.h"

/* RC_UNAUTHORIZED; then *out stays. `cookie`: it came as one, where access tokens of our own pages alone count. Scopes lie in `mem`. */
enum rc credential_know(struct err *e, struct arena *mem, const char *text, bool cookie,
                        struct actor *out);

/*
 * Any thread: who asked with this session or key (0: with none), and is still being answered. Whether it is good yet, and he has one of `rights` at the site by now (actor_has_at()); rights 0: whatever
 * he may. Who asked with neither may go on.
 */
bool credential_lasts(int64_t session, int64_t key, unsigned rights, int64_t site);

#endif
