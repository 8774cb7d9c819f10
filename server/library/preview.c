/*
 * preview.c - a link that carries its own permission, so nothing need be stored or looked up.
 *
 *     base64url( version 1 | item 16 | revision 8 | expiry 8 | mac 32 )   integers big-endian
 *
 * mac = BLAKE2b-256 keyed with DATA/keys/preview.key over the 33 bytes before it. It names the
 * revision: a link to a draft never shows what was written later. Who wants all links to end
 * removes the key file and restarts.
 */
#include "server/library/preview.h"

#include <stdio.h>
#include <string.h>

#include "server/base/be64.h"
#include "server/base/clock.h"

enum { VERSION = 1, SIGNED = 1 + ID_BYTES + 8 + 8, WHOLE = SIGNED + SECRET_BYTES };

enum rc preview_key_load(struct err *e, const char *dir, struct preview_key *out)
{
    char path[4096];

    if ((size_t)snprintf(path, sizeof path, "%s/preview.key", dir) >= sizeof path)
        return err_set(e, RC_INVALID, "the path of the key directory is too long");
    return secret_load_or_make(e, path, out->b, sizeof out->b);
}

enum rc preview_make(struct err *e, const struct preview_key *key, const struct id *item,
                     int64_t rev, int64_t seconds, char out[PREVIEW_TEXT])
{
    uint8_t token[WHOLE] = { VERSION };

    if (seconds < 1 || seconds > PREVIEW_LIFETIME_MAX)
        return err_field(e, "seconds", "a preview lives 1 to %d seconds", PREVIEW_LIFETIME_MAX);
    memcpy(token + 1, item->b, ID_BYTES);
    be64_put(token + 1 + ID_BYTES, rev);
    be64_put(token + 1 + ID_BYTES + 8, clock_now() + seconds);
    secret_mac(key->b, token, SIGNED, token + SIGNED);
    if (b64url_text(token, sizeof token, out, PREVIEW_TEXT) < 0)
        return err_set(e, RC_INTERNAL, "a preview link does not fit");
    return RC_OK;
}

enum rc preview_check(struct err *e, const struct preview_key *key, const char *text,
                      struct id *item, int64_t *rev)
{
    uint8_t token[WHOLE], mac[SECRET_BYTES];
    size_t n = strnlen(text, PREVIEW_TEXT);

    if (b64url_parse(text, n, token, sizeof token) != WHOLE || token[0] != VERSION)
        return err_set(e, RC_NOT_FOUND, "this is not one of our preview links");
    secret_mac(key->b, token, SIGNED, mac);
    if (!secret_equal(mac, token + SIGNED, sizeof mac))
        return err_set(e, RC_NOT_FOUND, "this is not one of our preview links");
    if (be64_get(token + 1 + ID_BYTES + 8) <= clock_now())
        return err_set(e, RC_GONE, "this preview link has expired");
    memcpy(item->b, token + 1, ID_BYTES);
    *rev = be64_get(token + 1 + ID_BYTES);
    return RC_OK;
}
