/* Where phones are reached, told with the session they have; and whom staff count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "push/vendor.h"
#include "server/store/writer.h"
#include "tests/lib/people.h"

#define DEVICE  "/v1/me/push/AAAAAAAAAAAAAAAAAAAAAA"
#define ADDRESS "{\"token\":\"0123456789abcdef-%d\",\"transport\":\"%s\"}"

#define OTHER "/v1/me/push/BBBBBBBBBBBBBBBBBBBBBB"

/* RFC 8291, section 5. */
#define SUBSCRIPTION                                                                     \
    "{\"transport\":\"webpush\",\"token\":\"{\\\"endpoint\\\":\\\"%s\\\",\\\"keys\\\":{" \
    "\\\"p256dh\\\":\\\"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-"              \
    "AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4\\\",\\\"auth\\\":\\\"%sBTBZMqHH6r4Tts7J_"     \
    "aSIgg\\\"}}\"}"

static struct answer count(struct world *t, const struct person *p, const char *audience)
{
    return person_ask(t, p, POST, "/v1/push/audience", URL("{\"audience\":%s}", audience));
}

static void assert_counts(struct world *t, const struct person *p, const char *audience,
                          const char *expected)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", 0);
    assert_int_equal(writer_call(&w, person_phones_settle, NULL), RC_OK);
    HAS(count(t, p, audience), expected);
}

static void a_phone_says_where_it_is_reached_and_staff_count_it(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1),
                  staff = person_staff(t, "push_operator", EVERYWHERE);

    assert_int_equal(person_ask(t, &li, PUT, DEVICE, URL(ADDRESS, 1, "huawei")).status, 204);
    assert_int_equal(person_ask(t, &li, PUT, DEVICE, URL(ADDRESS, 1, "huawei")).status, 204);
    assert_counts(t, &staff, "{\"all\":true}", "{\"devices\":1,\"transports\":{\"huawei\":1}}");
    assert_int_equal(person_ask(t, &li, PUT, DEVICE, URL(ADDRESS, 2, "xiaomi")).status, 204);
    assert_counts(t, &staff, "{\"all\":true}", "{\"devices\":1,\"transports\":{\"xiaomi\":1}}");
    HAS(person_ask(t, &li, GET, DEVICE, NULL), "\"transport\":\"xiaomi\"}");
    assert_int_equal(person_ask(t, &li, GET, OTHER, NULL).status, 404);
    assert_int_equal(person_ask(t, &staff, GET, DEVICE, NULL).status, 404); /* it is his own */
    assert_int_equal(person_ask(t, &li, DELETE, DEVICE, NULL).status, 204);
    assert_int_equal(person_ask(t, &li, GET, DEVICE, NULL).status, 404);
    assert_int_equal(person_ask(t, &li, DELETE, DEVICE, NULL).status, 204);
    assert_counts(t, &staff, "{\"all\":true}", "{\"devices\":0,\"transports\":{}}");
}

struct opened {
    struct session_new session;
    int64_t no;
    struct session_tokens tokens;
};

static enum rc open_session(struct work *w, void *arg)
{
    struct opened *o = arg;

    return session_open(w, &o->session, &o->no, &o->tokens);
}

/* A second phone of the same person. */
static struct person other_phone(struct world *t, const struct person *p)
{
    struct session_new new = {
        .account = p->account, .kind = SESSION_CITIZEN, .level = 1, .device = "old"
    };
    struct opened o = { .session = new };
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", 0);
    assert_int_equal(writer_call(&w, open_session, &o), RC_OK);
    return (struct person){ p->account, o.no,
                            URL("authorization: Bearer %s\n", o.tokens.access) };
}

static int reached(struct world *t, const struct person *staff)
{
    struct answer a;

    assert_counts(t, staff, "{\"all\":true}", "{\"devices\":");
    a = count(t, staff, "{\"all\":true}");
    return a.body[strlen("{\"devices\":")] - '0';
}

/* A phone that is stolen, sold or handed on shows nothing of whose it was. */
static void a_session_that_ends_takes_its_phone_along(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1), lost = other_phone(t, &li),
                  staff = person_staff(t, "push_operator", EVERYWHERE);

    assert_int_equal(person_ask(t, &li, PUT, DEVICE, URL(ADDRESS, 1, "huawei")).status, 204);
    assert_int_equal(person_ask(t, &lost, PUT, OTHER, URL(ADDRESS, 2, "huawei")).status, 204);
    assert_int_equal(reached(t, &staff), 2);
    assert_int_equal(
        person_ask(t, &li, DELETE, URL("/v1/me/sessions/" SESSION_NAME, lost.session), NULL)
            .status,
        204);
    assert_int_equal(reached(t, &staff), 1);
    assert_int_equal(person_ask(t, &li, POST, "/v1/auth/sign-out", NULL).status, 204);
    assert_int_equal(reached(t, &staff), 0);
}

/* It tells the same address again the same day, by another session: that one counts from now on. */
static void the_session_that_told_it_last_counts(void **state)
{
    struct world *t = *state;
    struct person before = person_sign_in(t, SESSION_CITIZEN, 1), now = other_phone(t, &before),
                  staff = person_staff(t, "push_operator", EVERYWHERE);

    assert_int_equal(person_ask(t, &before, PUT, DEVICE, URL(ADDRESS, 1, "huawei")).status,
                     204);
    assert_int_equal(person_ask(t, &now, PUT, DEVICE, URL(ADDRESS, 1, "huawei")).status, 204);
    person_sign_out(t, &before);
    assert_int_equal(reached(t, &staff), 1);
    assert_int_equal(person_ask(t, &before, PUT, DEVICE, URL(ADDRESS, 1, "huawei")).status,
                     401);
    person_sign_out(t, &now);
    assert_int_equal(reached(t, &staff), 0);
}

static void a_guest_who_signs_in_is_reached_until_he_signs_out(void **state)
{
    struct world *t = *state;
    struct person guest = person_sign_in(t, SESSION_GUEST, 1),
                  li = person_sign_in(t, SESSION_CITIZEN, 1),
                  staff = person_staff(t, "push_operator", EVERYWHERE);
    const char *token = strstr(guest.header, "tja_");

    assert_int_equal(person_ask(t, &guest, PUT, DEVICE, URL(ADDRESS, 1, "vivo")).status, 204);
    assert_int_equal(person_ask(t, &li, POST, "/v1/me/adopt",
                                URL("{\"guest\":\"%.*s\"}", (int)strcspn(token, "\n"), token))
                         .status,
                     204);
    assert_int_equal(reached(t, &staff), 1);
    person_sign_out(t, &li);
    assert_int_equal(reached(t, &staff), 0);
}

static void what_is_no_address_is_refused(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1);

    assert_int_equal(person_ask(t, &li, PUT, DEVICE, URL(ADDRESS, 1, "pigeon")).status, 400);
    assert_int_equal(
        person_ask(t, &li, PUT, DEVICE, "{\"token\":\"short\",\"transport\":\"huawei\"}")
            .status,
        400);
    assert_int_equal(
        person_ask(t, &li, PUT, "/v1/me/push/short", URL(ADDRESS, 1, "huawei")).status, 400);
    assert_int_equal(
        ask(t, PUT, DEVICE, &(struct ask){ .body = URL(ADDRESS, 1, "huawei") }).status, 401);
}

/* A browser's subscription is a URL that a stranger gives us, and we would call it. */
static void a_browser_is_at_a_service_that_we_know(void **state)
{
    static const struct {
        const char *endpoint;
        int status;
    } told[] = {
        { "https://fcm.googleapis.com/fcm/send/abc", 204 },
        { "https://wns2-bj1p.notify.windows.com/w/?token=abc", 204 },
        { "https://169.254.169.254/latest/meta-data", 400 },
        { "https://127.0.0.1/x", 400 },
        { "https://[::1]/x", 400 },
        { "https://10.0.0.7:8443/x", 400 },
        { "https://localhost/x", 400 },
        { "http://fcm.googleapis.com/fcm/send/abc", 400 },
        { "https://fcm.googleapis.com@127.0.0.1/x", 400 },
        { "https://fcm.googleapis.com.evil.example/x", 400 },
    };
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1);
    struct conf c;
    struct err e;

    assert_int_equal(conf_load(&e, NULL, NULL, &c), RC_OK);
    vendor_open(&c);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        struct answer a =
            person_ask(t, &li, PUT, DEVICE, URL(SUBSCRIPTION, told[i].endpoint, ""));

        if (a.status != told[i].status)
            fail_msg("%s: %d %s", told[i].endpoint, a.status, a.body);
        if (a.status == 400)
            HAS(a, "/token");
    }
    assert_int_equal(
        person_ask(t, &li, PUT, DEVICE, URL(SUBSCRIPTION, told[0].endpoint, "AA")).status, 400);
    vendor_open(NULL);
    conf_done(&c);
}

static void only_who_pushes_counts(void **state)
{
    struct world *t = *state;
    struct person li = person_sign_in(t, SESSION_CITIZEN, 1),
                  editor = person_staff(t, "editor", EVERYWHERE),
                  approver = person_staff(t, "push_approver", EVERYWHERE);

    assert_int_equal(count(t, &li, "{\"all\":true}").status, 403);
    assert_int_equal(count(t, &editor, "{\"all\":true}").status, 403);
    assert_int_equal(count(t, &approver, "{\"all\":true}").status, 200);
    assert_int_equal(count(t, &approver, "{\"phone\":\"13800000000\"}").status, 400);
    assert_int_equal(count(t, &approver, "{\"area\":\"120101' OR 1\"}").status, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_phone_says_where_it_is_reached_and_staff_count_it),
        TEST(a_session_that_ends_takes_its_phone_along),
        TEST(the_session_that_told_it_last_counts),
        TEST(a_guest_who_signs_in_is_reached_until_he_signs_out),
        TEST(what_is_no_address_is_refused),
        TEST(a_browser_is_at_a_service_that_we_know),
        TEST(only_who_pushes_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
