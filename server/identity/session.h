/*
 * session.h - a signed-in device: which account uses it, until when, and the tokens it carries.
 *
 * Tokens go out once and are kept as hashes. docs/identity.md, "Tokens and sessions", says why they look so.
 */
#ifndef IDENTITY_SESSION_H
#define IDENTITY_SESSION_H

#include "server/base/work.h"
#include "server/identity/bearer.h"

enum session_kind { SESSION_CITIZEN, SESSION_STAFF };

enum {
    SESSION_ACCESS_LIFE = 900, /* seconds that an access token lives */
    SESSION_REPEAT_MS =
        10000,               /* a lost answer to an exchange may be fetched again for so long */
    SESSION_DEVICE_MAX = 80, /* bytes of a device's name */
    SESSIONS_PER_ACCOUNT = 50 /* one more ends the one that was used least lately */
};

struct session_new {
    int64_t account; /* above 0 */
    enum session_kind kind;
    int level;          /* acr 1 to 4: how well it is known who this is */
    const char *device; /* as its owner would know it again: "华为 Mate 60" */
};

struct session {
    int64_t id, account;
    enum session_kind kind;
    int level;
    const char *device;
    int64_t created, authenticated, used,
        ends; /* seconds; ends: if nothing more is heard of it */
};

struct session_tokens {
    char access[BEARER_TEXT], refresh[BEARER_TEXT];
    int64_t seconds; /* that the access token still lives */
};

/* Who speaks, as memory knows it. */
struct session_now {
    int64_t id, account;
    enum session_kind kind;
    int level;
    int64_t authenticated;
};

/* Reads all that live into memory. `key` is keys/token; it is copied. */
enum rc session_load(struct work *w, const uint8_t key[32]);

/* ---- on the writer, inside its transaction ---- */

enum rc session_open(struct work *w, const struct session_new *n, int64_t *id,
                     struct session_tokens *out);

enum session_answer {
    SESSION_EXCHANGED, /* *out are the next */
    SESSION_REPEATED,  /* … the same as before: the answer was lost, or two asked at once */
    SESSION_REUSED, /* the token had been used: its session has ended now. Must be committed */
    SESSION_UNKNOWN /* never ours, or its session is over */
};

/* `now_us`: clock_mono_us(). */
enum rc session_exchange(struct work *w, const char *refresh, int64_t now_us,
                         enum session_answer *how, struct session_tokens *out);
/* RC_NOT_FOUND unless it is one of this account. */
enum rc session_end(struct work *w, int64_t account, int64_t id);
enum rc session_end_all(struct work *w, int64_t account, int64_t but); /* `but` 0: really all */

/* ---- anywhere ---- */

/* Whose access token this is. It counts as used. */
bool session_check(const char *access, struct session_now *out);
/* Those of an account, the one used last first; in w->mem. */
enum rc session_list(struct work *w, int64_t account, struct session **out, int *n);

/* On the writer's thread, about once a minute: writes down when sessions were used, removes what is over. */
void session_tick(struct db *db, void *arg);

#endif
