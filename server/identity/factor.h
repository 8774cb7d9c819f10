/*
 * factor.h - what somebody has besides his password: an app that shows six digits (totp.h), a passkey (passkey.h).
 *
 *     offer   a slip (slip.h), and what follows from it: a TOTP secret, a passkey's challenge
 *     add     the slip again, and what proves that it is there: a code, a signature
 *     check   a code; or a signature over a challenge that follows from the slip of a sign-in
 *
 * Until it is added nothing is kept. A TOTP secret is sealed for its account ("factor.secret"); of a passkey we have the public half.
 */
#ifndef IDENTITY_FACTOR_H
#define IDENTITY_FACTOR_H

#include "server/base/work.h"
#include "server/identity/account.h"
#include "server/identity/passkey.h"
#include "server/identity/slip.h"
#include "server/identity/totp.h"

/* In rows. */
enum factor_kind { FACTOR_TOTP, FACTOR_PASSKEY };

enum {
    FACTORS_MAX = 10, /* of one account */
    FACTOR_NAME_MAX = 80,
    FACTOR_LIFE = 600,          /* seconds from offer to add */
    FACTOR_CHALLENGE_LIFE = 300 /* seconds that a challenge for a sign-in is good */
};

struct factor {
    int64_t no, account;
    enum factor_kind kind;
    const char *name;      /* as its owner calls it */
    int64_t created, used; /* seconds; used 0: never */
    /* TOTP */
    uint8_t secret[TOTP_SECRET];
    int64_t last; /* step of the last code; passkey: its counter */
    /* passkey */
    struct passkey passkey;
};

/*
 * Passkeys belong to the host of this URL (https, or http on localhost) and are made on its pages. "", or an address instead of a name: there are
 * none here, which factor_rp_id() says with NULL.
 */
void factor_open(const char *url);
const char *factor_rp_id(void);

enum rc factor_list(struct work *w, int64_t account, struct factor **out,
                    int *n); /* in w->mem */
/* Bit 1 << kind for each kind that the account has, and that can be used here. */
enum rc factor_kinds(struct work *w, int64_t account, unsigned *out);

/* ---- adding: the slip is of kind SLIP_FACTOR, its note the factor's kind, its account whose it will be ---- */

/* The TOTP secret that a slip stands for. */
void factor_secret(const struct slip *s, uint8_t out[TOTP_SECRET]);
/* The challenge that a slip stands for. */
void factor_challenge(const struct slip *s, uint8_t out[PASSKEY_CHALLENGE]);

/* What is typed or signed when one is added. */
struct factor_proof {
    struct slip slip;
    const char *name;
    const char *code; /* TOTP */
    struct passkey_bytes client_data, attestation;
};

struct factor_new {
    struct slip slip;
    const char *name;
    int64_t step;
    struct passkey passkey;
};

/* Computes, and reads nothing: on any thread. RC_INVALID, RC_UNAUTHORIZED: it proves nothing. */
enum rc factor_read(struct work *w, const struct factor_proof *p, struct factor_new *out);
/* On the writer: for `account`, which need not be the slip's (an invitation). RC_CONFLICT: too many, or the passkey is somebody's. */
enum rc factor_add(struct work *w, int64_t account, const struct factor_new *n, int64_t *no);
/* Likewise. RC_NOT_FOUND; RC_CONFLICT: the last one of staff, who need one. */
enum rc factor_remove(struct work *w, const struct account *a, int64_t no);
/* What an app or a browser calls the account that a factor is for, so that its owner knows it again. In w->mem. */
enum rc factor_label(struct work *w, const struct account *a, const char **out);

/* ---- checking ---- */

/* On the writer: a right code is used up. It says which factor it was; 0: none. */
enum rc factor_check_code(struct work *w, int64_t account, const char *code, int64_t *no);

struct factor_signed { /* what a passkey answers */
    struct passkey_bytes credential, client_data, authenticator_data, signature;
    struct passkey_bytes
        user; /* whose it says it is (its user handle); p NULL: it does not say */
};

struct factor_use {
    int64_t no, account;
    int64_t count;   /* to be kept */
    bool verified;   /* it was the owner: a PIN, a finger */
    bool count_fell; /* there may be a copy of the key */
};

/*
 * Reads and computes: on a worker. RC_UNAUTHORIZED (nobody's credential, a signature or a user handle that does not fit, or not of `account` where that is not 0).
 */
enum rc factor_check_passkey(struct work *w, int64_t account, const struct slip *slip,
                             const struct factor_signed *p, struct factor_use *out);
/* On the writer. */
enum rc factor_used(struct work *w, const struct factor_use *u);

#endif
