/*
 * gate_test.c - who asks: sessions over HTTP, what is no token of ours, cookies, levels, rights.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/identity/credential.h"
#include "server/identity/party_table.h"
#include "server/identity/session.h"
#include "server/store/writer.h"
#include "tests/lib/world.h"

enum { ACCOUNT = 7, MUTATIONS = 5000 };

static enum rc tell(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    (void)rq;
    buf_printf(&b, "%s level %d session %d", w->who.name, w->who.level, w->who.session > 0);
    reply_buf(rp, TYPE_TEXT, &b);
    return RC_OK;
}

/* clang-format off */
static const struct route table[] = {
    { GET, "/v1/all", RIGHT_READ, ON_LOOP, 0, NULL, 0, tell, NULL, "", "", NULL },
    { GET, "/v1/me", RIGHT_SELF, ON_LOOP, 0, NULL, 0, tell, NULL, "", "", NULL },
    { GET, "/v1/me/worker", RIGHT_SELF, ON_WORKER, 0, NULL, 0, tell, NULL, "", "", NULL },
    { POST, "/v1/me", RIGHT_SELF, ON_WRITER, 0, NULL, 0, tell, NULL, "", "", NULL },
    { GET, "/v1/real", RIGHT_SELF, ON_LOOP, R_LEVEL3, NULL, 0, tell, NULL, "", "", NULL },
    { GET, "/v1/edit", RIGHT_EDIT | RIGHT_REVIEW, ON_LOOP, 0, NULL, 0, tell, NULL, "", "", NULL },
    { GET, "/page", RIGHT_READ, ON_LOOP, R_PAGE, NULL, 0, tell, NULL, "", "", NULL },
    { GET, "/my/page", RIGHT_SELF, ON_WORKER, R_PAGE, NULL, 0, tell, NULL, "", "", NULL },
    { GET, "/v1/kept", RIGHT_READ, ON_WORKER, R_CACHED, NULL, 0, tell, NULL, "", "", NULL },
    { GET, "/kept/page", RIGHT_READ, ON_LOOP, R_PAGE | R_CACHED, NULL, 0, tell, NULL, "", "", NULL },
    { 0 },
};
/* clang-format on */

struct fixture {
    struct world *world;
    int64_t id;
    struct session_tokens tokens;
};

static enum rc load(struct work *w, void *unused)
{
    static const uint8_t key[32] = "of tokens";

    (void)unused;
    return session_load(w, key);
}

static enum rc open_session(struct work *w, void *arg)
{
    const struct session_new n = { .account = ACCOUNT, .level = 2, .device = "test" };
    struct fixture *f = arg;

    return session_open(w, &n, &f->id, &f->tokens);
}

static enum rc end_session(struct work *w, void *arg)
{
    const struct fixture *f = arg;

    return session_end(w, ACCOUNT, f->id);
}

static void call(struct fixture *f, enum rc (*run)(struct work *w, void *arg))
{
    struct work w;

    work_init(&w, world_mem(f->world), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, run, f), RC_OK);
}

static int set_up(void **state)
{
    static struct fixture f;

    gate_set(&(struct gate_source){ .know = credential_know });
    f.world = world_open(table);
    call(&f, load);
    call(&f, open_session);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    world_close(f->world);
    return 0;
}

static struct answer with(struct fixture *f, enum method m, const char *target,
                          const char *headers)
{
    return ask(f->world, m, target, &(struct ask){ .headers = headers });
}

static const char *bearer(struct fixture *f, const char *token)
{
    return arena_printf(world_mem(f->world), "authorization: Bearer %s\n", token);
}

#define SAYS(a, text)                          \
    do {                                       \
        struct answer said_ = a;               \
                                               \
        assert_string_equal(said_.body, text); \
        assert_int_equal(said_.status, 200);   \
    } while (0)

static const char known[] = "account:7 level 2 session 1";

static void who_has_signed_in_is_known_wherever_it_runs(void **state)
{
    struct fixture *f = *state;
    const char *token = bearer(f, f->tokens.access);

    SAYS(with(f, GET, "/v1/me", token), known);
    SAYS(with(f, GET, "/v1/me/worker", token), known);
    SAYS(with(f, POST, "/v1/me", token), known);
    SAYS(with(f, GET, "/v1/all", token), known);
    SAYS(with(f, GET, "/v1/all", NULL), "public level 0 session 0");
    assert_int_equal(with(f, GET, "/v1/me", NULL).status, 401);
    assert_int_equal(with(f, GET, "/v1/edit", NULL).status, 401);
    assert_int_equal(with(f, GET, "/v1/edit", token).status, 403);
}

/* Whoever has the admin socket has every right, and no account. */
static void the_operator_is_nobodys_account(void **state)
{
    struct fixture *f = *state;
    const struct ask operator= { .origin = ORIGIN_ADMIN };

    assert_int_equal(ask(f->world, GET, "/v1/edit", &operator).status, 200);
    assert_int_equal(ask(f->world, GET, "/v1/me", &operator).status, 403);
}

static void an_ended_session_is_refused_at_the_next_request(void **state)
{
    struct fixture *f = *state;
    const char *token = bearer(f, f->tokens.access);
    struct answer a;

    SAYS(with(f, GET, "/v1/me", token), known);
    call(f, end_session);
    a = with(f, GET, "/v1/me", token);
    assert_int_equal(a.status, 401);
    assert_string_equal(answer_header(f->world, &a, "www-authenticate"),
                        "Bearer error=\"invalid_token\"");
    assert_int_equal(with(f, GET, "/v1/all", token).status, 401);
}

static void a_bad_token_is_refused_though_none_is_needed(void **state)
{
    struct fixture *f = *state;
    const char *token = bearer(f, f->tokens.access);
    const struct ask operator= { .origin = ORIGIN_ADMIN, .headers = token };
    struct answer a;

    for (int kept = 0; kept < 2; kept++) { /* made, and out of the cache */
        SAYS(with(f, GET, "/v1/kept", token), "public level 0 session 0");
        SAYS(with(f, GET, "/v1/kept", NULL), "public level 0 session 0");
        assert_int_equal(with(f, GET, "/v1/kept", bearer(f, "tja_none")).status, 401);
    }
    call(f, end_session);
    a = with(f, GET, "/v1/kept", token);
    assert_int_equal(a.status, 401);
    assert_string_equal(answer_header(f->world, &a, "www-authenticate"),
                        "Bearer error=\"invalid_token\"");
    assert_int_equal(with(f, GET, "/kept/page", token).status, 401);
    SAYS(with(f, GET, "/v1/kept", "authorization: Basic eDp5\n"), "public level 0 session 0");
    SAYS(ask(f->world, GET, "/v1/kept", &operator), "public level 0 session 0");
}

static void an_edge_knows_no_tokens_and_lets_them_by(void **state)
{
    const struct world_conf conf = { .edge_of = "https://www.example.cn" };
    struct fixture *f = *state;

    world_close(f->world);
    f->world = world_open_with(table, &conf);
    SAYS(with(f, GET, "/v1/kept", bearer(f, "tja_none")), "public level 0 session 0");
    assert_int_equal(with(f, GET, "/v1/all", bearer(f, "tja_none")).status, 401);
}

static void a_token_lives_as_long_as_it_says(void **state)
{
    struct fixture *f = *state;
    const char *token = bearer(f, f->tokens.access);

    clock_set(WORLD_NOW + SESSION_ACCESS_LIFE - 1);
    SAYS(with(f, GET, "/v1/me", token), known);
    clock_set(WORLD_NOW + SESSION_ACCESS_LIFE);
    assert_int_equal(with(f, GET, "/v1/me", token).status, 401);
}

/* One character another, one less, one more, two exchanged, and pieces of it. */
static const char *mutate(struct arena *mem, const char *token, int n)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/.~!";
    size_t length = strlen(token), at = (size_t)n % length,
           other = (size_t)n / length % (sizeof letters - 1);
    char *text = arena_alloc(mem, length + 2);

    memcpy(text, token, length + 1);
    switch (n % 5) {
    case 0: memmove(text + at, text + at + 1, length - at); break;
    case 1:
        memmove(text + at + 1, text + at, length - at + 1);
        text[at] = letters[other];
        break;
    case 2: text[at] = '\0'; break;
    default: text[at] = letters[other]; break;
    }
    return text;
}

static void no_mutated_token_is_accepted(void **state)
{
    struct fixture *f = *state;
    int tried = 0;

    for (int n = 0; tried < MUTATIONS; n++) {
        const char *text = mutate(world_mem(f->world), f->tokens.access, n);
        struct actor who = { .name = "untouched" };
        struct err e;

        if (!strcmp(text, f->tokens.access))
            continue;
        tried++;
        if (credential_know(&e, world_mem(f->world), text, false, &who) != RC_UNAUTHORIZED ||
            strcmp(who.name, "untouched"))
            fail_msg("%s was accepted for %s", text, f->tokens.access);
        if (tried % 50 == 0 && *text)
            assert_int_equal(with(f, GET, "/v1/all", bearer(f, text)).status, 401);
    }
}

static void what_is_no_access_token_opens_nothing(void **state)
{
    struct fixture *f = *state;
    struct arena *mem = world_mem(f->world);
    const char *token = f->tokens.access;
    const char *const wrong[] = {
        bearer(f, f->tokens.refresh),
        bearer(f, "tja_"),
        bearer(f, arena_printf(mem, "%s %s", token, token)),
        bearer(f, arena_printf(mem, "%s,%s", token, token)),
        bearer(f, arena_printf(mem, "%s\t", token)),
        bearer(f, arena_printf(mem, " %s", token)),
        bearer(f, arena_printf(mem, "TJA_%s", token + 4)),
        bearer(f, arena_printf(mem, "%0600d", 1)),
        "authorization: Bearer \n",
        arena_printf(mem, "authorization: Basic %s\n", token),
        arena_printf(mem, "authorization: %s\n", token),
        arena_printf(mem, "x-authorization: Bearer %s\n", token),
        arena_printf(mem, "authorization: Bearer %s\nauthorization: Bearer %s\n", token, token),
        arena_printf(mem, "authorization: Basic eDp5\nauthorization: Bearer %s\n", token),
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (with(f, GET, "/v1/me", wrong[i]).status != 401)
            fail_msg("%s", wrong[i]);
    SAYS(with(f, GET, "/v1/me", arena_printf(mem, "authorization: bEaReR %s\n", token)), known);
}

static void a_cookie_opens_pages_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct arena *mem = world_mem(f->world);
    const char *token = f->tokens.access;
    const char *cookie = arena_printf(mem, "cookie: a=b; tjzw=%s; c\n", token);
    const char *host = arena_printf(mem, "cookie: __Host-tjzw=%s\n", token);

    SAYS(with(f, GET, "/my/page", cookie), known);
    SAYS(with(f, GET, "/page", cookie), known);
    SAYS(with(f, GET, "/kept/page", cookie), "public level 0 session 0");
    assert_int_equal(with(f, GET, "/v1/me", cookie).status, 401);
    assert_int_equal(with(f, POST, "/v1/me", cookie).status, 401);
    SAYS(with(f, GET, "/v1/all", cookie), "public level 0 session 0");

    assert_int_equal(with(f, GET, "/my/page", host).status, 401);
    SAYS(ask(f->world, GET, "/my/page", &(struct ask){ .headers = host, .origin = ORIGIN_TLS }),
         known);
    assert_int_equal(
        ask(f->world, GET, "/my/page", &(struct ask){ .headers = cookie, .origin = ORIGIN_TLS })
            .status,
        401);
}

static void a_cookie_that_cannot_be_ours_is_none(void **state)
{
    struct fixture *f = *state;
    struct arena *mem = world_mem(f->world);
    const char *token = f->tokens.access;
    const char *const wrong[] = {
        "cookie: tjzw=\n",
        "cookie: tjzw\n",
        arena_printf(mem, "cookie: xtjzw=%s\n", token),
        arena_printf(mem, "cookie: tjzw =%s\n", token),
        arena_printf(mem, "cookie: tjzw=\"%s\"\n", token),
        arena_printf(mem, "cookie: tjzw=%s; tjzw=%s\n", token, token),
        arena_printf(mem, "cookie: tjzw=x\ncookie: tjzw=%s\n", token),
        arena_printf(mem, "cookie: tjzw=%s\n", f->tokens.refresh),
        arena_printf(mem, "cookie: tjzw=%s\nauthorization: Basic eDp5\n", token),
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (with(f, GET, "/my/page", wrong[i]).status != 401)
            fail_msg("%s", wrong[i]);
        SAYS(with(f, GET, "/page", wrong[i]), "public level 0 session 0");
    }
    SAYS(with(f, GET, "/my/page", arena_printf(mem, "cookie: a=1\ncookie:  tjzw=%s\n", token)),
         known); /* HTTP/2 sends the cookies one by one */
}

static enum rc open_programs(struct work *w, void *arg)
{
    const struct session_new n = {
        .account = ACCOUNT, .party = 3, .level = 2, .device = "program"
    };
    struct fixture *f = arg;

    return session_open(w, &n, &f->id, &f->tokens);
}

static void a_programs_session_has_nothing_of_its_persons(void **state)
{
    struct party_entry e = { .party = {
                                 .no = 3, .id = "heping", .name = "和平区", .open = true } };
    struct fixture *f = *state;
    const char *header, *cookie;

    party_table_put(&e);
    call(f, open_programs);
    header = bearer(f, f->tokens.access);
    cookie = arena_printf(world_mem(f->world), "cookie: tjzw=%s\n", f->tokens.access);
    SAYS(with(f, GET, "/v1/all", header), "party:heping level 0 session 1");
    assert_int_equal(with(f, GET, "/v1/me", header).status, 403);
    assert_int_equal(with(f, GET, "/my/page", cookie).status, 401);
    SAYS(with(f, GET, "/page", cookie), "public level 0 session 0");
    assert_int_equal(with(f, GET, "/page", header).status, 401);
    assert_int_equal(with(f, GET, "/my/page", header).status, 401);
    e.party.open = false;
    party_table_put(&e);
    assert_int_equal(with(f, GET, "/v1/all", header).status, 401);
    party_table_empty();
}

static void a_higher_level_is_asked_for(void **state)
{
    struct fixture *f = *state;
    struct answer a = with(f, GET, "/v1/real", bearer(f, f->tokens.access));

    assert_int_equal(a.status, 401);
    assert_string_equal(answer_header(f->world, &a, "www-authenticate"),
                        "Bearer error=\"insufficient_user_authentication\", acr_values=\"3\"");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(who_has_signed_in_is_known_wherever_it_runs),
        TEST(the_operator_is_nobodys_account),
        TEST(an_ended_session_is_refused_at_the_next_request),
        TEST(a_bad_token_is_refused_though_none_is_needed),
        TEST(an_edge_knows_no_tokens_and_lets_them_by),
        TEST(a_token_lives_as_long_as_it_says),
        TEST(no_mutated_token_is_accepted),
        TEST(what_is_no_access_token_opens_nothing),
        TEST(a_cookie_opens_pages_and_nothing_else),
        TEST(a_cookie_that_cannot_be_ours_is_none),
        TEST(a_programs_session_has_nothing_of_its_persons),
        TEST(a_higher_level_is_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
