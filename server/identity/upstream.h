/*
 * upstream.h - who is believed besides us: a file each in the directory of the setting `upstreams`.
 *
 *     NAME.json      who it is, how it is asked, what its words mean (docs/identity.md, "Upstreams")
 *     NAME.secret    the key that it gave us, one line, mode 0600
 *
 * Read once, before requests come; an error in a file keeps the server from starting, and `tjzw doctor` tells of it before.
 * Not here: asking (upstream_ask.h), what comes of the answer (word.h).
 */
#ifndef IDENTITY_UPSTREAM_H
#define IDENTITY_UPSTREAM_H

#include "server/base/arena.h"

enum upstream_kind {
    UPSTREAM_OIDC,         /* OpenID Connect: 政务一网通, 网号网证 */
    UPSTREAM_WECHAT_OAUTH, /* 公众号, 开放平台: sns/oauth2/access_token */
    UPSTREAM_WECHAT_MINI   /* 小程序: sns/jscode2session */
};

enum {
    UPSTREAMS_MAX = 32,
    UPSTREAM_NAME_MAX = 32,
    UPSTREAM_LEVELS_MAX = 16,
    UPSTREAM_REDIRECTS_MAX = 8,
    UPSTREAM_URL_MAX = 500
};

/* Where it is asked. NULL: not known, or there is none. */
struct upstream_endpoints {
    const char *authorize, *token, *keys, *userinfo;
    bool says_iss; /* its answers name it (RFC 9207), and one that does not is another's */
};

struct upstream {
    int no;                   /* its place among all, 0 to UPSTREAMS_MAX - 1 */
    const char *name, *label; /* "ywt", "天津政务一网通" */
    enum upstream_kind kind;
    const char *client, *secret;  /* secret NULL: it gave us none */
    const char *issuer;           /* OIDC */
    struct upstream_endpoints at; /* .token NULL: its discovery document says where */
    const char *scope;            /* "openid profile" */
    bool post;                    /* the secret goes into the body, not into Authorization */
    bool userinfo;                /* some claims stand only there */
    struct {
        const char *sub, *name, *phone, *level; /* the claim that says it; NULL: none does */
    } claims;
    struct {
        const char *said;
        int level;
    } levels[UPSTREAM_LEVELS_MAX]; /* what its level means here, acr 1 to 4 */
    int nlevels;
    int level;         /* of what it says nothing about */
    int level_max;     /* … and never more than this */
    bool trusts_phone; /* its phone claim is as good as a code by SMS */
    bool private_net;  /* it may have a private address */
    const char *ca;    /* PEM file; NULL: what this machine trusts */
    const char *redirects[UPSTREAM_REDIRECTS_MAX]; /* addresses of apps that may be named */
    int nredirects;
};

/* One file's text. `secret` NULL: there is none. What *out points at lives in `mem`. RC_INVALID says which member, and why. */
enum rc upstream_read(struct err *e, struct arena *mem, const char *name, const char *text,
                      size_t n, const char *secret, struct upstream *out);

/* All files of `dir`, which is within `data` unless it begins with a slash; none if there is no such directory. */
enum rc upstreams_open(struct err *e, const char *data, const char *dir);
void upstreams_close(void);

int upstreams_count(void);
const struct upstream *upstream_at(int no);             /* NULL: there is none */
const struct upstream *upstream_find(const char *name); /* NULL: there is none */
/* One of the addresses that an app may be sent back to: byte for byte. */
bool upstream_takes(const struct upstream *u, const char *redirect);
/* "https://", a host, nothing that could be read in two ways. */
bool upstream_is_url(const char *text);

#endif
