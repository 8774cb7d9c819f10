/*
 * channel_platform.h - how a platform is asked to do a step, and what its answers mean. Pure: bytes in, bytes out.
 */
#ifndef CHANNEL_PLATFORM_H
#define CHANNEL_PLATFORM_H

#include "server/channel/channel_task.h"

struct channel_picture {
    const char *bytes;
    size_t n;
};

struct channel_asking {
    const char *base; /* "https://api.weixin.qq.com" */
    const struct channel_account *account;
    const struct channel_credentials *secrets;
    const char *grant; /* NULL: none is needed */
    const struct channel_task *task;
    const struct channel_version *version;
    const struct channel_text *text;
    const struct channel_picture
        *picture; /* of the steps cover and picture; of a share, or NULL */
};

struct channel_request {
    const char *url, *type; /* POST; in `mem` */
    struct buf body;
};

struct channel_answer {
    int status; /* 0: none came */
    const char *body;
    size_t n;
    bool unsent; /* … and the request certainly did not leave */
};

enum channel_fate {
    FATE_WENT,    /* the task's ids say what became of it */
    FATE_NOT_YET, /* accepted, and not decided */
    FATE_AGAIN,   /* nothing was done; later */
    FATE_TOKEN,   /* nothing was done; the grant is refused */
    FATE_REST,    /* nothing was done; it is the account's fault, and so will the next be */
    FATE_REFUSED, /* nothing was done, and it would be the same again */
    FATE_LOOK,    /* it was accepted, and what became of it is not told: to be looked for */
    FATE_DOUBT    /* nobody knows */
};

struct channel_heard {
    enum channel_fate fate;
    const char *said; /* Chinese, at most CHANNEL_SAID_MAX bytes; NULL: nothing */
    const char *url;  /* of the step picture: its address there */
};

struct channel_platform {
    const char *kind;
    bool grants; /* an access token is asked for */
    bool (*build)(const struct channel_asking *in, enum channel_step step, struct arena *mem,
                  struct channel_request *out); /* false: it cannot be asked */
    /* Changes the task's ids. */
    void (*judge)(struct arena *mem, enum channel_step step, const struct channel_answer *a,
                  struct channel_task *t, struct channel_heard *out);
    void (*build_grant)(const struct channel_asking *in, struct arena *mem,
                        struct channel_request *out);
    /* NULL: none, and *out says why. */
    const char *(*take_grant)(struct arena *mem, const struct channel_answer *a,
                              int64_t *seconds, struct channel_heard *out);
};

const struct channel_platform *channel_platform(const char *kind); /* NULL: none */
extern const struct channel_platform channel_wechat, channel_weibo;

/* ---- for platforms ---- */

json_t *channel_answer_json(struct arena *mem, const struct channel_answer *a);
/* What an answer means that is no answer: FATE_DOUBT where the step is risky, unless it did not leave. */
enum channel_fate channel_no_answer(enum channel_step step, const struct channel_answer *a);
/* multipart/form-data: a part, with a file's name where `file` is set; the end. */
struct channel_form {
    struct buf *out;
    char boundary[33];
};
void channel_form_begin(struct channel_form *f, struct arena *mem, struct channel_request *out);
void channel_form_part(struct channel_form *f, const char *name, const char *file,
                       const char *p, size_t n);
void channel_form_end(struct channel_form *f);

#endif
