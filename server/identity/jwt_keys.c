/*
 * jwt_keys.c - a key's life, which the clock drives.
 *
 *     made --> UPCOMING --(show)--> SIGNING --(sign)--> RETIRED --(keep)--> gone
 *              in the key set       in the key set      in the key set
 *                                                       secret half destroyed
 *
 * A key is made `show` seconds before the one that signs has signed its time, so that verifiers
 * know it before they need it. When it begins to sign the other retires; there is always exactly
 * one that signs. A retired key can verify what it signed, and nobody can sign with it any more,
 * not even we: its file keeps the public half only.
 *
 * Each step is the rewriting of one file, whole or not at all, and is remembered with the time it
 * was due. A crash between the two steps of an exchange leaves two that sign: the newer does, the
 * older retires at the next tick. A `since` that lies in the future was written by a clock that
 * was wrong; it counts from now.
 *
 * The tick works on a copy and puts it in place when the files are written, so whoever asks for
 * the key set never waits for a disk.
 */
#include "server/identity/jwt_keys.h"

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <sodium.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/secret.h"

enum { DAY = 86400, KEYS_MAX = 16, FILE_MAX = 2048 };

const struct jwt_times jwt_times_usual = {
    .show = DAY,
    .sign = 90 * DAY,
    .keep = JWT_LIFETIME_MAX + JWT_SKEW,
};

enum state { UPCOMING, SIGNING, RETIRED, STATES };
static const char *const state_names[] = { "upcoming", "signing", "retired" };

struct key {
    int no;
    enum state state;
    int64_t since;
    struct jwk public;
    char member[512];            /* of the key set */
    char secret[JWT_SECRET_MAX]; /* "" once retired */
};

struct ring {
    struct key key[KEYS_MAX]; /* by number */
    int n;
};

struct jwt_keys {
    char *dir;
    struct jwt_times times;
    pthread_mutex_t lock; /* for the ring */
    struct ring *ring;    /* in memory that is locked, guarded and wiped */
};

/* ---- one key and its file ---- */

static enum rc set_public(struct err *e, EVP_PKEY *pair, struct key *k)
{
    struct buf member = BUF_HEAP;
    enum rc rc = jwk_of(e, pair, &k->public, &member);

    if (!rc && member.n >= sizeof k->member)
        rc = err_set(e, RC_INTERNAL, "a key does not fit its place");
    if (!rc)
        memcpy(k->member, member.p, member.n + 1);
    buf_done(&member);
    return rc;
}

static enum rc make(struct err *e, int no, enum state state, int64_t since, struct key *out)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_secmem());
    char *pem = NULL;
    long n = pair && bio && PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL) == 1
                 ? BIO_get_mem_data(bio, &pem)
                 : 0;
    enum rc rc;

    *out = (struct key){ .no = no, .state = state, .since = since };
    if (n > 0 && n < JWT_SECRET_MAX)
        memcpy(out->secret, pem, (size_t)n);
    rc = out->secret[0] ? set_public(e, pair, out)
                        : err_set(e, RC_INTERNAL, "OpenSSL could not make a key on P-256");
    BIO_free(bio);
    EVP_PKEY_free(pair);
    return rc;
}

static void path_of(const struct jwt_keys *k, int no, char *out, size_t size)
{
    snprintf(out, size, "%s/jwt.%d", k->dir, no);
}

static enum rc save(const struct jwt_keys *k, struct err *e, const struct key *key)
{
    char path[4096], text[FILE_MAX];
    int n = snprintf(text, sizeof text, "state: %s\nsince: %" PRId64 "\n%s",
                     state_names[key->state], key->since,
                     key->secret[0] ? key->secret : key->public.pem);
    enum rc rc;

    path_of(k, key->no, path, sizeof path);
    rc = fs_write(e, path, text, (size_t)n, 0600);
    secret_wipe(text, sizeof text);
    return rc;
}

static bool read_state(const char *word, enum state *out)
{
    for (int i = 0; i < STATES; i++)
        if (!strcmp(word, state_names[i])) {
            *out = (enum state)i;
            return true;
        }
    return false;
}

/* What the file of key `no` says. */
static enum rc parse(struct err *e, int no, const char *text, struct key *out)
{
    struct key key = { .no = no };
    char word[16];
    const char *pem = strstr(text, "-----BEGIN ");
    BIO *bio = pem ? BIO_new_mem_buf(pem, -1) : NULL;
    EVP_PKEY *pair = NULL;
    enum rc rc = RC_CORRUPT;

    if (bio && sscanf(text, "state: %15s since: %" SCNd64, word, &key.since) == 2 &&
        read_state(word, &key.state) && strlen(pem) < sizeof key.secret)
        pair = key.state == RETIRED ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL)
                                    : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    if (pair && !(rc = set_public(e, pair, &key)) && key.state != RETIRED)
        strcpy(key.secret, pem);
    EVP_PKEY_free(pair);
    BIO_free(bio);
    if (rc)
        return err_set(e, RC_CORRUPT,
                       "keys/jwt.%d is no key of ours; restore it from the backup", no);
    *out = key;
    secret_wipe(&key, sizeof key);
    return RC_OK;
}

static enum rc load(const struct jwt_keys *k, struct err *e, int no, struct key *out)
{
    char path[4096], text[FILE_MAX + 1];
    size_t n;
    enum rc rc;

    path_of(k, no, path, sizeof path);
    AUTO(fclosep) FILE *in = fopen(path, "re");
    if (!in)
        return err_errno(e, "open %s", path);
    n = fread(text, 1, FILE_MAX, in);
    text[n] = '\0';
    rc = parse(e, no, text, out);
    secret_wipe(text, sizeof text);
    return rc;
}

/* ---- the ring ---- */

static int by_number(const void *a, const void *b)
{
    const int *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static enum rc load_all(struct jwt_keys *k, struct err *e)
{
    DIR *dir = opendir(k->dir);
    int no[KEYS_MAX], n = 0, end = 0;
    struct dirent *d;
    enum rc rc = RC_OK;

    if (!dir)
        return err_errno(e, "open %s", k->dir);
    while ((d = readdir(dir)) && !rc) {
        if (sscanf(d->d_name, "jwt.%9d%n", &no[n < KEYS_MAX ? n : 0], &end) != 1 ||
            d->d_name[end])
            continue;
        if (n == KEYS_MAX)
            rc = err_set(e, RC_CORRUPT, "there are more than %d files keys/jwt.N", KEYS_MAX);
        n += n < KEYS_MAX;
    }
    closedir(dir);
    qsort(no, (size_t)n, sizeof *no, by_number);
    for (int i = 0; i < n && !rc; i++)
        if (!(rc = load(k, e, no[i], &k->ring->key[i])))
            k->ring->n++;
    return rc;
}

static struct key *newest(struct ring *r, enum state state)
{
    struct key *found = NULL;

    for (int i = 0; i < r->n; i++)
        if (r->key[i].state == state)
            found = &r->key[i];
    return found;
}

static enum rc add(const struct jwt_keys *k, struct err *e, struct ring *r, enum state state,
                   int64_t since)
{
    struct key *key = &r->key[r->n];
    enum rc rc;

    if (r->n == KEYS_MAX)
        return err_set(e, RC_FULL, "there are %d keys already", KEYS_MAX);
    if ((rc = make(e, r->n ? key[-1].no + 1 : 1, state, since, key)) || (rc = save(k, e, key)))
        return rc;
    r->n++;
    return RC_OK;
}

/* The key is in its next state since then, here and on disk. */
static enum rc move(const struct jwt_keys *k, struct err *e, struct key *key, enum state state,
                    int64_t since)
{
    struct key next = *key;
    enum rc rc;

    next.state = state;
    next.since = since;
    if (state == RETIRED)
        secret_wipe(next.secret, sizeof next.secret);
    if (!(rc = save(k, e, &next)))
        *key = next;
    secret_wipe(&next, sizeof next);
    return rc;
}

static enum rc forget(const struct jwt_keys *k, struct err *e, struct ring *r, int i)
{
    char path[4096];

    path_of(k, r->key[i].no, path, sizeof path);
    if (unlink(path))
        return err_errno(e, "remove %s", path);
    memmove(&r->key[i], &r->key[i + 1], (size_t)(--r->n - i) * sizeof r->key[0]);
    secret_wipe(&r->key[r->n], sizeof r->key[0]);
    return fs_sync_dir(e, k->dir);
}

/* ---- what is due ---- */

static enum rc correct_times(const struct jwt_keys *k, struct err *e, struct ring *r,
                             int64_t now)
{
    enum rc rc = RC_OK;

    for (int i = 0; i < r->n && !rc; i++)
        if (r->key[i].since > now)
            rc = move(k, e, &r->key[i], r->key[i].state, now);
    return rc;
}

static enum rc drop_old(const struct jwt_keys *k, struct err *e, struct ring *r, int64_t now)
{
    enum rc rc = RC_OK;

    for (int i = r->n - 1; i >= 0 && !rc; i--)
        if (r->key[i].state == RETIRED && now - r->key[i].since >= k->times.keep)
            rc = forget(k, e, r, i);
    return rc;
}

/* All that sign but the newest retire. */
static enum rc retire_older(const struct jwt_keys *k, struct err *e, struct ring *r)
{
    struct key *signs = newest(r, SIGNING);
    enum rc rc = RC_OK;

    for (int i = 0; i < r->n && !rc; i++)
        if (r->key[i].state == SIGNING && &r->key[i] != signs)
            rc = move(k, e, &r->key[i], RETIRED, signs->since);
    return rc;
}

static enum rc step(const struct jwt_keys *k, struct err *e, struct ring *r, int64_t now)
{
    struct key *upcoming, *signs;
    enum rc rc;

    if ((rc = correct_times(k, e, r, now)) || (rc = drop_old(k, e, r, now)))
        return rc;
    upcoming = newest(r, UPCOMING);
    if (upcoming && now - upcoming->since >= k->times.show &&
        (rc = move(k, e, upcoming, SIGNING, now)))
        return rc;
    if ((rc = retire_older(k, e, r)))
        return rc;
    signs = newest(r, SIGNING);
    if (!signs)
        return add(k, e, r, SIGNING, now);
    if (!newest(r, UPCOMING) && now - signs->since >= k->times.sign - k->times.show)
        return add(k, e, r, UPCOMING, now);
    return RC_OK;
}

/* What a step did stands on disk even if a later one failed: it counts. */
static enum rc change(struct jwt_keys *k, struct err *e,
                      enum rc (*fn)(const struct jwt_keys *, struct err *, struct ring *,
                                    int64_t))
{
    struct ring *next = sodium_malloc(sizeof *next);
    enum rc rc;

    if (!next)
        return err_set(e, RC_INTERNAL, "no locked memory for keys");
    *next = *k->ring;
    rc = fn(k, e, next, clock_now());
    pthread_mutex_lock(&k->lock);
    *k->ring = *next;
    pthread_mutex_unlock(&k->lock);
    sodium_free(next);
    return rc;
}

enum rc jwt_keys_tick(struct jwt_keys *k, struct err *e)
{
    return change(k, e, step);
}

static enum rc add_upcoming(const struct jwt_keys *k, struct err *e, struct ring *r,
                            int64_t now)
{
    if (newest(r, UPCOMING))
        return err_set(e, RC_CONFLICT, "a new key waits already to be known long enough");
    return add(k, e, r, UPCOMING, now);
}

enum rc jwt_keys_rotate(struct jwt_keys *k, struct err *e)
{
    return change(k, e, add_upcoming);
}

/* ---- from outside ---- */

enum rc jwt_keys_open(struct err *e, const char *data, const struct jwt_times *times,
                      struct jwt_keys **out)
{
    struct jwt_keys *k = calloc(1, sizeof *k);
    struct buf dir = BUF_HEAP;
    enum rc rc;

    assert(times->show < times->sign);
    if (sodium_init() < 0 || !k || !(k->ring = sodium_malloc(sizeof *k->ring)))
        abort();
    k->ring->n = 0;
    k->times = *times;
    pthread_mutex_init(&k->lock, NULL);
    buf_printf(&dir, "%s/keys", data);
    k->dir = dir.p;
    if ((rc = fs_mkdirs(e, k->dir, 0700)) || (rc = load_all(k, e)) ||
        (rc = jwt_keys_tick(k, e))) {
        jwt_keys_close(k);
        return rc;
    }
    *out = k;
    return RC_OK;
}

void jwt_keys_close(struct jwt_keys *k)
{
    if (!k)
        return;
    sodium_free(k->ring);
    pthread_mutex_destroy(&k->lock);
    free(k->dir);
    free(k);
}

const char *jwt_keys_set(struct jwt_keys *k, struct arena *mem)
{
    struct buf out = BUF_IN(mem);

    buf_adds(&out, "{\"keys\":[");
    pthread_mutex_lock(&k->lock);
    for (int i = 0; i < k->ring->n; i++) {
        buf_adds(&out, i ? "," : "");
        buf_adds(&out, k->ring->key[i].member);
    }
    pthread_mutex_unlock(&k->lock);
    buf_adds(&out, "]}");
    return out.p;
}

struct jwk *jwt_keys_public(struct jwt_keys *k, struct arena *mem, int *n)
{
    struct jwk *out = arena_alloc(mem, KEYS_MAX * sizeof *out);

    pthread_mutex_lock(&k->lock);
    for (int i = 0; i < k->ring->n; i++)
        out[i] = k->ring->key[i].public;
    *n = k->ring->n;
    pthread_mutex_unlock(&k->lock);
    return out;
}

void jwt_keys_signing(struct jwt_keys *k, char kid[JWS_NAME_MAX + 1],
                      char secret[JWT_SECRET_MAX])
{
    const struct key *signs;

    pthread_mutex_lock(&k->lock);
    signs = newest(k->ring, SIGNING);
    memcpy(kid, signs->public.kid, JWS_NAME_MAX + 1);
    memcpy(secret, signs->secret, JWT_SECRET_MAX);
    pthread_mutex_unlock(&k->lock);
}
