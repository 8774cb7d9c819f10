#include "tests/lib/people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "push/address.h"
#include "server/identity/account.h"
#include "server/identity/role.h"
#include "server/store/writer.h"

struct entry {
    struct account_new account;
    struct session_new session;
    const struct role_info *role;
    int64_t site;
    struct session_tokens tokens;
    struct person p;
};

static enum rc enter(struct work *w, void *arg)
{
    struct entry *e = arg;
    struct account a;
    enum rc rc;

    if ((rc = account_make(w, &e->account, &a)))
        return rc;
    e->p.account = e->session.account = a.id;
    if ((rc = session_open(w, &e->session, &e->p.session, &e->tokens)))
        return rc;
    return e->role ? role_grant(w, a.id, e->role, e->site) : RC_OK;
}

static void call(struct world *t, enum rc (*run)(struct work *w, void *arg), void *arg)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "operator", RIGHT_ALL);
    w.who = actor_operator;
    if (writer_call(&w, run, arg))
        fail_msg("%s", w.err.text);
}

static struct person sign_in(struct world *t, struct entry *e)
{
    e->session.device = "test";
    if (e->session.kind == SESSION_GUEST)
        e->account.kind = ACCOUNT_GUEST;
    call(t, enter, e);
    e->p.header = URL("authorization: Bearer %s\n", e->tokens.access);
    return e->p;
}

struct person person_sign_in(struct world *t, enum session_kind kind, int level)
{
    struct entry e = { .account.kind = kind == SESSION_STAFF ? ACCOUNT_STAFF : ACCOUNT_CITIZEN,
                       .account.level = level,
                       .session = { .kind = kind, .level = level } };

    return sign_in(t, &e);
}

struct person person_staff_at(struct world *t, const char *role, int64_t site, uint64_t machine)
{
    struct entry e = { .account = { .kind = ACCOUNT_STAFF, .level = 1 },
                       .session = { .kind = SESSION_STAFF, .level = 1, .machine = machine },
                       .role = role_find(role),
                       .site = site };

    assert_non_null(e.role);
    return sign_in(t, &e);
}

struct person person_staff(struct world *t, const char *role, int64_t site)
{
    return person_staff_at(t, role, site, 0);
}

static enum rc leave(struct work *w, void *arg)
{
    const struct person *p = arg;

    return session_end(w, p->account, p->session);
}

void person_sign_out(struct world *t, const struct person *p)
{
    struct person copy = *p;

    call(t, leave, &copy);
}

struct answer person_ask(struct world *t, const struct person *p, enum method m,
                         const char *target, const char *body)
{
    return ask(t, m, target, &(struct ask){ .headers = p->header, .body = body });
}

/* ---- phones ---- */

#define TOKEN "0123456789abcdef-"

enum rc person_phones_settle(struct work *w, void *unused)
{
    int n;

    (void)unused;
    return address_settle(w, 100, &n);
}

void person_with_phones(struct world *t, struct person *out, int n)
{
    for (int i = 0; i < n; i++) {
        const char *phone = URL("{\"token\":\"" TOKEN "%d\",\"transport\":\"%s\"}", i,
                                i % 2 ? "huawei" : "xiaomi");

        out[i] = person_sign_in(t, SESSION_CITIZEN, 1);
        assert_int_equal(
            person_ask(t, &out[i], PUT, "/v1/me/push/AAAAAAAAAAAAAAAAAAAAAA", phone).status,
            204);
    }
    call(t, person_phones_settle, NULL);
}

int person_of(const char *token)
{
    return (int)strtol(token + strlen(TOKEN), NULL, 10);
}
