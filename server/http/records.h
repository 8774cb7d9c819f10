/*
 * records.h - the records of one TLS connection, counted before they are decrypted: what they carry reaches the guard only later, or never.
 */
#ifndef HTTP_RECORDS_H
#define HTTP_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

enum {
    RECORD_SMALL = 256,         /* octets of a record that carries next to nothing */
    RECORDS_SMALL_MAX = 2048,   /* of these in one turn of the loop */
    RECORDS_GREETING_MAX = 128, /* records of a handshake */
    RECORDS_KEYS_MAX = 4,       /* KeyUpdates in the life of a connection */
};

enum record_word {
    RECORD_GREETING, /* a record before the handshake is through */
    RECORD_DATA,     /* one after that */
    RECORD_KEY,      /* a KeyUpdate */
    RECORD_RESUMED,  /* the end of a handshake that a ticket has shortened */
};

/* One connection's; all 0 at its beginning. */
struct record_meter {
    uint32_t greeting, small, keys;
};

/* `n`: octets of the record. False: it is one too many. */
bool record_meter_take(struct record_meter *m, enum record_word word, size_t n);
/* The loop has come round: what came until now has been read. */
void record_meter_turn(struct record_meter *m);

/* All connections of `ctx` that libh2o has are counted by their guards from now on. */
void records_watch(SSL_CTX *ctx);

#endif
