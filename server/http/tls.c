/*
 * tls.c - one SSL_CTX for all loops.
 *
 * What is spoken is set here and not by the machine's openssl.cnf: TLS 1.2 with ECDHE and an AEAD, or 1.3, of our preference; no
 * renegotiation, no compression, no data before the handshake is through (0-RTT could be sent twice).
 *
 * The self-signed certificate is for the first run and for tests: P-256, valid 825 days (the
 * most that phones accept), for localhost, both loopback addresses and this host's name. The
 * key is written before the certificate; a pair that does not match (a crash in between) is
 * made anew.
 *
 * Of a pair that is given, what was loaded stands in tls-last.pem too, key and chain in one file that is there whole or not at all: files that are being
 * replaced, or were replaced by no good ones, are no reason to serve nobody after a death.
 */
#include "server/http/tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <h2o.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/base/secret.h"
#include "server/http/records.h"
#include "server/http/ticket.h"

enum { DAY = 24 * 60 * 60, DAYS = 825, SERIAL_BYTES = 16, PATH_BYTES = 4096 };

static enum rc fault(struct err *e, const char *what)
{
    char why[160];

    ERR_error_string_n(ERR_get_error(), why, sizeof why);
    ERR_clear_error();
    return err_set(e, RC_INVALID, "%s: %s", what, why);
}

/* ---- a certificate of our own ---- */

static bool add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    bool done;

    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    done = ext && X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    return done;
}

/* A host's name goes into the certificate if it reads like one; a comma in it would add names
 * of its own. */
static void alternative_names(char *out, size_t n)
{
    char host[256] = "";

    gethostname(host, sizeof host - 1);
    if (host[0] &&
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") ==
            strlen(host))
        snprintf(out, n, "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:%s", host);
    else
        snprintf(out, n, "DNS:localhost,IP:127.0.0.1,IP:::1");
}

static bool fill_certificate(X509 *cert, EVP_PKEY *key)
{
    uint8_t serial[SERIAL_BYTES];
    char names[512];
    X509_NAME *name = X509_get_subject_name(cert);
    BIGNUM *number;
    bool done;

    secret_random(serial, sizeof serial);
    serial[0] &= 0x7f;
    number = BN_bin2bn(serial, sizeof serial, NULL);
    done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    alternative_names(names, sizeof names);
    return done && X509_set_version(cert, X509_VERSION_3) && X509_set_pubkey(cert, key) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)"tjzw", -1,
                                      -1, 0) &&
           X509_set_issuer_name(cert, name) &&
           ASN1_TIME_set(X509_getm_notBefore(cert), clock_now() - DAY) &&
           ASN1_TIME_set(X509_getm_notAfter(cert), clock_now() + (int64_t)DAYS * DAY - DAY) &&
           add_extension(cert, NID_subject_alt_name, names) &&
           add_extension(cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(cert, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
           add_extension(cert, NID_ext_key_usage, "serverAuth") &&
           X509_sign(cert, key, EVP_sha256());
}

static enum rc write_pem(struct err *e, const char *path, X509 *cert, EVP_PKEY *key)
{
    BIO *mem = BIO_new(BIO_s_mem());
    char *pem = NULL;
    bool done = mem && (cert ? PEM_write_bio_X509(mem, cert)
                             : PEM_write_bio_PrivateKey(mem, key, NULL, NULL, 0, NULL, NULL));
    long n = done ? BIO_get_mem_data(mem, &pem) : 0;
    enum rc rc = done ? fs_write(e, path, pem, (size_t)n, 0600) : fault(e, "write a PEM file");

    if (pem && n > 0)
        secret_wipe(pem, (size_t)n);
    BIO_free(mem);
    return rc;
}

static enum rc make_certificate(struct err *e, const char *cert_path, const char *key_path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    enum rc rc;

    if (!key || !cert || !fill_certificate(cert, key))
        rc = fault(e, "make a certificate");
    else if (!(rc = write_pem(e, key_path, NULL, key)))
        rc = write_pem(e, cert_path, cert, NULL);
    X509_free(cert);
    EVP_PKEY_free(key);
    return rc;
}

/* ---- the context ---- */

static enum rc load(struct err *e, SSL_CTX *ctx, const char *cert, const char *key)
{
    char what[256];

    snprintf(what, sizeof what, "the certificate %s", cert);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        return fault(e, what);
    snprintf(what, sizeof what, "the key %s of the certificate %s", key, cert);
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1)
        return fault(e, what);
    return RC_OK;
}

static bool has_expired(SSL_CTX *ctx)
{
    time_t tomorrow = clock_now() + DAY;

    return X509_cmp_time(X509_get0_notAfter(SSL_CTX_get0_certificate(ctx)), &tomorrow) <= 0;
}

static enum rc load_own(struct err *e, SSL_CTX *ctx, const char *dir)
{
    char cert[PATH_BYTES], key[PATH_BYTES];
    struct err unused;
    enum rc rc;

    if (snprintf(cert, sizeof cert, "%s/tls-cert.pem", dir) >= PATH_BYTES ||
        snprintf(key, sizeof key, "%s/tls-key.pem", dir) >= PATH_BYTES)
        return err_set(e, RC_INVALID, "the path %.100s… is too long", dir);
    if (fs_exists(cert) && !load(&unused, ctx, cert, key) && !has_expired(ctx))
        return RC_OK;
    if ((rc = fs_mkdirs(e, dir, 0700)) || (rc = make_certificate(e, cert, key)))
        return rc;
    return load(e, ctx, cert, key);
}

/* No P-384: a handshake with it costs ten times one with X25519, and nobody needs it. */
static const char groups[] = "X25519:P-256";
static const char signatures[] = "ed25519:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+"
                                 "SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
                                 "RSA+SHA256:RSA+SHA384:RSA+SHA512";

static bool settle(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    /* Ten thousand phones that are connected and silent: without it each holds 16 KB more. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets carry the state */
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_security_level(
        ctx, 2); /* 112 bits: a certificate with 1,024 bits of RSA is refused */
    h2o_ssl_register_alpn_protocols(ctx, h2o_alpn_protocols);
    records_watch(ctx);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
           SSL_CTX_set_session_id_context(ctx, (const uint8_t *)"tjzw", 4) &&
           SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") &&
           SSL_CTX_set1_groups_list(ctx, groups) &&
           SSL_CTX_set1_sigalgs_list(ctx, signatures) && ticket_install(ctx);
}

static enum rc new_context(struct err *e, SSL_CTX **out)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (!ctx || !settle(ctx)) {
        SSL_CTX_free(ctx);
        return fault(e, "set up TLS");
    }
    *out = ctx;
    return RC_OK;
}

enum rc tls_open(struct err *e, const char *cert, const char *key, const char *keys_dir,
                 SSL_CTX **out)
{
    SSL_CTX *ctx;
    enum rc rc;

    if (!*cert != !*key)
        return err_set(e, RC_INVALID, "tls_cert and tls_key should be set together");
    if ((rc = new_context(e, &ctx)))
        return rc;
    rc = *cert ? load(e, ctx, cert, key) : load_own(e, ctx, keys_dir);
    if (rc)
        SSL_CTX_free(ctx);
    else
        *out = ctx;
    return rc;
}

enum rc tls_check(struct err *e, const char *cert, const char *key)
{
    SSL_CTX *ctx;
    enum rc rc;

    if (!*cert && !*key)
        return RC_OK;
    if (!(rc = tls_open(e, cert, key, "", &ctx)))
        SSL_CTX_free(ctx);
    return rc;
}

/* ---- the last good pair ---- */

static bool put_pair(BIO *out, SSL_CTX *ctx)
{
    STACK_OF(X509) *chain = NULL;
    bool done = PEM_write_bio_PrivateKey(out, SSL_CTX_get0_privatekey(ctx), NULL, NULL, 0, NULL,
                                         NULL) &&
                PEM_write_bio_X509(out, SSL_CTX_get0_certificate(ctx)) &&
                SSL_CTX_get0_chain_certs(ctx, &chain);

    for (int i = 0; done && i < sk_X509_num(chain); i++)
        done = PEM_write_bio_X509(out, sk_X509_value(chain, i));
    return done;
}

/* A full disk keeps nobody from being served with the pair itself. */
static void keep(SSL_CTX *ctx, const char *keys_dir)
{
    BIO *mem = BIO_new(BIO_s_mem());
    char path[PATH_BYTES], *pem = NULL;
    struct err e = { 0 };
    bool done = mem && put_pair(mem, ctx);
    long n = done ? BIO_get_mem_data(mem, &pem) : 0;
    enum rc rc;

    if (!done)
        rc = fault(&e, "write the pair");
    else if (snprintf(path, sizeof path, "%s/" TLS_LAST, keys_dir) >= PATH_BYTES)
        rc = err_set(&e, RC_INVALID, "its path is too long");
    else
        rc = fs_write(&e, path, pem, (size_t)n, 0600);
    if (pem && n > 0)
        secret_wipe(pem, (size_t)n);
    if (rc)
        LOG(LOG_WARN, "certificate_not_kept", L_STR("why", e.text));
    BIO_free(mem);
}

static bool load_kept(const char *keys_dir, SSL_CTX **out)
{
    char path[PATH_BYTES];
    struct err unused = { 0 };
    SSL_CTX *ctx;

    if (snprintf(path, sizeof path, "%s/" TLS_LAST, keys_dir) >= PATH_BYTES ||
        !fs_exists(path) || new_context(&unused, &ctx))
        return false;
    if (load(&unused, ctx, path, path)) {
        SSL_CTX_free(ctx);
        return false;
    }
    *out = ctx;
    return true;
}

enum rc tls_open_kept(struct err *e, const char *cert, const char *key, const char *keys_dir,
                      bool *is_kept, SSL_CTX **out)
{
    bool may = *is_kept;
    enum rc rc = tls_open(e, cert, key, keys_dir, out);

    *is_kept = rc && may && *cert && *key && load_kept(keys_dir, out);
    if (*is_kept)
        LOG(LOG_ERROR, "not_reloaded", L_STR("reason", e->text));
    else if (!rc && *cert)
        keep(*out, keys_dir);
    return *is_kept ? RC_OK : rc;
}

/* 0 for a time that is none. */
static int64_t end_of(const X509 *cert)
{
    struct tm end;

    return cert && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) ? timegm(&end) : 0;
}

int64_t tls_end(const SSL_CTX *ctx)
{
    return end_of(SSL_CTX_get0_certificate(ctx));
}

enum rc tls_expiry(struct err *e, const char *cert, int64_t *out)
{
    AUTO(fclosep) FILE *in = fopen(cert, "r");
    X509 *first;
    int64_t end;

    if (!in)
        return err_errno(e, "open %s", cert);
    first = PEM_read_X509(in, NULL, NULL, NULL);
    end = end_of(first);
    X509_free(first);
    if (!end)
        return err_set(e, RC_INVALID, "%s holds no certificate", cert);
    *out = end;
    return RC_OK;
}
