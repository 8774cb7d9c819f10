/*
 * vault.h - what somebody who goes has not sent, sealed until he comes back. Inside libtjzw only.
 */
#ifndef TJZW_VAULT_H
#define TJZW_VAULT_H

#include "clients/c/person.h"

enum { VAULT_KEY = 32 };

/* The key that a sign-in brought (base64url), kept while the person is here. */
enum tjzw_code vault_keep(struct tjzw *t, int64_t person, const char *text,
                          struct tjzw_error *e);
/* *out: the key is the one that is kept, or one of the two is not there. Numbers of accounts may be given to somebody else by a server that was restored; keys are not. */
enum tjzw_code vault_fits(struct tjzw *t, int64_t person, const char *text, bool *out,
                          struct tjzw_error *e);
/*
 * In a transaction: all mutations of a person as one sealed text (sqlite3_free; NULL, 0: there was nothing, or no key), and the files that they name
 * sealed where they are. The rows are still there.
 */
enum tjzw_code vault_close(struct tjzw *t, const struct person *p, uint8_t **out, size_t *n,
                           struct tjzw_error *e);
/* In a transaction: what `away` left becomes `to`'s, who has the key. What does not open is dropped. */
enum tjzw_code vault_open(struct tjzw *t, const struct person *away, const struct person *to,
                          struct tjzw_error *e);

#endif
