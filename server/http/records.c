/*
 * records.c - what TLS makes us do for octets that are no bytes of a connection.
 *
 *     kernel --all that is there--> libh2o --SSL_read()--> OpenSSL: record, record, KeyUpdate, record …
 *                                                            |  each told here, before it is decrypted
 *                                                   guard: fine, or the end --> SSL_read() says so at once
 *
 * libh2o decrypts all that lies in the kernel in one go, for every socket that is ready, and only then the guard sees bytes. A record of
 * one byte costs a microsecond, new keys (27 octets) ten, and the loop stands still meanwhile. So small records are
 * counted by the turn, new keys by the connection, and what is small the client pays for besides (guard.c).
 *
 * A connection is ended from within SSL_read(): OpenSSL believes that the peer has said goodbye, decrypts the one record it is at, and
 * reads no further.
 */
#include "server/http/records.h"

#include <string.h>

#include <h2o.h>

#include "server/http/guard.h"

bool record_meter_take(struct record_meter *m, enum record_word word, size_t n)
{
    switch (word) {
    case RECORD_GREETING: return ++m->greeting <= RECORDS_GREETING_MAX;
    case RECORD_KEY: return ++m->keys <= RECORDS_KEYS_MAX;
    case RECORD_RESUMED: return true;
    case RECORD_DATA: break;
    }
    m->small += n < RECORD_SMALL;
    return m->small <= RECORDS_SMALL_MAX;
}

void record_meter_turn(struct record_meter *m)
{
    m->small = 0;
}

/* libh2o's own BIO has it. NULL: this is none of its connections. */
static h2o_socket_t *socket_of(const SSL *ssl)
{
    BIO *bio = SSL_get_rbio(ssl);

    return bio && !strcmp(BIO_method_name(bio), "h2o_socket") ? BIO_get_data(bio) : NULL;
}

/* OpenSSL's callback (SSL_CTX_set_msg_callback(3)). */
static void on_message(int written, int version, int kind, const void *bytes, size_t n,
                       SSL *ssl, void *unused)
{
    const uint8_t *p = bytes;
    h2o_socket_t *sock;
    bool fine = true;

    (void)version, (void)unused;
    if (written || !(sock = socket_of(ssl)))
        return;
    if (kind == SSL3_RT_HEADER && n == SSL3_RT_HEADER_LENGTH)
        fine = guard_hear(sock, SSL_is_init_finished(ssl) ? RECORD_DATA : RECORD_GREETING,
                          (size_t)p[3] << 8 | p[4]);
    else if (kind == SSL3_RT_HANDSHAKE && n && p[0] == SSL3_MT_KEY_UPDATE)
        fine = guard_hear(sock, RECORD_KEY, n);
    else if (kind == SSL3_RT_HANDSHAKE && n && p[0] == SSL3_MT_FINISHED &&
             SSL_session_reused(ssl))
        fine = guard_hear(sock, RECORD_RESUMED, n);
    if (!fine)
        SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
}

void records_watch(SSL_CTX *ctx)
{
    SSL_CTX_set_msg_callback(ctx, on_message);
}
