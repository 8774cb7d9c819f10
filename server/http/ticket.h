/*
 * ticket.h - the keys of session tickets: a new one every hour, and what the one before it sealed is still opened.
 *
 * Whoever learns a key can read what was said on connections of TLS 1.2 that were resumed with it. So it lives in
 * memory alone, and opens nothing after two hours. All loops share the keys, and so do certificates that follow each other.
 */
#ifndef HTTP_TICKET_H
#define HTTP_TICKET_H

#include <stdbool.h>

#include <openssl/ssl.h>

enum { TICKET_KEY_S = 3600 }; /* a key seals so long, and opens as long again */

/* Tickets of this context are sealed and opened with our keys; false: OpenSSL refuses. */
bool ticket_install(SSL_CTX *ctx);

#endif
