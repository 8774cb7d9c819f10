/*
 * upstream_book.h - what an upstream publishes about itself: where it is asked (OpenID Connect Discovery), and the keys that it signs with.
 *
 *     kept for an hour, then asked for again when somebody signs in
 *     a key that is not there: asked for at once, but at most once a minute
 *
 * All on any thread; what is taken out is copied.
 */
#ifndef IDENTITY_UPSTREAM_BOOK_H
#define IDENTITY_UPSTREAM_BOOK_H

#include <jansson.h>

#include "server/identity/jwk.h"
#include "server/identity/upstream.h"

enum { BOOK_LIFE = 3600, BOOK_PAUSE = 60 }; /* seconds */

void upstream_book_close(void); /* forgets all */

/* False: they are not known, or for too long, and must be fetched from *url. In `mem`. */
bool upstream_book_where(const struct upstream *u, struct arena *mem,
                         struct upstream_endpoints *out, const char **url);
/* Its discovery document. RC_INVALID: it is not this upstream's. */
enum rc upstream_book_learn(struct err *e, const struct upstream *u, const json_t *document);

/* False: the set that is known is too old, or has none of this kid (NULL: not said) and was not fetched within a minute: fetch it. */
bool upstream_book_keys(const struct upstream *u, struct arena *mem, const char *kid,
                        struct jwk **out, int *n);
enum rc upstream_book_learn_keys(struct err *e, const struct upstream *u, const char *text,
                                 size_t n);

#endif
