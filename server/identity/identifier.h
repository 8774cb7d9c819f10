/*
 * identifier.h - what an account is found by: a phone number, a sign-in name, a number that somebody else gave it.
 *
 *     kind             normal form                                                       like
 *     phone            E.164 without its plus; mobile numbers of China without 86 too    8613800138000
 *     login            NFKC, lower case, 3 to 64 of a-z, 0-9, Han and ._@-, not digits alone
 *     wechat:APPID     openid: 1 to 255 visible ASCII characters
 *     wechat           unionid: the same
 *     upstream:NAME    its `sub`: the same
 *
 * A row says whose it is; no identifier belongs to two accounts. It is sealed for its account and found by its blind index (seal.h:
 * "identifier.value", owner the account; the index over kind and value), so that the database alone tells nobody's number.
 */
#ifndef IDENTITY_IDENTIFIER_H
#define IDENTITY_IDENTIFIER_H

#include "server/base/id.h"
#include "server/base/work.h"

enum {
    IDENTIFIER_KIND_MAX = 64, /* bytes */
    IDENTIFIER_TEXT = 257,    /* a normal form and its NUL */
    IDENTIFIERS_MAX = 20      /* of one account */
};

struct identifier {
    const char *kind, *value; /* the normal form */
    int64_t proved;           /* seconds: when it was last proved */
};

/* RC_INVALID, naming the kind as the field, for what has no normal form. */
enum rc identifier_normal(struct err *e, const char *kind, const char *text,
                          char out[IDENTIFIER_TEXT]);
/* What is typed where somebody may sign in: a phone number if it reads as one, else a login. *kind is set either way. */
enum rc identifier_guess(struct err *e, const char *text, const char **kind,
                         char out[IDENTIFIER_TEXT]);
/* The blind index of a normal form. */
void identifier_index(const char *kind, const char *value, uint8_t out[HASH_BYTES]);
/* "138****8000": for its owner to know it again, in a list or a question. In `mem`. */
const char *identifier_hint(struct arena *mem, const struct identifier *i);

/* All of these take the normal form. */

/* RC_NOT_FOUND: nobody's. */
enum rc identifier_owner(struct work *w, const char *kind, const char *value, int64_t *account);
/* RC_CONFLICT: it is somebody else's; if it is this account's, it has been proved again. */
enum rc identifier_add(struct work *w, int64_t account, const char *kind, const char *value);
enum rc identifier_remove(struct work *w, int64_t account, const char *kind, const char *value);
enum rc identifier_list(struct work *w, int64_t account, struct identifier **out, int *n);
/* All of one account become another's. */
enum rc identifier_move(struct work *w, int64_t from, int64_t into);

#endif
