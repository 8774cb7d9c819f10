/*
 * password_set.c - whoever found a phone unlocked must not be able to keep its owner out: the old password is asked for, and guessed at
 * no more often than at a sign-in.
 */
#include "server/identity/password_set.h"

#include <string.h>

#include "server/base/secret.h"
#include "server/identity/account.h"
#include "server/identity/guess.h"
#include "server/identity/identifier.h"
#include "server/identity/password.h"
#include "server/identity/password_rule.h"
#include "server/identity/refusal.h"
#include "server/identity/session.h"
#include "server/identity/sign_in.h"

struct password_set {
    struct password_set_entry in;
    struct throttle_guess guess;
    enum throttle_answer throttled;
    int64_t wait;
    bool asked; /* there is an old one, and none was entered */
    struct password_errand hash;
};

static struct passwords *pool;

void password_set_open(struct passwords *p)
{
    pool = p;
}

enum rc password_set_check(struct work *w, int64_t account, const char *name, const char *login,
                           const char *normal)
{
    const char *own[PASSWORD_OWN_MAX] = { name, login };
    struct identifier *list = NULL;
    int n = 0;
    enum rc rc = account ? identifier_list(w, account, &list, &n) : RC_OK;

    for (int i = 0; i < n && i + 2 < PASSWORD_OWN_MAX; i++)
        own[i + 2] = list[i].value;
    return rc ? rc : password_is_fit(&w->err, normal, own, PASSWORD_OWN_MAX);
}

static enum rc read_new(struct work *w, const struct account *a, const char *text,
                        char out[PASSWORD_TEXT])
{
    enum rc rc = password_normal(&w->err, text, out);

    return rc ? rc : password_set_check(w, a->id, a->name, NULL, out);
}

enum rc password_set_prepare(struct work *w, const struct password_set_entry *e,
                             struct password_set **out, struct errand **errand)
{
    struct password_set *s = arena_zalloc(w->mem, sizeof *s);
    char next[PASSWORD_TEXT], old[PASSWORD_TEXT] = "";
    struct account a;
    struct err ignored;
    enum rc rc;

    s->in = *e;
    *out = s;
    if ((rc = account_by_id(w, e->account, &a)) || (rc = read_new(w, &a, e->password, next)))
        return rc;
    s->asked = a.password && !e->old;
    if (s->asked)
        return RC_OK;
    if (a.password) {
        s->guess = (struct throttle_guess){ THROTTLE_PASSWORD, e->client, (uint64_t)a.id,
                                            (uint64_t)e->session, false };
        s->throttled = guess_take(&s->guess, &s->wait);
        if (s->throttled != THROTTLE_GO)
            return RC_OK;
        if (password_normal(&ignored, e->old, old))
            *old = '\0';
    }
    password_errand(&s->hash, pool, a.password ? old : NULL, a.password ? a.password : "",
                    next);
    if (a.password) {
        s->hash.lost = guess_was_lost;
        s->hash.arg = &s->guess;
    }
    secret_wipe(next, sizeof next);
    secret_wipe(old, sizeof old);
    *errand = &s->hash.errand;
    return RC_OK;
}

static enum rc refuse_old(struct work *w, const struct password_set_entry *e)
{
    refusal_note(e->method, e->path, &w->who, w->client ? w->client : "", RC_UNAUTHORIZED);
    return err_field(&w->err, "old", "the old password is not right");
}

enum rc password_set_finish(struct work *w, struct password_set *s, int64_t *wait)
{
    struct account a;
    enum rc rc;

    if (s->asked)
        return err_field(&w->err, "old", "there is a password already: give it as old");
    if (s->throttled != THROTTLE_GO) {
        *wait = s->wait;
        return err_set(&w->err, RC_TOO_MANY, "too many wrong guesses: wait");
    }
    if (s->hash.rc)
        return err_set(&w->err, s->hash.rc, "too many are signing in at this moment");
    if ((rc = account_by_id(w, s->in.account, &a)))
        return rc;
    if (!s->hash.right || strcmp(a.password ? a.password : "", s->hash.old) != 0)
        return refuse_old(w, &s->in);
    if (s->hash.old[0])
        guess_was_right(&s->guess);
    if ((rc = account_set_password(w, a.id, s->hash.made)))
        return rc;
    return session_end_all(w, a.id, s->in.session);
}
