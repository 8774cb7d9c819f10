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

#define TLS_LAST "tls-last.pem"
/*
 * For who serves: of a pair that is given and good a copy, key and chain, is kept in `keys_dir`/tls-last.pem (0600). If the pair is no good and
 * *is_kept is true, for it served before, the copy is taken; *is_kept then says whether it was, and the log why.
 */
enum rc tls_open_kept(struct err *e, const char *cert, const char *key, const char *keys_dir,
                      bool *is_kept, SSL_CTX **out);
/* Whether that pair can be used; "" for both can. */
enum rc tls_check(struct err *e, const char *cert, const char *key);

/* When the first certificate of a PEM file ends. RC_NOT_FOUND, RC_INVALID (it holds none). */
enum rc tls_expiry(struct err *e, const char *cert, int64_t *out);

/* When the certificate of a context ends. */
int64_t tls_end(const SSL_CTX *ctx);

#endif
