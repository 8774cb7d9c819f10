/*
 * receipt.h - the city's signed word that it received a letter, and when: verified by anybody, offline, with one public key.
 *
 *     tjzw letter receipt 1\n
 *     index INDEX\n             1, 2, 3 … of all letters of this server; a gap is a restore
 *     number NUMBER\n           JB2026-000123
 *     letter UUID\n
 *     hash SHA256\n             of the canonical JSON of what was sent (docs/protocol/sync.md section 9), 64 hex digits
 *     time SECONDS\n            since 1970 UTC, when it was received
 *     signature HEX\n           Ed25519 of all bytes before this line, 128 hex digits
 *
 * The key is DATA/keys/receipt.key, a seed of 32 bytes; its public half is published (GET /v1/receipts/key).
 */
#ifndef CITIZEN_RECEIPT_H
#define CITIZEN_RECEIPT_H

#include "server/base/id.h"
#include "server/base/work.h"

enum { RECEIPT_NUMBER_MAX = 24, RECEIPT_TEXT_MAX = 500 };

struct receipt {
    int64_t index, time;
    const char *number;
    struct id letter;
    uint8_t hash[HASH_BYTES];
};

/* Reads `dir`/receipt.key, or makes it. Before the threads start. */
enum rc receipt_load(struct err *e, const char *dir);
void receipt_forget(void);              /* wipes; nothing is fine */
char *receipt_key(char out[HASH_TEXT]); /* the public key in hex */

/* The text, in w->mem. */
const char *receipt_sign(struct work *w, const struct receipt *r);
/* One that this server signed; false: it is none. Its number is in w->mem. */
bool receipt_read(struct work *w, const char *text, struct receipt *out);
/* Whether the text is a receipt that this key (32 bytes) signed. */
bool receipt_holds(const char *text, const uint8_t key[HASH_BYTES]);

#endif
