/*
 * keys_fuzz.c - key chains as a stranger may serve them.
 *
 * Whatever the bytes are: a chain that is believed under a key contains that key's line, and believing it twice says the same. Chains
 * with valid signatures come from the corpus; the engine's mutations mostly break them, which must never crash.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "sync/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *)data;
    uint8_t first[VERIFY_ED25519];
    struct verify_key key, again;
    char hex[2 * VERIFY_ED25519 + 1];
    struct sync_err e;

    if (sodium_init() < 0)
        abort();
    if (verify_keys_first(&e, text, n, first))
        return 0;
    wire_hex(first, sizeof first, hex);
    if (!memmem(data, n, hex, 2 * VERIFY_ED25519))
        abort();
    if (verify_keys_accept(&e, text, n, NULL, 0,
                           first)) /* the first key vouches for all that follows */
        abort();
    if (verify_keys_accept(&e, text, n, text, n, first))
        abort();
    if (!verify_keys_current_of(&e, text, n, first, "stream:main", "sm2", &key) &&
        (key.len != VERIFY_SM2 || strcmp(key.algorithm, "sm2") != 0))
        abort();
    if (verify_keys_current(&e, text, n, first, "stream:main", &key))
        return 0;
    if (verify_keys_current(&e, text, n, first, "stream:main", &again) ||
        memcmp(key.bytes, again.bytes, sizeof key.bytes) != 0)
        abort();
    return 0;
}
