/*
 * token.h - bearer tokens of operators' programs. A token is shown once; we keep only its hash.
 */
#ifndef IDENTITY_TOKEN_H
#define IDENTITY_TOKEN_H

#include "server/base/work.h"

enum { TOKEN_TEXT = 64, TOKEN_LABEL_MAX = 40, TOKEN_LIFETIME_MAX = 3660 * 86400 };

struct token {
    const char *label;
    unsigned rights; /* of enum right */
    int64_t created, expires;
};

/*
 * `label`: [a-z0-9][a-z0-9._-]{0,39} without "..", for it stands in an address. `rights`: names
 * separated by commas ("import,publish"; "all"). `seconds`: lifetime. The token is written to `out` and nowhere else. RC_INVALID, RC_CONFLICT (the label is taken),
 * RC_FORBIDDEN (only who may operate, and no right that the actor lacks).
 */
enum rc token_create(struct work *w, const char *label, const char *rights, int64_t seconds,
                     char out[TOKEN_TEXT]);
/* RC_UNAUTHORIZED unless the token is known and has not expired. */
enum rc token_check(struct work *w, const char *text, struct actor *out);
enum rc token_list(struct work *w, struct token **out, int *n); /* by label, in w->mem */
enum rc token_revoke(struct work *w, const char *label);        /* RC_NOT_FOUND */

#endif
