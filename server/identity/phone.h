/*
 * phone.h - a code goes to a phone, and comes back from who has it.
 */
#ifndef IDENTITY_PHONE_H
#define IDENTITY_PHONE_H

#include "server/base/work.h"

/* What a code is good for. */
extern const char PHONE_SIGN_IN[], PHONE_ADD[];

struct phone_ask {
    const char *phone, *purpose; /* the number in its normal form */
    uint64_t client;             /* who asks, or the number of … */
    bool known;                  /* … a device that has signed in to its account before */
    bool silent;                 /* everything but the message itself */
};

/* On the writer. The message leaves after the COMMIT. RC_TOO_MANY: *wait seconds; else sms_check()'s. */
enum rc phone_ask(struct work *w, const struct phone_ask *a, int64_t *wait);
struct phone_guess {
    const char *phone, *purpose, *code;
    uint64_t client; /* who guesses … */
    uint64_t
        device; /* … and the number of a device that has signed in to its account before, or 0 */
};

/* On the writer. A wrong guess is RC_OK with *right false, and must be committed (code.h). RC_TOO_MANY: this client has guessed wrong too
 * often (throttle.h), *wait seconds. */
enum rc phone_prove(struct work *w, const struct phone_guess *g, bool *right, int64_t *wait);

struct phone_add {
    int64_t account;          /* whose it shall be */
    const char *phone, *code; /* the number in its normal form */
    uint64_t client;
    bool join; /* if it is another account's, that becomes a part of this one */
};
/*
 * On the writer, as above. RC_CONFLICT: it is another account's, and `join` was not asked for (then the code is still good), or is impossible.
 * *joined: the account that is a part of this one now, or 0.
 */
enum rc phone_add(struct work *w, const struct phone_add *a, bool *right, int64_t *joined,
                  int64_t *wait);

enum { PHONE_JOIN_LIFE = 300 };

struct slip;
/*
 * On the writer. The same for who can be asked between: where the phone is another account's, the code is used up, nothing is added, and
 * other->account says whose it is (0: nobody's else). With that slip he may join them: RC_UNAUTHORIZED where it was used, or the phone is not that
 * account's any more.
 */
enum rc phone_take(struct work *w, const struct phone_add *a, bool *right, struct slip *other,
                   int64_t *wait);
enum rc phone_join(struct work *w, int64_t account, const char *phone,
                   const struct slip *other);

#endif
