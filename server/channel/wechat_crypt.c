/*
 * wechat_crypt.c - by OpenSSL and libsodium; the padding is ours, because it goes to 32 bytes and not to the cipher's 16.
 */
#include "server/channel/wechat_crypt.h"

#include <assert.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

#include "server/base/memory.h"
#include "server/base/secret.h"

enum { KEY_TEXT = 43, RANDOM = 16, LENGTH = 4, BLOCK = 32, IV = 16 };

bool wechat_key(const char *text, uint8_t out[static WECHAT_KEY])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char padded[KEY_TEXT + 2];
    uint8_t bytes[WECHAT_KEY + 1];

    if (strlen(text) != KEY_TEXT || strspn(text, letters) != KEY_TEXT)
        return false;
    memcpy(padded, text, KEY_TEXT);
    padded[KEY_TEXT] = '=';
    padded[KEY_TEXT + 1] = '\0';
    /* Its last character may say two bits that are in no byte, which libsodium would refuse and WeChat does not look at. */
    if (EVP_DecodeBlock(bytes, (const uint8_t *)padded, KEY_TEXT + 1) != WECHAT_KEY + 1)
        return false;
    memcpy(out, bytes, WECHAT_KEY);
    secret_wipe(bytes, sizeof bytes);
    secret_wipe(padded, sizeof padded);
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void wechat_sign(const char *const *parts, int n, char out[static WECHAT_SIGNATURE])
{
    const char *sorted[WECHAT_PARTS_MAX];
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    uint8_t sum[20];

    assert(n <= WECHAT_PARTS_MAX);
    for (int i = 0; i < n; i++)
        sorted[i] = parts[i] ? parts[i] : "";
    qsort(sorted, (size_t)n, sizeof *sorted, by_bytes);
    if (!c || !EVP_DigestInit_ex(c, EVP_sha1(), NULL))
        memory_end();
    for (int i = 0; i < n; i++)
        EVP_DigestUpdate(c, sorted[i], strlen(sorted[i]));
    EVP_DigestFinal_ex(c, sum, NULL);
    EVP_MD_CTX_free(c);
    sodium_bin2hex(out, WECHAT_SIGNATURE, sum, sizeof sum);
}

bool wechat_signed(const char *const *parts, int n, const char *signature)
{
    char good[WECHAT_SIGNATURE];

    wechat_sign(parts, n, good);
    return signature && strlen(signature) == WECHAT_SIGNATURE - 1 &&
           secret_equal(good, signature, WECHAT_SIGNATURE - 1);
}

/* In place would do for CBC; OpenSSL wants it said. */
static bool cipher(const uint8_t key[static WECHAT_KEY], bool closes, const uint8_t *in,
                   size_t n, uint8_t *out)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int got = 0;
    bool good;

    if (!c)
        memory_end();
    good = EVP_CipherInit_ex(c, EVP_aes_256_cbc(), NULL, key, key, closes) &&
           EVP_CIPHER_CTX_set_padding(c, 0) && EVP_CipherUpdate(c, out, &got, in, (int)n) &&
           got == (int)n;
    EVP_CIPHER_CTX_free(c);
    return good;
}

static uint32_t read_length(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* How many bytes stand before the padding; 0: it is none. */
static size_t unpadded(const uint8_t *p, size_t n)
{
    size_t pad = p[n - 1];

    if (pad < 1 || pad > BLOCK || pad > n)
        return 0;
    for (size_t i = n - pad; i < n; i++)
        if (p[i] != pad)
            return 0;
    return n - pad;
}

char *wechat_open(struct arena *mem, const uint8_t key[static WECHAT_KEY], const char *app,
                  const char *message, size_t n, size_t *text_n)
{
    uint8_t *sealed = arena_alloc(mem, n + 1), *plain = arena_alloc(mem, n + 1);
    size_t sealed_n, plain_n, length, app_n = strlen(app);

    if (sodium_base642bin(sealed, n, message, n, " \r\n\t", &sealed_n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) ||
        !sealed_n || sealed_n % IV || sealed_n > INT32_MAX ||
        !cipher(key, false, sealed, sealed_n, plain))
        return NULL;
    plain_n = unpadded(plain, sealed_n);
    if (plain_n < RANDOM + LENGTH)
        return NULL;
    length = read_length(plain + RANDOM);
    if (length > plain_n - RANDOM - LENGTH || plain_n - RANDOM - LENGTH - length != app_n ||
        memcmp(plain + RANDOM + LENGTH + length, app, app_n))
        return NULL;
    *text_n = length;
    return arena_strndup(mem, (char *)plain + RANDOM + LENGTH, length);
}

void wechat_close(struct buf *out, const uint8_t key[static WECHAT_KEY], const char *app,
                  const char *text, size_t n)
{
    size_t app_n = strlen(app), whole = RANDOM + LENGTH + n + app_n,
           pad = BLOCK - whole % BLOCK;
    struct buf plain = BUF_HEAP;
    uint8_t head[RANDOM + LENGTH], *sealed = malloc(whole + pad);

    if (!sealed)
        memory_end();
    secret_random(head, RANDOM);
    for (int i = 0; i < LENGTH; i++)
        head[RANDOM + i] = (uint8_t)(n >> (24 - 8 * i));
    buf_add(&plain, head, sizeof head);
    buf_add(&plain, text, n);
    buf_add(&plain, app, app_n);
    for (size_t i = 0; i < pad; i++)
        buf_addc(&plain, (char)pad);
    if (!cipher(key, true, (uint8_t *)plain.p, plain.n, sealed))
        memory_end();
    buf_base64(out, sealed, plain.n);
    buf_done(&plain);
    free(sealed);
}
