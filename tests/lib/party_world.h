/*
 * party_world.h - a whole service (service_world.h) with programs that ask it for people: a district's site, a program on somebody's
 * own machine, a screen in a hall, and a script.
 */
#ifndef TESTS_PARTY_WORLD_H
#define TESTS_PARTY_WORLD_H

#include "api/ask.h"
#include "server/identity/grant_client.h"
#include "server/identity/session.h"
#include "tests/lib/service_world.h"

#define PARTY_KEY   "tjp_test_heping" /* of every party that has one */
#define PARTY_BACK  "https://heping.example/back?x=1"
#define PARTY_LOCAL "http://127.0.0.1/done"

enum { PARTY_HEPING = 1, PARTY_NANKAI, PARTY_LOCAL_APP, PARTY_SCREEN, PARTY_SCRIPT };

/* The parties, by number; a test may change one. */
extern struct grant_client party_world_clients[];

int party_world_set_up(void **state); /* cmocka's; *state is a struct world */
int party_world_tear_down(void **state);

#define ISSUER    "https://www.example.cn"
#define BACK      "https%3A%2F%2Fheping.example%2Fback%3Fx%3D1" /* PARTY_BACK */
#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" /* RFC 7636, appendix B */
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define PKCE      "&code_challenge_method=S256&code_challenge=" CHALLENGE

#define AS_FORM   "content-type: application/x-www-form-urlencoded\n"
#define AS_HEPING AS_FORM "authorization: Basic aGVwaW5nOnRqcF90ZXN0X2hlcGluZw==\n"
#define AS_SCRIPT AS_FORM "authorization: Basic c2NyaXB0OnRqcF90ZXN0X2hlcGluZw==\n"

#define ASKING_FOR(scopes)                                                     \
    "/oauth2/authorize?response_type=code&client_id=heping&redirect_uri=" BACK \
    "&state=s%2B1&nonce=n1" PKCE "&scope=" scopes
#define ASKING ASKING_FOR("openid+phone")
#define FETCHING \
    "grant_type=authorization_code&redirect_uri=" BACK "&code_verifier=" VERIFIER "&code="

/* ---- a person before a browser ---- */

struct browser {
    int64_t account, session;
    const char *cookie; /* a header line */
};

/* An open account with a phone number, 张三 by name, who has just signed in by SMS. */
struct browser browser_sign_in(struct world *t, int level);
/* NULL: nobody is signed in. */
struct answer browser_go(struct world *t, const struct browser *b, const char *target);
/* Where it is sent; "": nowhere. */
const char *browser_way(struct world *t, const struct browser *b, const char *target);
/* What the person answers to the page at `to`; where he is sent then. */
const char *browser_consent(struct world *t, const struct browser *b, const char *to,
                            bool allowed);
/* A code for the program, by the whole way. */
const char *browser_code(struct world *t, const struct browser *b, const char *target);

/* ---- a program ---- */

struct answer party_call(struct world *t, const char *path, const char *headers,
                         const char *form);
/* The tokens of a code. `form` ends with "&code=". */
struct answer party_fetch_as(struct world *t, const char *headers, const char *form,
                             const char *code);
struct answer party_fetch(struct world *t, const char *code);
struct answer party_userinfo(struct world *t, const char *access);

#define REFUSED(a, code)                                                              \
    do {                                                                              \
        struct answer refused = (a);                                                  \
        assert_string_equal(text_of(t, &refused, "error"), code);                     \
        assert_int_equal(refused.status, strcmp(code, "invalid_client") ? 400 : 401); \
        assert_string_equal(HEADER(refused, "cache-control"), "no-store");            \
    } while (0)

/* ---- words ---- */

const char *after(const char *text, const char *mark); /* "": it is not there */
/* The value of a parameter of an address, as it stands there: part(t, to, "&code="). */
const char *part(struct world *t, const char *address, const char *mark);
void begins(const char *text, const char *with);
void holds(const char *text, const char *word);

/* Runs it on the writer for whoever has this session; 0: nobody. */
enum rc party_world_do(struct world *t, int64_t session,
                       enum rc (*run)(struct work *w, void *arg), void *arg, struct err *e);

#endif
