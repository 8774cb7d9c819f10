/*
 * opaque.c - 32 bytes by chance.
 */
#include "server/identity/opaque.h"

#include <string.h>

#include "server/base/secret.h"

void opaque_make(const char *prefix, char *out, size_t room)
{
    uint8_t random[SECRET_BYTES];
    size_t n = strlen(prefix);

    secret_random(random, sizeof random);
    if (n >= room || b64url_text(random, sizeof random, out + n, room - n) < 0)
        __builtin_trap(); /* the lengths are constants */
    memcpy(out, prefix, n);
    secret_wipe(random, sizeof random);
}

void opaque_hash(const char *text, uint8_t out[HASH_BYTES])
{
    secret_mac(NULL, text, strlen(text), out);
}
