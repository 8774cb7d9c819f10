/*
 * factor.c - rows of the table `factor`.
 *
 * A counter that fell means that there may be two of a key that can be copied by nobody (WebAuthn 6.1.1): such a passkey proves nothing
 * any more. Keys that are meant to be on several devices say 0 always, and are passed over.
 */
#include "server/identity/factor.h"

#include <stdio.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/base/secret.h"
#include "server/identity/account.h"
#include "server/identity/identifier.h"
#include "server/identity/name.h"
#include "server/store/db.h"

enum { HOST_MAX = 253, VERIFIED = 1, MAY_BE_BACKED_UP = 2 };

static struct {
    char rp_id[HOST_MAX + 1], origin[HOST_MAX + 32];
    const char *origins[2];
} here;

/* ---- where passkeys belong ---- */

static bool is_name(const char *host, size_t n)
{
    size_t digits = 0;

    for (size_t i = 0; i < n; i++) {
        if (host[i] == '[' || host[i] == ':')
            return false;
        digits += strchr("0123456789.", host[i]) != NULL;
    }
    return n && n <= HOST_MAX && digits < n;
}

void factor_open(const char *url)
{
    size_t scheme = !strncmp(url, "https://", 8) ? 8 : !strncmp(url, "http://", 7) ? 7 : 0;
    size_t all = scheme ? scheme + strcspn(url + scheme, "/") : 0, host;

    memset(&here, 0, sizeof here);
    if (!all || all >= sizeof here.origin)
        return;
    host = strcspn(url + scheme, ":/");
    if (!is_name(url + scheme, host) ||
        (scheme == 7 && strncmp(url + scheme, "localhost", host) != 0))
        return;
    memcpy(here.rp_id, url + scheme, host);
    memcpy(here.origin, url, all);
    here.origins[0] = here.origin;
}

const char *factor_rp_id(void)
{
    return *here.rp_id ? here.rp_id : NULL;
}

static enum rc need_passkeys(struct err *e)
{
    return factor_rp_id()
               ? RC_OK
               : err_set(e, RC_CONFLICT, "passkeys need a name: the setting public_url");
}

static struct passkey_expect expect(const struct slip *s, bool verify)
{
    struct passkey_expect x = { .rp_id = here.rp_id,
                                .origins = here.origins,
                                .verify = verify };

    factor_challenge(s, x.challenge);
    return x;
}

/* ---- rows ---- */

static struct seal_place place_of(int64_t account)
{
    return (struct seal_place){ "factor.secret", account };
}

static enum rc read_totp(struct work *w, const struct rows *q, struct factor *f)
{
    size_t n, plain_n;
    const void *sealed = rows_blob(q, 3, &n);
    char *plain;
    enum rc rc;

    if ((rc = seal_open(w, place_of(f->account), sealed, n, &plain, &plain_n)))
        return rc;
    if (plain_n != TOTP_SECRET)
        return err_set(&w->err, RC_CORRUPT, "a TOTP secret has another length");
    memcpy(f->secret, plain, TOTP_SECRET);
    return RC_OK;
}

static enum rc read_passkey(struct work *w, const struct rows *q, struct factor *f)
{
    struct passkey *k = &f->passkey;
    const void *id = rows_blob(q, 4, &k->id_n), *key = rows_blob(q, 5, &k->key_n);
    int64_t flags = rows_int(q, 7);

    if (!id || k->id_n > sizeof k->id || !key || k->key_n > sizeof k->key)
        return err_set(&w->err, RC_CORRUPT, "a passkey's row holds none");
    memcpy(k->id, id, k->id_n);
    memcpy(k->key, key, k->key_n);
    k->alg = rows_int(q, 6) == PASSKEY_RS256 ? PASSKEY_RS256 : PASSKEY_ES256;
    k->count = (uint32_t)f->last;
    k->verified = flags & VERIFIED;
    k->may_be_backed_up = flags & MAY_BE_BACKED_UP;
    return RC_OK;
}

static enum rc read_row(struct work *w, const struct rows *q, struct factor *out)
{
    *out = (struct factor){ .no = rows_int(q, 0),
                            .kind =
                                rows_int(q, 1) == FACTOR_PASSKEY ? FACTOR_PASSKEY : FACTOR_TOTP,
                            .name = rows_dup_text(w, q, 2),
                            .last = rows_int(q, 8),
                            .created = rows_int(q, 9),
                            .used = rows_int(q, 10),
                            .account = rows_int(q, 11) };
    return out->kind == FACTOR_TOTP ? read_totp(w, q, out) : read_passkey(w, q, out);
}

enum rc factor_list(struct work *w, int64_t account, struct factor **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct factor *f = arena_alloc(w->mem, sizeof *f);
    struct rows q;
    enum rc rc, end;

    if ((rc = db_query(w, SQL_factor_of_account, &q, "i", account)))
        return rc;
    while (!rc && rows_next(&q))
        if (!(rc = read_row(w, &q, f)))
            buf_add(&list, f, sizeof *f);
    end = rows_done(&q);
    if ((rc = rc ? rc : end))
        return rc;
    *out = (struct factor *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}

enum rc factor_kinds(struct work *w, int64_t account, unsigned *out)
{
    struct factor *list;
    enum rc rc;
    int n;

    if ((rc = factor_list(w, account, &list, &n)))
        return rc;
    *out = 0;
    for (int i = 0; i < n; i++)
        if (list[i].kind == FACTOR_TOTP || factor_rp_id())
            *out |= 1u << list[i].kind;
    return RC_OK;
}

/* ---- adding ---- */

void factor_secret(const struct slip *s, uint8_t out[TOTP_SECRET])
{
    uint8_t bytes[SLIP_DERIVED];

    slip_derive(s, "totp", bytes);
    memcpy(out, bytes, TOTP_SECRET);
    secret_wipe(bytes, sizeof bytes);
}

void factor_challenge(const struct slip *s, uint8_t out[PASSKEY_CHALLENGE])
{
    _Static_assert((int)PASSKEY_CHALLENGE == (int)SLIP_DERIVED, "a hash's length");
    slip_derive(s, "challenge", out);
}

static enum rc check_name(struct err *e, const char *name)
{
    if (strnlen(name, FACTOR_NAME_MAX + 1) > FACTOR_NAME_MAX)
        return err_field(e, "name", "a name has 1 to %d bytes", FACTOR_NAME_MAX);
    return name_is_fit(name)
               ? RC_OK
               : err_field(e, "name", "a name is one line of characters that can be seen");
}

static enum rc read_code(struct work *w, const struct factor_proof *p, struct factor_new *out)
{
    uint8_t secret[TOTP_SECRET];
    bool right;

    factor_secret(&p->slip, secret);
    right = p->code && totp_check(secret, p->code, clock_now(), -1, &out->step);
    secret_wipe(secret, sizeof secret);
    return right ? RC_OK : err_field(&w->err, "code", "this is not the code that it shows now");
}

static enum rc read_attestation(struct work *w, const struct factor_proof *p,
                                struct factor_new *out)
{
    struct passkey_expect x = expect(&p->slip, true);
    enum rc rc = need_passkeys(&w->err);

    return rc ? rc
              : passkey_register(&w->err, w->mem, &x, p->client_data, p->attestation,
                                 &out->passkey);
}

enum rc factor_read(struct work *w, const struct factor_proof *p, struct factor_new *out)
{
    enum rc rc;

    if ((rc = check_name(&w->err, p->name)))
        return rc;
    *out = (struct factor_new){ .slip = p->slip, .name = p->name };
    return p->slip.note == FACTOR_TOTP ? read_code(w, p, out) : read_attestation(w, p, out);
}

static enum rc add_row(struct work *w, int64_t account, const struct factor_new *n,
                       struct rows *q)
{
    const struct passkey *k = &n->passkey;
    uint8_t secret[TOTP_SECRET], *sealed;
    size_t sealed_n;
    enum rc rc;

    if (n->slip.note == FACTOR_PASSKEY)
        return db_one(w, SQL_factor_add, q, "iitbbbiiii", account, (int64_t)FACTOR_PASSKEY,
                      n->name, NULL, (size_t)0, k->id, k->id_n, k->key, k->key_n,
                      (int64_t)k->alg,
                      (int64_t)((k->verified ? VERIFIED : 0) |
                                (k->may_be_backed_up ? MAY_BE_BACKED_UP : 0)),
                      (int64_t)k->count, clock_now());
    factor_secret(&n->slip, secret);
    rc = seal_close(w, place_of(account), secret, sizeof secret, &sealed, &sealed_n);
    secret_wipe(secret, sizeof secret);
    if (rc)
        return rc;
    return db_one(w, SQL_factor_add, q, "iitbbbiiii", account, (int64_t)FACTOR_TOTP, n->name,
                  sealed, sealed_n, NULL, (size_t)0, NULL, (size_t)0, (int64_t)0, (int64_t)0,
                  n->step, clock_now());
}

enum rc factor_add(struct work *w, int64_t account, const struct factor_new *n, int64_t *no)
{
    struct factor *there;
    struct rows q = { 0 };
    enum rc rc, end;
    int count;

    if ((rc = factor_list(w, account, &there, &count)))
        return rc;
    if (count >= FACTORS_MAX)
        return err_set(&w->err, RC_CONFLICT, "this account has %d factors already", count);
    if ((rc = slip_use(w, &n->slip, FACTOR_LIFE)))
        return rc;
    if (!(rc = add_row(w, account, n, &q)))
        *no = rows_int(&q, 0);
    end = q.db ? rows_done(&q) : RC_OK;
    rc = rc ? rc : end;
    return rc == RC_CONFLICT ? err_set(&w->err, rc, "this passkey is in use already") : rc;
}

enum rc factor_remove(struct work *w, const struct account *a, int64_t no)
{
    struct factor *there;
    enum rc rc;
    int n;

    if ((rc = factor_list(w, a->id, &there, &n)))
        return rc;
    if (a->kind == ACCOUNT_STAFF && n == 1)
        return err_set(&w->err, RC_CONFLICT, "staff need a second factor: add another first");
    rc = db_change(w, SQL_factor_drop, "ii", no, a->id);
    return rc == RC_NOT_FOUND ? err_set(&w->err, rc, "this account has no such factor") : rc;
}

enum rc factor_label(struct work *w, const struct account *a, const char **out)
{
    struct identifier *list;
    enum rc rc;
    int n;

    if ((rc = identifier_list(w, a->id, &list, &n)))
        return rc;
    *out = a->name;
    for (int i = 0; i < n && !*out; i++)
        if (*identifier_hint(w->mem, &list[i]))
            *out = identifier_hint(w->mem, &list[i]);
    *out = *out ? *out : "我的账号";
    return RC_OK;
}

/* ---- checking ---- */

enum rc factor_check_code(struct work *w, int64_t account, const char *code, int64_t *no)
{
    struct factor *list;
    int64_t step;
    enum rc rc;
    int n;

    *no = 0;
    if ((rc = factor_list(w, account, &list, &n)))
        return rc;
    for (int i = 0; i < n && !*no; i++)
        if (list[i].kind == FACTOR_TOTP &&
            totp_check(list[i].secret, code, clock_now(), list[i].last, &step)) {
            *no = list[i].no;
            rc = db_change(w, SQL_factor_used, "iiii", list[i].no, account, step, clock_now());
        }
    secret_wipe(list, (size_t)n * sizeof *list);
    return rc;
}

static enum rc find(struct work *w, struct passkey_bytes credential, struct factor *out)
{
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(w, SQL_factor_by_credential, &q, "b", credential.p, credential.n)))
        rc = read_row(w, &q, out);
    end = rows_done(&q);
    return rc ? rc : end;
}

/* WebAuthn 7.2.6: the account that it was made for (its `subject`) is the one that has it here. */
static enum rc check_user(struct work *w, int64_t account, struct passkey_bytes user)
{
    struct account a;
    enum rc rc;

    if (!user.p)
        return RC_OK;
    if ((rc = account_by_id(w, account, &a)))
        return rc;
    if (user.n != ACCOUNT_SUBJECT || memcmp(user.p, a.subject, ACCOUNT_SUBJECT) != 0)
        return err_set(&w->err, RC_UNAUTHORIZED,
                       "this passkey says that it is somebody else's");
    return RC_OK;
}

enum rc factor_check_passkey(struct work *w, int64_t account, const struct slip *slip,
                             const struct factor_signed *p, struct factor_use *out)
{
    struct passkey_expect x = expect(slip, !account);
    struct factor *f = arena_alloc(w->mem, sizeof *f);
    struct passkey_use use;
    enum rc rc;

    if ((rc = need_passkeys(&w->err)))
        return rc;
    if ((rc = find(w, p->credential, f)) && rc != RC_NOT_FOUND)
        return rc;
    if (rc || (account && f->account != account))
        return err_set(&w->err, RC_UNAUTHORIZED, "this passkey is not known here");
    if ((rc = check_user(w, f->account, p->user)))
        return rc;
    if ((rc = passkey_assert(&w->err, w->mem, &x, &f->passkey, p->client_data,
                             p->authenticator_data, p->signature, &use)))
        return rc;
    *out = (struct factor_use){ f->no, f->account, use.count, use.verified, use.count_fell };
    return RC_OK;
}

enum rc factor_used(struct work *w, const struct factor_use *u)
{
    return db_change(w, SQL_factor_used, "iiii", u->no, u->account, u->count, clock_now());
}
