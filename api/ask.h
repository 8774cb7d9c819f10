/*
 * ask.h - what a program asks of a person, for the pages that ask him.
 *
 *     program --> /oauth2/authorize?client_id=… --> /sign-in?ask=A --> /oauth2/authorize?ask=A --> /consent?ask=A --> program
 *                                                                 \--------(nothing to ask)-----------------------/
 *
 * A is the whole request (server/identity/parked.h): a page takes it as a parameter of ASK_TEXT bytes, calls ask_read() to know what to
 * say, carries it unchanged through its form, and, when its own work is done, sends the browser (303) to ask_resume(), which decides
 * anew. A page that finds another `next` than its own in what it has read sends the browser there too. The consent page ends with
 * ask_answer() and a 303 to what that gives.
 *
 * The form's answer leads to the program, and browsers hold redirects against form-action: every page of the way whose form carries an
 * `ask` answers with `content-security-policy: … form-action 'self' ORIGIN`, ORIGIN being asked.origin.
 *
 * A device's letters are entered on a page of their own, which calls ask_device_read() and ask_device_answer().
 *
 * Who sits before the browser is w->who. All texts are in w->mem.
 */
#ifndef API_ASK_H
#define API_ASK_H

#include "server/base/work.h"
#include "server/identity/authorize.h"
#include "server/identity/device_grant.h"
#include "server/identity/grant_scope.h"
#include "server/identity/parked.h"

enum { ASK_TEXT = PARKED_TEXT };

/* Where the browser goes for the steps that are the pages'; each with "?ask=" behind it. */
#define ASK_SIGN_IN "/sign-in"
#define ASK_CONSENT "/consent"

struct asked {
    const char *party;  /* the program as people know it: 和平区政务网 */
    const char *origin; /* "https://heping.example": where the answer goes; NULL of a device */
    const char *scopes[GRANT_SCOPES]; /* what it wants to know, one sentence each, in Chinese */
    int nscopes;
    int level;              /* acr that it asks for, 1 to 4; 0: any. AUTHORIZE_MORE: reach it */
    const char *login_hint; /* what he may be called; NULL. Only to fill in a box */
    enum authorize_next
        next; /* AUTHORIZE_SIGN_IN, _MORE, _CONSENT; _CODE: nothing is to be asked */
};

/* RC_INVALID: the request is not ours, is too old, or its party may not ask so any more. */
enum rc ask_read(struct work *w, const char *ask, struct asked *out);
/* "/oauth2/authorize?ask=…" */
const char *ask_resume(struct work *w, const char *ask);
/*
 * On the writer: the person has answered the consent page. *location: where the browser goes with the answer (or back to ask_resume(),
 * if he must sign in again first).
 */
enum rc ask_answer(struct work *w, const char *ask, bool allowed, const char **location);

/* What a device asks for whose letters were typed. RC_NOT_FOUND: there is none that waits. next: AUTHORIZE_SIGN_IN, _MORE, _CONSENT. */
enum rc ask_device_read(struct work *w, const char *typed, struct asked *out);
/* On the writer. RC_UNAUTHORIZED: nobody is signed in; RC_FORBIDDEN: not well enough. */
enum rc ask_device_answer(struct work *w, const char *typed, bool allowed);

#endif
