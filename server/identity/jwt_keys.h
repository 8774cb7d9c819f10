/*
 * jwt_keys.h - the keys that sign our statements, and the key set that others verify them with.
 *
 *     DATA/keys/jwt.N     mode 0600:  "state: signing\nsince: 1763712000\n" and a PEM
 *
 * The clock alone moves them on (jwt_keys_tick); nobody has to remember it.
 */
#ifndef IDENTITY_JWT_KEYS_H
#define IDENTITY_JWT_KEYS_H

#include "server/identity/jwk.h"

struct jwt_keys;

struct jwt_times {
    int64_t show; /* seconds a key stands in the key set before it signs */
    int64_t sign; /* seconds it signs */
    int64_t keep; /* seconds it stays in the key set afterwards */
};

enum {
    /* The longest life of a statement. An ID token tells of a sign-in that has just been; whoever
     * wants to know more later asks again. */
    JWT_LIFETIME_MAX = 3600,
    JWT_SKEW = 60, /* seconds by which clocks may differ */
};

/*
 * A day: caches of key sets hold for hours, and whoever fetches ours once a day has the key in
 * time. 90 days: often enough that exchanging is routine, and what a thief can do with a copy
 * ends. Afterwards until the last statement has ended, also by a clock that is behind.
 */
extern const struct jwt_times jwt_times_usual;

/* Reads the keys, or makes the first, which signs at once: nobody knows another. */
enum rc jwt_keys_open(struct err *e, const char *data, const struct jwt_times *times,
                      struct jwt_keys **out);
void jwt_keys_close(struct jwt_keys *k); /* wipes; accepts NULL */

/* Moves the keys on to clock_now(). Call it now and then; it writes only when something is due.
 * On one thread; the calls below on any. */
enum rc jwt_keys_tick(struct jwt_keys *k, struct err *e);
/* A new key, shown from now on; it signs when it was shown long enough. RC_CONFLICT: one waits
 * already. On the thread of the tick. */
enum rc jwt_keys_rotate(struct jwt_keys *k, struct err *e);

/* The key set (RFC 7517), in `mem`. */
const char *jwt_keys_set(struct jwt_keys *k, struct arena *mem);
/* The same keys, to verify with; *n of them, in `mem`. */
struct jwk *jwt_keys_public(struct jwt_keys *k, struct arena *mem, int *n);

enum { JWT_SECRET_MAX = 512 }; /* a PEM of a pair on P-256 has 241 */
/* The key that signs now. The caller wipes `secret`. */
void jwt_keys_signing(struct jwt_keys *k, char kid[JWS_NAME_MAX + 1],
                      char secret[JWT_SECRET_MAX]);

#endif
