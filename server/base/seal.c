/*
 * seal.c - the two suites, and the keys behind them.
 *
 *     seal.N --derive--> the keys of both suites, in memory that is locked, guarded and wiped
 *
 * A suite is a row: how long its nonce and tag are, how it seals and opens in place. All else -
 * which key, what is bound, what is said when it does not open - is the same for both.
 *
 * A rotation writes the new key's file, then its place in memory, then the number of keys: who
 * seals meanwhile sees the keys before or after it, whole.
 *
 * Not here: which columns are sealed (account.c and others), the keys' backup (keybag.c).
 */
#include "server/base/seal.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>

#include "server/base/be64.h"
#include "server/base/fs.h"
#include "server/base/secret.h"

enum { HEADER = 3, COLUMN_MAX = 64, BOUND_MAX = HEADER + 8 + COLUMN_MAX, SM3 = 32, SM4 = 16 };
enum { PATH = 4112 };
enum { NONCE_1 = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, NONCE_2 = 16 };
enum { TAG_1 = crypto_aead_xchacha20poly1305_ietf_ABYTES, TAG_2 = SM3 };

struct seal_key {
    bool here;
    uint8_t xchacha[SECRET_BYTES];
    uint8_t sm4[SM3]; /* the first SM4 bytes */
    uint8_t sm3[SM3];
};

static struct {
    struct secrets {
        struct seal_key key[SEAL_KEYS_MAX + 1]; /* by number, from 1 */
        uint8_t index[SECRET_BYTES];
    } * secret;
    atomic_int newest;
    enum seal_suite suite;
    char dir[PATH - 32];
} ring;

/* ---- by OpenSSL ---- */

/* HMAC-SM3 over up to two pieces. */
static bool hmac_sm3(const uint8_t key[SM3], const void *a, size_t a_n, const void *b,
                     size_t b_n, uint8_t out[SM3])
{
    const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                                   (char[]){ "SM3" }, 0),
                                  OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    size_t n;
    bool ok = ctx && EVP_MAC_init(ctx, key, SM3, params) == 1 &&
              EVP_MAC_update(ctx, a, a_n) == 1 && EVP_MAC_update(ctx, b, b_n) == 1 &&
              EVP_MAC_final(ctx, out, &n, SM3) == 1 && n == SM3;

    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    return ok;
}

/* The same in both directions; in place. */
static bool sm4_ctr(const uint8_t key[SM4], const uint8_t nonce[NONCE_2], uint8_t *p, size_t n)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "SM4-CTR", NULL);
    EVP_CIPHER_CTX *ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;
    int done = 0;
    bool ok = ctx && EVP_EncryptInit_ex2(ctx, cipher, key, nonce, NULL) == 1 &&
              EVP_EncryptUpdate(ctx, p, &done, p, (int)n) == 1 && done == (int)n;

    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return ok;
}

/* ---- the suites ---- */

/* What a value is made of, while it is made or opened. */
struct work_piece {
    const struct seal_key *key;
    uint8_t bound[BOUND_MAX];
    size_t bound_n;
    uint8_t *nonce, *bytes; /* the tag stands behind the bytes */
    size_t n;
};

static bool xchacha_close(struct work_piece *p)
{
    unsigned long long n;

    return !crypto_aead_xchacha20poly1305_ietf_encrypt(
        p->bytes, &n, p->bytes, p->n, p->bound, p->bound_n, NULL, p->nonce, p->key->xchacha);
}

static bool xchacha_open(struct work_piece *p)
{
    unsigned long long n;

    return !crypto_aead_xchacha20poly1305_ietf_decrypt(p->bytes, &n, NULL, p->bytes,
                                                       p->n + TAG_1, p->bound, p->bound_n,
                                                       p->nonce, p->key->xchacha);
}

/* Nonce and bytes stand side by side. */
static bool sm4_tag(const struct work_piece *p, uint8_t out[TAG_2])
{
    uint8_t first[8 + BOUND_MAX];

    be64_put(first, (int64_t)p->bound_n);
    memcpy(first + 8, p->bound, p->bound_n);
    return hmac_sm3(p->key->sm3, first, 8 + p->bound_n, p->nonce, NONCE_2 + p->n, out);
}

static bool sm4_close(struct work_piece *p)
{
    return sm4_ctr(p->key->sm4, p->nonce, p->bytes, p->n) && sm4_tag(p, p->bytes + p->n);
}

static bool sm4_open(struct work_piece *p)
{
    uint8_t tag[TAG_2];

    return sm4_tag(p, tag) && secret_equal(tag, p->bytes + p->n, TAG_2) &&
           sm4_ctr(p->key->sm4, p->nonce, p->bytes, p->n);
}

static const struct suite {
    size_t nonce, tag;
    bool (*close)(struct work_piece *p);
    bool (*open)(struct work_piece *p);
} suites[] = {
    [SEAL_XCHACHA] = { NONCE_1, TAG_1, xchacha_close, xchacha_open },
    [SEAL_SM4] = { NONCE_2, TAG_2, sm4_close, sm4_open },
};

static const struct suite *suite_of(int64_t no)
{
    return no == SEAL_XCHACHA || no == SEAL_SM4 ? &suites[no] : NULL;
}

/* ---- the keys ---- */

static bool derive(const uint8_t file[SECRET_BYTES], struct seal_key *out)
{
    static const char one[] = "tjzw seal 1", cipher[] = "tjzw seal 2 cipher",
                      tag[] = "tjzw seal 2 tag";

    secret_mac(file, one, strlen(one), out->xchacha);
    return hmac_sm3(file, cipher, strlen(cipher), "", 0, out->sm4) &&
           hmac_sm3(file, tag, strlen(tag), "", 0, out->sm3);
}

static bool path_of(int no, char out[static PATH])
{
    snprintf(out, PATH, "%s/seal.%d", ring.dir, no);
    return fs_exists(out);
}

/* The file is made if it is not there. */
static enum rc take_key(struct err *e, int no)
{
    uint8_t file[SECRET_BYTES];
    char path[PATH];
    enum rc rc;

    path_of(no, path);
    if ((rc = secret_load_or_make(e, path, file, sizeof file)))
        return rc;
    ring.secret->key[no].here = derive(file, &ring.secret->key[no]);
    if (!ring.secret->key[no].here)
        rc = err_set(e, RC_INTERNAL, "OpenSSL has no HMAC-SM3");
    secret_wipe(file, sizeof file);
    return rc;
}

/* The highest number of a file seal.N; 0: there is none. */
static int newest_file(void)
{
    char path[PATH];
    int newest = 0;

    for (int no = 1; no <= SEAL_KEYS_MAX; no++)
        if (path_of(no, path))
            newest = no;
    return newest;
}

static enum rc load(struct err *e)
{
    char path[PATH];
    int newest = newest_file();
    enum rc rc;

    newest = newest ? newest : 1;
    for (int no = 1; no <= newest; no++)
        if ((path_of(no, path) || no == newest) && (rc = take_key(e, no)))
            return rc;
    snprintf(path, sizeof path, "%s/index", ring.dir);
    if ((rc = secret_load_or_make(e, path, ring.secret->index, sizeof ring.secret->index)))
        return rc;
    atomic_store(&ring.newest, newest);
    return RC_OK;
}

enum rc seal_load(struct err *e, const char *dir, int64_t suite)
{
    enum rc rc;

    if (!suite_of(suite))
        return err_set(e, RC_INVALID,
                       "seal_suite is 1 (XChaCha20-Poly1305) or 2 (SM4-CTR with HMAC-SM3)");
    if (sodium_init() < 0)
        return err_set(e, RC_INTERNAL, "libsodium cannot start");
    seal_forget();
    if (!(ring.secret = sodium_malloc(sizeof *ring.secret)))
        return err_set(e, RC_INTERNAL, "no memory that can be locked for the keys");
    secret_wipe(ring.secret, sizeof *ring.secret);
    ring.suite = (enum seal_suite)suite;
    snprintf(ring.dir, sizeof ring.dir, "%s", dir);
    if ((rc = load(e)))
        seal_forget();
    return rc;
}

void seal_forget(void)
{
    atomic_store(&ring.newest, 0);
    sodium_free(ring.secret);
    ring.secret = NULL;
}

enum rc seal_rotate(struct err *e, int *no)
{
    int next = atomic_load(&ring.newest) + 1;
    enum rc rc;

    if (next > SEAL_KEYS_MAX)
        return err_set(e, RC_FULL, "there are %d keys already", SEAL_KEYS_MAX);
    if ((rc = take_key(e, next)))
        return rc;
    atomic_store(&ring.newest, next);
    *no = next;
    return RC_OK;
}

int seal_newest(void)
{
    return atomic_load(&ring.newest);
}

bool seal_is_newest(const void *sealed, size_t n)
{
    const uint8_t *p = sealed;

    return n >= HEADER && p[0] == ring.suite && (p[1] << 8 | p[2]) == seal_newest();
}

/* ---- sealing and opening ---- */

static void bind(struct work_piece *p, const uint8_t header[HEADER], struct seal_place at)
{
    size_t n = strnlen(at.column, COLUMN_MAX);

    memcpy(p->bound, header, HEADER);
    be64_put(p->bound + HEADER, at.owner);
    memcpy(p->bound + HEADER + 8, at.column, n);
    p->bound_n = HEADER + 8 + n;
}

static enum rc close_with(struct work *w, const struct seal_key *key, int no,
                          struct seal_place at, const void *p, size_t n, uint8_t **out,
                          size_t *out_n)
{
    const struct suite *suite = &suites[ring.suite];
    uint8_t *sealed;
    struct work_piece piece;

    if (n > SEAL_MAX)
        return err_set(&w->err, RC_TOO_LARGE, "%s takes at most %d bytes", at.column, SEAL_MAX);
    sealed = arena_alloc(w->mem, n + SEAL_MORE);
    sealed[0] = (uint8_t)ring.suite;
    sealed[1] = (uint8_t)(no >> 8);
    sealed[2] = (uint8_t)no;
    piece = (struct work_piece){
        .key = key, .nonce = sealed + HEADER, .bytes = sealed + HEADER + suite->nonce, .n = n
    };
    secret_random(piece.nonce, suite->nonce);
    memcpy(piece.bytes, p, n);
    bind(&piece, sealed, at);
    if (!suite->close(&piece)) {
        secret_wipe(sealed, n + SEAL_MORE);
        return err_set(&w->err, RC_INTERNAL, "%s could not be sealed", at.column);
    }
    *out = sealed;
    *out_n = HEADER + suite->nonce + n + suite->tag;
    return RC_OK;
}

enum rc seal_close(struct work *w, struct seal_place at, const void *p, size_t n, uint8_t **out,
                   size_t *out_n)
{
    int no = atomic_load(&ring.newest);

    if (!no)
        return err_set(&w->err, RC_INTERNAL, "there are no keys to seal with");
    return close_with(w, &ring.secret->key[no], no, at, p, n, out, out_n);
}

static enum rc not_ours(struct work *w, struct seal_place at)
{
    return err_set(&w->err, RC_CORRUPT, "%s of %lld is not what was sealed for it", at.column,
                   (long long)at.owner);
}

/* Which suite a value says it has, and the number of its key. */
static enum rc read_header(struct work *w, struct seal_place at, const uint8_t *sealed,
                           size_t n, const struct suite **suite, int *no)
{
    *suite = n ? suite_of(sealed[0]) : NULL;
    if (!*suite || n < HEADER + (*suite)->nonce + (*suite)->tag ||
        n > SEAL_MAX + HEADER + (*suite)->nonce + (*suite)->tag)
        return not_ours(w, at);
    *no = sealed[1] << 8 | sealed[2];
    return RC_OK;
}

struct opened {
    size_t n;
    char text[];
};

static void wipe_opened(void *p)
{
    struct opened *o = p;

    secret_wipe(o->text, o->n);
}

static enum rc open_with(struct work *w, const struct seal_key *key, const struct suite *suite,
                         struct seal_place at, const uint8_t *sealed, size_t n, char **out,
                         size_t *out_n)
{
    struct work_piece piece;
    struct opened *o;

    n -= HEADER;
    o = arena_alloc(w->mem, sizeof *o + n + 1);
    o->n = n;
    memcpy(o->text, sealed + HEADER, n);
    arena_defer(w->mem, wipe_opened, o);
    piece = (struct work_piece){ .key = key,
                                 .nonce = (uint8_t *)o->text,
                                 .bytes = (uint8_t *)o->text + suite->nonce,
                                 .n = n - suite->nonce - suite->tag };
    bind(&piece, sealed, at);
    if (!suite->open(&piece))
        return not_ours(w, at);
    piece.bytes[piece.n] = '\0';
    *out = (char *)piece.bytes;
    *out_n = piece.n;
    return RC_OK;
}

enum rc seal_open(struct work *w, struct seal_place at, const void *sealed, size_t n,
                  char **out, size_t *out_n)
{
    const struct suite *suite;
    int no = 0;
    enum rc rc;

    if ((rc = read_header(w, at, sealed, n, &suite, &no)))
        return rc;
    if (no < 1 || no > atomic_load(&ring.newest) || !ring.secret->key[no].here)
        return err_set(&w->err, RC_CORRUPT,
                       "the key seal.%d that %s of %lld was sealed with is not here", no,
                       at.column, (long long)at.owner);
    return open_with(w, &ring.secret->key[no], suite, at, sealed, n, out, out_n);
}

/* ---- keys of their own ---- */

enum rc seal_close_own(struct work *w, const uint8_t own[static SECRET_BYTES],
                       struct seal_place at, const void *p, size_t n, uint8_t **out,
                       size_t *out_n)
{
    struct seal_key key = { 0 };
    enum rc rc = derive(own, &key) ? close_with(w, &key, 0, at, p, n, out, out_n)
                                   : err_set(&w->err, RC_INTERNAL, "OpenSSL has no HMAC-SM3");

    secret_wipe(&key, sizeof key);
    return rc;
}

enum rc seal_open_own(struct work *w, const uint8_t own[static SECRET_BYTES],
                      struct seal_place at, const void *sealed, size_t n, char **out,
                      size_t *out_n)
{
    const struct suite *suite;
    struct seal_key key = { 0 };
    int no = 0;
    enum rc rc;

    if ((rc = read_header(w, at, sealed, n, &suite, &no)))
        return rc;
    if (no)
        return not_ours(w, at);
    rc = derive(own, &key) ? open_with(w, &key, suite, at, sealed, n, out, out_n)
                           : err_set(&w->err, RC_INTERNAL, "OpenSSL has no HMAC-SM3");
    secret_wipe(&key, sizeof key);
    return rc;
}

void seal_index(const char *kind, const char *value, size_t n, uint8_t out[HASH_BYTES])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, ring.secret->index, SECRET_BYTES, HASH_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)kind, strlen(kind) + 1);
    crypto_generichash_update(&state, (const uint8_t *)value, n);
    crypto_generichash_final(&state, out, HASH_BYTES);
    secret_wipe(&state, sizeof state);
}
