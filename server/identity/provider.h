/*
 * provider.h - what the OpenID provider is made of while the server runs: the keys of its statements, and whom it knows.
 */
#ifndef IDENTITY_PROVIDER_H
#define IDENTITY_PROVIDER_H

#include "server/base/arena.h"
#include "server/identity/grant_client.h"
#include "server/identity/jwt_keys.h"

/* Who may ask; from memory, on any thread. */
struct provider_clients {
    bool (*by_id)(struct arena *mem, const char *id, struct grant_client *out);
    bool (*by_number)(struct arena *mem, int64_t party, struct grant_client *out);
    /* Its number if the key is this party's now, else 0; as quick for any other. */
    int64_t (*key_of)(int64_t party, const char *key);
};

/* Reads keys/jwt.N and keys/token, or makes the first. Once, before the first request. */
enum rc provider_open(struct err *e, const char *data, const struct provider_clients *clients);
void provider_close(void); /* nothing is fine */

const struct provider_clients *provider_clients(void);
struct jwt_keys *provider_keys(void);

struct db;
/* The keys move on by the clock. For a writer_tick. */
void provider_tick(struct db *db, void *unused);

#endif
