/*
 * phone.c - between code.c, which counts, and sms.c, which sends.
 */
#include "server/identity/phone.h"

#include <string.h>

#include "server/base/secret.h"
#include "server/identity/account.h"
#include "server/identity/code.h"
#include "server/identity/guess.h"
#include "server/identity/identifier.h"
#include "server/identity/slip.h"
#include "server/identity/sms.h"

const char PHONE_SIGN_IN[] = "sign_in", PHONE_ADD[] = "new_phone";

struct message {
    const char *phone;
    char code[CODE_DIGITS + 1];
};

static void send(void *arg)
{
    struct message *m = arg;

    sms_send(m->phone, m->code);
    secret_wipe(m->code, sizeof m->code);
}

enum rc phone_ask(struct work *w, const struct phone_ask *a, int64_t *wait)
{
    struct message *m = arena_zalloc(w->mem, sizeof *m);
    uint8_t find[HASH_BYTES];
    struct code_ask ask = { find, a->purpose, (int64_t)a->client, a->known };
    enum rc rc;

    if ((rc = sms_check(&w->err, a->phone)))
        return rc;
    identifier_index("phone", a->phone, find);
    rc = code_make(w, &ask, m->code, wait);
    if (rc == RC_TOO_MANY)
        metric_add(METRIC_codes_refused, 1);
    if (rc)
        return rc;
    work_count(w, METRIC_codes_made, 1);
    m->phone = arena_strdup(w->mem, a->phone);
    if (!a->silent)
        work_after_commit(w, send, m);
    return RC_OK;
}

enum rc phone_prove(struct work *w, const struct phone_guess *g, bool *right, int64_t *wait)
{
    struct throttle_guess guess = { THROTTLE_SMS, .client = g->client, .device = g->device };
    uint8_t find[HASH_BYTES];
    const struct code_guess code = { find, g->purpose, g->code,
                                     (int64_t)(g->device ? g->device : g->client) };
    enum rc rc;

    identifier_index("phone", g->phone, find);
    memcpy(&guess.account, find, sizeof guess.account);
    if (guess_take(&guess, wait) != THROTTLE_GO)
        return err_set(&w->err, RC_TOO_MANY, "too many wrong guesses: wait");
    if ((rc = code_check(w, &code, right)))
        guess_was_lost(&guess);
    else if (*right)
        guess_was_right(&guess);
    else
        guess_was_wrong(&guess);
    return rc;
}

/* 0: nobody's. */
static enum rc owner_of(struct work *w, const char *phone, int64_t *owner)
{
    enum rc rc = identifier_owner(w, "phone", phone, owner);

    if (rc != RC_NOT_FOUND)
        return rc;
    *owner = 0;
    return RC_OK;
}

enum rc phone_add(struct work *w, const struct phone_add *a, bool *right, int64_t *joined,
                  int64_t *wait)
{
    const struct phone_guess guess = { a->phone, PHONE_ADD, a->code, a->client, 0 };
    int64_t owner;
    enum rc rc;

    *joined = 0;
    if ((rc = phone_prove(w, &guess, right, wait)) || !*right ||
        (rc = owner_of(w, a->phone, &owner)))
        return rc;
    if (owner && owner != a->account) {
        if (!a->join)
            return err_set(
                &w->err, RC_CONFLICT,
                "another account is found by this phone: join says to make them one");
        if ((rc = account_merge(w, owner, a->account)))
            return rc;
        *joined = owner;
    }
    return identifier_add(w, a->account, "phone", a->phone);
}

enum rc phone_take(struct work *w, const struct phone_add *a, bool *right, struct slip *other,
                   int64_t *wait)
{
    const struct phone_guess guess = { a->phone, PHONE_ADD, a->code, a->client, 0 };
    int64_t owner;
    enum rc rc;

    *other = (struct slip){ .kind = SLIP_JOIN };
    if ((rc = phone_prove(w, &guess, right, wait)) || !*right ||
        (rc = owner_of(w, a->phone, &owner)))
        return rc;
    if (!owner || owner == a->account)
        return identifier_add(w, a->account, "phone", a->phone);
    *other = slip_new(SLIP_JOIN, 0, owner);
    return RC_OK;
}

enum rc phone_join(struct work *w, int64_t account, const char *phone, const struct slip *other)
{
    int64_t owner;
    enum rc rc;

    if ((rc = slip_use(w, other, PHONE_JOIN_LIFE)) || (rc = owner_of(w, phone, &owner)))
        return rc;
    if (!owner || owner != other->account || owner == account)
        return err_set(&w->err, RC_UNAUTHORIZED, "the phone is not that account's any more");
    if ((rc = account_merge(w, owner, account)))
        return rc;
    return identifier_add(w, account, "phone", phone);
}
