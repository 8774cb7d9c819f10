/*
 * device_grant.h - a device without a keyboard shows eight letters, and a person enters them elsewhere (RFC 8628).
 *
 *     made --> WAITING --(he allows)---> ALLOWED --(fetched)--> gone
 *                 |  \---(he refuses)--> REFUSED
 *                 \-----(10 minutes)---> over
 *
 *     device code  "tod_" base64url( 32 random bytes ), kept as BLAKE2b-256 of the text
 *     user code    8 of B C D F G H J K L M N P Q R S T V W X Z, shown as BCDF-GHJK: no word, nothing that looks like a digit
 */
#ifndef IDENTITY_DEVICE_GRANT_H
#define IDENTITY_DEVICE_GRANT_H

#include "server/identity/grant_code.h"

enum {
    DEVICE_GRANT_LIFE = 600, /* seconds */
    DEVICE_GRANT_KEPT =
        3600, /* … from its making: until then the device is told that it came too late */
    DEVICE_GRANT_PAUSE =
        5, /* seconds between two questions; 5 more each time it does not wait */
    DEVICE_CODE_TEXT = 48,
    USER_CODE = 8,
    USER_CODE_TEXT = USER_CODE + 2 /* with its dash and NUL */
};

enum device_state { DEVICE_WAITING, DEVICE_ALLOWED, DEVICE_REFUSED }; /* in rows */

struct device_grant {
    int64_t party;
    unsigned scopes;
    int level; /* acr at least; 0: any */
    int64_t made;
    enum device_state state;
    struct grant_person person; /* who allowed it */
    int64_t pause, asked;       /* seconds */
};

enum rc device_grant_make(struct work *w, int64_t party, unsigned scopes, int level,
                          char device[DEVICE_CODE_TEXT], char user[USER_CODE_TEXT]);

/* What a person typed, in its normal form: letters of either case, with or without the dash and blanks. False: it is no code. */
bool device_user_code(const char *typed, char out[USER_CODE_TEXT]);
/* Of one that waits. RC_NOT_FOUND: there is none, or it is over. `user`: in its normal form. */
enum rc device_grant_by_user(struct work *w, const char *user, struct device_grant *out);
/* On the writer; `person` NULL: he refuses. RC_NOT_FOUND. */
enum rc device_grant_answer(struct work *w, const char *user,
                            const struct grant_person *person);

/* By the device's own code, in any state. RC_NOT_FOUND. */
enum rc device_grant_find(struct work *w, const char *device, struct device_grant *out);
/* On the writer: the device asked. *soon: sooner than it was told, and from now on it must wait longer. */
enum rc device_grant_asked(struct work *w, const char *device, const struct device_grant *g,
                           bool *soon);
/* On the writer: it was fetched, or its refusal was told. RC_NOT_FOUND: before. */
enum rc device_grant_drop(struct work *w, const char *device);

#endif
