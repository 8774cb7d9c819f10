/*
 * invite.c - 32 random bytes that somebody is trusted to hand to the right person.
 *
 * The role is granted in the name of who invited, with the rights that were checked when he did.
 */
#include "server/identity/invite.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/be64.h"
#include "server/base/clock.h"
#include "server/base/secret.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/identifier.h"
#include "server/identity/opaque.h"
#include "server/identity/password.h"
#include "server/identity/password_set.h"
#include "server/identity/role.h"
#include "server/store/db.h"

static const char prefix[] = "tji_";
static struct passwords *pool;

void invite_open(struct passwords *p)
{
    pool = p;
}

/* ---- the link ---- */

enum rc invite_make(struct work *w, const struct role_info *role, int64_t site,
                    char out[INVITE_TEXT])
{
    uint8_t hash[HASH_BYTES];
    char text[INVITE_TEXT];
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_SECURE, EVERYWHERE)))
        return rc;
    if (role && role->administrator && !w->who.operator)
        return err_set(&w->err, RC_FORBIDDEN,
                       "administrators are appointed on the machine: tjzw admin link");
    opaque_make(prefix, text, sizeof text);
    opaque_hash(text, hash);
    rc = db_run(w, SQL_invite_add, "btitii", hash, sizeof hash, role ? role->word : NULL, site,
                w->who.name, (int64_t)w->who.operator, clock_now() + INVITE_LIFE);
    if (!rc)
        memcpy(out, text, sizeof text);
    secret_wipe(text, sizeof text);
    if (role)
        work_fact_word(w, "role", role->word);
    return rc;
}

enum rc invite_find(struct work *w, const char *text, struct invite *out)
{
    struct invite i = { 0 };
    struct rows q;
    enum rc rc, end;

    opaque_hash(text, i.hash);
    if (!(rc = db_one(w, SQL_invite_find, &q, "bi", i.hash, sizeof i.hash, clock_now()))) {
        i.role = rows_text(&q, 0) ? role_find(rows_text(&q, 0)) : NULL;
        i.site = rows_int(&q, 1);
        i.giver = rows_dup_text(w, &q, 2);
        i.trusted = rows_int(&q, 3);
        i.until = rows_int(&q, 4);
        i.number = be64_get(i.hash);
    }
    end = rows_done(&q);
    if ((rc = rc ? rc : end) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "this invitation is over, or was used");
    if (!rc)
        *out = i;
    return rc;
}

struct slip invite_offer(const struct invite *i, enum factor_kind kind)
{
    return slip_new(SLIP_FACTOR, kind, i->number);
}

/* ---- its use ---- */

struct invite_use {
    struct invite_entry in;
    struct invite invite;
    char login[IDENTIFIER_TEXT];
    struct factor_new factor;
    struct password_errand hash;
};

static enum rc need_free(struct work *w, const char *login)
{
    int64_t owner;
    enum rc rc = identifier_owner(w, "login", login, &owner);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc : err_field(&w->err, "login", "this sign-in name is taken");
}

enum rc invite_prepare(struct work *w, const struct invite_entry *e, struct invite_use **out,
                       struct errand **errand)
{
    struct invite_use *u = arena_zalloc(w->mem, sizeof *u);
    char password[PASSWORD_TEXT];
    enum rc rc;

    u->in = *e;
    *out = u;
    if ((rc = invite_find(w, e->token, &u->invite)) ||
        (rc = account_check_name(&w->err, e->name)) ||
        (rc = identifier_normal(&w->err, "login", e->login, u->login)) ||
        (rc = need_free(w, u->login)) ||
        (rc = password_normal(&w->err, e->password, password)) ||
        (rc = password_set_check(w, 0, e->name, u->login, password)))
        return rc;
    if (e->proof.slip.account != u->invite.number)
        return err_field(&w->err, "ticket", "this offer is over: ask for another");
    if ((rc = factor_read(w, &e->proof, &u->factor)))
        return rc;
    password_errand(&u->hash, pool, NULL, NULL, password);
    secret_wipe(password, sizeof password);
    *errand = &u->hash.errand;
    return RC_OK;
}

static enum rc take(struct work *w, const struct invite *i)
{
    enum rc rc = db_change(w, SQL_invite_take, "b", i->hash, sizeof i->hash);

    return rc == RC_NOT_FOUND ? err_set(&w->err, rc, "this invitation is over, or was used")
                              : rc;
}

/* What was allowed when the link was made. */
static enum rc grant(struct work *w, int64_t account, const struct invite *i)
{
    struct actor guest = w->who;
    enum rc rc;

    if (!i->role)
        return RC_OK;
    if (i->trusted)
        w->who = actor_operator;
    w->who.rights |= RIGHT_SECURE;
    snprintf(w->who.name, sizeof w->who.name, "%s", i->giver);
    rc = role_grant(w, account, i->role, i->site);
    w->who = guest;
    return rc;
}

static enum rc make_account(struct work *w, struct invite_use *u, struct account *out)
{
    const struct account_new new = { ACCOUNT_STAFF, 1, u->in.name, u->invite.hash };
    int64_t no;
    enum rc rc;

    if ((rc = account_make(w, &new, out)) ||
        (rc = identifier_add(w, out->id, "login", u->login)) ||
        (rc = account_set_password(w, out->id, u->hash.made)) ||
        (rc = factor_add(w, out->id, &u->factor, &no)))
        return rc;
    return grant(w, out->id, &u->invite);
}

enum rc invite_finish(struct work *w, struct invite_use *u, struct sign_in_result *out)
{
    bool passkey = u->factor.slip.note == FACTOR_PASSKEY;
    struct session_new n = { .kind = SESSION_STAFF,
                             .proofs = PROOF_PASSWORD | (passkey ? PROOF_PASSKEY : PROOF_TOTP),
                             .level = passkey ? ACCOUNT_LEVEL_MAX : 1,
                             .device = u->in.device,
                             .browser = u->in.browser };
    struct account a;
    enum rc rc;

    *out = (struct sign_in_result){ .made = true };
    if (u->hash.rc)
        return err_set(&w->err, u->hash.rc, "too many are signing in at this moment");
    if ((rc = take(w, &u->invite)) || (rc = make_account(w, u, &a)))
        return rc;
    n.account = a.id;
    snprintf(w->who.name, sizeof w->who.name, "account:%" PRId64, a.id);
    if ((rc = audit_add(w, AUDIT_invite_use, arena_printf(w->mem, "accounts/%" PRId64, a.id),
                        RC_OK)))
        return rc;
    return sign_in_open_session(w, &n, passkey ? "invitation,passkey" : "invitation,totp",
                                u->in.known, out);
}
