/*
 * keys.h - the keys a publisher signs with, and the chain that proves they are his
 * (docs/protocol/sync.md section 5).
 *
 * DATA/keys/platform.key and DATA/keys/stream-NAME.key hold Ed25519 seeds of 32 bytes (mode
 * 0600); DATA/keys/chain the public chain. Whoever loses platform.key can never again prove a
 * new key: it belongs into the backup and nowhere else.
 */
#ifndef SYNC_KEYS_H
#define SYNC_KEYS_H

#include <stdbool.h>

#include "server/base/id.h"
#include "server/base/work.h"
#include "sync/wire.h"

struct keys;

/*
 * Reads or makes keys and chain. A stream key that the chain does not name as current (the
 * first run, or an exchanged key file) is appended, signed by the platform key. RC_CORRUPT if
 * the chain does not hold or is another platform's.
 */
enum rc keys_open(struct err *e, const char *data, const char *stream, struct keys **out);
void keys_close(struct keys *k); /* wipes; accepts NULL */

/* The chain as served; lives as long as the keys. */
const char *keys_chain(const struct keys *k, size_t *n);
/* The first platform key in hex: what a phone is told to --trust. */
char *keys_trust(const struct keys *k, char out[HASH_TEXT]);

/* Appends the stream key's signature to the note of *n bytes (WIRE_HEAD_MAX of room). */
enum rc keys_sign(const struct keys *k, struct err *e, char *note, size_t *n);
/* Whether the stream's present key signed it. */
bool keys_signed(const struct keys *k, const struct wire_note *note, const char *text);

#endif
