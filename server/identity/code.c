/*
 * code.c - how few guesses there are.
 *
 *     asked --> GOOD --(right)--> used
 *                 \--(5 wrong, 5 minutes, a newer one)--> over
 *
 * A guess hits with one in a million. A number gets ten codes in 24 hours and each takes five
 * guesses, so whoever tries for a whole day succeeds with 50 in a million: less than 1 in 10,000,
 * which a test shows. The limits count rows, so a row stays for a day after its code is over
 * (server/retention.def).
 *
 * The phone number is not here, only its blind index, and the code is not here, only
 *
 *     hash = BLAKE2b-256( keys/code, phone 32 | sent 8 | purpose | 0 | digits )
 *
 * A million codes are quickly tried by who has the database; the key, which is not in it, is what
 * stands in the way for the five minutes that matter.
 *
 * Of the five guesses three at most are strangers': who knows nothing but the number could use up all of them, and with each code that its owner
 * asks for again. So the client that asked always has two of its own. (Whose address changes meanwhile is a stranger, and shares the three.)
 *
 * Limits that count what strangers ask for can be used up by strangers: two clients are enough for a
 * number's day. So a device that has signed in to the number's account before has five codes of its own,
 * whatever strangers ask for; on a new one its owner still has a password, a passkey or WeChat.
 */
#include "server/identity/code.h"

#include <stdio.h>
#include <string.h>

#include "server/base/be64.h"
#include "server/base/clock.h"
#include "server/base/secret.h"
#include "server/store/db.h"

enum { DAY = CODE_KEPT, PURPOSE_MAX = 32, HASH = 32, CODES = 1000000 };

static uint8_t key[SECRET_BYTES];

enum rc code_open(struct err *e, const char *keys)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/code", keys);
    return secret_load_or_make(e, path, key, sizeof key);
}

void code_close(void)
{
    secret_wipe(key, sizeof key);
}

static void hash_of(const uint8_t phone[CODE_PHONE], int64_t sent, const char *purpose,
                    const char digits[CODE_DIGITS + 1], uint8_t out[HASH])
{
    uint8_t text[CODE_PHONE + 8 + PURPOSE_MAX + 1 + CODE_DIGITS] = { 0 };
    size_t n = strnlen(purpose, PURPOSE_MAX);

    memcpy(text, phone, CODE_PHONE);
    be64_put(text + CODE_PHONE, sent);
    memcpy(text + CODE_PHONE + 8, purpose, n);
    memcpy(text + CODE_PHONE + 8 + n + 1, digits, CODE_DIGITS);
    secret_mac(key, text, CODE_PHONE + 8 + n + 1 + CODE_DIGITS, out);
    secret_wipe(text, sizeof text);
}

/* Each of the million is as likely: of 2^32 values those above the last whole million are thrown
 * away. */
static void draw(char out[CODE_DIGITS + 1])
{
    enum { WHOLE = UINT32_MAX / CODES }; /* 4294 */
    uint32_t r;

    do
        secret_random(&r, sizeof r);
    while (r >= (uint32_t)WHOLE * CODES);
    snprintf(out, CODE_DIGITS + 1, "%06u", (unsigned)(r % CODES));
    secret_wipe(&r, sizeof r);
}

/* ---- limits ---- */

/* What was sent in the last day. */
struct sent {
    int64_t count, oldest, newest;
};

static enum rc add_up(struct work *w, enum sql sql, const struct code_ask *ask, int64_t now,
                      struct sent *out)
{
    struct rows q;
    enum rc rc, end;

    switch (sql) {
    case SQL_code_of_phone:
        rc = db_one(w, sql, &q, "bi", ask->phone, (size_t)CODE_PHONE, now - DAY);
        break;
    case SQL_code_of_client: rc = db_one(w, sql, &q, "ii", ask->client, now - DAY); break;
    default:
        rc = db_one(w, sql, &q, "ibi", ask->client, ask->phone, (size_t)CODE_PHONE, now - DAY);
    }
    if (!rc)
        *out = (struct sent){ rows_int(&q, 0), rows_int(&q, 1), rows_int(&q, 2) };
    end = rows_done(&q);
    return rc ? rc : end;
}

static const struct limit {
    enum sql sql;
    int64_t most;
    int64_t pause;  /* between two of them; 0: none */
    bool strangers; /* most of what strangers ask for: a known device only waits the pause */
} limits[] = {
    { SQL_code_of_phone, CODE_NUMBER_DAY, CODE_PAUSE, true },
    { SQL_code_of_client, CODE_CLIENT_DAY, 0, true },
    { SQL_code_of_client_and_phone, CODE_CLIENT_NUMBER_DAY, 0, false },
};

static enum rc check_limits(struct work *w, const struct code_ask *ask, int64_t now,
                            int64_t *wait)
{
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct sent sent;
        int64_t until = 0;
        enum rc rc = add_up(w, limits[i].sql, ask, now, &sent);

        if (rc)
            return rc;
        if (sent.count >= limits[i].most && !(ask->known && limits[i].strangers))
            until = sent.oldest + DAY;
        else if (sent.count && now >= sent.newest && now - sent.newest < limits[i].pause)
            until = sent.newest + limits[i].pause;
        if (until) {
            *wait = until > now ? until - now : 1;
            return err_set(&w->err, RC_TOO_MANY, "too many codes were asked for");
        }
    }
    return RC_OK;
}

/* ---- making and checking ---- */

enum rc code_make(struct work *w, const struct code_ask *ask, char out[CODE_DIGITS + 1],
                  int64_t *wait)
{
    int64_t now = clock_now();
    char digits[CODE_DIGITS + 1];
    uint8_t hash[HASH];
    enum rc rc;

    if ((rc = check_limits(w, ask, now, wait)))
        return rc;
    draw(digits);
    hash_of(ask->phone, now, ask->purpose, digits, hash);
    if (!(rc = db_run(w, SQL_code_end, "bt", ask->phone, (size_t)CODE_PHONE, ask->purpose)) &&
        !(rc = db_run(w, SQL_code_add, "btibi", ask->phone, (size_t)CODE_PHONE, ask->purpose,
                      ask->client, hash, sizeof hash, now)))
        memcpy(out, digits, sizeof digits);
    secret_wipe(digits, sizeof digits);
    return rc;
}

struct good {
    int64_t no, sent, client, strange;
    uint8_t hash[HASH];
};

/* RC_NOT_FOUND: there is none. */
static enum rc find_good(struct work *w, const struct code_guess *g, struct good *out)
{
    const void *hash;
    struct rows q;
    size_t n = 0;
    enum rc rc, end;

    rc = db_one(w, SQL_code_good, &q, "btii", g->phone, (size_t)CODE_PHONE, g->purpose,
                clock_now(), (int64_t)CODE_LIFE);
    if (!rc) {
        out->no = rows_int(&q, 0);
        out->sent = rows_int(&q, 1);
        hash = rows_blob(&q, 2, &n);
        if (n == HASH)
            memcpy(out->hash, hash, HASH);
        out->client = rows_int(&q, 3);
        out->strange = rows_int(&q, 4);
    }
    end = rows_done(&q);
    if (!rc && !end && n != HASH)
        return err_set(&w->err, RC_CORRUPT, "a code's hash has another length");
    return rc ? rc : end;
}

enum rc code_check(struct work *w, const struct code_guess *g, bool *right)
{
    struct good good;
    uint8_t hash[HASH];
    bool fits, stranger;
    enum rc rc;

    if ((rc = find_good(w, g, &good)) && rc != RC_NOT_FOUND)
        return rc;
    stranger = !rc && good.client != g->client;
    if (rc || strnlen(g->text, CODE_DIGITS + 1) != CODE_DIGITS ||
        (stranger && good.strange >= CODE_STRANGE)) {
        *right = false;
        return RC_OK;
    }
    hash_of(g->phone, good.sent, g->purpose, g->text, hash);
    fits = secret_equal(hash, good.hash, HASH);
    rc = fits ? db_run(w, SQL_code_end, "bt", g->phone, (size_t)CODE_PHONE, g->purpose)
              : db_run(w, SQL_code_try, "iii", good.no, (int64_t)CODE_TRIES, (int64_t)stranger);
    if (!rc)
        *right = fits;
    return rc;
}
