/*
 * invite.h - how a member of staff begins: a link, used once, within 30 minutes.
 *
 *     operator, or a security administrator --> link --> name, sign-in name, password, and a second factor, at once --> account, role, session
 *
 * The three administrators are invited on the machine alone (`tjzw admin link`), all others by a security administrator. Nothing of the new account
 * is there before all of it is.
 */
#ifndef IDENTITY_INVITE_H
#define IDENTITY_INVITE_H

#include "server/base/errand.h"
#include "server/base/work.h"
#include "server/identity/factor.h"
#include "server/identity/sign_in.h"

enum { INVITE_TEXT = 48, INVITE_LIFE = 1800 };

struct role_info;

/* "tji_…", shown once. RC_FORBIDDEN without RIGHT_SECURE, and for an administrator's role but to the operator. `role` NULL: none yet. */
enum rc invite_make(struct work *w, const struct role_info *role, int64_t site,
                    char out[INVITE_TEXT]);

struct invite {
    const struct role_info *role; /* NULL: none */
    int64_t site, until;
    int64_t number; /* stands for it in the slip of a factor that is being added */
    const char *giver;
    bool trusted;
    uint8_t hash[32];
};

/* RC_NOT_FOUND: used, over, or never made. Anywhere with a connection. */
enum rc invite_find(struct work *w, const char *text, struct invite *out);
/* What a second factor for it is made from: a slip of that kind. */
struct slip invite_offer(const struct invite *i, enum factor_kind kind);

struct invite_entry {
    const char *token, *name, *login, *password;
    struct factor_proof proof; /* its slip is of invite_offer() */
    const char *device;
    const char *known; /* what an earlier sign-in gave this device; NULL: nothing */
    bool browser;
};

struct invite_use;

/* On a worker; RC_INVALID says which member. *errand: the password's hash. */
enum rc invite_prepare(struct work *w, const struct invite_entry *e, struct invite_use **out,
                       struct errand **errand);
/* On the writer: account, identifier, password, factor, role, session. RC_NOT_FOUND: somebody was quicker. */
enum rc invite_finish(struct work *w, struct invite_use *u, struct sign_in_result *out);

void invite_open(struct passwords *p); /* before requests come */

#endif
