/*
 * sign_in.h - from "who?" to a session, a step at a time.
 *
 *     phone, code ------> FIRST --(a citizen without factors)---------------> DONE
 *     login, password --> FIRST --(has factors)--> FACTOR --(code, passkey)--> DONE
 *     phone, code (staff) --> PASSWORD --> FIRST
 *     passkey that verified its owner --------------------------------------> DONE
 *     an upstream's word --> FIRST, if somebody is found by it, or it makes an account
 *                        \-> PHONE --(phone, code, and the word's ticket)---> FIRST
 *
 * It knows neither JSON nor HTML. What stands between two steps is a slip (slip.h), so nothing is kept of who does not go on.
 *
 * Each step is entered by sign_in_prepare() on a worker, waits for the errand that this leaves, if any, and ends in sign_in_finish() on
 * the writer:
 *
 *     if (!(rc = sign_in_prepare(w, &entry, &s, &rq->errand))) ... then ... sign_in_finish(w, s, &result)
 *
 * Whether somebody has the number or the name that was entered shows in nothing: not in the answer, not in its time, not in the limits.
 */
#ifndef IDENTITY_SIGN_IN_H
#define IDENTITY_SIGN_IN_H

#include "server/base/errand.h"
#include "server/base/work.h"
#include "server/identity/factor.h"
#include "server/identity/session.h"
#include "server/identity/slip.h"
#include "server/identity/throttle.h"
#include "server/identity/word.h"

struct passwords;

struct sign_in_conf {
    struct passwords *passwords;
    bool upstream_only; /* nobody registers here */
};

enum { SIGN_IN_LIFE = 300 };

/* `keys`: DATA/keys. Before requests come. */
enum rc sign_in_open(struct err *e, const char *keys, const struct sign_in_conf *c);
void sign_in_close(void);
bool sign_in_upstream_only(
    void); /* nobody registers here: an account begins with an upstream's word */

struct sign_in_ask {
    const char *phone;
    const char *known; /* as in an entry; NULL: nothing */
    uint64_t client;
};

/* Sends a code, as far as anybody can see. On the writer. RC_TOO_MANY: *wait seconds. */
enum rc sign_in_ask(struct work *w, const struct sign_in_ask *a, int64_t *wait);
/* What a passkey signs that is to sign in by itself. Anywhere. */
struct slip sign_in_challenge(void);

/* What was entered. NULL: nothing. */
struct sign_in_entry {
    const char *phone, *code;
    const char *login, *password; /* login: a phone number too */
    const char *ticket;           /* from the step before; beside a code: the word's */
    const char *totp;
    struct factor_signed passkey; /* credential.p NULL: nothing */
    const char *device;           /* its name, as its owner would know it again */
    const char *known;            /* what an earlier sign-in gave this device */
    uint64_t client;
    bool browser; /* the session is for a cookie */
};

enum sign_in_step {
    SIGN_IN_REFUSED,  /* `why`; must be committed, for guesses are counted */
    SIGN_IN_CODE,     /* strangers guessed too much: a code first */
    SIGN_IN_PASSWORD, /* with the ticket */
    SIGN_IN_FACTOR,   /* the same; `factors` says which there are */
    SIGN_IN_PHONE, /* nobody is found by an upstream's word: a phone and its code, with `ticket` */
    SIGN_IN_DONE
};

struct sign_in_result {
    enum sign_in_step step;
    enum rc why;  /* REFUSED: RC_UNAUTHORIZED, RC_FORBIDDEN (locked, no factor), RC_TOO_MANY */
    int64_t wait; /* RC_TOO_MANY, CODE: seconds */
    int64_t account;  /* 0: not known */
    bool made;        /* DONE: the account is new */
    unsigned factors; /* FACTOR: bits 1 << enum factor_kind */
    struct slip
        slip; /* PASSWORD, FACTOR: its text is the ticket, and its challenge the passkey's */
    const char *ticket; /* PHONE: in w->mem */
    int64_t session;    /* DONE */
    int level;
    enum session_kind kind;
    struct session_tokens tokens;
    char known[SLIP_TEXT]; /* for this device to keep */
};

struct sign_in;

/* RC_INVALID: what was entered is no step. *errand stays NULL where nothing is to be waited for. */
enum rc sign_in_prepare(struct work *w, const struct sign_in_entry *entry, struct sign_in **out,
                        struct errand **errand);
/* What failed is REFUSED with w->err; another rc is our own. */
enum rc sign_in_finish(struct work *w, struct sign_in *s, struct sign_in_result *out);
/*
 * The other way in, by what an upstream says. On the writer. RC_OK with REFUSED as above; of `entry` only device, known and browser count. The caller has used up
 * what the word was fetched with.
 */
enum rc sign_in_by_word(struct work *w, const struct sign_in_entry *entry, const struct word *d,
                        struct sign_in_result *out);
/* Opens a session for an account that proved itself elsewhere (an invitation, an upstream): writes it down, and fills *out. */
enum rc sign_in_open_session(struct work *w, const struct session_new *n, const char *by,
                             const char *known, struct sign_in_result *out);

#endif
