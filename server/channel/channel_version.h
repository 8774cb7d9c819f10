/*
 * channel_version.h - what one account shall say of one revision of an item, and who approved it (docs/channels.md).
 *
 *     draft --approve--> approved --(channel_send)--> a task
 *       ^ \--return--> returned |
 *       '------- rewritten -----'     not any more once there is a task
 */
#ifndef CHANNEL_VERSION_H
#define CHANNEL_VERSION_H

#include "server/channel/channel_account.h"
#include "server/channel/channel_limit.h"
#include "server/check/check.h"
#include "server/library/item.h"

enum { CHANNEL_PICTURES_MAX = 50 };

struct channel_version {
    int64_t no, channel;
    struct id item;
    int64_t rev;
    const char *title, *digest, *byline, *body; /* "" where there is none */
    uint8_t cover[HASH_BYTES];
    bool has_cover;
    const char *state;
    uint8_t hash[HASH_BYTES]; /* of all that would be sent, and of what */
    const char *author, *approver, *why;
    int64_t changed;
};

/* What keeps it from being approved. */
struct channel_fault {
    enum channel_field field;
    const char *said; /* Chinese */
};
struct channel_faults {
    struct channel_fault v[32];
    int n;
    struct check_result checked;
};

/* What is sent. */
struct channel_text {
    const char *html; /* WeChat: the body, pictures by the addresses that `picture` gives */
    const char *text; /* Weibo: the body and the article's address */
    const char *link; /* the article's address */
};

struct channel_hooks {
    /* The public address of a path. Set once, before the first request. */
    void (*url)(struct buf *out, const char *path);
    const char *data; /* the data directory, where pictures are */
};
void channel_open(const struct channel_hooks *hooks);
const struct channel_hooks *channel_hooks(void);

/* RC_NOT_FOUND. Texts in w->mem. */
enum rc channel_version_find(struct work *w, int64_t no, struct channel_version *out);
/* Of an account, the newest first, below number `before`. */
enum rc channel_version_list(struct work *w, int64_t channel, int64_t before,
                             struct channel_version **out, int *n);
/* A draft. The item must be published in that revision. RIGHT_EDIT at the account's site. Sets in->no. */
enum rc channel_version_create(struct work *w, struct channel_version *in);
/* RC_CONFLICT once there is a task. */
enum rc channel_version_rewrite(struct work *w, struct channel_version *in);
/* `hash`: of what was looked at. RIGHT_REVIEW at the site, and not who wrote it. RC_UNFIT: it has faults. */
enum rc channel_version_approve(struct work *w, int64_t no, const uint8_t hash[HASH_BYTES],
                                struct channel_version *out);
enum rc channel_version_return(struct work *w, int64_t no, const char *why,
                               struct channel_version *out);

/* All that is wrong with it for its account. */
enum rc channel_version_check(struct work *w, const struct channel_version *v,
                              struct channel_faults *out);
/* RC_CONFLICT, with a Chinese sentence, unless it may be sent now: approved, its item published in that revision, its account in use. */
enum rc channel_version_may_go(struct work *w, const struct channel_version *v,
                               struct channel_account *a);

/* The address of a picture of the body; NULL: it has none yet. */
typedef const char *channel_picture_url(void *arg, const uint8_t hash[HASH_BYTES]);
void channel_render(struct work *w, const struct channel_version *v, int64_t task,
                    channel_picture_url *picture, void *arg, struct channel_text *out);
/* The pictures of the body, each once: how many. */
int channel_pictures(const struct channel_version *v,
                     uint8_t out[static CHANNEL_PICTURES_MAX][HASH_BYTES]);

#endif
