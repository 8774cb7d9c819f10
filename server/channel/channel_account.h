/*
 * channel_account.h - the register: accounts of the city on other platforms, who runs them, and by what we speak for them (docs/channels.md).
 */
#ifndef CHANNEL_ACCOUNT_H
#define CHANNEL_ACCOUNT_H

#include <jansson.h>

#include "server/base/work.h"

enum {
    CHANNEL_PAGE = 100,
    CHANNEL_NAME_MAX = 64,
    CHANNEL_HANDLE_MAX = 64,
    CHANNEL_REPLIES_MAX = 50,
    CHANNEL_REPLY_BYTES = 2048, /* of a text that answers */
    CHANNEL_CREDENTIALS_MAX = 4096
};

/* May see the register, versions and tasks of a site. */
enum { CHANNEL_RIGHTS = RIGHT_EDIT | RIGHT_REVIEW | RIGHT_PUBLISH };

struct channel_account {
    int64_t no;
    const char *kind; /* "wechat", "weibo" … */
    const char *name, *handle;
    int64_t site, org; /* org 0: not said */
    const char *filing, *state, *domain, *scope;
    const char *replies; /* canonical JSON; NULL: none */
    int64_t published, changed;
    const void *secret, *grant; /* sealed; NULL: none */
    size_t secret_n, grant_n;
    int64_t grant_renew, grant_until;
    const char *trouble; /* NULL: none */
    int64_t trouble_until;
};

struct channel_credentials {
    const char *secret, *token, *key, *address; /* NULL: absent */
};

bool channel_kind_sends(
    const char *kind); /* we can publish there; the others are only registered */
bool channel_is_active(const struct channel_account *a);
const char *channel_state_chinese(const char *state); /* NULL: there is no such state */

/* RC_INVALID, RC_CONFLICT (registered already). RIGHT_PUBLISH at the site. Sets in->no. */
enum rc channel_account_create(struct work *w, struct channel_account *in);
/* Name, org, filing, state, domain, scope, replies; by no. */
enum rc channel_account_edit(struct work *w, const struct channel_account *in);
/* RC_NOT_FOUND. Texts in w->mem. */
enum rc channel_account_find(struct work *w, int64_t no, struct channel_account *out);
/* After number `after`. */
enum rc channel_account_list(struct work *w, int64_t after, struct channel_account **out,
                             int *n);

/* {"secret":…,"token":…,…}: RC_INVALID says what is missing for the kind. RIGHT_OPERATE. */
enum rc channel_credentials_set(struct work *w, int64_t no, const json_t *in);
/* RC_CONFLICT: there are none. RC_CORRUPT. Wiped with w->mem. */
enum rc channel_credentials(struct work *w, const struct channel_account *a,
                            struct channel_credentials *out);
/* The same rules for who only looks (tjzw doctor). */
enum rc channel_credentials_check(struct err *e, const char *kind,
                                  const struct channel_credentials *c);

/* What requests are made with; NULL in *out: none that is good at `now`. */
enum rc channel_grant(struct work *w, const struct channel_account *a, int64_t now,
                      const char **out);
enum rc channel_grant_set(struct work *w, int64_t no, const char *text, int64_t renew,
                          int64_t until);
/* It was refused: another is asked for, not before `at`. */
enum rc channel_grant_refuse(struct work *w, int64_t no, int64_t at);
/* It rests until then, and says why. */
enum rc channel_trouble(struct work *w, int64_t no, const char *why, int64_t until);

/* What a key of a menu, "subscribe" or a whole word gets; false: nothing is set for it. One of *text and *q is set. In w->mem. */
bool channel_reply(struct work *w, const struct channel_account *a, const char *key,
                   const char **text, const char **q);

#endif
