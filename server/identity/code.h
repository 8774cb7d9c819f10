/*
 * code.h - six digits sent by SMS, which prove that somebody has the phone now.
 */
#ifndef IDENTITY_CODE_H
#define IDENTITY_CODE_H

#include "server/base/work.h"

enum {
    CODE_DIGITS = 6,
    CODE_LIFE = 300,       /* seconds a code is good */
    CODE_TRIES = 5,        /* guesses at one code */
    CODE_STRANGE = 3,      /* … of these by other clients than who asked for it */
    CODE_PAUSE = 60,       /* seconds before the next one to the same number */
    CODE_NUMBER_DAY = 10,  /* codes to one number in 24 hours, whatever for */
    CODE_CLIENT_DAY = 100, /* codes that one client asks for: many people share an address */
    CODE_CLIENT_NUMBER_DAY =
        5,             /* of these to one number; a known device has as many of its own */
    CODE_KEPT = 86400, /* seconds a row stays: the limits count it */
    CODE_PHONE = 32,
};

struct code_ask {
    const uint8_t *phone; /* CODE_PHONE bytes: the blind index of the number (seal.h) */
    const char *purpose;  /* "sign_in", …: a code is good for this alone */
    int64_t client;       /* who asks: the request's client_tag, which a restart forgets … */
    bool known; /* … or a device's number, which signed in to this phone's account before */
};

/* The key of what is kept (32 bytes in DATA/keys/code), read or made. Before the writer starts. */
enum rc code_open(struct err *e, const char *keys);
void code_close(void);

/*
 * A new code, to be sent after the COMMIT; older ones of this number and purpose are no longer
 * good. It does not look at whether anybody has this number: who asks gets the same answer.
 * RC_TOO_MANY: *wait says for how many seconds.
 */
enum rc code_make(struct work *w, const struct code_ask *ask, char out[CODE_DIGITS + 1],
                  int64_t *wait);
struct code_guess {
    const uint8_t *phone; /* CODE_PHONE bytes */
    const char *purpose, *text;
    int64_t client; /* who guesses */
};

/*
 * Whether `text` is the good code; then it is used up. A wrong guess costs a try, so this returns
 * RC_OK with *right false, and must be committed: an error would roll the count back.
 */
enum rc code_check(struct work *w, const struct code_guess *g, bool *right);

#endif
