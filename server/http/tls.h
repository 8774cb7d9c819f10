/*
 * tls.h - the certificate and how TLS is spoken: 1.2 and 1.3, h2 and http/1.1 by ALPN, session
 * tickets.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <openssl/ssl.h>

#include "server/base/err.h"

/*
 * A certificate chain and its key from PEM files. With both paths "" a self-signed one stands
 * in `keys_dir` (tls-cert.pem, tls-key.pem; made there on the first run, and again when it has
 * expired). The caller frees it with SSL_CTX_free().
 */
enum rc tls_open(struct err *e, const char *cert, const char *key, const char *keys_dir,
                 SSL_CTX **out);

/* When the first certificate of a PEM file ends. RC_NOT_FOUND, RC_INVALID (it holds none). */
enum rc tls_expiry(struct err *e, const char *cert, int64_t *out);

/* When the certificate of a context ends. */
int64_t tls_end(const SSL_CTX *ctx);

#endif
