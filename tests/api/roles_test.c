/*
 * roles_test.c - who of the staff may do what: every role at every route, one site and not the next, and who may give whom what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "api/routes.h"
#include "server/identity/credential.h"
#include "server/identity/role.h"
#include "tests/lib/people.h"

/* ---- every role, every route ---- */

/* An address that leads to the route; what it names need not be there. */
static const char *address_of(struct world *t, const struct route *r)
{
    struct buf b = BUF_IN(world_mem(t));
    const struct param *p;
    size_t n;

    for (const char *at = r->path; *at; at += n) {
        n = strcspn(at + 1, "/") + 1;
        if (at[1] != ':') {
            buf_add(&b, at, n);
            continue;
        }
        for (p = r->params; strncmp(p->name, at + 2, n - 2) || p->name[n - 2]; p++)
            ;
        buf_adds(&b, p->type == P_INT  ? "/99"
                     : p->type == P_ID ? "/0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11"
                     : p->type == P_HASH
                         ? "/0000000000000000000000000000000000000000000000000000000000000000"
                         : "/x");
    }
    buf_addc(&b, '\0');
    return b.p;
}

struct expected {
    const char *name;
    unsigned rights;
    bool account;
};

static void check(struct world *t, const struct expected *who, const char *headers,
                  const struct route *r)
{
    const char *address = address_of(t, r);
    bool may =
        (who->rights | RIGHT_READ | (who->account ? RIGHT_SELF | RIGHT_STATE : 0)) & r->right;
    struct answer a = ask(t, r->method, address, &(struct ask){ .headers = headers });
    int status = a.status;
    bool sent = status == 303 && r->flags & R_PAGE; /* to where one signs in */
    bool as_told = may ? !strstr(a.body, "lacks the right") && !strstr(a.body, "a bearer token")
                       : status == (who->account ? 403 : 401) || (sent && !who->account);

    if (!as_told)
        fail_msg("%s: %s %s answers %d", who->name, method_name(r->method), address, status);
}

static void every_role_opens_the_routes_of_its_rights_and_no_others(void **state)
{
    struct world *t = *state;
    const struct role_info *roles;
    int n;

    world_check_answers(t,
                        NULL); /* this is about who may; what is said then is another test's */
    roles = role_all(&n);
    for (int i = 0; i < n; i++)
        for (int64_t site = 0; site < (roles[i].administrator ? 1 : 2); site++) {
            struct person p = person_staff(t, roles[i].word, site);
            const struct expected e = { roles[i].word, roles[i].rights, true };

            for (const struct route *r = routes_table; r->path; r++) {
                if (!session_lives(p.session)) /* he has just signed out */
                    p = person_staff(t, roles[i].word, site);
                check(t, &e, p.header, r);
            }
        }
}

static void who_has_no_role_opens_what_is_everybodys(void **state)
{
    struct world *t = *state;
    struct person citizen = person_sign_in(t, SESSION_CITIZEN, 4),
                  staff = person_sign_in(t, SESSION_STAFF, 4);

    world_check_answers(t, NULL);
    for (const struct route *r = routes_table; r->path; r++) {
        if (!session_lives(citizen.session) || !session_lives(staff.session)) {
            citizen = person_sign_in(t, SESSION_CITIZEN, 4);
            staff = person_sign_in(t, SESSION_STAFF, 4);
        }
        check(t, &(struct expected){ "nobody", 0, false }, NULL, r);
        check(t, &(struct expected){ "a citizen", 0, true }, citizen.header, r);
        check(t, &(struct expected){ "staff without a role", 0, true }, staff.header, r);
    }
}

/* Written a second time: what the law and the design separate. */
static void what_must_not_be_in_one_hand_is_not(void **state)
{
    const struct role_info *roles;
    int n;

    (void)state;
    roles = role_all(&n);
    for (int i = 0; i < n; i++) {
        unsigned r = roles[i].rights, admin = RIGHT_OPERATE | RIGHT_SECURE | RIGHT_AUDIT;

        assert_int_equal(roles[i].administrator, (r & admin) != 0);
        assert_int_equal(!(r & ~(unsigned)RIGHT_AT_SITE), !roles[i].administrator);
        if (roles[i].administrator)
            assert_true(r == RIGHT_OPERATE || r == RIGHT_SECURE || r == RIGHT_AUDIT);
        assert_false(r & RIGHT_PUSH && r & RIGHT_PUSH_APPROVE);
        assert_false(r & (RIGHT_READ | RIGHT_SELF | RIGHT_STATE));
    }
}

/* ---- one site ---- */

static const char *draft(struct world *t, const struct person *p, const char *site,
                         const char *title)
{
    const char *body =
        URL("{\"site\":\"%s\",\"column\":\"要闻\",\"title\":\"%s\",\"body\":\"正文\"}", site,
            title);
    struct answer a =
        p ? person_ask(t, p, POST, "/v1/items", body) : tell(t, POST, "/v1/items", body);

    return a.status == 201 ? text_of(t, &a, "id") : "";
}

static void make_second_site(struct world *t)
{
    assert_int_equal(
        tell(t, POST, "/v1/sites", "{\"code\":\"1200000001\",\"name\":\"另一个\"}").status,
        201);
    assert_int_equal(
        tell(t, POST, "/v1/columns", "{\"site\":\"1200000001\",\"path\":\"要闻\"}").status,
        201);
}

static void an_editor_edits_his_site_and_no_other(void **state)
{
    static const char *const verbs[] = { "submit", "preview", "move" };
    struct world *t = *state;
    struct person p = person_staff(t, "editor", 1);
    const char *mine, *theirs;
    struct answer a;

    make_second_site(t);
    mine = draft(t, &p, "1200000000", "本站");
    theirs = draft(t, NULL, "1200000001", "外站");
    assert_string_not_equal(mine, "");
    assert_string_equal(draft(t, &p, "1200000001", "越权"), "");

    assert_int_equal(person_ask(t, &p, GET, URL("/v1/drafts/%s", mine), NULL).status, 200);
    assert_int_equal(person_ask(t, &p, GET, URL("/v1/drafts/%s", theirs), NULL).status, 403);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        assert_int_equal(person_ask(t, &p, POST, URL("/v1/items/%s/%s", theirs, verbs[i]),
                                    i == 2 ? "{\"column\":1}" : NULL)
                             .status,
                         403);
    a = ask(t, PUT, URL("/v1/items/%s", theirs),
            &(struct ask){ .headers = URL("%sif-match: \"1\"\n", p.header),
                           .body = "{\"title\":\"改\",\"body\":\"改\"}" });
    assert_int_equal(a.status, 403);
    assert_int_equal(
        person_ask(t, &p, POST, URL("/v1/items/%s/move", mine), "{\"column\":3}").status, 403);
    assert_int_equal(
        person_ask(t, &p, POST, URL("/v1/items/%s/move", mine), "{\"column\":2}").status, 200);
    assert_int_equal(person_ask(t, &p, POST, URL("/v1/items/%s/submit", mine), NULL).status,
                     200);
    assert_int_equal(person_ask(t, &p, POST, URL("/v1/items/%s/approve", mine), NULL).status,
                     403);
}

static void drafts_of_other_sites_are_not_listed(void **state)
{
    struct world *t = *state;
    struct person p = person_staff(t, "reviewer_2", 1);
    struct answer a;

    make_second_site(t);
    for (int i = 0; i < 3; i++) {
        draft(t, NULL, "1200000001", "外站");
        draft(t, NULL, "1200000000", "本站");
    }
    a = person_ask(t, &p, GET, "/v1/staff/items?n=2", NULL);
    HAS(a, "本站");
    HAS_NOT(a, "外站");
    assert_int_equal(json_array_size(json_object_get(json_of(t, &a), "items")), 2);
    a = person_ask(t, &p, GET, URL("/v1/staff/items?n=2&cursor=%s", text_of(t, &a, "next")),
                   NULL);
    assert_int_equal(json_array_size(json_object_get(json_of(t, &a), "items")), 1);
    assert_string_equal(text_of(t, &a, "next"), "");
}

static void a_site_is_its_administrators_and_the_directory_nobodys(void **state)
{
    struct world *t = *state;
    struct person p = person_staff(t, "site_admin", 1);

    make_second_site(t);
    assert_int_equal(person_ask(t, &p, PATCH, "/v1/sites/1", "{\"name\":\"新名\"}").status,
                     200);
    assert_int_equal(person_ask(t, &p, PATCH, "/v1/sites/2", "{\"name\":\"新名\"}").status,
                     403);
    assert_int_equal(
        person_ask(t, &p, POST, "/v1/columns", "{\"site\":\"1200000000\",\"path\":\"新栏\"}")
            .status,
        201);
    assert_int_equal(
        person_ask(t, &p, POST, "/v1/columns", "{\"site\":\"1200000001\",\"path\":\"新栏\"}")
            .status,
        403);
    assert_int_equal(person_ask(t, &p, PATCH, "/v1/columns/3", "{\"position\":2}").status, 403);
    assert_int_equal(
        person_ask(t, &p, POST, "/v1/sites", "{\"code\":\"1200000009\",\"name\":\"第三个\"}")
            .status,
        403);
    assert_int_equal(
        person_ask(t, &p, POST, "/v1/orgs", "{\"code\":\"x\",\"name\":\"机构\"}").status, 403);
}

static void an_import_stays_in_its_site(void **state)
{
    static const char lines[] = "{\"id\":\"a\",\"title\":\"本站\",\"source\":\"1200000000\","
                                "\"column\":\"要闻\",\"body\":\"x\"}\n"
                                "{\"id\":\"b\",\"title\":\"外站\",\"source\":\"1200000001\","
                                "\"column\":\"要闻\",\"body\":\"x\"}\n"
                                "{\"id\":\"c\",\"title\":\"夺来\",\"source\":\"1200000000\","
                                "\"column\":\"要闻\",\"body\":\"y\"}\n";
    struct world *t = *state;
    struct person p = person_staff(t, "site_admin", 1);
    struct answer a;

    make_second_site(t);
    assert_int_equal(
        tell(t, POST, "/v1/import",
             "{\"id\":\"c\",\"title\":\"原在外站\",\"source\":\"1200000001\",\"column\":"
             "\"要闻\",\"body\":\"x\"}\n")
            .status,
        200);
    a = person_ask(t, &p, POST, "/v1/import?publish=1", lines);
    assert_int_equal(a.status, 200);
    HAS(a, "\"created\":1");
    assert_int_equal(json_array_size(json_object_get(json_of(t, &a), "refused")), 2);
    HAS(a, "\"code\":\"forbidden\",\"line\":2");
    HAS(a, "\"code\":\"forbidden\",\"line\":3");
}

/* ---- from where ---- */

static void rights_of_staff_count_from_their_networks_alone(void **state)
{
    static const struct conf_list list = { 2, { "10.1.0.0/16", "2001:db8::/32" } };
    struct world *t = *state;
    struct person p = person_staff(t, "editor", 1);
    struct networks staff;
    struct answer a;
    struct err e;

    assert_int_equal(networks_parse(&e, "staff_networks", &list, &staff), RC_OK);
    gate_set(&(struct gate_source){ .staff = &staff, .know = credential_know });
    for (int outside = 0; outside < 2; outside++) {
        const struct ask how = { .headers = p.header,
                                 .client = outside ? "10.2.0.1" : "10.1.0.1" };

        a = ask(t, GET, "/v1/staff/items", &how);
        assert_int_equal(a.status, outside ? 403 : 200);
        if (outside)
            HAS(a, "outside of the staff's networks");
        a = ask(t, GET, "/healthz", &how);
        assert_int_equal(a.status, 200);
    }
    assert_int_equal(tell(t, GET, "/v1/staff/items", NULL).status, 200); /* the admin socket */
    gate_set(&(struct gate_source){ .know = credential_know });
    assert_int_equal(ask(t, GET, "/v1/staff/items",
                         &(struct ask){ .headers = p.header, .client = "10.2.0.1" })
                         .status,
                     200);
}

/* ---- giving and taking ---- */

static int give(struct world *t, const struct person *giver, int64_t to, const char *role,
                const char *site)
{
    const char *body =
        site ? URL("{\"account\":%" PRId64 ",\"role\":\"%s\",\"site\":\"%s\"}", to, role, site)
             : URL("{\"account\":%" PRId64 ",\"role\":\"%s\"}", to, role);

    return (giver ? person_ask(t, giver, POST, "/v1/roles", body)
                  : tell(t, POST, "/v1/roles", body))
        .status;
}

static int take(struct world *t, const struct person *giver, int64_t from, const char *query)
{
    const char *target = URL("/v1/roles/%" PRId64 "?%s", from, query);

    return (giver ? person_ask(t, giver, DELETE, target, NULL) : tell(t, DELETE, target, NULL))
        .status;
}

static void a_role_counts_from_the_next_request_on_and_no_longer(void **state)
{
    struct world *t = *state;
    struct person security = person_staff(t, "security", EVERYWHERE),
                  p = person_sign_in(t, SESSION_STAFF, 1);
    struct answer a;

    assert_int_equal(person_ask(t, &p, GET, "/v1/staff/items", NULL).status, 403);
    assert_int_equal(give(t, &security, p.account, "editor", "1200000000"), 201);
    assert_int_equal(person_ask(t, &p, GET, "/v1/staff/items", NULL).status, 200);
    a = person_ask(t, &security, GET, URL("/v1/roles/%" PRId64, p.account), NULL);
    HAS(a, "\"role\":\"editor\"");
    HAS(a, "\"site\":\"1200000000\"");
    HAS(a, URL("\"giver\":\"account:%" PRId64 "\"", security.account));
    assert_int_equal(give(t, &security, p.account, "editor", "1200000000"), 409);
    assert_int_equal(give(t, &security, p.account, "editor", NULL), 201);
    assert_int_equal(take(t, &security, p.account, "role=editor&site=1"), 204);
    assert_int_equal(person_ask(t, &p, GET, "/v1/staff/items", NULL).status, 200);
    assert_int_equal(take(t, &security, p.account, "role=editor"), 204);
    assert_int_equal(person_ask(t, &p, GET, "/v1/staff/items", NULL).status, 403);
    assert_int_equal(take(t, &security, p.account, "role=editor"), 404);
}

static void the_three_administrators_are_appointed_on_the_machine(void **state)
{
    static const char *const three[] = { "system", "security", "auditor" };
    struct world *t = *state;
    struct person security = person_staff(t, "security", EVERYWHERE);

    for (int i = 0; i < 3; i++) {
        struct person p = person_sign_in(t, SESSION_STAFF, 1);

        assert_int_equal(give(t, &security, p.account, three[i], NULL), 403);
        assert_int_equal(give(t, NULL, p.account, three[i], NULL), 201);
        assert_int_equal(take(t, &security, p.account, URL("role=%s", three[i])), 403);
        assert_int_equal(give(t, NULL, p.account, three[i], "1200000000"), 400);
    }
}

static void the_three_exclude_each_other_and_all_others(void **state)
{
    struct world *t = *state;
    const struct role_info *roles;
    int n;

    roles = role_all(&n);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            struct person p = person_sign_in(t, SESSION_STAFF, 1);
            bool excludes = i != k && (roles[i].administrator || roles[k].administrator);

            if (i == k)
                continue;
            assert_int_equal(give(t, NULL, p.account, roles[i].word, NULL), 201);
            if (give(t, NULL, p.account, roles[k].word, NULL) != (excludes ? 409 : 201))
                fail_msg("%s and then %s", roles[i].word, roles[k].word);
        }
}

static void nobody_raises_himself(void **state)
{
    static const char *const three[] = { "system", "security", "auditor", "site_admin" };
    struct world *t = *state;
    const struct role_info *roles;
    int n;

    roles = role_all(&n);
    for (int i = 0; i < 4; i++) {
        struct person p = person_staff(t, three[i], EVERYWHERE);

        for (int k = 0; k < n; k++)
            assert_int_equal(give(t, &p, p.account, roles[k].word, NULL), 403);
        assert_int_equal(take(t, &p, p.account, URL("role=%s", three[i])), 403);
    }
}

static void roles_are_for_open_accounts_of_staff(void **state)
{
    struct world *t = *state;
    struct person citizen = person_sign_in(t, SESSION_CITIZEN, 4);

    assert_int_equal(give(t, NULL, citizen.account, "editor", NULL), 409);
    assert_int_equal(give(t, NULL, 999, "editor", NULL), 404);
    assert_int_equal(give(t, NULL, citizen.account, "root", NULL), 400);
    assert_int_equal(give(t, NULL, citizen.account, "editor", "nowhere"), 404);
}

/* ---- who is kept out ---- */

static struct answer set_state(struct world *t, const struct person *by, int64_t account,
                               const char *state)
{
    return person_ask(t, by, PATCH, URL("/v1/accounts/%" PRId64, account),
                      URL("{\"state\":\"%s\"}", state));
}

static void who_left_is_out_at_his_next_request(void **state)
{
    struct world *t = *state;
    struct person security = person_staff(t, "security", EVERYWHERE),
                  editor = person_staff(t, "editor", EVERYWHERE);
    struct answer a = person_ask(t, &security, GET, "/v1/accounts", NULL);

    HAS(a, URL("\"account\":%" PRId64, editor.account));
    assert_int_equal(person_ask(t, &editor, GET, "/v1/me", NULL).status, 200);
    a = set_state(t, &security, editor.account, "locked");
    assert_int_equal(a.status, 200);
    HAS(a, "\"state\":\"locked\"");
    assert_int_equal(person_ask(t, &editor, GET, "/v1/me", NULL).status, 401);
    assert_int_equal(set_state(t, &security, editor.account, "locked").status, 200);
    a = set_state(t, &security, editor.account, "open");
    HAS(a, "\"state\":\"open\"");
    assert_int_equal(person_ask(t, &editor, GET, "/v1/me", NULL).status, 401);
}

static void the_administrators_cannot_keep_each_other_out(void **state)
{
    static const char *const others[] = { "system", "auditor", "security" };
    struct world *t = *state;
    struct person security = person_staff(t, "security", EVERYWHERE),
                  editor = person_staff(t, "editor", EVERYWHERE);

    assert_int_equal(set_state(t, &security, security.account, "locked").status, 403);
    assert_int_equal(set_state(t, &editor, security.account, "locked").status, 403);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct person p = person_staff(t, others[i], EVERYWHERE);
        const char *address = URL("/v1/accounts/%" PRId64, p.account);

        assert_int_equal(set_state(t, &security, p.account, "locked").status, 403);
        assert_int_equal(person_ask(t, &p, GET, "/v1/me", NULL).status, 200);
        assert_int_equal(tell(t, PATCH, address, "{\"state\":\"locked\"}").status, 200);
        assert_int_equal(person_ask(t, &p, GET, "/v1/me", NULL).status, 401);
        assert_int_equal(set_state(t, &security, p.account, "open").status, 403);
    }
}

static void a_citizen_is_locked_by_his_number_and_shown_to_nobody(void **state)
{
    struct world *t = *state;
    struct person security = person_staff(t, "security", EVERYWHERE),
                  citizen = person_sign_in(t, SESSION_CITIZEN, 1);
    struct answer a = person_ask(t, &security, GET, "/v1/accounts", NULL);

    HAS_NOT(a, URL("\"account\":%" PRId64 ",", citizen.account));
    assert_int_equal(set_state(t, &security, citizen.account, "merged").status, 400);
    assert_int_equal(set_state(t, &security, citizen.account, "leaving").status, 400);
    assert_int_equal(set_state(t, &security, 99999, "locked").status, 404);
    a = set_state(t, &security, citizen.account, "locked");
    assert_int_equal(a.status, 200);
    HAS_NOT(a, "name");
    assert_int_equal(person_ask(t, &citizen, GET, "/v1/me", NULL).status, 401);
}

static void who_is_leaving_is_locked_all_the_same(void **state)
{
    struct world *t = *state;
    struct person security = person_staff(t, "security", EVERYWHERE),
                  citizen = person_sign_in(t, SESSION_CITIZEN, 1);
    struct answer a;

    assert_int_equal(person_ask(t, &citizen, POST, "/v1/me/erase", NULL).status, 200);
    a = set_state(t, &security, citizen.account, "locked");
    assert_int_equal(a.status, 200);
    HAS(a, "\"state\":\"locked\"");
    assert_int_equal(person_ask(t, &citizen, DELETE, "/v1/me/erase", NULL).status, 401);
    a = set_state(t, &security, citizen.account, "open");
    assert_int_equal(a.status, 200);
    HAS(a, "\"state\":\"leaving\"");
}

/* Whoever is about to be shown the door must not have left a window open. */
static void links_of_who_was_locked_are_void(void **state)
{
    struct world *t = *state;
    struct person one = person_staff(t, "security", EVERYWHERE);
    struct answer a = person_ask(t, &one, POST, "/v1/invitations", "{\"role\":\"publisher\"}");
    const char *offer = URL("{\"token\":\"%s\",\"kind\":\"totp\"}", text_of(t, &a, "token"));

    assert_int_equal(a.status, 201);
    assert_int_equal(tell(t, POST, "/v1/auth/invitation/offer", offer).status, 200);
    tell(t, PATCH, URL("/v1/accounts/%" PRId64, one.account), "{\"state\":\"locked\"}");
    assert_int_equal(tell(t, POST, "/v1/auth/invitation/offer", offer).status, 404);
}

/* Who may not choose staff any more has chosen nobody: his links would go on giving what he may not. */
static void links_of_who_lost_the_right_are_void(void **state)
{
    struct world *t = *state;
    struct person one = person_staff(t, "security", EVERYWHERE),
                  other = person_staff(t, "security", EVERYWHERE);
    const struct person *both[] = { &one, &other };
    const char *offer[2];

    for (int i = 0; i < 2; i++) {
        struct answer a =
            person_ask(t, both[i], POST, "/v1/invitations", "{\"role\":\"publisher\"}");

        assert_int_equal(a.status, 201);
        offer[i] = URL("{\"token\":\"%s\",\"kind\":\"totp\"}", text_of(t, &a, "token"));
    }
    assert_int_equal(take(t, NULL, one.account, "role=security"), 204);
    assert_int_equal(tell(t, POST, "/v1/auth/invitation/offer", offer[0]).status, 404);
    assert_int_equal(tell(t, POST, "/v1/auth/invitation/offer", offer[1]).status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_role_opens_the_routes_of_its_rights_and_no_others),
        TEST(who_has_no_role_opens_what_is_everybodys),
        TEST(what_must_not_be_in_one_hand_is_not),
        TEST(an_editor_edits_his_site_and_no_other),
        TEST(drafts_of_other_sites_are_not_listed),
        TEST(a_site_is_its_administrators_and_the_directory_nobodys),
        TEST(an_import_stays_in_its_site),
        TEST(rights_of_staff_count_from_their_networks_alone),
        TEST(a_role_counts_from_the_next_request_on_and_no_longer),
        TEST(the_three_administrators_are_appointed_on_the_machine),
        TEST(the_three_exclude_each_other_and_all_others),
        TEST(nobody_raises_himself),
        TEST(roles_are_for_open_accounts_of_staff),
        TEST(who_left_is_out_at_his_next_request),
        TEST(the_administrators_cannot_keep_each_other_out),
        TEST(a_citizen_is_locked_by_his_number_and_shown_to_nobody),
        TEST(who_is_leaving_is_locked_all_the_same),
        TEST(links_of_who_was_locked_are_void),
        TEST(links_of_who_lost_the_right_are_void),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
