/*
 * account.h - a person or an organisation: a number, what it may prove, and until when it is one.
 *
 *     made --> OPEN <--> LOCKED             staff locked it: nobody signs in, its sessions end
 *               |  \---> LEAVING <--> HELD  its owner wants to be forgotten; he may think better of it for a while, but not while it is locked (HELD)
 *               \------> MERGED             a pointer to the account that it became a part of
 *
 * LEAVING and HELD have one day on which they end: locking, and opening again, moves neither that nor `state_at`.
 *
 * What says who it is (identifier.h, the name) is sealed. Nothing here is decided by who asks: callers ask for rights first.
 */
#ifndef IDENTITY_ACCOUNT_H
#define IDENTITY_ACCOUNT_H

#include "server/base/work.h"

/* Both are in rows: none is ever changed or used for something else. */
enum account_kind {
    ACCOUNT_CITIZEN,
    ACCOUNT_STAFF,
    ACCOUNT_ORGANISATION,
    ACCOUNT_GUEST, /* a phone on which nobody has signed in: server/citizen/guest.h */
    ACCOUNT_KINDS
};
enum account_state {
    ACCOUNT_OPEN,
    ACCOUNT_LOCKED,
    ACCOUNT_LEAVING,
    ACCOUNT_MERGED,
    ACCOUNT_HELD, /* is called "locked" */
    ACCOUNT_STATES
};

enum {
    ACCOUNT_SUBJECT = 16,
    ACCOUNT_NAME_MAX = 200, /* bytes */
    ACCOUNT_LEVEL_MAX = 4,
    ACCOUNT_PAGE_MAX = 200
};

struct account {
    int64_t id;
    enum account_kind kind;
    enum account_state state;
    int64_t state_at;     /* seconds: since when */
    int level;            /* acr 1 to 4: how well it was ever known who this is */
    const char *level_by; /* who said so last: "upstream:ywt"; NULL: it was made with it */
    int64_t level_at;     /* … and when, seconds */
    uint8_t subject[ACCOUNT_SUBJECT]; /* random; what others are told follows from it */
    const char *name;                 /* NULL: none was given */
    const char *password;             /* argon2id; NULL: none */
    int64_t password_at, created;     /* seconds; password_at 0: never */
};

struct account_new {
    enum account_kind kind;
    int level;
    const char *name; /* NULL: none */
    const uint8_t *
        subject; /* known before it was made: a passkey of its owner holds it; NULL: by chance */
};

const char *account_kind_name(enum account_kind kind); /* "citizen" */
const char *account_state_name(enum account_state state);
bool account_is_locked(const struct account *a);
bool account_is_leaving(const struct account *a); /* its day will come, locked or not */

/* On the writer. Identifiers are added by identifier_add(). */
enum rc account_make(struct work *w, const struct account_new *n, struct account *out);

/* What was merged is followed to what it is now. RC_NOT_FOUND. Texts are in w->mem. */
enum rc account_by_id(struct work *w, int64_t id, struct account *out);
/* By an identifier in its normal form. RC_NOT_FOUND: nobody's. */
enum rc account_by_identifier(struct work *w, const char *kind, const char *value,
                              struct account *out);
enum rc account_count(struct work *w); /* into the metric, at the start */
/* A page of one kind, by number, from behind `after`; *n < most: there are no more. */
enum rc account_list(struct work *w, enum account_kind kind, int64_t after, int most,
                     struct account **out, int *n);

/* RC_INVALID: a name is one line of 1 to 200 bytes. */
enum rc account_check_name(struct err *e, const char *name);

/* On the writer. RC_NOT_FOUND. */
enum rc account_set_name(struct work *w, int64_t id, const char *name);     /* NULL: none */
enum rc account_set_password(struct work *w, int64_t id, const char *hash); /* NULL: none */
/* The same password under newer parameters; nothing happens if it is not the one kept any more. */
enum rc account_renew_password(struct work *w, int64_t id, const char *old, const char *hash);
/* Not MERGED. LOCKED and HELD end its sessions. */
enum rc account_set_state(struct work *w, int64_t id, enum account_state state);
/* It never falls. `by`: whose word it is, kept with the time: "upstream:ywt". */
enum rc account_raise(struct work *w, int64_t id, int level, const char *by);
/*
 * `from` becomes a part of `into`, whose owner has proved that both are his: identifiers and the right to act for
 * organisations go over, sessions of `from` end, its name and password are gone, its number is a pointer. The level of `into` stays: what was
 * proved of the other is to be proved again. RC_CONFLICT: both must be open accounts of citizens, and two, and `from` without a second factor, which
 * a phone alone must not get round. A guest may become a part of a citizen likewise.
 */
enum rc account_merge(struct work *w, int64_t from, int64_t into);
enum rc account_may_merge(struct work *w, int64_t from,
                          int64_t into); /* RC_CONFLICT, as above */

#endif
