/*
 * password_set.h - a new password for who is signed in: the old one first, where there is one.
 *
 * In two halves like a sign-in (sign_in.h): prepare on a worker, an errand, finish on the writer.
 */
#ifndef IDENTITY_PASSWORD_SET_H
#define IDENTITY_PASSWORD_SET_H

#include "server/base/errand.h"
#include "server/base/work.h"

struct passwords;

struct password_set_entry {
    int64_t account, session;
    const char *old, *password; /* old NULL: none was entered */
    uint64_t client;
    const char *method, *path; /* of the route, for the audit log; they live for ever */
};

struct password_set;

void password_set_open(struct passwords *p); /* before requests come */
/* RC_INVALID (field "password"): too easy to guess, or no password. */
enum rc password_set_prepare(struct work *w, const struct password_set_entry *e,
                             struct password_set **out, struct errand **errand);
/*
 * All other sessions of the account end. RC_INVALID (field "old"): it is not right, which the audit log is told, or must be given; RC_TOO_MANY: *wait seconds. Nothing was changed then.
 */
enum rc password_set_finish(struct work *w, struct password_set *s, int64_t *wait);
/* Whether `normal` (password_normal()) is fit for this account: its names and numbers are too easy. */
enum rc password_set_check(struct work *w, int64_t account, const char *name, const char *login,
                           const char *normal);

#endif
