/*
 * keybag.h - the keys alone, in one file that a passphrase opens.
 *
 *     "tjzw keybag 1\n" | salt 16 | header 24 | frames
 *     frame   length of what follows, 4 bytes big-endian | a message of libsodium's secretstream (XChaCha20-Poly1305)
 *     message length of the name 1 | name | the file's bytes; the last message is empty and has the tag FINAL
 *     key     argon2id13( passphrase, salt ), 3 passes over 256 MB
 *
 * The file's beginning is bound to the first message. So nothing can be changed, exchanged or cut off unseen.
 */
#ifndef IDENTITY_KEYBAG_H
#define IDENTITY_KEYBAG_H

#include "server/base/buf.h"

enum { KEYBAG_PASSPHRASE_MIN = 12, KEYBAG_KEY = 32, KEYBAG_MAX = 1 << 24 };

struct keybag_file {
    const char *name;
    const char *bytes;
    size_t n;
};

/* RC_INVALID: the passphrase is too short. */
enum rc keybag_close(struct err *e, const struct keybag_file *files, int n,
                     const char *passphrase, struct buf *out);
/* RC_CORRUPT: another passphrase, or not what was closed. */
enum rc keybag_open(struct err *e, struct arena *mem, const void *bag, size_t n,
                    const char *passphrase, struct keybag_file **out, int *out_n);
/* The same with the key at hand: for a fuzzer, which cannot wait for argon2id. */
enum rc keybag_open_with(struct err *e, struct arena *mem, const void *bag, size_t n,
                         const uint8_t key[KEYBAG_KEY], struct keybag_file **out, int *out_n);
enum rc keybag_close_with(struct err *e, const struct keybag_file *files, int n,
                          const uint8_t salt[16], const uint8_t key[KEYBAG_KEY],
                          struct buf *out);

#endif
