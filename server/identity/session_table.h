/*
 * session_table.h - all live sessions in memory, so that a token is checked without a database.
 *
 * For any thread; nobody waits longer than a few instructions of another take. Filled at the start and then changed
 * only after a COMMIT, on the writer's thread (session.c).
 */
#ifndef IDENTITY_SESSION_TABLE_H
#define IDENTITY_SESSION_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct session_pass { /* an access token */
    uint8_t hash[32];
    int64_t ends; /* seconds */
};

struct session_entry {
    int64_t id, account, party;
    int64_t acting, opener; /* an organisation, and the session that began it; 0: none */
    unsigned scopes, proofs;
    int kind, level;
    uint64_t machine;      /* of staff: the number of its device */
    int64_t authenticated; /* seconds: when he proved who he is */
    struct session_pass
        pass[2];          /* the newest, and the one before: requests overtake an exchange */
    int64_t idle, ends;   /* seconds it may rest; when it ends in any case */
    int64_t used, stored; /* seconds: last use, and as the database knows it */
    int64_t generation;   /* of the newest refresh token */
    int64_t
        exchanged_us; /* when it was given out, by clock_mono_us(); 0: before this process began */
};

/* `use_at` is now in seconds: the session counts as used. False: there is no such session, no such pass in it, or it is
 * over. */
bool session_table_check(int64_t id, const uint8_t hash[32], int64_t use_at,
                         struct session_entry *out);
bool session_table_get(int64_t id, struct session_entry *out);
void session_table_put(
    const struct session_entry *e); /* in the place of the one with its number */
void session_table_drop(int64_t id);
void session_table_empty(void);
/* Calls fn for each; fn may change `stored` and nothing else. False from fn ends it. */
void session_table_each(bool (*fn)(void *arg, struct session_entry *e), void *arg);
int64_t session_over(const struct session_entry *e); /* when it ends if nothing more comes */

#endif
