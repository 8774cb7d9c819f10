/*
 * secret.c - over libsodium.
 */
#include "server/base/secret.h"

#include <string.h>

#include <sodium.h>

#include "server/base/fs.h"

static enum rc load(struct err *e, const char *path, uint8_t *out, size_t n)
{
    AUTO(fclosep) FILE *in = fopen(path, "rb");

    if (!in)
        return err_errno(e, "open %s", path);
    if (fread(out, 1, n, in) != n || fgetc(in) != EOF)
        return err_set(e, RC_CORRUPT,
                       "%s should hold exactly %zu bytes; restore it from the backup", path, n);
    return RC_OK;
}

enum rc secret_load_or_make(struct err *e, const char *path, uint8_t *out, size_t n)
{
    enum rc rc;

    if (fs_exists(path))
        return load(e, path, out, n);
    randombytes_buf(out, n);
    if ((rc = fs_write(e, path, out, n, 0600)))
        sodium_memzero(out, n);
    return rc;
}

void secret_mac(const uint8_t *key, const void *p, size_t n, uint8_t out[32])
{
    if (crypto_generichash(out, 32, p, n, key, key ? SECRET_BYTES : 0))
        __builtin_trap(); /* only wrong lengths fail, and they are constants */
}

bool secret_equal(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

void secret_random(void *out, size_t n)
{
    randombytes_buf(out, n);
}

void secret_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}
