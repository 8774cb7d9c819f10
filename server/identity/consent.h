/*
 * consent.h - what a person allowed a party to know, so that he is not asked again for a year.
 */
#ifndef IDENTITY_CONSENT_H
#define IDENTITY_CONSENT_H

#include "server/base/work.h"

enum { CONSENT_LIFE = 366 * 86400 /* seconds: then he is asked again */ };

struct consent {
    int64_t party;
    unsigned scopes; /* of enum grant_scope */
    int64_t given;   /* seconds */
};

/* On the writer: by which `sub` the party knows him (oidc_subject()), when he has given one. */
enum rc consent_know(struct work *w, int64_t account, int64_t party, const char *sub);
/* Who that is, if what he allowed the party has `scope` in it, and holds. RC_NOT_FOUND. */
enum rc consent_of_subject(struct work *w, int64_t party, const char *sub, unsigned scope,
                           int64_t *account);
struct grant_client;
/* On the writer: the client's sector is another, so it knows all of its people by other names. About 5 s for a million of them. */
enum rc consent_rename(struct work *w, const struct grant_client *c);
/* *scopes: 0 if there is none. */
enum rc consent_find(struct work *w, int64_t account, int64_t party, unsigned *scopes);
/* On the writer. To what he allowed before, more is added. */
enum rc consent_give(struct work *w, int64_t account, int64_t party, unsigned scopes);
/* On the writer: it is taken back, and the party's sessions for him end. RC_NOT_FOUND. */
enum rc consent_end(struct work *w, int64_t account, int64_t party);
/* On the writer: all that somebody allowed, when he is nobody any more. Sessions are not its business. */
enum rc consent_forget(struct work *w, int64_t account);
/* All of a person, the newest first; in w->mem. */
enum rc consent_list(struct work *w, int64_t account, struct consent **out, int *n);

#endif
