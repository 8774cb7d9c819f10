/*
 * binding.h - what an account is found by, as its owner sees it: his phones, his WeChat, his identity at an upstream; and that one way in stays.
 *
 * WeChat is one binding however many identifiers it has here (an openid for each appid, a unionid): whoever lets go of it lets go of all.
 */
#ifndef IDENTITY_BINDING_H
#define IDENTITY_BINDING_H

#include "server/base/work.h"
#include "server/identity/identifier.h"

enum { BINDING_NAME = 17 };

enum binding_kind { BINDING_PHONE, BINDING_LOGIN, BINDING_WECHAT, BINDING_UPSTREAM };

struct binding {
    enum binding_kind kind;
    char name[BINDING_NAME]; /* what it is called in addresses: 16 hexadecimal digits */
    const char *label;       /* "138****8000", a sign-in name, what the upstream calls itself */
    int64_t proved;          /* seconds */
    bool way_in;             /* one can sign in by it now: its upstream is still believed */
};

/* The name of one identifier; two of one account have two. */
void binding_name(const struct identifier *i, char out[BINDING_NAME]);
/* In w->mem. */
enum rc binding_list(struct work *w, int64_t account, struct binding **out, int *n);
/* Whether the account would still have a way in without it. */
bool binding_may_end(const struct binding *list, int n, const struct binding *b);
/* On the writer. `name`: of any of its identifiers. RC_NOT_FOUND; RC_CONFLICT: it is the last way in. */
enum rc binding_end(struct work *w, int64_t account, const char *name);

#endif
