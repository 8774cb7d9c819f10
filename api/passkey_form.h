/*
 * passkey_form.h - a form that a passkey fills in: what the page tells the script (passkey.js), and what comes back.
 */
#ifndef API_PASSKEY_FORM_H
#define API_PASSKEY_FORM_H

#include "api/sheet.h"
#include "server/identity/account.h"
#include "server/identity/factor.h"

struct passkey_form {
    const char *action, *button;
    const struct slip *slip; /* the challenge follows from it */
    bool owner;              /* it must be the owner: a PIN, a finger */
    const struct factor *
        known; /* those of the account: one of them shall sign, or none of them be made again */
    int nknown;
    void (*put)(struct sheet *s, const void *arg); /* what else is asked; NULL: nothing */
    const void *arg;
    const char *without; /* what else can be done where there is no passkey */
};

/* To sign in. The page must be sheet_scripted(). */
void passkey_form_ask(struct sheet *s, const struct passkey_form *f);
/* To add one. `subject`: random bytes of the account; `name`: what it is called on the device. */
void passkey_form_make(struct sheet *s, const struct passkey_form *f,
                       const uint8_t subject[ACCOUNT_SUBJECT], const char *name);

/* False: something is missing, or no base64url. */
bool passkey_form_signed(struct arena *mem, const struct form *f, struct factor_signed *out);
bool passkey_form_made(struct arena *mem, const struct form *f, struct factor_proof *out);

enum rc get_passkey_script(struct work *w, const struct request *rq, struct reply *rp);

#endif
