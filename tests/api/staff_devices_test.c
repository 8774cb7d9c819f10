/*
 * staff_devices_test.c - at which devices the rights of staff count: lists for all sites and for one, who may begin them, and who is told what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "api/routes.h"
#include "api/witness.h"
#include "server/identity/staff_device.h"
#include "server/store/writer.h"
#include "tests/lib/people.h"

enum { OFFICE = 0xa1, DESK = 0xb2, HOME = 0xc3 };

/* `by` NULL: the operator, on the machine. `site` NULL: for all. */
static int list(struct world *t, const struct person *by, uint64_t machine, const char *site)
{
    const char *where = site ? URL(",\"site\":\"%s\"", site) : "";
    const char *body =
        URL("{\"device\":\"" STAFF_DEVICE_NAME "\",\"name\":\"值班电脑\"%s}", machine, where);

    return (by ? person_ask(t, by, POST, "/v1/devices", body)
               : tell(t, POST, "/v1/devices", body))
        .status;
}

static int unlist(struct world *t, const struct person *by, uint64_t machine, const char *site)
{
    const char *target = URL("/v1/devices/" STAFF_DEVICE_NAME "%s%s", machine,
                             site ? "?site=" : "", site ? site : "");

    return (by ? person_ask(t, by, DELETE, target, NULL) : tell(t, DELETE, target, NULL))
        .status;
}

static int drafts(struct world *t, const struct person *p)
{
    return person_ask(t, p, GET, "/v1/staff/items", NULL).status;
}

static int write_at(struct world *t, const struct person *p, const char *site)
{
    return person_ask(t, p, POST, "/v1/items",
                      URL("{\"site\":\"%s\",\"column\":\"要闻\",\"title\":\"题\","
                          "\"body\":\"文\"}",
                          site))
        .status;
}

static void without_a_list_staff_work_anywhere(void **state)
{
    struct world *t = *state;
    struct person editor = person_staff_at(t, "editor", EVERYWHERE, HOME),
                  nameless = person_staff(t, "editor", 1);

    assert_int_equal(drafts(t, &editor), 200);
    assert_int_equal(drafts(t, &nameless), 200);
}

static void a_device_that_is_not_listed_opens_no_route_of_staff(void **state)
{
    struct world *t = *state;
    struct person editor = person_staff_at(t, "site_admin", EVERYWHERE, HOME);
    struct answer a;

    world_check_answers(t, NULL); /* addresses of nothing */
    assert_int_equal(list(t, NULL, OFFICE, NULL), 201);
    for (const struct route *r = routes_table; r->path; r++) {
        unsigned his = r->right & (RIGHT_IMPORT | RIGHT_EDIT | RIGHT_REVIEW | RIGHT_PUBLISH |
                                   RIGHT_LETTERS);

        if (!his || r->right & RIGHT_OWN || strchr(r->path, ':'))
            continue;
        a = person_ask(t, &editor, r->method, r->path, NULL);
        if (a.status != 403 || !strstr(a.body, "/problems/device"))
            fail_msg("%s %s answers %d: %s", method_name(r->method), r->path, a.status, a.body);
    }
}

static void who_is_refused_is_told_why_and_whom_to_ask(void **state)
{
    struct world *t = *state;
    struct person editor = person_staff_at(t, "editor", EVERYWHERE, HOME);
    struct answer a;

    assert_int_equal(list(t, NULL, OFFICE, NULL), 201);
    a = person_ask(t, &editor, GET, "/v1/staff/items", NULL);
    assert_int_equal(a.status, 403);
    HAS(a, "\"title\":\"这台设备没有登记，请找系统管理员\"");
    HAS(a, "00000000000000c3");
    a = person_ask(t, &editor, GET, "/v1/audit", NULL); /* a right that he has nowhere */
    assert_int_equal(a.status, 403);
    HAS(a, "/problems/forbidden");
    a = person_ask(t, &editor, GET, "/v1/me/sessions", NULL);
    assert_int_equal(a.status, 200);
    HAS(a, "\"listed\":false,\"machine\":\"00000000000000c3\"");
}

static void a_listed_device_counts_from_the_next_request_on_and_no_longer(void **state)
{
    struct world *t = *state;
    struct person editor = person_staff_at(t, "editor", 1, DESK);

    assert_int_equal(list(t, NULL, OFFICE, NULL), 201);
    assert_int_equal(drafts(t, &editor), 403);
    assert_int_equal(list(t, NULL, DESK, NULL), 201);
    assert_int_equal(list(t, NULL, DESK, NULL), 409);
    assert_int_equal(drafts(t, &editor), 200);
    assert_int_equal(unlist(t, NULL, DESK, NULL), 204);
    assert_int_equal(drafts(t, &editor), 403);
    assert_int_equal(unlist(t, NULL, DESK, NULL), 404);
    assert_int_equal(unlist(t, NULL, OFFICE, NULL), 204); /* the last: there is no list */
    assert_int_equal(drafts(t, &editor), 200);
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

static void a_sites_list_binds_the_roles_of_that_site(void **state)
{
    struct world *t = *state;
    struct person here = person_staff_at(t, "editor", 1, DESK),
                  there = person_staff_at(t, "editor", 2, DESK);

    make_second_site(t);
    assert_int_equal(list(t, NULL, OFFICE, "1200000000"), 201);
    assert_int_equal(write_at(t, &here, "1200000000"), 403);
    assert_int_equal(write_at(t, &there, "1200000001"), 201);
    assert_int_equal(list(t, NULL, DESK, "1200000000"), 201);
    assert_int_equal(write_at(t, &here, "1200000000"), 201);
    /* The list for all binds both; what stands on the site's counts there all the same. */
    assert_int_equal(list(t, NULL, OFFICE, NULL), 201);
    assert_int_equal(write_at(t, &here, "1200000000"), 201);
    assert_int_equal(write_at(t, &there, "1200000001"), 403);
}

static void an_import_goes_where_the_device_counts(void **state)
{
    static const char lines[] = "{\"id\":\"a\",\"title\":\"甲\",\"source\":\"1200000000\","
                                "\"column\":\"要闻\",\"body\":\"x\"}\n"
                                "{\"id\":\"b\",\"title\":\"乙\",\"source\":\"1200000001\","
                                "\"column\":\"要闻\",\"body\":\"x\"}\n";
    struct world *t = *state;
    struct person p = person_staff_at(t, "site_admin", 1, DESK);
    struct answer a;

    make_second_site(t);
    assert_int_equal(
        tell(t, POST, "/v1/roles",
             URL("{\"account\":%" PRId64 ",\"role\":\"site_admin\",\"site\":2}", p.account))
            .status,
        201);
    assert_int_equal(list(t, NULL, OFFICE, "1200000000"), 201);
    a = person_ask(t, &p, POST, "/v1/import", lines);
    assert_int_equal(a.status, 200);
    HAS(a, "\"created\":1");
    HAS(a, "\"code\":\"unlisted\",\"line\":1");
}

static void nobody_locks_himself_out(void **state)
{
    struct world *t = *state;
    struct person system = person_staff_at(t, "system", EVERYWHERE, OFFICE),
                  nameless = person_staff(t, "system", EVERYWHERE);

    assert_int_equal(list(t, &system, DESK, NULL), 409);
    assert_int_equal(list(t, &nameless, DESK, NULL), 409);
    assert_int_equal(list(t, &system, OFFICE, NULL), 201);
    assert_int_equal(list(t, &system, DESK, NULL), 201);
    assert_int_equal(unlist(t, &system, OFFICE, NULL), 409);
    assert_int_equal(unlist(t, &system, DESK, NULL), 204);
    assert_int_equal(unlist(t, &system, OFFICE, NULL), 204);
    assert_int_equal(list(t, &system, DESK, "1200000000"), 201); /* it does not bind him */
}

static void the_machines_operator_mends_it(void **state)
{
    struct world *t = *state;
    struct person system = person_staff_at(t, "system", EVERYWHERE, HOME);

    assert_int_equal(list(t, NULL, OFFICE, NULL), 201);
    assert_int_equal(list(t, &system, HOME, NULL), 403);
    assert_int_equal(list(t, NULL, HOME, NULL), 201);
    assert_int_equal(unlist(t, &system, OFFICE, NULL), 204);
}

static void only_a_system_administrator_sees_and_changes_it(void **state)
{
    static const char *const others[] = { "security", "auditor", "site_admin" };
    struct world *t = *state;
    struct person system = person_staff_at(t, "system", EVERYWHERE, OFFICE);
    struct answer a;

    for (int i = 0; i < 3; i++) {
        struct person p = person_staff_at(t, others[i], EVERYWHERE, DESK);

        assert_int_equal(list(t, &p, DESK, NULL), 403);
        assert_int_equal(unlist(t, &p, DESK, NULL), 403);
        assert_int_equal(person_ask(t, &p, GET, "/v1/devices", NULL).status, 403);
    }
    a = person_ask(t, &system, GET, "/v1/devices", NULL);
    HAS(a, "\"devices\":[]");
    HAS(a, "\"device\":\"00000000000000b2\"");
    assert_int_equal(list(t, &system, OFFICE, NULL), 201);
    assert_int_equal(list(t, &system, DESK, "1200000000"), 201);
    a = person_ask(t, &system, GET, "/v1/devices", NULL);
    HAS(a, "\"device\":\"00000000000000b2\",\"giver\"");
    HAS(a, "\"site\":\"1200000000\"");
    HAS(a, "\"waiting\":[]");
}

static void what_is_no_device_is_refused(void **state)
{
    struct world *t = *state;

    assert_int_equal(
        tell(t, POST, "/v1/devices", "{\"device\":\"00000000000000zz\",\"name\":\"x\"}").status,
        400);
    assert_int_equal(tell(t, POST, "/v1/devices", "{\"device\":\"a1\",\"name\":\"x\"}").status,
                     400);
    assert_int_equal(
        tell(t, POST, "/v1/devices", "{\"device\":\"00000000000000a1\",\"name\":\"a\\u202eb\"}")
            .status,
        400);
    assert_int_equal(list(t, NULL, 0, NULL), 400);
    assert_int_equal(list(t, NULL, OFFICE, "nowhere"), 404);
    assert_int_equal(tell(t, DELETE, "/v1/devices/00000000000000ZZ", NULL).status, 400);
}

static void a_program_has_no_device_and_is_bound_by_no_list(void **state)
{
    struct world *t = *state;
    const char *cms = service_program(t, "cms", "edit");

    assert_int_equal(list(t, NULL, OFFICE, NULL), 201);
    assert_int_equal(tell_with(t, GET, "/v1/staff/items", cms, NULL).status, 200);
}

static enum rc load(struct work *w, void *arg)
{
    (void)arg;
    return staff_device_load(w);
}

static void a_restart_forgets_no_list(void **state)
{
    struct world *t = *state;
    struct person editor = person_staff_at(t, "editor", EVERYWHERE, HOME);
    struct work w;

    assert_int_equal(list(t, NULL, OFFICE, NULL), 201);
    assert_int_equal(list(t, NULL, DESK, "1200000000"), 201);
    work_init(&w, world_mem(t), NULL, "operator", RIGHT_ALL);
    assert_int_equal(writer_call(&w, load, NULL), RC_OK);
    assert_int_equal(drafts(t, &editor), 403);
    assert_true(staff_device_counts(OFFICE) && staff_device_counts(DESK));
    assert_false(staff_device_counts(HOME));
}

static void the_audit_log_has_both_the_list_and_the_refusal(void **state)
{
    struct world *t = *state;
    struct person editor = person_staff_at(t, "editor", EVERYWHERE, HOME);
    struct answer a;

    witness_set(&witness_audit);
    assert_int_equal(list(t, NULL, OFFICE, NULL), 201);
    assert_int_equal(drafts(t, &editor), 403);
    world_settle(t);
    a = tell(t, GET, "/v1/audit?action=staff_device.add", NULL);
    HAS(a, "devices/00000000000000a1");
    a = tell(t, GET, "/v1/audit?action=right.refused", NULL);
    HAS(a, URL("\"account:%" PRId64 "\"", editor.account));
    HAS(a, "\"result\":\"unlisted\"");
    witness_set(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_list_staff_work_anywhere),
        TEST(a_device_that_is_not_listed_opens_no_route_of_staff),
        TEST(who_is_refused_is_told_why_and_whom_to_ask),
        TEST(a_listed_device_counts_from_the_next_request_on_and_no_longer),
        TEST(a_sites_list_binds_the_roles_of_that_site),
        TEST(an_import_goes_where_the_device_counts),
        TEST(nobody_locks_himself_out),
        TEST(the_machines_operator_mends_it),
        TEST(only_a_system_administrator_sees_and_changes_it),
        TEST(what_is_no_device_is_refused),
        TEST(a_program_has_no_device_and_is_bound_by_no_list),
        TEST(a_restart_forgets_no_list),
        TEST(the_audit_log_has_both_the_list_and_the_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
