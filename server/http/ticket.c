/*
 * ticket.c - two keys and the hour in which the newer one was made.
 *
 *     ticket: name (16 bytes) | IV (16) | AES-256-CBC | HMAC-SHA-256       as OpenSSL has it
 *
 * A ticket of the newer key is good, one of the older is good and gets a fresh one in exchange, any other means a whole handshake.
 */
#include "server/http/ticket.h"

#include <pthread.h>
#include <string.h>

#include <openssl/core_names.h>

#include "server/base/clock.h"
#include "server/base/secret.h"

struct key {
    unsigned char name[16], aes[32], hmac[32];
    int64_t made; /* 0: there is none */
};

static struct {
    pthread_mutex_t lock;
    struct key now, before;
} tickets = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* A clock that was set back makes new keys. */
static bool younger(const struct key *k, int64_t seconds)
{
    int64_t age = clock_now() - k->made;

    return k->made && age >= 0 && age < seconds;
}

/* Under the lock. */
static void turn(void)
{
    if (younger(&tickets.now, TICKET_KEY_S))
        return;
    tickets.before = tickets.now;
    secret_random(tickets.now.name, sizeof tickets.now.name);
    secret_random(tickets.now.aes, sizeof tickets.now.aes);
    secret_random(tickets.now.hmac, sizeof tickets.now.hmac);
    tickets.now.made = clock_now();
}

static struct key current(void)
{
    struct key k;

    pthread_mutex_lock(&tickets.lock);
    turn();
    k = tickets.now;
    pthread_mutex_unlock(&tickets.lock);
    return k;
}

/* The key of a name: 1 the current one, 2 the one before, 0 none. */
static int find(const unsigned char name[16], struct key *out)
{
    int which = 0;

    pthread_mutex_lock(&tickets.lock);
    turn();
    if (!memcmp(name, tickets.now.name, 16))
        which = 1;
    else if (younger(&tickets.before, 2 * TICKET_KEY_S) &&
             !memcmp(name, tickets.before.name, 16))
        which = 2;
    *out = which == 2 ? tickets.before : tickets.now;
    pthread_mutex_unlock(&tickets.lock);
    return which;
}

static bool set_keys(const struct key *k, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seal)
{
    unsigned char hmac[sizeof k->hmac];
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, hmac, sizeof hmac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()
    };
    bool done;

    memcpy(hmac, k->hmac, sizeof hmac);
    done = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->aes, iv, seal) &&
           EVP_MAC_CTX_set_params(mac, params);
    secret_wipe(hmac, sizeof hmac);
    return done;
}

/* OpenSSL's question (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)): 1 good, 2 good but renew, 0 unknown, -1 failure. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seal)
{
    struct key k;
    int which = 1;

    (void)ssl;
    if (seal) {
        k = current();
        memcpy(name, k.name, sizeof k.name);
        secret_random(iv, (size_t)EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()));
    } else {
        which = find(name, &k);
    }
    if (which && !set_keys(&k, iv, cipher, mac, seal))
        which = -1;
    secret_wipe(&k, sizeof k);
    return which;
}

bool ticket_install(SSL_CTX *ctx)
{
    SSL_CTX_set_timeout(ctx, TICKET_KEY_S);
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}
