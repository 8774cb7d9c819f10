/*
 * password.h - passwords: their one form, and the slow hash that is kept of them. Which ones are
 * too easy: password_rule.h.
 */
#ifndef IDENTITY_PASSWORD_H
#define IDENTITY_PASSWORD_H

#include "server/base/errand.h"
#include "server/base/pool.h"

enum {
    PASSWORD_MIN = 8,   /* characters, after NFKC; NIST SP 800-63B section 5.1.1.2 */
    PASSWORD_MAX = 128, /* characters */
    PASSWORD_TEXT = 4 * PASSWORD_MAX + 1,
    PASSWORD_HASH = 128, /* "$argon2id$v=19$m=19456,t=2,p=1$salt$hash" and a NUL */
    PASSWORD_THREADS_MAX = 16,
    PASSWORD_QUEUE = 64, /* a thread does 70 a second, so nobody waits longer than a second */
};

/*
 * NFKC (RFC 8264 calls for a normal form; full-width and half-width keyboards must give the same):
 * RC_INVALID for what has not 8 to 128 characters, is not UTF-8, or has control characters or
 * unassigned ones. What people type is shown nowhere, so wipe `out` after use.
 */
enum rc password_normal(struct err *e, const char *text, char out[PASSWORD_TEXT]);

/* 13 ms and 19 MiB of the calling thread each: for commands and tests; requests use the pool. */
enum rc password_hash(struct err *e, const char *normal, char out[PASSWORD_HASH]);

/* ---- the pool ---- */

struct passwords;

enum password_task { PASSWORD_MAKE, PASSWORD_CHECK };

struct password_job {
    struct pool_job job; /* the pool's */
    struct passwords *pool;
    enum password_task task;
    char text[PASSWORD_TEXT]; /* normal form, "" if it has none; wiped before done() */
    char hash[PASSWORD_HASH]; /* MAKE: the result. CHECK: what is kept, "" for an account that
                                 does not exist or has no password: the same work, the same no */
    bool right;               /* CHECK */
    bool stale;               /* CHECK, and it is right: keep a new hash, the parameters grew */
    enum rc rc;               /* RC_OK, or RC_BUSY: there was no memory for it */
    void (*done)(struct password_job *job); /* on the pool's thread; the job is the callee's */
};

/* `threads` hashes at a time, each with 19 MiB. */
enum rc passwords_open(struct err *e, int threads, struct passwords **out);
void passwords_close(struct passwords *p); /* does what is queued; accepts NULL */
/* RC_BUSY: too many wait (503 and Retry-After at the edge), or `p` is NULL; the job is still the caller's. */
enum rc passwords_submit(struct passwords *p, struct err *e, struct password_job *job);

/* ---- for who waits without a thread (errand.h) ---- */

enum password_keep {
    PASSWORD_KEEP_STALE, /* what is right is hashed anew if its parameters grew */
    PASSWORD_KEEP_NEXT   /* if it is right, or nothing was to be checked, `next` is hashed */
};

/* Checks, then hashes. Fill it by password_errand(), give it as an errand, and read what came of it. */
struct password_errand {
    struct errand errand;
    struct password_job job;
    struct passwords *pool;
    enum password_keep keep;
    bool checks;
    char next[PASSWORD_TEXT];
    char old[PASSWORD_HASH]; /* what was checked against; "" if nothing */
    void (*lost)(
        void *arg); /* NULL, or called when nothing could be checked: too many waited */
    void *arg;

    bool right;               /* or nothing was checked */
    char made[PASSWORD_HASH]; /* the new hash; "" if none was made */
    enum rc rc;
};

/*
 * `typed` in its normal form ("" if it has none) is checked against `hash` ("": a dummy); NULL: nothing is to be checked.
 * `next` in its normal form, or NULL.
 */
void password_errand(struct password_errand *x, struct passwords *pool, const char *typed,
                     const char *hash, const char *next);

#endif
