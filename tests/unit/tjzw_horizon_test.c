/*
 * tjzw_horizon_test.c - libtjzw with a horizon: what it holds, what is kept below it, and what is never shown unproved.
 */
#include "tests/lib/tjzw_phone.h"

#include <stdio.h>
#include <string.h>

enum { MORE = 4000, ALL = MORE + 150 };

static void many_start(struct phone *p)
{
    phone_start(p);
    for (unsigned i = 0; i < MORE; i++) {
        char title[40];

        snprintf(title, sizeof title, "第%u条新闻", i);
        fake_publish(p->server, title, "{\"body\":\"新闻正文\"}");
    }
    fake_index(p->server);
    fake_head(p->server);
}

static void id_of(uint64_t born, char out[37])
{
    uint8_t id[WIRE_ID];

    fake_id(born, id);
    wire_id_print(id, out);
}

static size_t held(struct phone *p)
{
    struct phone_seen s = { 0 };

    OK(p, tjzw_export(p->t, NULL, phone_see, &s, &p->e));
    return s.n;
}

static enum tjzw_code reading(struct phone *p, uint64_t born)
{
    struct phone_seen s = { 0 };
    char id[37];

    id_of(born, id);
    return tjzw_read(p->t, id, phone_see, &s, &p->e);
}

static struct tjzw_status status_of(struct phone *p)
{
    struct tjzw_status s;

    OK(p, tjzw_status(p->t, NULL, &s, &p->e));
    return s;
}

static void sync_at(struct phone *p, uint64_t horizon)
{
    OK(p, tjzw_horizon(p->t, NULL, horizon, &p->e));
    phone_sync(p);
    OK(p, tjzw_verify(p->t, NULL, NULL, &p->e));
}

static void a_horizon_holds_the_newest_and_moves_both_ways(void **state)
{
    static const uint64_t horizons[] = { 1000, 3000, 100, 2500, 0, 500, 0 };
    struct phone p;

    (void)state;
    many_start(&p);
    for (size_t i = 0; i < sizeof horizons / sizeof horizons[0]; i++) {
        uint64_t h = horizons[i];
        struct tjzw_status s;

        sync_at(&p, h);
        s = status_of(&p);
        assert_int_equal(s.horizon, h);
        assert_int_equal(s.items, held(&p));
        assert_in_range(s.items, h ? h : ALL, h ? h + 1024 : ALL);
        assert_int_equal(s.all, h == 0);
        assert_int_equal(reading(&p, ALL - 1), TJZW_OK);
        assert_int_equal(reading(&p, 0), h ? TJZW_NOT_FOUND : TJZW_OK);
        if (h == 0)
            phone_check(&p);
    }
    phone_end(&p);
}

static void an_older_item_is_fetched_and_stays(void **state)
{
    struct phone_seen kept = { 0 };
    struct phone p;
    char id[37];

    (void)state;
    many_start(&p);
    sync_at(&p, 500);
    id_of(7, id);
    assert_int_equal(tjzw_keep(p.t, id, true, &p.e), TJZW_NOT_FOUND);
    OK(&p, tjzw_fetch(p.t, id, NULL, &p.last, &p.e));
    assert_true(p.last.requests > 0);
    assert_int_equal(reading(&p, 7), TJZW_OK);
    OK(&p, tjzw_fetch(p.t, id, NULL, &p.last, &p.e));
    assert_int_equal(p.last.requests, 0); /* held */
    OK(&p, tjzw_list(p.t, &(struct tjzw_query){ .kept = true }, phone_see, &kept, &p.e));
    assert_int_equal(kept.n, 1);
    assert_int_equal(status_of(&p).kept, 1);
    assert_int_equal(status_of(&p).older, 1);
    sync_at(&p, 100);
    assert_int_equal(reading(&p, 7), TJZW_OK);
    OK(&p, tjzw_keep(p.t, id, false, &p.e));
    assert_int_equal(reading(&p, 7), TJZW_NOT_FOUND);
    OK(&p, tjzw_verify(p.t, NULL, NULL, &p.e));
    phone_end(&p);
}

static void what_cannot_be_fetched_is_not_found(void **state)
{
    struct phone p;
    char id[37];

    (void)state;
    many_start(&p);
    fake_withdraw(p.server, 9);
    fake_head(p.server);
    sync_at(&p, 500);
    id_of(9, id);
    assert_int_equal(tjzw_fetch(p.t, id, NULL, NULL, &p.e), TJZW_NOT_FOUND);
    id_of(ALL + 5, id);
    assert_int_equal(tjzw_fetch(p.t, id, NULL, NULL, &p.e), TJZW_NOT_FOUND);
    assert_int_equal(tjzw_fetch(p.t, "7", NULL, NULL, &p.e), TJZW_USAGE);
    assert_int_equal(tjzw_keep(p.t, NULL, true, &p.e), TJZW_USAGE);
    assert_int_equal(tjzw_horizon(p.t, "other", 5, &p.e), TJZW_NOT_FOUND);
    id_of(8, id);
    phone_refuses = "/place/";
    assert_int_equal(tjzw_fetch(p.t, id, NULL, NULL, &p.e), TJZW_NET);
    phone_refuses = NULL;
    assert_int_equal(reading(&p, 8), TJZW_NOT_FOUND);
    phone_end(&p);
}

static void a_kept_item_whose_root_changed_is_hidden_until_it_is_proved_again(void **state)
{
    struct phone p;
    char id[37];

    (void)state;
    many_start(&p);
    sync_at(&p, 500);
    id_of(7, id);
    OK(&p, tjzw_fetch(p.t, id, NULL, NULL, &p.e));
    fake_edit(p.server, 8, "邻近的一条变了", "{}");
    fake_head(p.server);
    phone_refuses = "/tile/";
    (void)!tjzw_sync(p.t, NULL, NULL, &p.e);
    assert_int_equal(reading(&p, 7), TJZW_NOT_FOUND);
    assert_int_equal(status_of(&p).kept, 1);
    phone_refuses = NULL;
    phone_sync(&p);
    assert_int_equal(reading(&p, 7), TJZW_OK);
    fake_edit(p.server, 7, "它自己变了", "{\"body\":\"新的说法\"}");
    fake_head(p.server);
    phone_sync(&p);
    assert_int_equal(phone_found(&p, "新的说法"), 1);
    fake_withdraw(p.server, 7);
    fake_head(p.server);
    phone_sync(&p);
    assert_int_equal(reading(&p, 7), TJZW_NOT_FOUND);
    OK(&p, tjzw_verify(p.t, NULL, NULL, &p.e));
    phone_end(&p);
}

static void damage_below_the_horizon_is_found_and_mended(void **state)
{
    struct tjzw_verdict v;
    struct phone p;
    char id[37];

    (void)state;
    many_start(&p);
    sync_at(&p, 500);
    id_of(7, id);
    OK(&p, tjzw_fetch(p.t, id, NULL, NULL, &p.e));
    phone_tamper(&p, "UPDATE item SET title = '假的' WHERE born = 7");
    assert_int_equal(tjzw_verify(p.t, NULL, &v, &p.e), TJZW_DAMAGED);
    assert_int_equal(v.damaged, 1);
    phone_sync(&p);
    assert_true(p.last.repaired);
    assert_int_equal(reading(&p, 7), TJZW_OK);
    assert_int_equal(phone_found(&p, "假的"), 0);
    OK(&p, tjzw_verify(p.t, NULL, NULL, &p.e));
    phone_tamper(&p, "UPDATE value SET bytes = substr(bytes, 1, length(bytes) - 32) || "
                     "zeroblob(32) WHERE which = 8");
    assert_int_equal(tjzw_verify(p.t, NULL, &v, &p.e), TJZW_DAMAGED);
    phone_sync(&p);
    assert_int_equal(reading(&p, 7), TJZW_OK);
    OK(&p, tjzw_verify(p.t, NULL, NULL, &p.e));
    phone_end(&p);
}

static void what_the_server_withholds_is_not_shown(void **state)
{
    static const uint64_t some[] = { 3, ALL - 1 };
    struct phone p;
    char id[37];
    size_t n;

    (void)state;
    many_start(&p);
    sync_at(&p, 0);
    n = held(&p);
    id_of(ALL - 1, id);
    for (size_t i = 0; i < 2; i++) {
        uint64_t borns[2] = { some[0], some[1] };
        uint8_t a[WIRE_ID], b[WIRE_ID];

        fake_id(borns[0], a);
        fake_id(borns[1], b);
        if (memcmp(a, b, WIRE_ID) > 0)
            borns[0] = some[1], borns[1] = some[0];
        fake_withhold(p.server, borns, 2);
        fake_head(p.server);
        phone_sync(&p);
        assert_int_equal(held(&p), n - 2);
        assert_int_equal(reading(&p, ALL - 1), TJZW_NOT_FOUND);
        assert_int_equal(phone_found(&p, "第3999条新闻"), 0);
        assert_int_equal(tjzw_keep(p.t, id, true, &p.e), TJZW_NOT_FOUND);
        assert_int_equal(status_of(&p).withheld, 2);
        OK(&p, tjzw_verify(p.t, NULL, NULL, &p.e));
        fake_withhold(p.server, NULL, 0);
        fake_head(p.server);
        phone_sync(&p);
        assert_int_equal(held(&p), n);
    }
    phone_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_horizon_holds_the_newest_and_moves_both_ways),
        cmocka_unit_test(an_older_item_is_fetched_and_stays),
        cmocka_unit_test(what_cannot_be_fetched_is_not_found),
        cmocka_unit_test(a_kept_item_whose_root_changed_is_hidden_until_it_is_proved_again),
        cmocka_unit_test(damage_below_the_horizon_is_found_and_mended),
        cmocka_unit_test(what_the_server_withholds_is_not_shown),
    };

    return cmocka_run_group_tests_name("tjzw_horizon", tests, NULL, NULL);
}
