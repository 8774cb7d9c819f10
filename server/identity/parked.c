/*
 * parked.c - one keyed hash over what a browser carries.
 */
#include "server/identity/parked.h"

#include <string.h>

#include "server/base/be64.h"
#include "server/base/id.h"
#include "server/base/secret.h"

enum { TAG = 16, HEAD = TAG + 8 };

static uint8_t key[SECRET_BYTES];

void parked_set_key(const uint8_t token_key[32])
{
    static const char use[] = "parked requests";

    secret_mac(token_key, use, strlen(use), key);
}

static void tag_of(const uint8_t *raw, size_t n, uint8_t out[TAG])
{
    uint8_t mac[32];

    secret_mac(key, raw + TAG, n - TAG, mac);
    memcpy(out, mac, TAG);
}

enum rc parked_put(struct err *e, struct buf *out, int64_t now, const char *query, size_t n)
{
    uint8_t raw[HEAD + PARKED_QUERY];
    char text[PARKED_TEXT];

    if (n > PARKED_QUERY)
        return err_set(e, RC_TOO_LARGE, "the request has more than %d bytes", PARKED_QUERY);
    be64_put(raw + TAG, now);
    memcpy(raw + HEAD, query, n);
    tag_of(raw, HEAD + n, raw);
    if (b64url_text(raw, HEAD + n, text, sizeof text) < 0)
        return err_set(e, RC_INTERNAL, "a parked request does not fit");
    buf_adds(out, text);
    return RC_OK;
}

enum rc parked_read(struct err *e, struct arena *mem, const char *text, int64_t now,
                    int64_t *since, const char **query)
{
    uint8_t raw[HEAD + PARKED_QUERY], tag[TAG];
    int n = b64url_parse(text, strlen(text), raw, sizeof raw);
    int64_t at;

    if (n >= HEAD)
        tag_of(raw, (size_t)n, tag);
    if (n < HEAD || !secret_equal(tag, raw, TAG))
        return err_set(e, RC_INVALID, "this request was not made here");
    at = be64_get(raw + TAG);
    if (now < at || now - at > PARKED_LIFE)
        return err_set(e, RC_INVALID,
                       "this request is too old: begin again where you came from");
    *since = at;
    *query = arena_strndup(mem, (const char *)raw + HEAD, (size_t)n - HEAD);
    return RC_OK;
}
