/*
 * keybag.c - argon2id, then a secretstream.
 */
#include "server/identity/keybag.h"

#include <string.h>

#include <sodium.h>

#include "server/base/secret.h"

static const char magic[] = "tjzw keybag 1\n";

enum {
    MAGIC = sizeof magic - 1,
    SALT = crypto_pwhash_SALTBYTES,
    HEADER = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    MORE = crypto_secretstream_xchacha20poly1305_ABYTES,
    BEGIN = MAGIC + SALT + HEADER,
    LENGTH = 4,
    NAME_MAX_ = 64
};

typedef crypto_secretstream_xchacha20poly1305_state stream_state;

static enum rc derive(struct err *e, const char *passphrase, const uint8_t salt[SALT],
                      uint8_t key[KEYBAG_KEY])
{
    if (sodium_init() < 0 ||
        crypto_pwhash(key, KEYBAG_KEY, passphrase, strlen(passphrase), salt,
                      crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE,
                      crypto_pwhash_ALG_ARGON2ID13))
        return err_set(e, RC_INTERNAL, "argon2id needs 256 MB of memory");
    return RC_OK;
}

/* ---- closing ---- */

static void add_frame(stream_state *s, const void *message, size_t n, const struct buf *bound,
                      unsigned char tag, struct buf *out)
{
    size_t sealed_n = n + MORE;
    const uint8_t length[LENGTH] = { (uint8_t)(sealed_n >> 24), (uint8_t)(sealed_n >> 16),
                                     (uint8_t)(sealed_n >> 8), (uint8_t)sealed_n };

    buf_add(out, length, sizeof length);
    buf_reserve(out, sealed_n);
    crypto_secretstream_xchacha20poly1305_push(s, (uint8_t *)out->p + out->n, NULL, message, n,
                                               bound ? (const uint8_t *)bound->p : NULL,
                                               bound ? BEGIN : 0, tag);
    out->n += sealed_n;
}

enum rc keybag_close_with(struct err *e, const struct keybag_file *files, int n,
                          const uint8_t salt[16], const uint8_t key[KEYBAG_KEY],
                          struct buf *out)
{
    uint8_t header[HEADER];
    stream_state s;

    (void)e;
    crypto_secretstream_xchacha20poly1305_init_push(&s, header, key);
    buf_add(out, magic, MAGIC);
    buf_add(out, salt, SALT);
    buf_add(out, header, HEADER);
    for (int i = 0; i < n; i++) {
        struct buf message = BUF_HEAP;

        buf_reserve(&message, 1 + strlen(files[i].name) + files[i].n);
        buf_addc(&message, (char)strlen(files[i].name));
        buf_adds(&message, files[i].name);
        buf_add(&message, files[i].bytes, files[i].n);
        add_frame(&s, message.p, message.n, i ? NULL : out,
                  crypto_secretstream_xchacha20poly1305_TAG_MESSAGE, out);
        secret_wipe(message.p, message.n);
        buf_done(&message);
    }
    add_frame(&s, "", 0, n ? NULL : out, crypto_secretstream_xchacha20poly1305_TAG_FINAL, out);
    secret_wipe(&s, sizeof s);
    return RC_OK;
}

enum rc keybag_close(struct err *e, const struct keybag_file *files, int n,
                     const char *passphrase, struct buf *out)
{
    uint8_t salt[SALT], key[KEYBAG_KEY];
    enum rc rc;

    if (strlen(passphrase) < KEYBAG_PASSPHRASE_MIN)
        return err_set(e, RC_INVALID, "a passphrase has at least %d characters",
                       KEYBAG_PASSPHRASE_MIN);
    secret_random(salt, sizeof salt);
    if ((rc = derive(e, passphrase, salt, key)))
        return rc;
    rc = keybag_close_with(e, files, n, salt, key, out);
    secret_wipe(key, sizeof key);
    return rc;
}

/* ---- opening ---- */

struct reader {
    stream_state s;
    const uint8_t *bag;
    size_t n, at;
    bool bound; /* the first message was read */
};

/* The next message, in `mem`; false if it does not hold. */
static bool take_frame(struct reader *r, struct arena *mem, char **message, size_t *n,
                       unsigned char *tag)
{
    const uint8_t *p = r->bag + r->at;
    unsigned long long opened;
    size_t sealed;

    if (r->n - r->at < LENGTH)
        return false;
    sealed = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (sealed < MORE || sealed > r->n - r->at - LENGTH)
        return false;
    *message = arena_alloc(mem, sealed + 1);
    if (crypto_secretstream_xchacha20poly1305_pull(&r->s, (uint8_t *)*message, &opened, tag,
                                                   p + LENGTH, sealed, r->bound ? NULL : r->bag,
                                                   r->bound ? 0 : BEGIN))
        return false;
    r->bound = true;
    r->at += LENGTH + sealed;
    *n = (size_t)opened;
    return true;
}

static bool take_file(struct arena *mem, const char *message, size_t n, struct keybag_file *out)
{
    size_t name = n ? (uint8_t)message[0] : 0;

    if (!name || name > NAME_MAX_ || 1 + name > n || memchr(message + 1, '/', name) ||
        memchr(message + 1, '\0', name))
        return false;
    *out = (struct keybag_file){ .name = arena_strndup(mem, message + 1, name),
                                 .bytes = message + 1 + name,
                                 .n = n - 1 - name };
    return true;
}

static enum rc not_ours(struct err *e)
{
    return err_set(e, RC_CORRUPT, "this is no backup of keys, or the passphrase is another");
}

enum rc keybag_open_with(struct err *e, struct arena *mem, const void *bag, size_t n,
                         const uint8_t key[KEYBAG_KEY], struct keybag_file **out, int *out_n)
{
    struct reader r = { .bag = bag, .n = n, .at = BEGIN };
    struct buf all = BUF_IN(mem);
    struct keybag_file f;
    unsigned char tag = 0;
    char *message;
    size_t len = 0;

    if (n < BEGIN || memcmp(bag, magic, MAGIC) != 0 ||
        crypto_secretstream_xchacha20poly1305_init_pull(&r.s, r.bag + MAGIC + SALT, key))
        return not_ours(e);
    while (tag != crypto_secretstream_xchacha20poly1305_TAG_FINAL) {
        if (!take_frame(&r, mem, &message, &len, &tag))
            return not_ours(e);
        if (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL)
            break;
        if (!take_file(mem, message, len, &f))
            return not_ours(e);
        buf_add(&all, &f, sizeof f);
    }
    if (r.at != n || len)
        return not_ours(e);
    *out = (struct keybag_file *)(void *)all.p;
    *out_n = (int)(all.n / sizeof f);
    return RC_OK;
}

enum rc keybag_open(struct err *e, struct arena *mem, const void *bag, size_t n,
                    const char *passphrase, struct keybag_file **out, int *out_n)
{
    uint8_t key[KEYBAG_KEY];
    enum rc rc;

    if (n < BEGIN || memcmp(bag, magic, MAGIC) != 0)
        return not_ours(e);
    if ((rc = derive(e, passphrase, (const uint8_t *)bag + MAGIC, key)))
        return rc;
    rc = keybag_open_with(e, mem, bag, n, key, out, out_n);
    secret_wipe(key, sizeof key);
    return rc;
}
