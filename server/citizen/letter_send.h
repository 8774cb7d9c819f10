/*
 * letter_send.h - what a writer does: sends a letter, adds to it, takes it back, says how well it was answered.
 *
 * On the writer, for the account of w->who, whose level decides which categories are open to it. Each has a UUID that the writer's device drew, and
 * may come any number of times: the second time nothing happens, and the outcome is the same.
 *
 *     RC_INVALID        the value is malformed: field and sentence say where
 *     RC_FORBIDDEN      this writer may not: a guest, or not known well enough
 *     RC_NOT_FOUND      what it names is not here: unit, item, file, letter
 *     RC_CONFLICT       too late, or too early, for that
 *     RC_UNPROCESSABLE  the UUID was used for something else
 *     RC_TOO_MANY       as many letters as a day may have, or as many additions as a day or a letter may
 */
#ifndef CITIZEN_LETTER_SEND_H
#define CITIZEN_LETTER_SEND_H

#include "server/citizen/letter.h"
#include "server/citizen/receipt.h"

/* *receipt: receipt.h. */
enum rc letter_send(struct work *w, const struct id *id, const json_t *value,
                    struct letter *out, const char **receipt);
/* *again: this very act was taken before, and nothing happened. */
enum rc letter_add(struct work *w, const struct id *id, const json_t *value, struct letter *out,
                   bool *again);
enum rc letter_withdraw(struct work *w, const struct id *id, const json_t *value,
                        struct letter *out, bool *again);
enum rc letter_rate(struct work *w, const struct id *id, const json_t *value,
                    struct letter *out, bool *again);

/* The files that a value names: they are there, and its sender's. Not whether there are too many. */
enum rc letter_check_files(struct work *w, const json_t *value);
/* The value of a letter, checked; for letter_import.c too. Sets kind, unit, hidden, public, body, contact, hash. One that brings the receipt for out->id may name an item that is gone, and files that were found infected. */
enum rc letter_read_value(struct work *w, const json_t *value, struct letter *out);
/* What a receipt is given for: the canonical value without `receipt`, in w->mem. */
const char *letter_said(struct work *w, const json_t *value);
/* And its SHA-256. Of any value without fractions. */
void letter_hash(struct work *w, const json_t *value, uint8_t out[HASH_BYTES]);
/* Whether the value brings this server's own receipt for that letter: its `id` and `hash`. */
bool letter_recalls(struct work *w, const json_t *value, const struct letter *l,
                    struct receipt *out);

#endif
