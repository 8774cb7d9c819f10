#include "tests/lib/party_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/identity/account.h"
#include "server/identity/grant_scope.h"
#include "server/identity/identifier.h"
#include "server/identity/party_table.h"
#include "server/identity/provider.h"
#include "server/identity/session_table.h"
#include "server/store/writer.h"

/* Of no key that has a quota. */
enum { PARTY_KEY_NO = 1000 };

enum { ALL_WAYS = GRANT_BY_CODE | GRANT_BY_REFRESH | GRANT_BY_ITSELF | GRANT_BY_DEVICE };

static const char *const heping[] = { PARTY_BACK, "https://heping.example/out" },
                         *const nankai[] = { "https://nankai.example/back" },
                         *const local[] = { PARTY_LOCAL, "http://[::1]/done" };

static const struct grant_client usual[] = {
    { PARTY_HEPING, "heping", "和平区政务网", heping, 2, heping + 1, 1, ALL_WAYS, SCOPE_ALL, 3,
      "heping", true },
    { PARTY_NANKAI, "nankai", "南开区政务网", nankai, 1, NULL, 0, GRANT_BY_CODE,
      SCOPE_openid | SCOPE_profile, 1, "nankai", true },
    { PARTY_LOCAL_APP, "local-app", "示例桌面程序", local, 2, NULL, 0,
      GRANT_BY_CODE | GRANT_BY_REFRESH, SCOPE_ALL, 4, "local-app", false },
    { PARTY_SCREEN, "screen", "办事大厅屏幕", NULL, 0, NULL, 0,
      GRANT_BY_DEVICE | GRANT_BY_REFRESH, SCOPE_ALL, 2, "heping", false },
    { PARTY_SCRIPT, "script", "示例脚本", NULL, 0, NULL, 0, GRANT_BY_ITSELF, SCOPE_openid, 1,
      "script", true },
};

enum { PARTIES = sizeof usual / sizeof *usual };

struct grant_client party_world_clients[PARTIES];

static bool by_id(struct arena *mem, const char *id, struct grant_client *out)
{
    (void)mem;
    for (int i = 0; i < PARTIES; i++)
        if (!strcmp(party_world_clients[i].id, id)) {
            *out = party_world_clients[i];
            return true;
        }
    return false;
}

static bool by_number(struct arena *mem, int64_t party, struct grant_client *out)
{
    return party > 0 && party <= PARTIES && by_id(mem, party_world_clients[party - 1].id, out);
}

static int64_t key_of(int64_t party, const char *key)
{
    return party && !strcmp(key, PARTY_KEY) ? PARTY_KEY_NO : 0;
}

static const struct provider_clients clients = { by_id, by_number, key_of };

int party_world_set_up(void **state)
{
    struct err e = { 0 };
    struct world *t;

    if (service_world_set_up(state))
        return -1;
    t = *state;
    memcpy(party_world_clients, usual, sizeof usual);
    for (int i = 0; i < PARTIES; i++)
        party_table_put(&(struct party_entry){ .party = { .no = usual[i].party,
                                                          .id = usual[i].id,
                                                          .name = usual[i].name,
                                                          .kind = PARTY_TEST,
                                                          .open = true,
                                                          .client = usual[i] } });
    provider_close();
    assert_int_equal(provider_open(&e, world_dir(t), &clients), RC_OK);
    return 0;
}

int party_world_tear_down(void **state)
{
    int bad = service_world_tear_down(state);

    session_table_empty();
    return bad;
}

enum rc party_world_do(struct world *t, int64_t session,
                       enum rc (*run)(struct work *w, void *arg), void *arg, struct err *e)
{
    struct session_now now = { 0 };
    struct work w;
    enum rc rc;

    work_init(&w, world_mem(t), NULL, "public", RIGHT_READ);
    if (session_get(session, &now)) {
        w.who.session = session;
        w.who.account = now.account;
        w.who.level = now.level;
    }
    rc = writer_call(&w, run, arg);
    if (e)
        *e = w.err;
    return rc;
}

/* ---- a person before a browser ---- */

struct newcomer {
    const char *phone;
    int level;
    struct browser b;
    struct session_tokens tokens;
};

static enum rc make_newcomer(struct work *w, void *arg)
{
    struct newcomer *p = arg;
    const struct account_new new = { ACCOUNT_CITIZEN, p->level, "张三" };
    struct session_new n = {
        .level = p->level, .proofs = PROOF_SMS, .device = "浏览器", .browser = true
    };
    struct account a;
    enum rc rc;

    if ((rc = account_make(w, &new, &a)) || (rc = identifier_add(w, a.id, "phone", p->phone)))
        return rc;
    n.account = p->b.account = a.id;
    return session_open(w, &n, &p->b.session, &p->tokens);
}

struct browser browser_sign_in(struct world *t, int level)
{
    static int many;
    struct newcomer p = { .phone = URL("86138%08d", ++many), .level = level };

    assert_int_equal(party_world_do(t, 0, make_newcomer, &p, NULL), RC_OK);
    p.b.cookie = URL("cookie: tjzw=%s\n", p.tokens.access);
    return p.b;
}

struct answer browser_go(struct world *t, const struct browser *b, const char *target)
{
    return ask(t, GET, target, &(struct ask){ .headers = b ? b->cookie : NULL });
}

const char *browser_way(struct world *t, const struct browser *b, const char *target)
{
    struct answer a = browser_go(t, b, target);

    return a.status == 303 ? HEADER(a, "location") : "";
}

struct consenting {
    const char *ask, *location;
    bool allowed;
};

static enum rc answer_ask(struct work *w, void *arg)
{
    struct consenting *c = arg;

    return ask_answer(w, c->ask, c->allowed, &c->location);
}

const char *browser_consent(struct world *t, const struct browser *b, const char *to,
                            bool allowed)
{
    struct consenting c = { .ask = after(to, "ask="), .allowed = allowed };

    begins(to, "/consent?ask=");
    assert_int_equal(party_world_do(t, b->session, answer_ask, &c, NULL), RC_OK);
    return c.location;
}

const char *browser_code(struct world *t, const struct browser *b, const char *target)
{
    const char *to = browser_way(t, b, target);

    if (!strncmp(to, "/consent", 8))
        to = browser_consent(t, b, to, true);
    return part(t, to, "code=");
}

/* ---- a program ---- */

struct answer party_call(struct world *t, const char *path, const char *headers,
                         const char *form)
{
    return ask(t, POST, path, &(struct ask){ .headers = headers, .body = form });
}

struct answer party_fetch_as(struct world *t, const char *headers, const char *form,
                             const char *code)
{
    return party_call(t, "/oauth2/token", headers, URL("%s%s", form, code));
}

struct answer party_fetch(struct world *t, const char *code)
{
    return party_fetch_as(t, AS_HEPING, FETCHING, code);
}

struct answer party_userinfo(struct world *t, const char *access)
{
    return ask(t, GET, "/oauth2/userinfo",
               &(struct ask){ .headers = URL("authorization: Bearer %s\n", access) });
}

/* ---- words ---- */

const char *after(const char *text, const char *mark)
{
    const char *at = strstr(text, mark);

    return at ? at + strlen(mark) : "";
}

const char *part(struct world *t, const char *address, const char *mark)
{
    const char *at = after(address, mark);

    return arena_strndup(world_mem(t), at, strcspn(at, "&"));
}

void begins(const char *text, const char *with)
{
    if (strncmp(text, with, strlen(with)))
        fail_msg("\"%s\" does not begin with \"%s\"", text, with);
}

void holds(const char *text, const char *word)
{
    if (!strstr(text, word))
        fail_msg("\"%s\" does not hold \"%s\"", text, word);
}
