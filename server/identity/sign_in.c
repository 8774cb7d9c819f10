/*
 * sign_in.c - the steps, as a table of ways; and what is proved, as bits that a ticket carries.
 *
 * A way has two halves. prepare() reads and computes on a worker, and may leave a password to be hashed in the pool, for which the request
 * waits without a thread. finish() is the writer's: it counts, checks what is good once, opens the session.
 *
 * A password of nobody is checked against a dummy, and the row of nobody is looked for like any other, so that both take as long. Of the answer nothing
 * but what was proved decides: a locked account says so only to who knows its password.
 */
#include "server/identity/sign_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/secret.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/device_slip.h"
#include "server/identity/guess.h"
#include "server/identity/identifier.h"
#include "server/identity/password.h"
#include "server/identity/phone.h"

/* What is proved stands in a ticket's note: bits of enum session_proof, and one more. */
enum { PROOF_OWNER = 1 << 7 }; /* a passkey that verified its owner: more than a factor */

struct sign_in {
    struct sign_in_entry in;
    const struct way *way;
    const char *kind; /* of the identifier */
    char value[IDENTIFIER_TEXT];
    struct account account; /* .id 0: nobody */
    struct slip slip;       /* of the ticket */
    struct throttle_guess guess;
    enum throttle_answer throttled;
    int64_t wait;
    struct password_errand hash;
    struct factor_use use;
    struct word word; /* of the ticket; .of NULL: none */
};

static struct sign_in_conf conf;

enum rc sign_in_open(struct err *e, const char *keys, const struct sign_in_conf *c)
{
    enum rc rc = slip_open(e, keys);

    if (rc)
        return rc;
    conf = *c;
    guess_open();
    return RC_OK;
}

void sign_in_close(void)
{
    guess_close();
    slip_close();
}

/* ---- what prepare() needs ---- */

/* Whose it is; nobody is looked for as long as somebody. */
static enum rc find_account(struct work *w, struct sign_in *s)
{
    int64_t id = 0;
    enum rc rc = identifier_owner(w, s->kind, s->value, &id);

    if (rc && rc != RC_NOT_FOUND)
        return rc;
    rc = account_by_id(w, id, &s->account);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* The device signed in to this account before, or has just proved its phone. */
static uint64_t known_device(const struct sign_in *s, int64_t account)
{
    uint64_t device = device_slip_number(s->in.known, account);

    if (device)
        return device;
    if (s->slip.note & PROOF_SMS && s->slip.account == account)
        return s->slip.random;
    return 0;
}

static void take_guess(struct sign_in *s, enum throttle_what what, uint64_t target,
                       int64_t account)
{
    s->guess =
        (struct throttle_guess){ what, s->in.client, target, known_device(s, account), false };
    s->throttled = guess_take(&s->guess, &s->wait);
    if (s->throttled == THROTTLE_CODE && strcmp(s->kind, "phone") != 0)
        s->throttled = THROTTLE_WAIT; /* no code goes to a sign-in name */
}

/* What was typed, as a number; whether somebody is found by it does not matter. */
static uint64_t typed_account(const struct sign_in *s)
{
    uint8_t find[HASH_BYTES];
    uint64_t target;

    identifier_index(s->kind, s->value, find);
    memcpy(&target, find, sizeof target);
    return target;
}

static enum rc over(struct work *w)
{
    return err_set(&w->err, RC_UNAUTHORIZED, "this sign-in is over: begin anew");
}

static enum rc read_ticket(struct work *w, struct sign_in *s)
{
    return slip_read(s->in.ticket, SLIP_SIGN_IN, SIGN_IN_LIFE, &s->slip) ? RC_OK : over(w);
}

/* ---- the ways ---- */

static enum rc prepare_code(struct work *w, struct sign_in *s, struct errand **errand)
{
    enum rc rc;

    (void)errand;
    s->kind = "phone";
    if (s->in.ticket && (rc = word_from_ticket(w, s->in.ticket, &s->slip, &s->word)))
        return rc;
    if ((rc = identifier_normal(&w->err, s->kind, s->in.phone, s->value)))
        return rc;
    return find_account(w, s);
}

static enum rc prepare_password(struct work *w, struct sign_in *s, struct errand **errand)
{
    char typed[PASSWORD_TEXT] = "";
    struct err ignored;
    enum rc rc;

    if ((rc = identifier_guess(&w->err, s->in.login, &s->kind, s->value)) ||
        (s->in.ticket && (rc = read_ticket(w, s))) || (rc = find_account(w, s)))
        return rc;
    take_guess(s, THROTTLE_PASSWORD, typed_account(s), s->account.id);
    if (s->throttled != THROTTLE_GO)
        return RC_OK;
    if (password_normal(&ignored, s->in.password, typed))
        *typed = '\0'; /* the same work, the same no */
    password_errand(&s->hash, conf.passwords, typed,
                    s->account.password ? s->account.password : "", NULL);
    secret_wipe(typed, sizeof typed);
    s->hash.lost = guess_was_lost;
    s->hash.arg = &s->guess;
    *errand = &s->hash.errand;
    return RC_OK;
}

static enum rc prepare_totp(struct work *w, struct sign_in *s, struct errand **errand)
{
    enum rc rc = read_ticket(w, s);

    (void)errand;
    if (rc)
        return rc;
    if (!s->slip.account)
        return over(w);
    take_guess(s, THROTTLE_FACTOR, (uint64_t)s->slip.account, s->slip.account);
    return RC_OK;
}

static enum rc prepare_passkey(struct work *w, struct sign_in *s, struct errand **errand)
{
    enum rc rc = read_ticket(w, s);

    (void)errand;
    return rc ? rc
              : factor_check_passkey(w, s->slip.account, &s->slip, &s->in.passkey, &s->use);
}

/* ---- what finish() needs ---- */

static enum rc refuse(struct sign_in_result *out, enum rc why)
{
    out->step = SIGN_IN_REFUSED;
    out->why = why;
    return RC_OK;
}

/* Whose account it was is not told even to the audit log, whose row, written for the first of a kind, would cost time that tells. */
static enum rc refuse_wrong(struct work *w, struct sign_in_result *out)
{
    out->account = 0;
    return refuse(out, err_set(&w->err, RC_UNAUTHORIZED,
                               "the sign-in name or the password is not right"));
}

static enum rc busy(struct work *w, enum rc rc)
{
    return err_set(&w->err, rc, "too many are signing in at this moment");
}

static enum rc refuse_throttled(struct work *w, const struct sign_in *s,
                                struct sign_in_result *out)
{
    if (s->throttled == THROTTLE_BUSY)
        return busy(w, RC_BUSY);
    out->wait = s->wait;
    if (s->throttled == THROTTLE_CODE) {
        out->step = SIGN_IN_CODE;
        return RC_OK;
    }
    return refuse(out, err_set(&w->err, RC_TOO_MANY, "too many wrong guesses: wait"));
}

/* In words for the audit log. */
static const char *in_words(int proved)
{
    static const struct {
        int proved;
        const char *word;
    } words[] = {
        { PROOF_OWNER, "passkey" },
        { PROOF_PASSWORD | PROOF_PASSKEY, "password,passkey" },
        { PROOF_PASSWORD | PROOF_TOTP, "password,totp" },
        { PROOF_SMS | PROOF_PASSKEY, "code,passkey" },
        { PROOF_SMS | PROOF_TOTP, "code,totp" },
        { PROOF_UPSTREAM | PROOF_PASSKEY, "upstream,passkey" },
        { PROOF_UPSTREAM | PROOF_TOTP, "upstream,totp" },
        { PROOF_WECHAT | PROOF_PASSKEY, "wechat,passkey" },
        { PROOF_WECHAT | PROOF_TOTP, "wechat,totp" },
        { PROOF_PASSWORD, "password" },
        { PROOF_UPSTREAM | PROOF_SMS, "upstream,code" },
        { PROOF_WECHAT | PROOF_SMS, "wechat,code" },
        { PROOF_UPSTREAM, "upstream" },
        { PROOF_WECHAT, "wechat" },
        { PROOF_SMS, "code" },
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if ((proved & words[i].proved) == words[i].proved)
            return words[i].word;
    return "other";
}

static const char *account_object(struct work *w, int64_t account)
{
    return arena_printf(w->mem, "accounts/%" PRId64, account);
}

static void speak_for(struct work *w, int64_t account)
{
    snprintf(w->who.name, sizeof w->who.name, "account:%" PRId64, account);
}

enum rc sign_in_open_session(struct work *w, const struct session_new *new, const char *by,
                             const char *known, struct sign_in_result *out)
{
    uint64_t machine = device_slip_put(known, new->account, out->known);
    struct session_new opened = *new, *n = &opened;
    enum rc rc;

    if (n->kind == SESSION_STAFF)
        n->machine = machine;
    if ((rc = session_open(w, n, &out->session, &out->tokens)))
        return rc;
    speak_for(w, n->account);
    w->who.session = out->session;
    work_fact_word(w, "by", by);
    if ((rc = audit_add(w, AUDIT_sign_in, account_object(w, n->account), RC_OK)))
        return rc;
    work_count(w, METRIC_sign_ins, 1);
    out->step = SIGN_IN_DONE;
    out->account = n->account;
    out->level = n->level;
    out->kind = n->kind;
    return RC_OK;
}

static enum rc ask_for(struct sign_in_result *out, enum sign_in_step step, int64_t account,
                       int proved)
{
    out->step = step;
    out->account = account;
    out->slip = slip_new(SLIP_SIGN_IN, proved, account);
    return RC_OK;
}

/* What is still to be proved, or the session. */
static enum rc go_on(struct work *w, const struct sign_in *s, const struct account *a,
                     int proved, struct sign_in_result *out)
{
    bool staff = a->kind == ACCOUNT_STAFF,
         second = proved & (PROOF_TOTP | PROOF_PASSKEY | PROOF_OWNER);
    struct session_new n = { .account = a->id,
                             .kind = staff ? SESSION_STAFF : SESSION_CITIZEN,
                             .proofs = (unsigned)proved & ~(unsigned)PROOF_OWNER,
                             .level = a->level,
                             .device = s->in.device,
                             .browser = s->in.browser };
    enum rc rc;

    out->account = a->id;
    if (a->kind == ACCOUNT_ORGANISATION)
        return refuse_wrong(w, out);
    if (account_is_locked(a))
        return refuse(out, err_set(&w->err, RC_FORBIDDEN, "this account is locked"));
    if (staff && !(proved & (PROOF_PASSWORD | PROOF_OWNER)))
        return ask_for(out, SIGN_IN_PASSWORD, a->id, proved);
    if (!second && (rc = factor_kinds(w, a->id, &out->factors)))
        return rc;
    if (!second && out->factors)
        return ask_for(out, SIGN_IN_FACTOR, a->id, proved);
    if (!second && staff)
        return refuse(out, err_set(&w->err, RC_FORBIDDEN,
                                   "staff need a second factor, and this account has none"));
    if (staff && proved & (PROOF_PASSKEY | PROOF_OWNER))
        n.level = ACCOUNT_LEVEL_MAX;
    return sign_in_open_session(w, &n, in_words(proved), s->in.known, out);
}

/* The first sign-in makes the account. */
static enum rc make_account(struct work *w, struct account *out)
{
    const struct account_new new = { ACCOUNT_CITIZEN, 1, NULL };
    enum rc rc = account_make(w, &new, out);

    if (rc)
        return rc;
    speak_for(w, out->id);
    return audit_add(w, AUDIT_account_create, account_object(w, out->id), RC_OK);
}

static int proof_of(const struct word *d)
{
    return !d->of ? 0 : d->of->kind == UPSTREAM_OIDC ? PROOF_UPSTREAM : PROOF_WECHAT;
}

/* A phone alone must not tie an upstream to an account that asks for a second factor, nor to one of staff. */
static enum rc tie(struct work *w, const struct word *d, struct account *a)
{
    unsigned factors = 0;
    enum rc rc;

    if (a->kind != ACCOUNT_CITIZEN || a->state != ACCOUNT_OPEN)
        return RC_OK;
    if ((rc = factor_kinds(w, a->id, &factors)) || factors)
        return rc;
    return word_keep(w, d, a);
}

static enum rc use_word(struct work *w, struct sign_in *s)
{
    enum rc rc;

    if (!s->word.of)
        return RC_OK;
    if ((rc = slip_use(w, &s->slip, WORD_LIFE)))
        return rc;
    work_fact_word(w, "upstream", s->word.of->name);
    return tie(w, &s->word, &s->account);
}

static enum rc finish_code(struct work *w, struct sign_in *s, struct sign_in_result *out)
{
    const struct phone_guess guess = { s->value, PHONE_SIGN_IN, s->in.code, s->in.client,
                                       device_slip_number(s->in.known, s->account.id) };
    bool right;
    enum rc rc = phone_prove(w, &guess, &right, &out->wait);

    if (rc)
        return rc == RC_TOO_MANY ? refuse(out, rc) : rc;
    if (!right)
        return refuse(out, err_set(&w->err, RC_UNAUTHORIZED,
                                   "the code is not right, or not good any more"));
    rc = account_by_identifier(w, s->kind, s->value, &s->account);
    if (rc == RC_NOT_FOUND && conf.upstream_only)
        return refuse(out, err_set(&w->err, RC_FORBIDDEN, "nobody registers here"));
    if (rc == RC_NOT_FOUND) {
        out->made = true;
        rc = make_account(w, &s->account);
    }
    if (rc || (rc = identifier_add(w, s->account.id, s->kind, s->value)) ||
        (rc = use_word(w, s)))
        return rc;
    return go_on(w, s, &s->account, PROOF_SMS | proof_of(&s->word), out);
}

static enum rc finish_password(struct work *w, struct sign_in *s, struct sign_in_result *out)
{
    const struct password_errand *h = &s->hash;
    struct account a;
    int proved = PROOF_PASSWORD;
    enum rc rc;

    if (s->throttled != THROTTLE_GO)
        return refuse_throttled(w, s, out);
    if (h->rc)
        return busy(w, h->rc);
    if ((rc = account_by_id(w, s->account.id, &a)) && rc != RC_NOT_FOUND)
        return rc;
    /* Or it was changed meanwhile. */
    if (!h->right || rc || !a.password || strcmp(a.password, h->old) != 0) {
        guess_was_wrong(&s->guess);
        return refuse_wrong(w, out);
    }
    if (h->made[0] && (rc = account_renew_password(w, a.id, h->old, h->made)))
        return rc;
    guess_was_right(&s->guess);
    if (s->in.ticket && s->slip.account == a.id) {
        if ((rc = slip_use(w, &s->slip, SIGN_IN_LIFE)))
            return rc == RC_UNAUTHORIZED ? refuse(out, rc) : rc;
        proved |= s->slip.note;
    }
    return go_on(w, s, &a, proved, out);
}

static enum rc finish_factor(struct work *w, struct sign_in *s, int64_t account, int proved,
                             struct sign_in_result *out)
{
    struct account a;
    enum rc rc;

    if ((rc = slip_use(w, &s->slip, SIGN_IN_LIFE)))
        return rc == RC_UNAUTHORIZED ? refuse(out, rc) : rc;
    if ((rc = account_by_id(w, account, &a)))
        return rc;
    if (a.password_at > s->slip.at) /* what the ticket says is not so any more */
        return refuse(out, over(w));
    return go_on(w, s, &a, s->slip.note | proved, out);
}

static enum rc finish_totp(struct work *w, struct sign_in *s, struct sign_in_result *out)
{
    int64_t no;
    enum rc rc;

    out->account = s->slip.account;
    if (s->throttled != THROTTLE_GO)
        return refuse_throttled(w, s, out);
    if ((rc = factor_check_code(w, s->slip.account, s->in.totp, &no)))
        return rc;
    if (!no) {
        guess_was_wrong(&s->guess);
        return refuse(
            out, err_set(&w->err, RC_UNAUTHORIZED, "this is not the code that it shows now"));
    }
    guess_was_right(&s->guess);
    return finish_factor(w, s, s->slip.account, PROOF_TOTP, out);
}

static enum rc finish_passkey(struct work *w, struct sign_in *s, struct sign_in_result *out)
{
    int proved = PROOF_PASSKEY | (s->use.verified ? PROOF_OWNER : 0);
    enum rc rc;

    out->account = s->use.account;
    if (s->use.count_fell)
        return refuse(out, err_set(&w->err, RC_UNAUTHORIZED,
                                   "there may be a copy of this passkey: it is not taken"));
    if ((rc = factor_used(w, &s->use)))
        return rc;
    return finish_factor(w, s, s->use.account, proved, out);
}

/* ---- the table ---- */

enum { PHONE = 1, CODE = 2, LOGIN = 4, PASSWORD = 8, TICKET = 16, TOTP = 32, PASSKEY = 64 };

static const struct way {
    int entered, may; /* bits: what there must be; what there may be besides */
    enum metric good, refused;
    enum rc (*prepare)(struct work *w, struct sign_in *s, struct errand **errand);
    enum rc (*finish)(struct work *w, struct sign_in *s, struct sign_in_result *out);
} ways[] = {
    { PHONE | CODE, TICKET, METRIC_sign_in_code_good, METRIC_sign_in_code_refused, prepare_code,
      finish_code },
    { LOGIN | PASSWORD, TICKET, METRIC_sign_in_password_good, METRIC_sign_in_password_refused,
      prepare_password, finish_password },
    { TICKET | TOTP, 0, METRIC_sign_in_totp_good, METRIC_sign_in_totp_refused, prepare_totp,
      finish_totp },
    { TICKET | PASSKEY, 0, METRIC_sign_in_passkey_good, METRIC_sign_in_passkey_refused,
      prepare_passkey, finish_passkey },
};

static int entered(const struct sign_in_entry *e)
{
    return (e->phone ? PHONE : 0) | (e->code ? CODE : 0) | (e->login ? LOGIN : 0) |
           (e->password ? PASSWORD : 0) | (e->ticket ? TICKET : 0) | (e->totp ? TOTP : 0) |
           (e->passkey.credential.p ? PASSKEY : 0);
}

enum rc sign_in_prepare(struct work *w, const struct sign_in_entry *entry, struct sign_in **out,
                        struct errand **errand)
{
    struct sign_in *s = arena_zalloc(w->mem, sizeof *s);
    int bits = entered(entry);
    enum rc rc;

    s->in = *entry;
    for (size_t i = 0; i < sizeof ways / sizeof *ways && !s->way; i++)
        if ((bits & ways[i].entered) == ways[i].entered &&
            !(bits & ~(ways[i].entered | ways[i].may)))
            s->way = &ways[i];
    if (!s->way)
        return err_set(&w->err, RC_INVALID,
                       "phone and code, login and password, or ticket with totp or passkey");
    *out = s;
    rc = s->way->prepare(w, s, errand);
    if (rc == RC_UNAUTHORIZED)
        metric_add(s->way->refused, 1);
    return rc;
}

enum rc sign_in_finish(struct work *w, struct sign_in *s, struct sign_in_result *out)
{
    enum rc rc;

    *out = (struct sign_in_result){ .step = SIGN_IN_REFUSED };
    rc = s->way->finish(w, s, out);
    if (!rc && s->throttled == THROTTLE_GO)
        metric_add(out->step == SIGN_IN_REFUSED ? s->way->refused : s->way->good, 1);
    return rc;
}

/* ---- by an upstream's word ---- */

/* Where nobody registers here, or it is well known who he is. */
static enum rc make_by_word(struct work *w, const struct word *d, struct account *out)
{
    enum rc rc = make_account(w, out);

    return rc ? rc : word_keep(w, d, out);
}

static enum rc ask_for_phone(struct work *w, const struct word *d, struct sign_in_result *out)
{
    out->step = SIGN_IN_PHONE;
    return word_ticket(w, d, &out->ticket);
}

enum rc sign_in_by_word(struct work *w, const struct sign_in_entry *entry, const struct word *d,
                        struct sign_in_result *out)
{
    struct sign_in s = { .in = *entry, .word = *d };
    bool by_phone;
    enum rc rc;

    *out = (struct sign_in_result){ .step = SIGN_IN_REFUSED };
    work_fact_word(w, "upstream", d->of->name);
    rc = word_owner(w, d, &s.account, &by_phone);
    if (rc == RC_NOT_FOUND && d->level < 2 && !conf.upstream_only)
        return ask_for_phone(w, d, out);
    if (rc == RC_NOT_FOUND) {
        out->made = true;
        rc = make_by_word(w, d, &s.account);
    } else if (!rc) {
        rc = by_phone ? tie(w, d, &s.account) : word_keep(w, d, &s.account);
    }
    if (rc || (rc = go_on(w, &s, &s.account, proof_of(d), out)))
        return rc;
    metric_add(out->step == SIGN_IN_REFUSED ? METRIC_sign_in_upstream_refused
                                            : METRIC_sign_in_upstream_good,
               1);
    return RC_OK;
}

/* ---- before it ---- */

bool sign_in_upstream_only(void)
{
    return conf.upstream_only;
}

enum rc sign_in_ask(struct work *w, const struct sign_in_ask *a, int64_t *wait)
{
    struct phone_ask ask = { .purpose = PHONE_SIGN_IN, .client = a->client };
    char normal[IDENTIFIER_TEXT];
    int64_t owner = 0;
    uint64_t device;
    enum rc rc;

    if ((rc = identifier_normal(&w->err, "phone", a->phone, normal)))
        return rc;
    rc = identifier_owner(w, "phone", normal, &owner);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    if ((device = device_slip_number(a->known, owner))) {
        ask.client = device;
        ask.known = true;
    }
    ask.phone = normal;
    ask.silent = rc && conf.upstream_only;
    if ((rc = phone_ask(w, &ask, wait)))
        return rc;
    return audit_add(w, AUDIT_code_send, NULL, RC_OK);
}

struct slip sign_in_challenge(void)
{
    return slip_new(SLIP_SIGN_IN, 0, 0);
}
