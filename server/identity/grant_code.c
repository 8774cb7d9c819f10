/*
 * grant_code.c - rows that live an hour.
 *
 * A code is good for a minute. It is kept longer only in order to know it again: whoever comes with one that was used has stolen it,
 * or was stolen from, and the session it gave ends (RFC 6749 section 4.1.2).
 */
#include "server/identity/grant_code.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/identity/opaque.h"
#include "server/store/db.h"

static const char prefix[] = "toc_";

enum rc grant_code_make(struct work *w, const struct grant_code *g, char out[GRANT_CODE_TEXT])
{
    const struct grant_person *p = &g->person;
    uint8_t hash[HASH_BYTES];

    opaque_make(prefix, out, GRANT_CODE_TEXT);
    opaque_hash(out, hash);
    return db_run(w, SQL_grant_code_add, "biiiiiiitbti", hash, sizeof hash, g->party,
                  p->account, (int64_t)p->kind, (int64_t)p->level, (int64_t)p->proofs,
                  p->authenticated, (int64_t)g->scopes, g->redirect, g->challenge,
                  sizeof g->challenge, g->nonce, clock_now());
}

static void read_row(struct work *w, const struct rows *q, struct grant_code *out)
{
    size_t n;
    const void *challenge = rows_blob(q, 8, &n);

    *out = (struct grant_code){ .party = rows_int(q, 0),
                                .person = { .account = rows_int(q, 1),
                                            .kind = (enum session_kind)rows_int(q, 2),
                                            .level = (int)rows_int(q, 3),
                                            .proofs = (unsigned)rows_int(q, 4),
                                            .authenticated = rows_int(q, 5) },
                                .scopes = (unsigned)rows_int(q, 6),
                                .redirect = rows_dup_text(w, q, 7),
                                .nonce = rows_dup_text(w, q, 9),
                                .made = rows_int(q, 10),
                                .given = rows_int(q, 11) };
    if (challenge && n == sizeof out->challenge)
        memcpy(out->challenge, challenge, n);
}

enum rc grant_code_find(struct work *w, const char *text, struct grant_code *out)
{
    uint8_t hash[HASH_BYTES];
    struct rows q;
    enum rc rc, end;

    opaque_hash(text, hash);
    if (!(rc = db_one(w, SQL_grant_code_by_hash, &q, "b", hash, sizeof hash)))
        read_row(w, &q, out);
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc grant_code_use(struct work *w, const char *text, int64_t session)
{
    uint8_t hash[HASH_BYTES];

    opaque_hash(text, hash);
    return db_change(w, SQL_grant_code_use, "bi", hash, sizeof hash, session);
}
