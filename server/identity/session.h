/*
 * session.h - a signed-in device: which account uses it, until when, and the tokens it carries.
 *
 * Tokens go out once and are kept as hashes. docs/identity.md, "Tokens and sessions", says why they look so.
 */
#ifndef IDENTITY_SESSION_H
#define IDENTITY_SESSION_H

#include <inttypes.h>

#include "server/base/work.h"
#include "server/identity/bearer.h"

/* A session's number for others, 16 characters: readers of JSON that know no 64-bit numbers would round it. */
#define SESSION_NAME "%016" PRIx64

/* Which is in rows. ACTING: of a person, for an organisation (acting.h). */
enum session_kind {
    SESSION_CITIZEN,
    SESSION_STAFF,
    SESSION_ACTING,
    SESSION_GUEST,
    SESSION_KINDS
};

/* How its owner proved who he is: bits of a set, which is in rows, so that none is ever changed or used for something else. */
enum session_proof {
    PROOF_SMS = 1 << 0,
    PROOF_PASSWORD = 1 << 1,
    PROOF_TOTP = 1 << 2,
    PROOF_PASSKEY = 1 << 3,
    PROOF_WECHAT = 1 << 4,
    PROOF_UPSTREAM = 1 << 5
};

enum {
    SESSION_ACCESS_LIFE = 900, /* seconds that an access token lives */
    SESSION_REPEAT_MS =
        10000,               /* a lost answer to an exchange may be fetched again for so long */
    SESSION_DEVICE_MAX = 80, /* bytes of a device's name */
    SESSIONS_PER_ACCOUNT =
        50 /* … and party: one more ends the one that was used least lately */
};

struct session_new {
    int64_t account; /* 0: nobody's, but the party's own */
    int64_t party;   /* the program that it is for (party.h); 0: our own apps and pages */
    unsigned scopes; /* of a party's: what it may know (grant_scope.h) */
    enum session_kind kind;
    unsigned proofs;       /* of enum session_proof */
    int64_t authenticated; /* when he proved who he is; 0: now */
    int level;             /* acr 1 to 4: how well it is known who this is */
    const char *device;    /* as its owner would know it again: "华为 Mate 60" */
    uint64_t machine;      /* STAFF: the number of its device (staff_device.h); 0: none */
    bool
        browser; /* its access token, in a cookie, is good as long as the session: nobody is there to exchange it */
    bool once;   /* it ends with its first access token */
    int64_t acting,
        opener; /* ACTING: the organisation, and the session that it is begun by and ends with */
    int64_t until; /* seconds: when it ends at the latest; 0: as its kind says */
};

struct session {
    int64_t id, account, party;
    int64_t acting; /* the organisation; 0: none */
    unsigned scopes;
    enum session_kind kind;
    int level;
    const char *device;
    uint64_t machine;    /* of staff: the number of its device; 0: none */
    const char *network; /* where it was opened or exchanged last: network.h. NULL: not known */
    int64_t created, authenticated, used,
        ends; /* seconds; ends: if nothing more is heard of it */
};

struct session_tokens {
    char access[BEARER_TEXT], refresh[BEARER_TEXT]; /* refresh "": it has none */
    int64_t seconds;                                /* that the access token still lives */
    int64_t account, session; /* session_exchange(): whose and which, if it was used again */
};

/* Who speaks, as memory knows it. */
struct session_now {
    int64_t id, account, party;
    int64_t acting, opener;
    unsigned scopes, proofs;
    enum session_kind kind;
    int level;
    uint64_t machine;
    int64_t authenticated;
};

/* Reads all that live into memory. `key` is keys/token; it is copied. */
enum rc session_load(struct work *w, const uint8_t key[32]);
/* Called whenever some have ended, after the COMMIT, on the writer's thread. NULL: nobody is. */
void session_on_end(void (*fn)(void));

/* ---- on the writer, inside its transaction ---- */

enum rc session_open(struct work *w, const struct session_new *n, int64_t *id,
                     struct session_tokens *out);

enum session_answer {
    SESSION_EXCHANGED, /* *out are the next */
    SESSION_REPEATED,  /* … the same as before: the answer was lost, or two asked at once */
    SESSION_REUSED, /* the token had been used: its session has ended now. Must be committed */
    SESSION_UNKNOWN /* never ours, or its session is over */
};

/* `party`: whose session it must be, or the token is unknown. `now_us`: clock_mono_us(). */
enum rc session_exchange(struct work *w, int64_t party, const char *refresh, int64_t now_us,
                         enum session_answer *how, struct session_tokens *out);
/* RC_NOT_FOUND unless it is one of this account. Those that were begun by it end with it. */
enum rc session_end(struct work *w, int64_t account, int64_t id);
/* `but` 0: really all. Those too that somebody allowed a program or a device, and that were not fetched yet. */
enum rc session_end_all(struct work *w, int64_t account, int64_t but);
/* All by which this person acts for the organisation; 0: by which anybody does. */
enum rc session_end_acting(struct work *w, int64_t person, int64_t organisation);
enum rc session_end_of_party(struct work *w, int64_t party);

/* ---- anywhere ---- */

/* Whose access token this is. It counts as used. */
bool session_check(const char *access, struct session_now *out);
/*
 * Whose token this is, access or refresh, and *ends, when it ends if it is not exchanged: 0 for a refresh token that was exchanged
 * before. RC_NOT_FOUND: never ours, or its session is over.
 */
enum rc session_find(struct work *w, const char *token, struct session_now *out, int64_t *ends);
bool session_lives(int64_t id);
/* One that lives. False: there is none. */
bool session_get(int64_t id, struct session_now *out);
/* Those of an account, the one used last first; in w->mem. */
enum rc session_list(struct work *w, int64_t account, struct session **out, int *n);

/* On the writer's thread, about once a minute: writes down when sessions were used, removes what is over. */
void session_tick(struct db *db, void *arg);

#endif
