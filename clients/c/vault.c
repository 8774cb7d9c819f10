/*
 * vault.c - the unsent outbox of somebody who is not here.
 *
 *     text    [{"again":0,"code":…,"detail":…,"key":…,"type":…,"value":…,"written":…},…], the rows of `mutation` in their order
 *     sealed  nonce 24 | XChaCha20-Poly1305 of the text | tag 16     associated data: the account in decimal, '/' and, for a piece of a file, its hash, '/' and its place
 *
 * The key comes with every sign-in of the account and with nothing else (docs/protocol/auth.md, `vault`); it stands in the store while he is here and is wiped when he
 * goes. So whoever has the phone then has nothing that opens it. A server that gives no key keeps nothing here: what was not sent goes, too.
 */
#include "clients/c/vault.h"

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    PLACE_MAX = 160
};

/* ---- the key ---- */

static bool read_key(const char *text, uint8_t key[VAULT_KEY])
{
    size_t n = 0;

    return text &&
           !sodium_base642bin(key, VAULT_KEY, text, strlen(text), NULL, &n, NULL,
                              sodium_base64_VARIANT_URLSAFE_NO_PADDING) &&
           n == VAULT_KEY;
}

enum tjzw_code vault_keep(struct tjzw *t, int64_t person, const char *text,
                          struct tjzw_error *e)
{
    uint8_t key[VAULT_KEY];
    enum tjzw_code rc;

    if (!read_key(text, key))
        return TJZW_OK;
    rc = store_do(t, e, STMT_PERSON_VAULT, "ib", person, (const void *)key, sizeof key);
    sodium_memzero(key, sizeof key);
    return rc;
}

static enum tjzw_code find_key(struct tjzw *t, int64_t person, uint8_t key[VAULT_KEY],
                               bool *any, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_PERSON_VAULT_GET, "i", person);
    enum tjzw_code rc;

    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, any, e)))
        *any = *any && sqlite3_column_bytes(q, 0) == VAULT_KEY;
    if (!rc && *any)
        memcpy(key, sqlite3_column_blob(q, 0), VAULT_KEY);
    store_reset(q);
    return rc;
}

enum tjzw_code vault_fits(struct tjzw *t, int64_t person, const char *text, bool *out,
                          struct tjzw_error *e)
{
    uint8_t told[VAULT_KEY], kept[VAULT_KEY];
    bool any = false;
    enum tjzw_code rc = find_key(t, person, kept, &any, e);

    *out = !any || !read_key(text, told) || !sodium_memcmp(told, kept, VAULT_KEY);
    sodium_memzero(told, sizeof told);
    sodium_memzero(kept, sizeof kept);
    return rc;
}

/* ---- sealing ---- */

static size_t put_place(char out[PLACE_MAX], int64_t account, const char *hash, int64_t place)
{
    return (size_t)snprintf(out, PLACE_MAX, "%" PRId64 "/%s/%" PRId64, account, hash, place);
}

static uint8_t *seal(const uint8_t key[VAULT_KEY], const char *place, size_t place_n,
                     const void *text, size_t text_n, size_t *n)
{
    uint8_t *out = sqlite3_malloc64(NONCE + text_n + TAG);
    unsigned long long sealed;

    if (!out)
        abort();
    randombytes_buf(out, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE, &sealed, text, text_n,
                                               (const uint8_t *)place, place_n, NULL, out, key);
    *n = NONCE + (size_t)sealed;
    return out;
}

/* NULL: it is not what was sealed for that place. NUL-terminated. */
static char *unseal(const uint8_t key[VAULT_KEY], const char *place, size_t place_n,
                    const uint8_t *sealed, size_t sealed_n, size_t *n)
{
    unsigned long long opened = 0;
    char *out;

    if (sealed_n < NONCE + TAG || !(out = sqlite3_malloc64(sealed_n)))
        return NULL;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            (uint8_t *)out, &opened, NULL, sealed + NONCE, sealed_n - NONCE,
            (const uint8_t *)place, place_n, sealed, key)) {
        sqlite3_free(out);
        return NULL;
    }
    out[opened] = '\0';
    *n = (size_t)opened;
    return out;
}

/* ---- files: each piece is opened or sealed in its place ---- */

struct piece {
    char hash[2 * WIRE_HASH + 1];
    int64_t place;
};

/* One piece as it shall be from now on; NULL: as it is. */
static uint8_t *turn(const uint8_t key[VAULT_KEY], bool close, int64_t account,
                     const struct piece *at, sqlite3_stmt *q, size_t *n)
{
    char place[PLACE_MAX];
    size_t place_n = put_place(place, account, at->hash, at->place);
    const uint8_t *bytes = sqlite3_column_blob(q, 2);
    size_t size = (size_t)sqlite3_column_bytes(q, 2);

    return close ? seal(key, place, place_n, bytes, size, n)
                 : (uint8_t *)unseal(key, place, place_n, bytes, size, n);
}

static enum tjzw_code turn_pieces(struct tjzw *t, const uint8_t key[VAULT_KEY], bool close,
                                  int64_t account, int64_t person, struct tjzw_error *e)
{
    struct piece at = { .place = -1 };
    enum tjzw_code rc = TJZW_OK;
    bool any = true;

    while (!rc && any) {
        sqlite3_stmt *q = store_bound(t, e, STMT_PIECE_LIST, "iti", person, at.hash, at.place);
        uint8_t *out = NULL;
        size_t n = 0;

        if (!q)
            return TJZW_STORE;
        if (!(rc = store_step(t, q, &any, e)) && any) {
            snprintf(at.hash, sizeof at.hash, "%s", (const char *)sqlite3_column_text(q, 0));
            at.place = sqlite3_column_int64(q, 1);
            out = turn(key, close, account, &at, q, &n);
        }
        store_reset(q);
        if (!rc && out)
            rc = store_do(t, e, STMT_PIECE_PUT, "itib", person, at.hash, at.place,
                          (const void *)out, n);
        sqlite3_free(out);
    }
    return rc;
}

/* ---- the outbox ---- */

static json_t *text_or_null(sqlite3_stmt *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q, column);

    return text ? json_string(text) : json_null();
}

static enum tjzw_code list(struct tjzw *t, int64_t person, json_t *out, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_MUTATION_LIST, "i", person);
    enum tjzw_code rc;
    bool any;

    if (!q)
        return TJZW_STORE;
    while (!(rc = store_step(t, q, &any, e)) && any)
        json_array_append_new(
            out,
            json_pack("{s:o,s:o,s:o,s:o,s:I,s:o,s:i}", "type", text_or_null(q, 2), "key",
                      text_or_null(q, 3), "value", text_or_null(q, 4), "detail",
                      text_or_null(q, 7), "written", (json_int_t)sqlite3_column_int64(q, 5),
                      "code", text_or_null(q, 6), "again", sqlite3_column_int(q, 8)));
    store_reset(q);
    return rc;
}

enum tjzw_code vault_close(struct tjzw *t, const struct person *p, uint8_t **out, size_t *n,
                           struct tjzw_error *e)
{
    uint8_t key[VAULT_KEY];
    json_t *all = json_array();
    char place[PLACE_MAX], *text;
    bool any = false;
    enum tjzw_code rc;

    if (!(rc = list(t, p->no, all, e)))
        rc = find_key(t, p->no, key, &any, e);
    any = any && json_array_size(all) > 0;
    if (!rc)
        rc = any ? store_do(t, e, STMT_ATTACHMENT_UNSENT, "i", p->no)
                 : store_do(t, e, STMT_ATTACHMENT_WIPE, "i", p->no);
    if (!rc)
        rc = store_do(t, e, STMT_PIECE_WEED, "");
    if (!rc && any && !(rc = turn_pieces(t, key, true, p->account, p->no, e))) {
        text = json_dumps(all, JSON_COMPACT);
        *out = seal(key, place, put_place(place, p->account, "", 0), text, strlen(text), n);
        sodium_memzero(text, strlen(text));
        free(text);
    }
    sodium_memzero(key, sizeof key);
    json_decref(all);
    return rc;
}

static enum tjzw_code write_back(struct tjzw *t, int64_t person, const json_t *all,
                                 struct tjzw_error *e)
{
    enum tjzw_code rc = TJZW_OK;
    const json_t *m;
    size_t i;

    json_array_foreach(all, i, m)
    {
        const char *type = json_string_value(json_object_get(m, "type")),
                   *key = json_string_value(json_object_get(m, "key"));

        if (type && key && !rc)
            rc = store_do(t, e, STMT_MUTATION_PUT_BACK, "itttitti", person, type, key,
                          json_string_value(json_object_get(m, "value")),
                          (int64_t)json_integer_value(json_object_get(m, "written")),
                          json_string_value(json_object_get(m, "code")),
                          json_string_value(json_object_get(m, "detail")),
                          (int64_t)json_integer_value(json_object_get(m, "again")));
    }
    return rc;
}

/* What was sealed, opened; NULL: nothing, or it does not open. */
static enum tjzw_code open_sealed(struct tjzw *t, const struct person *away,
                                  const uint8_t key[VAULT_KEY], json_t **out,
                                  struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_PERSON_SEALED, "i", away->no);
    char place[PLACE_MAX], *text = NULL;
    enum tjzw_code rc;
    bool any = false;
    size_t n = 0;

    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any)
        text = unseal(key, place, put_place(place, away->account, "", 0),
                      sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0), &n);
    store_reset(q);
    *out = text ? json_loadb(text, n, 0, NULL) : NULL;
    sqlite3_free(text);
    return rc;
}

enum tjzw_code vault_open(struct tjzw *t, const struct person *away, const struct person *to,
                          struct tjzw_error *e)
{
    uint8_t key[VAULT_KEY];
    json_t *all = NULL;
    bool any = false;
    enum tjzw_code rc = find_key(t, to->no, key, &any, e);

    if (!rc && any)
        rc = open_sealed(t, away, key, &all, e);
    if (!rc && all && !(rc = turn_pieces(t, key, false, away->account, away->no, e)) &&
        !(rc = person_hand_over(t, away->no, to->no, e)))
        rc = write_back(t, to->no, all, e);
    sodium_memzero(key, sizeof key);
    json_decref(all);
    return rc;
}
