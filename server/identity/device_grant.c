/*
 * device_grant.c - one row a device that waits.
 *
 * 20^8 user codes: with a thousand that wait, a guess meets one in 25 million. Guesses count against the rate limit, an answer needs somebody
 * who has signed in; and who meets one has allowed a stranger's device to be himself, not the other way round.
 */
#include "server/identity/device_grant.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/secret.h"
#include "server/identity/opaque.h"
#include "server/store/db.h"

static const char prefix[] = "tod_", letters[] = "BCDFGHJKLMNPQRSTVWXZ";

enum { LETTERS = sizeof letters - 1, HALF = USER_CODE / 2 };

/* Each letter is as likely: of 256 values those above the last whole 20 are thrown away. */
static char draw(void)
{
    enum { WHOLE = 256 / LETTERS * LETTERS };
    uint8_t r;

    do
        secret_random(&r, sizeof r);
    while (r >= WHOLE);
    return letters[r % LETTERS];
}

static void make_user_code(char out[USER_CODE_TEXT])
{
    for (int i = 0; i < USER_CODE; i++)
        out[i + (i >= HALF)] = draw();
    out[HALF] = '-';
    out[USER_CODE_TEXT - 1] = '\0';
}

bool device_user_code(const char *typed, char out[USER_CODE_TEXT])
{
    char code[USER_CODE_TEXT];
    int n = 0;

    for (const char *p = typed; *p; p++) {
        char upper = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;

        if (*p == ' ' || *p == '-')
            continue;
        if (n == USER_CODE || !strchr(letters, upper))
            return false;
        code[n + (n >= HALF)] = upper;
        n++;
    }
    if (n < USER_CODE)
        return false;
    code[HALF] = '-';
    code[USER_CODE_TEXT - 1] = '\0';
    memcpy(out, code, sizeof code);
    return true;
}

enum rc device_grant_make(struct work *w, int64_t party, unsigned scopes, int level,
                          char device[DEVICE_CODE_TEXT], char user[USER_CODE_TEXT])
{
    uint8_t hash[HASH_BYTES];

    opaque_make(prefix, device, DEVICE_CODE_TEXT);
    opaque_hash(device, hash);
    make_user_code(user);
    return db_run(w, SQL_device_grant_add, "btiiiii", hash, sizeof hash, user, party,
                  (int64_t)scopes, (int64_t)level, clock_now(), (int64_t)DEVICE_GRANT_PAUSE);
}

static void read_row(const struct rows *q, struct device_grant *out)
{
    *out = (struct device_grant){ .party = rows_int(q, 0),
                                  .scopes = (unsigned)rows_int(q, 1),
                                  .level = (int)rows_int(q, 2),
                                  .made = rows_int(q, 3),
                                  .state = (enum device_state)rows_int(q, 4),
                                  .pause = rows_int(q, 5),
                                  .asked = rows_int(q, 6),
                                  .person = { .account = rows_int(q, 7),
                                              .kind = (enum session_kind)rows_int(q, 8),
                                              .level = (int)rows_int(q, 9),
                                              .proofs = (unsigned)rows_int(q, 10),
                                              .authenticated = rows_int(q, 11) } };
}

enum rc device_grant_by_user(struct work *w, const char *user, struct device_grant *out)
{
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_device_grant_by_user, &q, "ti", user,
                      clock_now() - DEVICE_GRANT_LIFE)))
        read_row(&q, out);
    end = rows_done(&q);
    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no such code, or it is over");
    return rc ? rc : end;
}

enum rc device_grant_answer(struct work *w, const char *user, const struct grant_person *p)
{
    static const struct grant_person nobody = { 0 };
    enum device_state state = p ? DEVICE_ALLOWED : DEVICE_REFUSED;
    enum rc rc;

    p = p ? p : &nobody;
    rc = db_change(w, SQL_device_grant_answer, "tiiiiiii", user,
                   clock_now() - DEVICE_GRANT_LIFE, (int64_t)state, p->account,
                   (int64_t)p->kind, (int64_t)p->level, (int64_t)p->proofs, p->authenticated);
    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no such code, or it is over");
    return rc;
}

enum rc device_grant_find(struct work *w, const char *device, struct device_grant *out)
{
    uint8_t hash[HASH_BYTES];
    struct rows q;
    enum rc rc, end;

    opaque_hash(device, hash);
    if (!(rc = db_one(w, SQL_device_grant_by_hash, &q, "b", hash, sizeof hash)))
        read_row(&q, out);
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc device_grant_asked(struct work *w, const char *device, const struct device_grant *g,
                           bool *soon)
{
    int64_t now = clock_now(), pause = g->pause;
    uint8_t hash[HASH_BYTES];
    enum rc rc;

    *soon = now >= g->asked && now - g->asked < pause;
    if (*soon)
        pause += DEVICE_GRANT_PAUSE;
    opaque_hash(device, hash);
    rc = db_change(w, SQL_device_grant_asked, "bii", hash, sizeof hash, now, pause);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc device_grant_drop(struct work *w, const char *device)
{
    uint8_t hash[HASH_BYTES];

    opaque_hash(device, hash);
    return db_change(w, SQL_device_grant_drop, "b", hash, sizeof hash);
}
