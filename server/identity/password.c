/*
 * password.c - argon2id, and nothing that a stranger could learn from how long it takes.
 *
 * A hash costs 13 ms of a core and 19 MiB, on purpose. So it is never done on a loop or on the
 * workers that others wait for: a pool of its own has `password_threads` threads, which step back
 * for everybody else, and a bounded queue. A flood of sign-ins is answered "come again" and slows
 * nobody but those who sign in. Memory is bounded by threads times 19 MiB.
 *
 * An account that does not exist costs the same: what is typed is checked against a dummy that has
 * the same parameters, a random salt and a random hash, so it fits nothing.
 *
 * Parameters are dated: OWASP Password Storage Cheat Sheet as of 2026-11, "argon2id with a minimum
 * of 19 MiB of memory, an iteration count of 2, and 1 degree of parallelism". When they grow, a
 * right password whose hash has others is `stale`, and the caller keeps a new one.
 *
 * What was typed is wiped as soon as it was used. Argon2's own memory is mapped for one hash and
 * given back to the system, which hands it to nobody unwiped.
 */
#include "server/identity/password.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <utf8proc.h>

#include "server/base/memory.h"
#include "server/base/secret.h"

enum { MEMORY = 19 << 20, PASSES = 2, SALT = 16, HASH = 32, NICENESS = 10 };

struct passwords {
    struct pool *pool;
    char dummy[PASSWORD_HASH];
};

/* ---- the normal form ---- */

static enum rc unfit(struct err *e, const char *why)
{
    return err_field(e, "password", "%s", why);
}

static bool is_control(utf8proc_int32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* How many characters; -1 if some have no place in a password. */
static int characters(const char *text)
{
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text;
    utf8proc_int32_t c;
    int n = 0;

    while (*p && n <= PASSWORD_MAX) {
        p += utf8proc_iterate(p, -1, &c);
        if (is_control(c))
            return -1;
        n++;
    }
    return n;
}

enum rc password_normal(struct err *e, const char *text, char out[PASSWORD_TEXT])
{
    utf8proc_uint8_t *normal = NULL;
    utf8proc_ssize_t n = UTF8PROC_ERROR_OVERFLOW; /* too long */
    int count;

    if (strnlen(text, PASSWORD_TEXT) < PASSWORD_TEXT)
        n = utf8proc_map((const utf8proc_uint8_t *)text, 0, &normal,
                         UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE |
                             UTF8PROC_COMPAT | UTF8PROC_REJECTNA);
    if (n == UTF8PROC_ERROR_NOMEM)
        memory_end(); /* or a good password were a bad one */
    count = n < 0 ? -1 : characters((char *)normal);
    if (count >= PASSWORD_MIN && count <= PASSWORD_MAX)
        memcpy(out, normal, (size_t)n + 1);
    if (normal)
        secret_wipe(normal, (size_t)n);
    free(normal);
    if (count < 0)
        return unfit(e, "a password has at most 128 characters that can be typed");
    if (count < PASSWORD_MIN || count > PASSWORD_MAX)
        return unfit(e, "a password has 8 to 128 characters");
    return RC_OK;
}

/* ---- the hash ---- */

enum rc password_hash(struct err *e, const char *normal, char out[PASSWORD_HASH])
{
    static_assert((int)PASSWORD_HASH == (int)crypto_pwhash_argon2id_STRBYTES, "libsodium's");

    if (crypto_pwhash_argon2id_str(out, normal, strlen(normal), PASSES, MEMORY))
        return err_set(e, RC_BUSY, "there is no memory to hash a password");
    return RC_OK;
}

/* Fits nothing, and checking it takes as long as a real one. */
static void make_dummy(char out[PASSWORD_HASH])
{
    uint8_t random[SALT + HASH];
    char salt[32], hash[64];

    secret_random(random, sizeof random);
    sodium_bin2base64(salt, sizeof salt, random, SALT,
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    sodium_bin2base64(hash, sizeof hash, random + SALT, HASH,
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    memset(out, 0, PASSWORD_HASH);
    snprintf(out, PASSWORD_HASH, "$argon2id$v=19$m=%d,t=%d,p=1$%s$%s", MEMORY >> 10, PASSES,
             salt, hash);
}

static void check(struct password_job *job)
{
    const char *hash = job->hash[0] ? job->hash : job->pool->dummy;
    int wrong;

    errno = 0;
    wrong = crypto_pwhash_argon2id_str_verify(hash, job->text, strlen(job->text));
    job->rc = wrong && errno == ENOMEM ? RC_BUSY : RC_OK;
    job->right = !wrong && job->hash[0] && job->text[0];
    job->stale =
        job->right && crypto_pwhash_argon2id_str_needs_rehash(job->hash, PASSES, MEMORY) != 0;
}

/* ---- the pool ---- */

static void run(struct pool_job *j, struct db *db)
{
    struct password_job *job = (struct password_job *)(void *)j;
    struct err e;

    (void)db;
    job->right = job->stale = false;
    if (job->task == PASSWORD_CHECK)
        check(job);
    else
        job->rc = password_hash(&e, job->text, job->hash);
    secret_wipe(job->text, sizeof job->text);
    job->done(job);
}

enum rc passwords_open(struct err *e, int threads, struct passwords **out)
{
    struct passwords *p;
    enum rc rc;

    if (threads < 1 || threads > PASSWORD_THREADS_MAX)
        return err_set(e, RC_INVALID, "password_threads should be 1 to %d",
                       PASSWORD_THREADS_MAX);
    if (!(p = calloc(1, sizeof *p)))
        memory_end();
    make_dummy(p->dummy);
    if ((rc = pool_new(e, threads, PASSWORD_QUEUE, NULL, NULL, &p->pool))) {
        free(p);
        return rc;
    }
    pool_lower(p->pool, NICENESS);
    *out = p;
    return RC_OK;
}

void passwords_close(struct passwords *p)
{
    if (!p)
        return;
    pool_free(p->pool);
    free(p);
}

enum rc passwords_submit(struct passwords *p, struct err *e, struct password_job *job)
{
    if (!p)
        return err_set(e, RC_BUSY, "nobody signs in here");
    job->pool = p;
    job->job.run = run;
    if (!pool_submit(p->pool, &job->job))
        return err_set(e, RC_BUSY, "too many are signing in at this moment");
    return RC_OK;
}

/* ---- errands ---- */

static void home(struct password_errand *x, enum rc rc)
{
    x->rc = rc;
    secret_wipe(x->next, sizeof x->next);
    x->errand.done(&x->errand);
}

static struct password_errand *errand_of(struct password_job *job)
{
    return (struct password_errand *)(void *)((char *)job -
                                              offsetof(struct password_errand, job));
}

static void made(struct password_job *job)
{
    struct password_errand *x = errand_of(job);

    if (!job->rc)
        memcpy(x->made, job->hash, sizeof x->made);
    home(x, job->rc);
}

static enum rc make_next(struct password_errand *x, struct err *e)
{
    x->job = (struct password_job){ .task = PASSWORD_MAKE, .done = made };
    memcpy(x->job.text, x->next, sizeof x->next);
    return passwords_submit(x->pool, e, &x->job);
}

static void checked(struct password_job *job)
{
    struct password_errand *x = errand_of(job);
    bool wanted = x->keep == PASSWORD_KEEP_NEXT || job->stale;
    struct err ignored;
    enum rc rc;

    x->right = !job->rc && job->right;
    if (job->rc && x->lost)
        x->lost(x->arg);
    if (job->rc || !x->right || !wanted || !x->next[0])
        home(x, job->rc);
    else if ((rc = make_next(x, &ignored)))
        home(x, x->keep == PASSWORD_KEEP_STALE ? RC_OK : rc); /* the next sign-in renews it */
}

static enum rc start(struct errand *errand, struct err *e)
{
    struct password_errand *x = (struct password_errand *)(void *)errand;
    enum rc rc = x->checks ? passwords_submit(x->pool, e, &x->job) : make_next(x, e);

    if (rc && x->lost)
        x->lost(x->arg);
    return rc;
}

void password_errand(struct password_errand *x, struct passwords *pool, const char *typed,
                     const char *hash, const char *next)
{
    *x = (struct password_errand){ .errand = { .start = start },
                                   .pool = pool,
                                   .keep = next ? PASSWORD_KEEP_NEXT : PASSWORD_KEEP_STALE,
                                   .checks = typed != NULL,
                                   .right = !typed,
                                   .job = { .task = PASSWORD_CHECK, .done = checked } };
    if (typed) {
        snprintf(x->job.text, sizeof x->job.text, "%s", typed);
        snprintf(x->job.hash, sizeof x->job.hash, "%s", hash);
        snprintf(x->old, sizeof x->old, "%s", hash);
    }
    snprintf(x->next, sizeof x->next, "%s", next ? next : typed ? typed : "");
}
