/*
 * tjzw_listen_me_test.c - who holds a phone that listens: what he writes goes up at once, what is new comes down, and the app is told of both.
 */
#include "tests/lib/fake_me.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/c/store.h"

#define ITEM   "main/0190b1c2-0000-7000-8000-000000000001"
#define LETTER "0190b1c2-0000-4000-8000-000000000001"

enum { LONGEST_S = 30 };

struct world {
    struct phone p;
    struct fake_me f;
    struct tjzw *other; /* another handle of the store, as another process has it */
    unsigned connections;
    bool offline; /* until the second connection */
    bool falls;   /* the connection, after the first exchange; and then a message comes */
    unsigned told;
    char types[256]; /* of what was told, "*" for all of it */

    /* Asked while the connection is open; true: the test has seen enough. */
    bool (*look)(struct world *w);
    unsigned looks;
};

static void hold_connection(struct world *w, struct tjzw_request *r, bool (*stop)(void *),
                            void *stop_ctx)
{
    const struct timespec step = { .tv_nsec = 5 * 1000000L };

    w->connections++;
    if (w->offline) {
        snprintf(r->why, sizeof r->why, "no network");
        w->offline = false;
        return;
    }
    w->f.cut = false;
    r->on_status(r, 200);
    if (r->on_body(r, "retry: 50\n\n:\n\n", 14))
        return;
    while (!stop(stop_ctx)) {
        nanosleep(&step, NULL);
        w->looks++;
        if (w->falls && w->f.exchanges > 0) {
            w->falls = false;
            fake_me_put(&w->f, 8, "message", "9", "{\"kind\":\"notice\",\"title\":\"停水\"}");
            return;
        }
        if (w->look(w))
            tjzw_stop(w->p.t);
    }
}

static void get(void *ctx, struct tjzw_request *requests, size_t n, bool (*stop)(void *),
                void *stop_ctx)
{
    struct world *w = ctx;

    if (strstr(requests[0].url, "/v1/events"))
        hold_connection(w, &requests[0], stop, stop_ctx);
    else
        fake_me_get(&w->f, requests, n, stop, stop_ctx);
}

static void take_change(void *ctx, const char *type, const char *key)
{
    struct world *w = ctx;
    size_t n = strlen(w->types);

    (void)key;
    w->told++;
    snprintf(w->types + n, sizeof w->types - n, "%s ", type ? type : "*");
}

static void begin(struct world *w, const char *login)
{
    const struct tjzw_sign_in entered = { .login = login, .password = "good" };
    struct tjzw_transport transport = { w, get };
    struct tjzw_error e;

    *w = (struct world){ 0 };
    phone_start(&w->p);
    phone_sync(&w->p);
    fake_me_start(&w->f, &w->p);
    tjzw_set_transport(w->p.t, &transport);
    if (login)
        OK(&w->p, tjzw_sign_in(w->p.t, &entered, NULL, &w->p.e));
    tjzw_on_change(w->p.t, take_change, w);
    assert_int_equal(tjzw_open(w->p.path, &w->other, &e), TJZW_OK);
}

static void end(struct world *w)
{
    tjzw_close(w->other);
    phone_end(&w->p);
    fake_me_end(&w->f);
}

/* Until the test has seen enough; that it has is asserted. */
static void listen_until(struct world *w, bool (*look)(struct world *w))
{
    const struct tjzw_listen_options options = { .seconds = LONGEST_S };

    w->look = look;
    w->looks = 0;
    assert_int_equal(tjzw_listen(w->p.t, &options, &w->p.e), TJZW_STOPPED);
}

static bool has_exchanged(struct world *w)
{
    return w->f.exchanges > 0;
}

static void what_came_meanwhile_is_there_when_one_begins_to_listen(void **state)
{
    struct world w;
    struct tjzw_me me;

    (void)state;
    begin(&w, "a");
    fake_me_put(&w.f, 8, "message", "7", "{\"kind\":\"notice\",\"title\":\"今晚升级\"}");
    fake_me_put(&w.f, 8, "letter", LETTER, "{\"state\":\"answered\"}");
    listen_until(&w, has_exchanged);
    assert_non_null(strstr(w.types, "message "));
    assert_non_null(strstr(w.types, "letter "));
    OK(&w.p, tjzw_me(w.p.t, &me, &w.p.e));
    assert_int_equal(me.unread, 1);
    end(&w);
}

static bool has_the_message(struct world *w)
{
    return w->connections > 1 && strstr(w->types, "message ");
}

/* The server told it to those who listened, and tells it to nobody twice. */
static void what_came_between_two_connections_is_fetched_with_the_second(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "a");
    w.falls = true;
    listen_until(&w, has_the_message);
    end(&w);
}

/* Another process writes after the first exchange; its lines go up while this one listens. */
static bool writes_then_sees(struct world *w)
{
    struct tjzw_error e;
    char *there;
    bool arrived;

    if (w->f.exchanges == 1 && w->looks % 20 == 1)
        assert_int_equal(tjzw_put(w->other, "fav", ITEM, "{\"at\":5}", &e), TJZW_OK);
    there = fake_me_value(&w->f, 8, "fav", ITEM);
    arrived = there != NULL;
    free(there);
    return arrived;
}

static void what_is_written_goes_up_while_it_listens(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "a");
    listen_until(&w, writes_then_sees);
    assert_int_equal(w.connections, 1);
    assert_non_null(strstr(w.types, "fav "));
    end(&w);
}

/* Ten looks' time after the exchange. */
static bool waits_a_little(struct world *w)
{
    return w->looks > 800;
}

static void a_busy_server_and_one_with_nothing_to_say_are_left_alone(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "a");
    OK(&w.p, tjzw_put(w.p.t, "set", "font", "20", &w.p.e));
    w.f.busy = 1;
    listen_until(&w, waits_a_little);
    assert_int_equal(w.f.exchanges, 1);
    listen_until(&w, waits_a_little); /* begun anew: once, and it works */
    assert_int_equal(w.f.exchanges, 2);
    end(&w);
}

static void nobody_is_exchanged_for_who_has_written_nothing(void **state)
{
    struct world w;

    (void)state;
    begin(&w, NULL);
    listen_until(&w, waits_a_little);
    assert_int_equal(w.f.exchanges, 0);
    assert_false(w.f.accounts[1].made);
    end(&w);
}

static bool has_arrived(struct world *w)
{
    char *there = fake_me_value(&w->f, 8, "set", "font");
    bool arrived = there != NULL;

    free(there);
    return arrived;
}

static void what_could_not_go_up_goes_when_the_network_is_back(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "a");
    OK(&w.p, tjzw_put(w.p.t, "set", "font", "20", &w.p.e));
    w.offline = w.f.cut = true;
    listen_until(&w, has_arrived);
    assert_int_equal(w.connections, 2);
    assert_int_equal(w.f.exchanges, 1);
    end(&w);
}

static void who_waited_for_content_is_told_when_it_is_there(void **state)
{
    struct tjzw_status status;
    char needs[80];
    struct world w;

    (void)state;
    begin(&w, "a");
    OK(&w.p, tjzw_status(w.p.t, NULL, &status, &w.p.e));
    fake_publish(w.p.server, "答复", "{}");
    fake_head(w.p.server);
    snprintf(needs, sizeof needs, "{\"main\":\"%.*s.%d\"}", (int)strcspn(status.cursor, "."),
             status.cursor, atoi(strchr(status.cursor, '.') + 1) + 1);
    w.f.needs = needs;
    fake_me_put(&w.f, 8, "letter", LETTER, "{\"state\":\"answered\"}");
    OK(&w.p, tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e));
    w.types[0] = '\0';
    OK(&w.p, tjzw_sync(w.p.t, NULL, NULL, &w.p.e));
    assert_string_equal(w.types, "letter ");
    w.types[0] = '\0';
    fake_publish(w.p.server, "别的", "{}");
    fake_head(w.p.server);
    OK(&w.p, tjzw_sync(w.p.t, NULL, NULL, &w.p.e));
    assert_string_equal(w.types, ""); /* it had been there */
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_meanwhile_is_there_when_one_begins_to_listen),
        cmocka_unit_test(what_came_between_two_connections_is_fetched_with_the_second),
        cmocka_unit_test(what_is_written_goes_up_while_it_listens),
        cmocka_unit_test(a_busy_server_and_one_with_nothing_to_say_are_left_alone),
        cmocka_unit_test(nobody_is_exchanged_for_who_has_written_nothing),
        cmocka_unit_test(what_could_not_go_up_goes_when_the_network_is_back),
        cmocka_unit_test(who_waited_for_content_is_told_when_it_is_there),
    };

    return cmocka_run_group_tests_name("tjzw_listen_me", tests, NULL, NULL);
}
