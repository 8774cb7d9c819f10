/*
 * grant_code.h - an authorization code: what a person allowed a party, to be fetched once within a minute.
 *
 *     "toc_" base64url( 32 random bytes )        kept: BLAKE2b-256 of the text
 */
#ifndef IDENTITY_GRANT_CODE_H
#define IDENTITY_GRANT_CODE_H

#include "server/base/work.h"
#include "server/identity/authorize.h"
#include "server/identity/session.h"

enum {
    GRANT_CODE_TEXT = 48,
    GRANT_CODE_LIFE = 60,   /* seconds */
    GRANT_CODE_KEPT = 3600, /* for so long a second use is recognised */
};

/* Who was asked, and how well he is known: what a party's session begins with. */
struct grant_person {
    int64_t account;
    enum session_kind kind;
    int level;
    unsigned proofs;
    int64_t authenticated;
};

struct grant_code {
    int64_t party;
    struct grant_person person;
    unsigned scopes;
    const char *redirect, *nonce; /* nonce may be NULL */
    uint8_t challenge[AUTHORIZE_CHALLENGE];
    int64_t made, given; /* seconds; the session that it gave, 0: none yet */
};

enum rc grant_code_make(struct work *w, const struct grant_code *g, char out[GRANT_CODE_TEXT]);
/* Used or not. RC_NOT_FOUND: never ours, or forgotten. Texts are in w->mem. */
enum rc grant_code_find(struct work *w, const char *text, struct grant_code *out);
/* On the writer: it gave this session, and gives no other. RC_NOT_FOUND: it gave one already. */
enum rc grant_code_use(struct work *w, const char *text, int64_t session);

#endif
