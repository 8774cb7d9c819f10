/*
 * letter.c - a citizen's letters as he sees them: what he wrote, what became of it, and the proof that it was received.
 *
 * His own words stand in the outbox until the letter is taken, and then 90 days among what was taken, with the result (number, receipt); and for good, on all of his phones, in the entry
 * `words`. What became of it is the entry `letter`. The server writes both.
 *
 * A receipt (docs/letters.md section 4) is verified with the server's key for receipts, which is asked for once and kept, and with the words: so it can be shown to anybody, offline.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/entries.h"
#include "clients/c/exchange.h"
#include "clients/c/outbox.h"

enum { SIGNED_LINES = 6, SIGNATURE_HEX = 2 * crypto_sign_BYTES };

/* ---- the key of receipts ---- */

static enum tjzw_code held_key(struct tjzw *t, const char *url,
                               uint8_t out[crypto_sign_PUBLICKEYBYTES], bool *any,
                               struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_RECEIPT_KEY, "t", url);
    enum tjzw_code rc;

    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, any, e)) && *any)
        *any = sqlite3_column_bytes(q, 0) == crypto_sign_PUBLICKEYBYTES;
    if (!rc && *any)
        memcpy(out, sqlite3_column_blob(q, 0), crypto_sign_PUBLICKEYBYTES);
    store_reset(q);
    return rc;
}

enum tjzw_code letter_fetch_key(struct link *l, const struct person *p, struct tjzw_error *e)
{
    struct call c = { .path = "/v1/receipts/key" };
    uint8_t key[crypto_sign_PUBLICKEYBYTES];
    json_t *answer = NULL;
    const char *hex;
    bool any = false;
    enum tjzw_code rc;

    if (!store_any(l->t, STMT_TAKEN_LIST, "i", p->no) &&
        !store_any(l->t, STMT_ENTRY_OF, "it", p->no, "words"))
        return TJZW_OK;
    if ((rc = held_key(l->t, p->url, key, &any, e)) || any)
        return rc;
    if (!(rc = call_make(l, p->url, p->cacert, &c, e)) && c.status == 200 &&
        (answer = call_object(&c, e)) &&
        (hex = json_string_value(json_object_get(answer, "key"))) &&
        wire_unhex(hex, strlen(hex), key, sizeof key))
        rc = store_do(l->t, e, STMT_RECEIPT_KEY_PUT, "tb", p->url, (const void *)key,
                      sizeof key);
    json_decref(answer);
    call_done(&c);
    return rc;
}

/* ---- receipts ---- */

/* The value of "NAME value\n" in a receipt; false: it has no such line, or the value does not fit. */
static bool line_of(const char *receipt, const char *name, char *out, size_t room)
{
    size_t n = strlen(name);

    for (const char *at = receipt; at && *at;
         at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        size_t value = strcspn(at, "\n");

        if (strncmp(at, name, n) != 0 || at[n] != ' ' || value - n - 1 >= room)
            continue;
        snprintf(out, room, "%.*s", (int)(value - n - 1), at + n + 1);
        return true;
    }
    return false;
}

static bool receipt_holds(const char *receipt, const char *id, const char *value,
                          const uint8_t key[crypto_sign_PUBLICKEYBYTES], int64_t *when)
{
    char text[SIGNATURE_HEX + 1], hash_hex[2 * WIRE_HASH + 1];
    const char *end = strstr(receipt, "\nsignature ");
    uint8_t signature[crypto_sign_BYTES], hash[WIRE_HASH];

    crypto_hash_sha256(hash, (const uint8_t *)value, strlen(value));
    wire_hex(hash, sizeof hash, hash_hex);
    if (!end || strncmp(receipt, "tjzw letter receipt 1\n", 22) != 0 ||
        !line_of(receipt, "hash", text, sizeof text) || strcmp(text, hash_hex) != 0 ||
        !line_of(receipt, "letter", text, sizeof text) || strcmp(text, id) != 0 ||
        !line_of(receipt, "time", text, sizeof text))
        return false;
    *when = strtoll(text, NULL, 10);
    return line_of(receipt, "signature", text, sizeof text) &&
           wire_unhex(text, strlen(text), signature, sizeof signature) &&
           crypto_sign_verify_detached(signature, (const uint8_t *)receipt,
                                       (unsigned long long)(end + 1 - receipt), key) == 0;
}

/* ---- one letter, put together ---- */

struct letters {
    struct tjzw *t;
    const struct person *p;
    struct shown_list entries; /* of the type letter */
    struct shown_list words;   /* … and of the type words */
    tjzw_letter_fn *fn;
    void *ctx;
    bool enough;
};

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static const char *value_of(const struct shown_list *list, const char *id)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->at[i].key, id) == 0)
            return list->at[i].value;
    return NULL;
}

static void check_receipt(const struct letters *l, struct tjzw_letter *out)
{
    uint8_t key[crypto_sign_PUBLICKEYBYTES];
    bool any = false;

    out->receipt_state = TJZW_RECEIPT_UNKNOWN;
    if (held_key(l->t, l->p->url, key, &any, NULL) || !any)
        return;
    out->receipt_state = receipt_holds(out->receipt, out->id, out->sent, key, &out->received)
                             ? TJZW_RECEIPT_GOOD
                             : TJZW_RECEIPT_BAD;
}

static void tell(struct letters *l, const char *id, const char *sent, int64_t written,
                 const char *result, const char *code, const char *detail)
{
    const char *state = value_of(&l->entries, id);
    json_t *answer = result ? json_loads(result, 0, NULL) : NULL,
           *entry = state ? json_loads(state, 0, NULL) : NULL;
    struct tjzw_letter letter = { .id = id,
                                  .sent = sent,
                                  .state = state,
                                  .written = written,
                                  .waits = sent && !result && !code,
                                  .code = code,
                                  .detail = detail,
                                  .number = text_of(answer, "number"),
                                  .receipt = text_of(answer, "receipt") };

    if (!letter.number)
        letter.number = text_of(entry, "number");
    letter.received = json_integer_value(json_object_get(entry, "received"));
    if (letter.receipt && sent)
        check_receipt(l, &letter);
    l->enough = !l->fn(l->ctx, &letter);
    json_decref(answer);
    json_decref(entry);
}

/* Those of this phone: `which` gives key, type, value, result, written, code, detail. */
static enum tjzw_code tell_own(struct letters *l, enum stmt which, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(l->t, e, which, "i", l->p->no);
    const char *type;
    enum tjzw_code rc = TJZW_OK;
    bool any;

    if (!q)
        return TJZW_STORE;
    while (!l->enough && !(rc = store_step(l->t, q, &any, e)) && any) {
        type = (const char *)sqlite3_column_text(q, 1);
        if (strcmp(type, "letter.send") == 0)
            tell(l, (const char *)sqlite3_column_text(q, 0),
                 (const char *)sqlite3_column_text(q, 2), sqlite3_column_int64(q, 4),
                 (const char *)sqlite3_column_text(q, 3),
                 (const char *)sqlite3_column_text(q, 5),
                 (const char *)sqlite3_column_text(q, 6));
    }
    store_reset(q);
    return rc;
}

static enum tjzw_code is_own(struct letters *l, const char *id, bool *out, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(l->t, e, STMT_LETTER_OWN, "it", l->p->no, id);
    enum tjzw_code rc;

    if (!q)
        return TJZW_STORE;
    rc = store_step(l->t, q, out, e);
    store_reset(q);
    return rc;
}

/* One that this phone has not written, or does not remember to have: its words are the entry's. */
static void tell_other(struct letters *l, const char *id)
{
    const char *words = value_of(&l->words, id);
    json_t *kept = words ? json_loads(words, 0, NULL) : NULL;

    tell(l, id, text_of(kept, "sent"), 0, words, NULL, NULL);
    json_decref(kept);
}

enum tjzw_code tjzw_letters(struct tjzw *t, tjzw_letter_fn *fn, void *ctx, struct tjzw_error *e)
{
    struct person p;
    struct letters l = { .t = t, .p = &p, .fn = fn, .ctx = ctx };
    enum tjzw_code rc;

    if ((rc = person_here(t, &p, e)) || !p.no)
        return rc;
    if (!(rc = entries_list(t, p.no, "letter", NULL, &l.entries, e)) &&
        !(rc = entries_list(t, p.no, "words", NULL, &l.words, e)) &&
        !(rc = tell_own(&l, STMT_LETTER_WAITING, e)))
        rc = tell_own(&l, STMT_LETTER_TAKEN, e);
    for (size_t i = 0; i < l.entries.n && !rc && !l.enough; i++) {
        bool own = false;

        if (!(rc = is_own(&l, l.entries.at[i].key, &own, e)) && !own)
            tell_other(&l, l.entries.at[i].key);
    }
    entries_free(&l.words);
    entries_free(&l.entries);
    return rc;
}
