/*
 * word.h - what an upstream says of somebody, and what comes of it here.
 *
 *     identifiers   who it is to the upstream: what the account is found by
 *     level         how well it knows that (acr), never above what upstream.h allows it
 *     phone         only of one that is trusted to prove it
 *     name          kept where the account has none, from level 2 on
 *
 * While somebody is still to prove a phone, the word waits in his own hands:
 *
 *     ticket   slip (slip.h, SLIP_WORD), 56 characters; base64url( sealed lines )      seal.h: "sign_in.word", owner the slip's number
 */
#ifndef IDENTITY_WORD_H
#define IDENTITY_WORD_H

#include <jansson.h>

#include "server/identity/account.h"
#include "server/identity/identifier.h"
#include "server/identity/slip.h"
#include "server/identity/upstream.h"
#include "server/identity/wechat.h"

enum { WORD_IDENTIFIERS = 2, WORD_TICKET_MAX = 1800, WORD_LIFE = 600 };

struct word {
    const struct upstream *of; /* NULL: there is no word */
    int n;
    struct {
        char kind[IDENTIFIER_KIND_MAX + 1], value[IDENTIFIER_TEXT];
    } id[WORD_IDENTIFIERS]; /* the surest first; normal forms */
    int level;
    char phone[IDENTIFIER_TEXT];     /* proved by the upstream, in its normal form; "": none */
    char name[ACCOUNT_NAME_MAX + 1]; /* "": not said */
};

/* What the claims of an ID token, and of the userinfo answer (NULL: not asked), say. RC_INVALID: not even who. Pure. */
enum rc word_of_claims(struct err *e, const struct upstream *u, const json_t *claims,
                       const json_t *more, struct word *out);
enum rc word_of_wechat(struct err *e, const struct upstream *u, const struct wechat_ids *ids,
                       struct word *out);

/* By an identifier, or else by the phone: then *by_phone, and the account does not know the upstream yet. RC_NOT_FOUND: nobody. */
enum rc word_owner(struct work *w, const struct word *d, struct account *out, bool *by_phone);
/*
 * On the writer: the account is found by its identifiers from now on (but for those that are another's), has its phone and name where it has none, and its
 * level at least. *a is renewed.
 */
enum rc word_keep(struct work *w, const struct word *d, struct account *a);

/*
 * On the writer: the same for an account whose owner has signed in and wants it so. RC_CONFLICT: it is another account's, or this one is not a
 * citizen's: staff come in by password and second factor alone.
 */
enum rc word_link(struct work *w, const struct word *d, int64_t account);

enum rc word_ticket(struct work *w, const struct word *d, const char **out);
/* RC_UNAUTHORIZED: it is none, or over. *slip is to be used up. */
enum rc word_from_ticket(struct work *w, const char *text, struct slip *slip, struct word *out);

#endif
