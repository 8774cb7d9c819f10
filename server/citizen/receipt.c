/*
 * receipt.c - seven lines, the last of which signs the others.
 */
#include "server/citizen/receipt.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "server/base/secret.h"

static uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
static uint8_t secret_key[crypto_sign_SECRETKEYBYTES];

static const char LINE[] = "signature ";

enum { SIGNATURE_TEXT = 2 * crypto_sign_BYTES };

enum rc receipt_load(struct err *e, const char *dir)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    char path[4096];
    enum rc rc;

    if (snprintf(path, sizeof path, "%s/receipt.key", dir) >= (int)sizeof path)
        return err_set(e, RC_INVALID, "the path %.100s... is too long", dir);
    if ((rc = secret_load_or_make(e, path, seed, sizeof seed)))
        return rc;
    crypto_sign_seed_keypair(public_key, secret_key, seed);
    secret_wipe(seed, sizeof seed);
    return RC_OK;
}

void receipt_forget(void)
{
    secret_wipe(secret_key, sizeof secret_key);
    memset(public_key, 0, sizeof public_key);
}

char *receipt_key(char out[HASH_TEXT])
{
    return hex_text(public_key, sizeof public_key, out);
}

const char *receipt_sign(struct work *w, const struct receipt *r)
{
    char id[ID_TEXT], hash[HASH_TEXT], hex[SIGNATURE_TEXT + 1];
    uint8_t signature[crypto_sign_BYTES];
    const char *said = arena_printf(w->mem,
                                    "tjzw letter receipt 1\nindex %" PRId64
                                    "\nnumber %s\nletter %s\nhash %s\ntime %" PRId64 "\n",
                                    r->index, r->number, id_text(&r->letter, id),
                                    hex_text(r->hash, HASH_BYTES, hash), r->time);

    crypto_sign_detached(signature, NULL, (const uint8_t *)said, strlen(said), secret_key);
    return arena_printf(w->mem, "%s%s%s\n", said, LINE,
                        hex_text(signature, sizeof signature, hex));
}

bool receipt_holds(const char *text, const uint8_t key[HASH_BYTES])
{
    size_t n = strlen(text), tail = sizeof LINE - 1 + SIGNATURE_TEXT + 1;
    uint8_t signature[crypto_sign_BYTES];
    const char *line = text + n - tail;

    return n > tail && text[n - 1] == '\n' && line[-1] == '\n' &&
           !memcmp(line, LINE, sizeof LINE - 1) &&
           hex_parse(line + sizeof LINE - 1, SIGNATURE_TEXT, signature, sizeof signature) &&
           !crypto_sign_verify_detached(signature, (const uint8_t *)text, n - tail, key);
}

/* Whatever we signed has its lines in order and its numbers whole. */
bool receipt_read(struct work *w, const char *text, struct receipt *out)
{
    char number[RECEIPT_NUMBER_MAX + 1], id[ID_TEXT], hash[HASH_TEXT];
    struct receipt r;

    if (!receipt_holds(text, public_key) ||
        sscanf(text,
               "tjzw letter receipt 1\nindex %18" SCNd64
               "\nnumber %24s\nletter %36s\nhash %64s\ntime %18" SCNd64 "\n",
               &r.index, number, id, hash, &r.time) != 5 ||
        !id_parse(id, strlen(id), &r.letter) ||
        !hex_parse(hash, strlen(hash), r.hash, sizeof r.hash))
        return false;
    r.number = arena_strdup(w->mem, number);
    *out = r;
    return true;
}
