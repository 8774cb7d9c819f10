/*
 * party_reach.h - whom a program's request may reach, decided here and nowhere else.
 *
 *               its own people    somebody else    the public
 *     test      tried             tried            tried
 *     team      real              refused          tried
 *     live      real              real             real          and so is whatever is no program's
 *
 * Tried: the request is done to its end, answered as if it were real, and taken back before the COMMIT; what it would have shown stands in the party's
 * sandbox (party_sandbox.h). Of a test key that is every request that changes something, whether or not it reaches anybody.
 *
 * Whoever shows something to an account, or to the public, asks here first, on the writer: entry_put() for all that a citizen's devices are told,
 * change_write() and its neighbours for all that is published, letter_do() for a letter as a whole. What sends by other ways than these (a
 * push to a phone, a message of a vendor) asks for each account before it writes that it will send:
 *
 *     if ((rc = party_reach(w, account, "notice", text)))
 *         return rc;
 *
 * and then writes rows as ever: they are gone with the rest if it is only tried, so nothing is sent that a rollback does not take back. What a
 * rollback would not take back is a route with R_FOR_GOOD (server/http/route.h), which neither a test nor a team key opens.
 */
#ifndef IDENTITY_PARTY_REACH_H
#define IDENTITY_PARTY_REACH_H

#include "server/base/work.h"

enum {
    PARTY_TEAM_MAX = 50, /* accounts that are a party's own people */
    REACHED_MAX = 20     /* of a request, that are remembered */
};

struct reached {
    struct reached *next; /* an earlier one */
    int64_t account;
    const char *kind;  /* of what it was: "message" */
    const char *shown; /* JSON, in work_kept(); NULL: it was taken away from him */
};

/* RC_FORBIDDEN, with a sentence: a team key, and he is none of its people. 0 is nobody, and no team's. */
enum rc party_may_reach(struct work *w, int64_t account);
/* The same, and remembers it if it is only tried. `kind` lives for ever; `shown`, which is copied, may be NULL. */
enum rc party_reach(struct work *w, int64_t account, const char *kind, const char *shown);
/* Everybody will see it. */
void party_reach_public(struct work *w);
/* Whether what this work does will be taken back. */
bool party_is_tried(const struct work *w);

/* ---- a party's own people ---- */

/* In w->mem, ascending. */
enum rc party_team_list(struct work *w, int64_t party, int64_t **out, int *n);
/*
 * On the writer; RIGHT_SECURE, as for its rights: else a program could call any citizen one of its people. RC_INVALID: there are too many, or one is no
 * open account.
 */
enum rc party_team_set(struct work *w, int64_t party, const int64_t *accounts, int n);
enum rc party_team_move(struct work *w, int64_t from,
                        int64_t into); /* two accounts have become one */

#endif
