/*
 * keys.h - the keys a publisher signs with, and the chain that proves they are his
 * (docs/protocol/sync.md section 5).
 *
 *     DATA/keys/platform.key           seed of the platform's Ed25519 pair, 32 bytes, mode 0600
 *     DATA/keys/stream-NAME.key        seed of an own stream's
 *     DATA/keys/stream-NAME.sm2.key    its secret key for SM2, if the setting sign_sm2 says so
 *     DATA/keys/chain                  the public chain
 *     DATA/keys/….key.new              a key that is taking the place of another (keys.c)
 *
 * Whoever loses platform.key can never again prove a new key: it belongs into the backup and
 * nowhere else.
 *
 * There is one for all streams of a server. Secrets are used, and the chain grows, on the writer
 * thread only; what others see of it is the chain as it was last shown.
 */
#ifndef SYNC_KEYS_H
#define SYNC_KEYS_H

#include <stdbool.h>

#include "server/base/id.h"
#include "server/base/work.h"
#include "sync/wire.h"

struct keys;

/* Reads or makes the platform key and the chain. RC_CORRUPT if the chain does not hold or is
 * another platform's. */
enum rc keys_open(struct err *e, const char *data, struct keys **out);
void keys_close(struct keys *k); /* wipes; accepts NULL */
/*
 * Reads or makes the key of an own stream, with `sm2` both. One that the chain does not name as
 * current (the first run, or an exchanged key file) is appended to it, signed by the platform key.
 */
enum rc keys_own(struct keys *k, struct err *e, const char *stream, bool sm2);

/*
 * A new key for an own stream (both, if it has two), or for the platform; from now on it signs.
 * After a new platform key the present keys of `streams`, own and mirrored, are signed anew. Whoever calls shows
 * the chain (keys_show) when something that the new key signed is shown. On failure everything is
 * as it was. RC_FULL: the chain has no room for more.
 */
enum rc keys_rotate_stream(struct keys *k, struct err *e, const char *stream);
enum rc keys_rotate_platform(struct keys *k, struct err *e, const char *const *streams, int n);
/*
 * Says that this is the key of a mirrored stream, unless the chain says so already, and shows it. Before the
 * first head that it signed is shown.
 */
struct verify_key;
enum rc keys_vouch(struct keys *k, struct err *e, const char *stream,
                   const struct verify_key *key);

/* From now on everybody sees the chain as it is. */
void keys_show(struct keys *k);
/* The chain as shown, copied into `mem`. Any thread. */
const char *keys_chain(struct keys *k, struct arena *mem, size_t *n);
/* The platform key in hex: what a phone is told to --trust. */
char *keys_trust(struct keys *k, char out[HASH_TEXT]);

/* Appends the own stream's signatures to the note of *n bytes (WIRE_HEAD_MAX of room). */
enum rc keys_sign(struct keys *k, struct err *e, const char *stream, char *note, size_t *n);
/* Whether the stream's present key signed it. */
bool keys_signed(struct keys *k, const char *stream, const struct wire_note *note,
                 const char *text);
/* The same by the platform key, for the list of heads; `room` bytes in all. */
enum rc keys_sign_platform(struct keys *k, struct err *e, char *text, size_t *n, size_t room);
bool keys_signed_platform(const struct keys *k, const struct wire_note *note, const char *text);

#endif
