/*
 * reseal.h - what older keys sealed, sealed anew with the newest, so that they can be retired.
 *
 * In the background, some hundred values a transaction. Every value says which key it needs, so what was cut off by a restart begins anew and
 * passes over what is done.
 */
#ifndef IDENTITY_RESEAL_H
#define IDENTITY_RESEAL_H

#include "server/base/seal.h"

struct reseal_state {
    bool running;
    int64_t done, failed; /* values; of this run, or of the last */
};

struct reseal_needs {
    int64_t values, audit; /* that need the key; rows of the audit log that do */
};

/* On the writer. One that runs begins anew. */
void reseal_begin(struct work *w);
struct reseal_state reseal_state(void); /* on any thread */
void reseal_tick(struct db *db, void *unused);

/* By the key's number. Reads whole tables. */
enum rc reseal_needs(struct work *w, struct reseal_needs out[SEAL_KEYS_MAX + 1]);
/*
 * The key's file is needed no more, and is removed after the COMMIT. RC_NOT_FOUND; RC_CONFLICT: it seals, or something needs it. On
 * the writer.
 */
enum rc reseal_retire(struct work *w, const char *dir, const char *name);

#endif
