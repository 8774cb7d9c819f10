/*
 * sign_in_test.c - the steps from "who?" to a session, and that none can be left out, told apart, or guessed through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/seal.h"
#include "server/identity/account.h"
#include "server/identity/code.h"
#include "server/identity/device_slip.h"
#include "server/identity/identifier.h"
#include "server/identity/password.h"
#include "server/identity/phone.h"
#include "server/identity/session_table.h"
#include "server/identity/sign_in.h"
#include "server/identity/sms.h"
#include "tests/lib/authenticator.h"
#include "tests/lib/library_world.h"

#define LI   "13800138000"
#define WANG "13900139000"

static const char good_password[] = "correct horse battery", host[] = "www.example.cn",
                  origin[] = "https://www.example.cn";

struct world {
    struct library_world *t;
    struct passwords *passwords;
    int log; /* the file with the development gateway's lines */
    struct sign_in_result r;
    const char *known; /* what a device that asks for a code shows */
};

static struct world world;

static void open_sign_in(bool upstream_only)
{
    static const struct conf_list china = { 1, { "86" } };
    const struct sms_conf sms = { .url = "",
                                  .type = "json",
                                  .body = "",
                                  .headers = "",
                                  .ok = "",
                                  .countries = &china,
                                  .development = true };
    const struct sign_in_conf c = { world.passwords, upstream_only };
    struct err e = { 0 };

    assert_int_equal(sms_open(&e, &sms), RC_OK);
    assert_int_equal(sign_in_open(&e, world.t->dir, &c), RC_OK);
}

static int set_up(void **state)
{
    static const uint8_t key[32] = "token key";
    char name[] = "/tmp/tjzw-sign-in-XXXXXX";
    struct err e = { 0 };

    library_world_set_up(state);
    world.t = *state;
    world.log = mkstemp(name);
    unlink(name);
    log_set_fd(world.log);
    assert_int_equal(seal_load(&e, world.t->dir, SEAL_XCHACHA), RC_OK);
    assert_int_equal(session_load(&world.t->w, key), RC_OK);
    assert_int_equal(code_open(&e, world.t->dir), RC_OK);
    assert_int_equal(passwords_open(&e, 1, &world.passwords), RC_OK);
    factor_open(origin);
    open_sign_in(false);
    return 0;
}

static int tear_down(void **state)
{
    sign_in_close();
    sms_close();
    passwords_close(world.passwords);
    code_close();
    session_table_empty();
    seal_forget();
    log_set_fd(-1);
    close(world.log);
    return library_world_tear_down(state);
}

/* ---- what people do ---- */

static enum rc ask(const char *phone, uint64_t client)
{
    int64_t wait;
    enum rc rc;

    world_begin(world.t);
    rc = sign_in_ask(&world.t->w, &(struct sign_in_ask){ phone, world.known, client }, &wait);
    world_commit(world.t);
    return rc;
}

/* What came to this phone last; "" if nothing did. */
static const char *received(const char *phone)
{
    char *text = arena_zalloc(world.t->mem, 1 << 20), *at, *found = NULL;
    const char *wanted =
        arena_printf(world.t->mem, "\"%s\",\"code\":\"", phone + strlen(phone) - 4);

    assert_true(pread(world.log, text, (1 << 20) - 1, 0) >= 0);
    for (at = text; (at = strstr(at, wanted)); at++)
        found = at + strlen(wanted);
    return found ? arena_strndup(world.t->mem, found, CODE_DIGITS) : "";
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t more;
    bool done;
};

static void wake(struct errand *x)
{
    struct waiter *m = x->waiter;

    pthread_mutex_lock(&m->lock);
    m->done = true;
    pthread_cond_signal(&m->more);
    pthread_mutex_unlock(&m->lock);
}

static void wait_for(struct errand *x)
{
    struct waiter m = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    struct err e = { 0 };

    x->done = wake;
    x->waiter = &m;
    assert_int_equal(x->start(x, &e), RC_OK);
    pthread_mutex_lock(&m.lock);
    while (!m.done)
        pthread_cond_wait(&m.more, &m.lock);
    pthread_mutex_unlock(&m.lock);
}

/* The whole of a step; what came of it is in world.r. */
static enum rc step(struct sign_in_entry e)
{
    struct errand *errand = NULL;
    struct sign_in *s;
    enum rc rc;

    e.device = e.device ? e.device : "电话";
    e.client = e.client ? e.client : 1;
    if ((rc = sign_in_prepare(&world.t->w, &e, &s, &errand)))
        return rc;
    if (errand)
        wait_for(errand);
    world_begin(world.t);
    rc = sign_in_finish(&world.t->w, s, &world.r);
    world_commit(world.t);
    strcpy(world.t->w.who.name, "operator");
    work_forget_facts(&world.t->w);
    return rc;
}

static enum sign_in_step step_of(struct sign_in_entry e)
{
    assert_int_equal(step(e), RC_OK);
    return world.r.step;
}

static char *ticket(void)
{
    char *text = arena_alloc(world.t->mem, SLIP_TEXT);

    slip_put(&world.r.slip, text);
    return text;
}

static enum sign_in_step by_code(const char *phone)
{
    clock_set(clock_now() + 61);
    assert_int_equal(ask(phone, 1), RC_OK);
    return step_of((struct sign_in_entry){ .phone = phone, .code = received(phone) });
}

static enum sign_in_step by_password(const char *login, const char *password, uint64_t client,
                                     const char *known)
{
    return step_of((struct sign_in_entry){
        .login = login, .password = password, .client = client, .known = known });
}

static int64_t make(enum account_kind kind, const char *identifier, const char *value)
{
    const struct account_new new = { kind, 1, NULL };
    char hash[PASSWORD_HASH], normal[PASSWORD_TEXT], id[IDENTIFIER_TEXT];
    struct account a;
    struct err e;

    assert_int_equal(password_normal(&e, good_password, normal), RC_OK);
    assert_int_equal(password_hash(&e, normal, hash), RC_OK);
    assert_int_equal(identifier_normal(&e, identifier, value, id), RC_OK);
    world_begin(world.t);
    assert_int_equal(account_make(&world.t->w, &new, &a), RC_OK);
    assert_int_equal(identifier_add(&world.t->w, a.id, identifier, id), RC_OK);
    assert_int_equal(account_set_password(&world.t->w, a.id, hash), RC_OK);
    world_commit(world.t);
    return a.id;
}

static void add(int64_t account, struct factor_proof *p)
{
    struct factor_new n;
    int64_t no;

    p->name = "一把";
    assert_int_equal(factor_read(&world.t->w, p, &n), RC_OK);
    world_begin(world.t);
    assert_int_equal(factor_add(&world.t->w, account, &n, &no), RC_OK);
    world_commit(world.t);
}

static void add_totp(int64_t account, uint8_t secret[TOTP_SECRET])
{
    struct factor_proof p = { .slip = slip_new(SLIP_FACTOR, FACTOR_TOTP, account) };
    char code[TOTP_DIGITS + 1];

    factor_secret(&p.slip, secret);
    totp_code(secret, totp_step(clock_now()), code);
    p.code = code;
    add(account, &p);
}

static void add_passkey(int64_t account, struct authenticator *a)
{
    struct slip slip = slip_new(SLIP_FACTOR, FACTOR_PASSKEY, account);
    struct factor_proof p = { 0 };

    authenticator_make(a, world.t->mem, &slip, &p);
    add(account, &p);
}

static enum sign_in_step by_totp(const char *at, const uint8_t secret[TOTP_SECRET])
{
    char code[TOTP_DIGITS + 1];

    clock_set(clock_now() + TOTP_STEP);
    totp_code(secret, totp_step(clock_now()), code);
    return step_of((struct sign_in_entry){ .ticket = at, .totp = code });
}

static bool lives(const char *access)
{
    struct session_now now;

    return session_check(access, &now);
}

/* ---- citizens ---- */

static void a_first_code_makes_an_account_and_the_second_finds_it(void **state)
{
    int64_t account;

    (void)state;
    assert_int_equal(by_code(LI), SIGN_IN_DONE);
    assert_true(world.r.made);
    assert_int_equal(world.r.level, 1);
    assert_int_equal(world.r.kind, SESSION_CITIZEN);
    assert_true(lives(world.r.tokens.access));
    account = world.r.account;
    assert_int_equal(by_code("+86 138 0013 8000"), SIGN_IN_DONE);
    assert_false(world.r.made);
    assert_int_equal(world.r.account, account);
    assert_int_equal(world_number(world.t,
                                  "SELECT count(*) FROM audit WHERE action = 'sign_in' "
                                  "AND object = 'accounts/1' AND actor = 'account:1'"),
                     2);
    assert_int_equal(
        world_number(world.t, "SELECT count(*) FROM audit WHERE action = 'account.create'"), 1);
}

static void a_wrong_code_opens_nothing_and_five_end_it(void **state)
{
    char wrong[CODE_DIGITS + 1];

    (void)state;
    assert_int_equal(ask(LI, 1), RC_OK);
    strcpy(wrong, received(LI));
    wrong[5] = wrong[5] == '9' ? '0' : wrong[5] + 1;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(step_of((struct sign_in_entry){ .phone = LI, .code = wrong }),
                         SIGN_IN_REFUSED);
        assert_int_equal(world.r.why, RC_UNAUTHORIZED);
    }
    assert_int_equal(step_of((struct sign_in_entry){ .phone = LI, .code = received(LI) }),
                     SIGN_IN_REFUSED);
    assert_int_equal(world_number(world.t, "SELECT count(*) FROM account"), 0);
}

static void strangers_cannot_keep_codes_from_a_phone_that_signed_in(void **state)
{
    char known[SLIP_TEXT];

    (void)state;
    assert_int_equal(by_code(LI), SIGN_IN_DONE);
    strcpy(known, world.r.known);
    for (uint64_t i = 0; i < 9; i++) {
        clock_set(clock_now() + 61);
        assert_int_equal(ask(LI, 666 + i % 2), RC_OK);
    }
    clock_set(clock_now() + 61);
    assert_int_equal(ask(LI, 1), RC_TOO_MANY);
    assert_int_equal(ask(WANG, 1), RC_OK);
    world.known = known;
    assert_int_equal(ask(LI, 1), RC_OK);
    assert_int_equal(step_of((struct sign_in_entry){
                         .phone = LI, .code = received(LI), .known = known, .client = 2 }),
                     SIGN_IN_DONE);
    assert_int_equal(ask(WANG, 2), RC_TOO_MANY); /* of another's number it says nothing */
    world.known = NULL;
}

static void a_password_signs_in_by_number_or_name(void **state)
{
    (void)state;
    make(ACCOUNT_CITIZEN, "phone", LI);
    make(ACCOUNT_CITIZEN, "login", "li.lei");
    assert_int_equal(by_password("138 0013 8000", good_password, 1, NULL), SIGN_IN_DONE);
    assert_int_equal(by_password("Li.Lei", good_password, 1, NULL), SIGN_IN_DONE);
    assert_int_equal(by_password("li.lei", "wrong password", 1, NULL), SIGN_IN_REFUSED);
    assert_int_equal(by_password("li.lei", "", 1, NULL), SIGN_IN_REFUSED);
}

static void who_does_not_exist_gets_the_same_answer(void **state)
{
    struct err wrong, nobody, without, organisation;

    (void)state;
    make(ACCOUNT_CITIZEN, "login", "li.lei");
    make(ACCOUNT_ORGANISATION, "login", "company");
    assert_int_equal(by_code(WANG), SIGN_IN_DONE); /* an account without a password */
    assert_int_equal(by_password("li.lei", "wrong password", 2, NULL), SIGN_IN_REFUSED);
    wrong = world.t->w.err;
    assert_int_equal(by_password("han.meimei", "wrong password", 2, NULL), SIGN_IN_REFUSED);
    nobody = world.t->w.err;
    assert_int_equal(by_password(WANG, "wrong password", 2, NULL), SIGN_IN_REFUSED);
    without = world.t->w.err;
    assert_int_equal(by_password("company", good_password, 2, NULL), SIGN_IN_REFUSED);
    organisation = world.t->w.err;
    assert_string_equal(wrong.text, nobody.text);
    assert_string_equal(wrong.text, without.text);
    assert_string_equal(wrong.text, organisation.text);
    assert_int_equal(wrong.rc, RC_UNAUTHORIZED);
    assert_int_equal(nobody.rc, RC_UNAUTHORIZED);
}

static void guesses_are_slowed_alike_for_who_does_not_exist(void **state)
{
    static const char *const names[] = { "li.lei", "han.meimei" };

    (void)state;
    make(ACCOUNT_CITIZEN, "login", "li.lei");
    for (int i = 0; i < 2; i++) {
        uint64_t client = 10 + (uint64_t)i;

        for (int k = 0; k < 5; k++)
            assert_int_equal(by_password(names[i], "wrong password", client, NULL),
                             SIGN_IN_REFUSED);
        assert_int_equal(by_password(names[i], good_password, client, NULL), SIGN_IN_REFUSED);
        assert_int_equal(world.r.why, RC_TOO_MANY);
        assert_in_range(world.r.wait, 1, 60);
    }
}

static void a_device_that_was_here_before_is_not_locked_out(void **state)
{
    char known[SLIP_TEXT];

    (void)state;
    make(ACCOUNT_CITIZEN, "phone", LI);
    assert_int_equal(by_password(LI, good_password, 1, NULL), SIGN_IN_DONE);
    strcpy(known, world.r.known);
    for (uint64_t client = 100; client < 200; client++)
        assert_int_equal(by_password(LI, "wrong password", client, NULL), SIGN_IN_REFUSED);
    assert_int_equal(by_password(LI, "wrong password", 1, NULL), SIGN_IN_REFUSED);
    assert_int_equal(by_password(LI, good_password, 1, NULL), SIGN_IN_CODE);
    assert_int_equal(by_password(LI, good_password, 1, known), SIGN_IN_DONE);
    known[20] ^= 1;
    assert_int_equal(by_password(LI, good_password, 1, known), SIGN_IN_CODE);
    assert_int_equal(by_password(LI, good_password, 2, NULL), SIGN_IN_DONE); /* is quiet */
}

/* Staff sign in by name; there is no phone to send a code to. */
static void who_has_a_name_alone_is_told_to_wait(void **state)
{
    (void)state;
    make(ACCOUNT_CITIZEN, "login", "li.lei");
    for (uint64_t client = 100; client < 201; client++)
        assert_int_equal(by_password("li.lei", "wrong password", client, NULL),
                         SIGN_IN_REFUSED);
    assert_int_equal(by_password("li.lei", good_password, 100, NULL), SIGN_IN_REFUSED);
    assert_int_equal(world.r.why, RC_TOO_MANY);
    assert_in_range(world.r.wait, 3000, 3600);
    assert_int_equal(by_password("li.lei", good_password, 1, NULL), SIGN_IN_DONE);
}

static void a_locked_account_tells_only_who_knows_its_password(void **state)
{
    int64_t account = make(ACCOUNT_CITIZEN, "login", "li.lei");

    (void)state;
    world_begin(world.t);
    assert_int_equal(account_set_state(&world.t->w, account, ACCOUNT_LOCKED), RC_OK);
    world_commit(world.t);
    assert_int_equal(by_password("li.lei", "wrong password", 1, NULL), SIGN_IN_REFUSED);
    assert_int_equal(world.r.why, RC_UNAUTHORIZED);
    assert_int_equal(by_password("li.lei", good_password, 1, NULL), SIGN_IN_REFUSED);
    assert_int_equal(world.r.why, RC_FORBIDDEN);
}

static void where_nobody_registers_no_message_leaves(void **state)
{
    (void)state;
    make(ACCOUNT_CITIZEN, "phone", LI);
    sign_in_close();
    sms_close();
    open_sign_in(true);
    assert_int_equal(ask(WANG, 1), RC_OK);
    assert_int_equal(ask(LI, 1), RC_OK);
    assert_string_equal(received(WANG), "");
    assert_int_equal(strlen(received(LI)), CODE_DIGITS);
    assert_int_equal(step_of((struct sign_in_entry){ .phone = LI, .code = received(LI) }),
                     SIGN_IN_DONE);
    assert_int_equal(ask(WANG, 1), RC_TOO_MANY); /* the limits count alike */
    assert_int_equal(ask(LI, 1), RC_TOO_MANY);
}

/* ---- second factors ---- */

static void who_has_a_second_factor_is_asked_for_it(void **state)
{
    int64_t account = make(ACCOUNT_CITIZEN, "phone", LI);
    uint8_t secret[TOTP_SECRET];
    char *at;

    (void)state;
    add_totp(account, secret);
    assert_int_equal(by_password(LI, good_password, 1, NULL), SIGN_IN_FACTOR);
    assert_int_equal(world.r.factors, 1u << FACTOR_TOTP);
    at = ticket();
    assert_int_equal(by_totp(at, secret), SIGN_IN_DONE);
    assert_int_equal(step((struct sign_in_entry){ .ticket = at, .totp = "123456" }),
                     RC_UNAUTHORIZED);             /* the ticket is used */
    assert_int_equal(by_code(LI), SIGN_IN_FACTOR); /* a code alone does not get round it */
    assert_int_equal(by_totp(ticket(), secret), SIGN_IN_DONE);
}

static void a_code_of_the_app_is_good_once_and_guessed_at_few_times(void **state)
{
    int64_t account = make(ACCOUNT_CITIZEN, "phone", LI);
    uint8_t secret[TOTP_SECRET];
    char code[TOTP_DIGITS + 1], *at;

    (void)state;
    add_totp(account, secret);
    totp_code(secret, totp_step(clock_now()), code);
    assert_int_equal(by_password(LI, good_password, 1, NULL), SIGN_IN_FACTOR);
    at = ticket();
    for (int i = 0; i < 5; i++) /* the one that it was added with is used */
        assert_int_equal(step_of((struct sign_in_entry){ .ticket = at, .totp = code }),
                         SIGN_IN_REFUSED);
    assert_int_equal(by_totp(at, secret), SIGN_IN_REFUSED);
    assert_int_equal(world.r.why, RC_TOO_MANY);
}

static void a_ticket_is_good_for_five_minutes_and_for_its_account(void **state)
{
    int64_t li = make(ACCOUNT_CITIZEN, "phone", LI),
            wang = make(ACCOUNT_CITIZEN, "phone", WANG);
    uint8_t secret[TOTP_SECRET], others[TOTP_SECRET];
    char *at, bent[SLIP_TEXT];

    (void)state;
    add_totp(li, secret);
    add_totp(wang, others);
    assert_int_equal(by_password(LI, good_password, 1, NULL), SIGN_IN_FACTOR);
    at = ticket();
    assert_int_equal(by_totp(at, others), SIGN_IN_REFUSED);
    for (size_t i = 0; i < strlen(at); i++) {
        strcpy(bent, at);
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        assert_int_equal(step((struct sign_in_entry){ .ticket = bent, .totp = "123456" }),
                         RC_UNAUTHORIZED);
    }
    clock_set(clock_now() + SIGN_IN_LIFE);
    assert_int_equal(step((struct sign_in_entry){ .ticket = at, .totp = "123456" }),
                     RC_UNAUTHORIZED);
}

static void a_ticket_ends_with_its_password(void **state)
{
    int64_t li = make(ACCOUNT_CITIZEN, "phone", LI);
    uint8_t secret[TOTP_SECRET];

    (void)state;
    add_totp(li, secret);
    assert_int_equal(by_password(LI, good_password, 1, NULL), SIGN_IN_FACTOR);
    clock_set(clock_now() + 1);
    world_begin(world.t);
    assert_int_equal(account_set_password(&world.t->w, li, "$argon2id$another"), RC_OK);
    world_commit(world.t);
    assert_int_equal(by_totp(ticket(), secret), SIGN_IN_REFUSED);
}

static void a_ticket_does_not_survive_a_restart_but_a_device_does(void **state)
{
    int64_t li = make(ACCOUNT_CITIZEN, "phone", LI);
    uint8_t secret[TOTP_SECRET];
    char known[SLIP_TEXT], *at;
    struct slip device;

    (void)state;
    assert_int_equal(by_password(LI, good_password, 1, NULL), SIGN_IN_DONE);
    strcpy(known, world.r.known);
    add_totp(li, secret);
    assert_int_equal(by_password(LI, good_password, 1, NULL), SIGN_IN_FACTOR);
    at = ticket();
    sign_in_close();
    sms_close();
    open_sign_in(false);
    assert_int_equal(step((struct sign_in_entry){ .ticket = at, .totp = "123456" }),
                     RC_UNAUTHORIZED);
    assert_true(slip_read(known, SLIP_DEVICE, DEVICE_SLIP_LIFE, &device));
    assert_int_equal(device.account, li);
    assert_false(slip_read(known, SLIP_SIGN_IN, SIGN_IN_LIFE, &device));
}

static void a_passkey_signs_in_by_itself(void **state)
{
    int64_t account = make(ACCOUNT_STAFF, "login", "li.lei");
    struct sign_in_entry e = { 0 };
    struct authenticator a;
    struct slip slip;
    char text[SLIP_TEXT];

    (void)state;
    authenticator_init(&a, host, origin);
    add_passkey(account, &a);
    slip = sign_in_challenge();
    slip_put(&slip, text);
    e.ticket = text;
    authenticator_sign(&a, world.t->mem, &slip, &e.passkey);
    assert_int_equal(step_of(e), SIGN_IN_DONE);
    assert_int_equal(world.r.account, account);
    assert_int_equal(world.r.kind, SESSION_STAFF);
    assert_int_equal(world.r.level, 4);
    assert_int_equal(step(e), RC_UNAUTHORIZED); /* the challenge was taken back */
    slip = sign_in_challenge();
    slip_put(&slip, text);
    a.verifies = false;
    authenticator_sign(&a, world.t->mem, &slip, &e.passkey);
    assert_int_equal(step(e), RC_UNAUTHORIZED); /* whoever found the stick */
    authenticator_done(&a);
}

static void a_copied_passkey_is_not_taken(void **state)
{
    int64_t account = make(ACCOUNT_STAFF, "login", "li.lei");
    struct sign_in_entry e = { 0 };
    struct authenticator a;
    struct slip slip = sign_in_challenge();
    char text[SLIP_TEXT];

    (void)state;
    authenticator_init(&a, host, origin);
    a.count = 10;
    add_passkey(account, &a);
    a.count = 5;
    slip_put(&slip, text);
    e.ticket = text;
    authenticator_sign(&a, world.t->mem, &slip, &e.passkey);
    assert_int_equal(step_of(e), SIGN_IN_REFUSED);
    assert_int_equal(world.r.why, RC_UNAUTHORIZED);
    authenticator_done(&a);
}

static void a_passkey_of_another_does_not_help(void **state)
{
    int64_t li = make(ACCOUNT_CITIZEN, "phone", LI),
            wang = make(ACCOUNT_CITIZEN, "phone", WANG);
    struct authenticator mine, others;
    struct sign_in_entry e = { 0 };

    (void)state;
    authenticator_init(&mine, host, origin);
    authenticator_init(&others, host, origin);
    add_passkey(li, &mine);
    add_passkey(wang, &others);
    assert_int_equal(by_password(LI, good_password, 1, NULL), SIGN_IN_FACTOR);
    e.ticket = ticket();
    authenticator_sign(&others, world.t->mem, &world.r.slip, &e.passkey);
    assert_int_equal(step(e), RC_UNAUTHORIZED);
    authenticator_sign(&mine, world.t->mem, &world.r.slip, &e.passkey);
    assert_int_equal(step_of(e), SIGN_IN_DONE);
    authenticator_done(&mine);
    authenticator_done(&others);
}

/* ---- staff ---- */

static void staff_need_a_password_and_a_second_factor(void **state)
{
    int64_t account = make(ACCOUNT_STAFF, "login", "li.lei");
    uint8_t secret[TOTP_SECRET];

    (void)state;
    assert_int_equal(by_password("li.lei", good_password, 1, NULL), SIGN_IN_REFUSED);
    assert_int_equal(world.r.why, RC_FORBIDDEN);
    add_totp(account, secret);
    assert_int_equal(by_password("li.lei", good_password, 1, NULL), SIGN_IN_FACTOR);
    assert_int_equal(by_totp(ticket(), secret), SIGN_IN_DONE);
    assert_int_equal(world.r.kind, SESSION_STAFF);
    assert_int_equal(world.r.level, 1);
}

static void a_code_by_sms_is_not_enough_for_staff(void **state)
{
    int64_t account = make(ACCOUNT_STAFF, "login", "li.lei");
    uint8_t secret[TOTP_SECRET];
    char *at, *next;

    (void)state;
    add_totp(account, secret);
    world_begin(world.t);
    assert_int_equal(identifier_add(&world.t->w, account, "phone", "86" LI), RC_OK);
    world_commit(world.t);
    assert_int_equal(by_code(LI), SIGN_IN_PASSWORD);
    at = ticket();
    assert_int_equal(by_totp(at, secret), SIGN_IN_PASSWORD); /* two are not enough without it */
    for (uint64_t client = 100; client < 200; client++)
        by_password(LI, "wrong password", client, NULL);
    assert_int_equal(by_password(LI, "wrong password", 1, NULL), SIGN_IN_REFUSED);
    assert_int_equal(by_password(LI, good_password, 1, NULL), SIGN_IN_CODE);
    assert_int_equal(by_code(LI), SIGN_IN_PASSWORD);
    at = ticket();
    assert_int_equal(
        step_of((struct sign_in_entry){ .login = LI, .password = good_password, .ticket = at }),
        SIGN_IN_FACTOR);
    next = ticket();
    assert_int_equal(
        step((struct sign_in_entry){ .login = LI, .password = good_password, .ticket = at }),
        RC_UNAUTHORIZED); /* it was good once */
    assert_int_equal(by_totp(next, secret), SIGN_IN_DONE);
}

static void what_is_no_step_is_refused(void **state)
{
    static const struct sign_in_entry none[] = {
        { 0 },
        { .phone = LI },
        { .code = "123456" },
        { .login = "li.lei" },
        { .phone = LI, .code = "123456", .password = "x" },
        { .ticket = "x" },
        { .phone = LI, .password = good_password },
        { .login = LI, .password = good_password, .totp = "123456" },
        { .ticket = "x", .totp = "123456", .passkey = { .credential = { (uint8_t *)"x", 1 } } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(step(none[i]), RC_INVALID);
}

/* ---- another phone ---- */

static enum rc prove(int64_t account, const char *phone, const char *code, bool join,
                     bool *right, int64_t *joined)
{
    struct phone_add a = { account, arena_printf(world.t->mem, "86%s", phone), code, 0, join };
    int64_t wait;
    enum rc rc;

    world_begin(world.t);
    rc = phone_add(&world.t->w, &a, right, joined, &wait);
    if (rc) {
        db_rollback(world.t->w.db);
        world.t->w.after = NULL;
        return rc;
    }
    world_commit(world.t);
    return RC_OK;
}

static void send_to(const char *phone)
{
    const struct phone_ask a = { arena_printf(world.t->mem, "86%s", phone), PHONE_ADD, 1,
                                 false };
    int64_t wait;

    clock_set(clock_now() + 61);
    world_begin(world.t);
    assert_int_equal(phone_ask(&world.t->w, &a, &wait), RC_OK);
    world_commit(world.t);
}

static void a_phone_of_another_account_joins_it_only_when_asked(void **state)
{
    int64_t li = make(ACCOUNT_CITIZEN, "phone", LI),
            wang = make(ACCOUNT_CITIZEN, "phone", WANG), joined;
    bool right = false;

    (void)state;
    send_to(WANG);
    assert_int_equal(prove(li, WANG, "000000", true, &right, &joined), RC_OK);
    assert_false(right);
    assert_int_equal(prove(li, WANG, received(WANG), false, &right, &joined), RC_CONFLICT);
    assert_int_equal(prove(li, WANG, received(WANG), true, &right, &joined), RC_OK);
    assert_true(right);
    assert_int_equal(joined, wang);
    assert_int_equal(by_code(WANG), SIGN_IN_DONE);
    assert_int_equal(world.r.account, li);
}

static void a_phone_alone_does_not_get_round_a_second_factor(void **state)
{
    int64_t li = make(ACCOUNT_CITIZEN, "phone", LI),
            wang = make(ACCOUNT_CITIZEN, "phone", WANG), joined;
    uint8_t secret[TOTP_SECRET];
    bool right;

    (void)state;
    add_totp(wang, secret);
    send_to(WANG);
    assert_int_equal(prove(li, WANG, received(WANG), true, &right, &joined), RC_CONFLICT);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_first_code_makes_an_account_and_the_second_finds_it),
        T(a_wrong_code_opens_nothing_and_five_end_it),
        T(strangers_cannot_keep_codes_from_a_phone_that_signed_in),
        T(a_password_signs_in_by_number_or_name),
        T(who_does_not_exist_gets_the_same_answer),
        T(guesses_are_slowed_alike_for_who_does_not_exist),
        T(a_device_that_was_here_before_is_not_locked_out),
        T(who_has_a_name_alone_is_told_to_wait),
        T(a_locked_account_tells_only_who_knows_its_password),
        T(where_nobody_registers_no_message_leaves),
        T(who_has_a_second_factor_is_asked_for_it),
        T(a_code_of_the_app_is_good_once_and_guessed_at_few_times),
        T(a_ticket_is_good_for_five_minutes_and_for_its_account),
        T(a_ticket_ends_with_its_password),
        T(a_ticket_does_not_survive_a_restart_but_a_device_does),
        T(a_passkey_signs_in_by_itself),
        T(a_copied_passkey_is_not_taken),
        T(a_passkey_of_another_does_not_help),
        T(staff_need_a_password_and_a_second_factor),
        T(a_code_by_sms_is_not_enough_for_staff),
        T(what_is_no_step_is_refused),
        T(a_phone_of_another_account_joins_it_only_when_asked),
        T(a_phone_alone_does_not_get_round_a_second_factor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
