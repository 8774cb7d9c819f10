/*
 * tjzw_once_test.c - docs/protocol/state.md section 3 on the phone: exactly once, whatever is lost, forgotten, restored or full.
 */
#include "tests/lib/me_world.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/store.h"

static void the_server_may_take_fewer_than_were_sent(void **state)
{
    struct me_world w;
    char key[64];

    (void)state;
    me_begin_as_a(&w);
    w.f.takes = 3;
    for (int i = 0; i < 8; i++) {
        snprintf(key, sizeof key, ITEM "%d", i);
        me_put(&w.p, "fav", key, "{\"at\":1}");
    }
    me_exchange(&w.p);
    assert_int_equal(w.p.last.requests, 3);
    assert_int_equal(w.f.accounts[8].seq, 8);
    me_end(&w);
}

static void one_that_is_refused_holds_nothing_up(void **state)
{
    struct tjzw_mutation found = { 0 };
    struct me_world w;

    (void)state;
    me_begin_as_a(&w);
    w.f.refuses = ITEM "2";
    me_put(&w.p, "fav", ITEM "1", "{\"at\":1}");
    me_put(&w.p, "fav", ITEM "2", "{\"at\":1}");
    me_put(&w.p, "fav", ITEM "3", "{\"at\":1}");
    me_exchange(&w.p);
    assert_int_equal(w.f.accounts[8].seq, 2);
    assert_int_equal(me_of(&w.p).attention, 1);
    assert_int_equal(me_of(&w.p).unsent, 0);
    me_assert_shown(&w.p, "fav", ITEM "2", ""); /* it did not come about */
    me_exchange(&w.p);
    assert_null(json_object_get(w.f.last, "mutations")); /* and is not tried again by itself */
    found.no = me_number(
        &w.p, "SELECT no FROM mutation WHERE code = 'missing' AND detail = '这样不行'");
    OK(&w.p, tjzw_outbox_drop(w.p.t, found.no, &w.p.e));
    assert_int_equal(me_of(&w.p).attention, 0);
    assert_int_equal(tjzw_outbox_drop(w.p.t, found.no, &w.p.e), TJZW_NOT_FOUND);
    me_end(&w);
}

static void what_is_on_its_way_is_not_changed_any_more(void **state)
{
    struct me_world w;

    (void)state;
    me_begin_as_a(&w);
    me_put(&w.p, "set", "font", "20");
    w.f.busy = 1;
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_BUSY);
    assert_int_equal(
        tjzw_outbox_drop(w.p.t, me_number(&w.p, "SELECT no FROM mutation"), &w.p.e), TJZW_BUSY);
    me_put(&w.p, "set", "font", "22");
    assert_int_equal(me_of(&w.p).unsent, 2);
    me_assert_shown(&w.p, "set", "font", "22");
    me_exchange(&w.p);
    me_assert_there(&w, 8, "set", "font", "22");
    me_end(&w);
}

static void a_server_that_forgot_the_device_gets_a_new_one(void **state)
{
    struct me_world w;

    (void)state;
    me_begin_as_a(&w);
    me_put(&w.p, "set", "font", "20");
    me_exchange(&w.p);
    json_object_clear(w.f.accounts[8].devices); /* not used for 400 days */
    me_put(&w.p, "set", "elder", "true");
    me_exchange(&w.p);
    me_assert_there(&w, 8, "set", "elder", "true");
    assert_int_equal(json_object_size(w.f.accounts[8].devices), 2);
    assert_int_equal(me_number(&w.p, "SELECT next_n FROM person WHERE state = 1"), 2);
    me_end(&w);
}

static void a_restored_server_gets_what_it_lost(void **state)
{
    struct fake_me backup;
    struct me_world w;
    char id[37];

    (void)state;
    me_begin_as_a(&w);
    me_put(&w.p, "set", "font", "20");
    me_exchange(&w.p);
    fake_me_copy(&backup, &w.f);
    OK(&w.p, tjzw_act(w.p.t, "letter.send", "{\"title\":\"路灯\"}", id, &w.p.e));
    fake_me_put(&w.f, 8, "set", "theme", "\"dark\"");
    me_exchange(&w.p);
    me_assert_shown(&w.p, "set", "theme", "\"dark\"");
    me_put(&w.p, "set", "elder", "true");
    fake_me_restore(&w.f, &backup);
    me_exchange(&w.p);
    me_assert_shown(&w.p, "set", "theme", ""); /* the server's state is the state */
    me_assert_there(&w, 8, "set", "elder", "true");
    /* … and a letter has its receipt along, so that it keeps number and day. */
    me_assert_there(&w, 8, "letter", id, "{\"receipt\":\"收据\",\"title\":\"路灯\"}");
    me_assert_shown(&w.p, "set", "font", "20");
    me_end(&w);
}

/* Another phone with a copy of the store, as a backup of one phone that was played to a second. */
static void copy_phone(struct me_world *w, struct phone *q)
{
    char command[512];

    *q = (struct phone){ .server = w->p.server, .net = w->p.net };
    snprintf(q->path, sizeof q->path, "%s/copy.db", w->p.dir);
    snprintf(command, sizeof command, "sqlite3 %s '.backup %s' 2>/dev/null || cp %s %s",
             w->p.path, q->path, w->p.path, q->path);
    OK(&w->p, tjzw_sync(w->p.t, NULL, NULL, &w->p.e)); /* empties the log */
    assert_int_equal(system(command), 0);
    OK(q, tjzw_open(q->path, &q->t, &q->e));
    me_use_fake(q, &w->f);
}

static void two_phones_with_one_device_lose_nothing(void **state)
{
    struct me_world w;
    struct phone q;

    (void)state;
    for (int acked = 0; acked < 2; acked++) {
        me_begin_as_a(&w);
        me_put(&w.p, "set", "font", "20");
        me_exchange(&w.p);
        copy_phone(&w, &q);
        me_put(&w.p, "set", "elder", "true");
        me_exchange(&w.p);
        if (acked)
            me_exchange(&w.p); /* the server knows no more what number 2 was */
        me_put(&q, "set", "theme", "\"dark\"");
        me_exchange(&q);
        me_exchange(&w.p);
        me_assert_there(&w, 8, "set", "theme", "\"dark\"");
        me_assert_there(&w, 8, "set", "elder", "true");
        me_assert_shown(&w.p, "set", "theme", "\"dark\"");
        me_assert_shown(&q, "set", "elder", "true");
        assert_int_equal(json_object_size(w.f.accounts[8].devices), 2);
        tjzw_close(q.t);
        me_end(&w);
    }
}

/* ---- whatever is lost ---- */

enum { LETTERS = 6 };

static void write_something(struct phone *p, uint64_t *seed)
{
    char key[64], value[32];

    snprintf(key, sizeof key, ITEM "%u", fake_random(seed, 10));
    switch (fake_random(seed, 4)) {
    case 0: me_put(p, "fav", key, fake_random(seed, 3) ? "{\"at\":1}" : NULL); break;
    case 1:
        snprintf(value, sizeof value, "\"%u\"", fake_random(seed, 4096));
        me_put(p, "read", "main/0", value);
        break;
    case 2: me_put(p, "set", "font", fake_random(seed, 2) ? "20" : "22"); break;
    default:
        snprintf(value, sizeof value, "%u", fake_random(seed, 1000));
        me_put(p, "place", key, value);
    }
}

/* All entries as one text. */
static bool append(void *ctx, const struct tjzw_entry *entry)
{
    char *out = ctx;
    size_t n = strlen(out);

    snprintf(out + n, 65536 - n, "%s %s %s\n", entry->type, entry->key, entry->value);
    return true;
}

static char *all_shown(struct phone *p)
{
    static const char *const types[] = { "fav", "read", "set", "place", "letter" };
    char *out = calloc(1, 65536);

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        OK(p, tjzw_entries(p->t, types[i], NULL, append, out, &p->e));
    return out;
}

static void until_even(struct phone *p)
{
    for (int i = 0; i < 3; i++)
        me_exchange(p);
}

static void whatever_is_lost_all_arrives_once_and_both_end_equal(void **state)
{
    unsigned runs = getenv("TJZW_FULL") ? 60 : 8, faults = 0;

    (void)state;
    for (unsigned seed = 1; seed <= runs; seed++) {
        struct phone *phones[2], q;
        struct me_world w;
        uint64_t chance = seed;
        const char *name;
        json_t *times;
        char *a, *b;

        me_begin_as_a(&w);
        me_second(&w, &q, "a");
        phones[0] = &w.p;
        phones[1] = &q;
        w.f.seed = seed;
        w.f.percent = 40;
        w.f.page = 1 + fake_random(&chance, 20);
        w.f.takes = fake_random(&chance, 5);
        for (int i = 0; i < 60; i++) {
            struct phone *p = phones[fake_random(&chance, 2)];

            if (i % 10 == 3)
                OK(p, tjzw_act(p->t, "letter.send", "{\"title\":\"信\"}", NULL, &p->e));
            else
                write_something(p, &chance);
            if (fake_random(&chance, 4) == 0)
                w.f.floor = w.f.accounts[8].seq;
            if (fake_random(&chance, 3) == 0)
                (void)!tjzw_me_sync(p->t, NULL, NULL, &p->e);
        }
        faults += w.f.lost;
        w.f.percent = 0;
        until_even(&w.p);
        until_even(&q);
        until_even(&w.p);
        a = all_shown(&w.p);
        b = all_shown(&q);
        assert_string_equal(a, b);
        assert_int_equal(me_of(&w.p).unsent + me_of(&q).unsent, 0);
        assert_int_equal(json_object_size(w.f.applied), LETTERS);
        json_object_foreach(w.f.applied, name, times)
            assert_int_equal(json_integer_value(times), 1);
        free(a);
        free(b);
        tjzw_close(q.t);
        me_end(&w);
    }
    assert_true(faults > 10 * runs);
}

static void a_full_disk_loses_nothing_that_was_written(void **state)
{
    unsigned full = 0, written = 0;
    char sql[64], key[64];
    struct me_world w;

    (void)state;
    me_begin_as_a(&w);
    snprintf(sql, sizeof sql, "PRAGMA max_page_count=%" PRId64,
             me_number(&w.p, "PRAGMA page_count") + 6);
    assert_int_equal(sqlite3_exec(w.p.t->db, sql, NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 900; i++) {
        enum tjzw_code rc;

        snprintf(key, sizeof key, "main/0190b1c2-0000-7000-8000-%012d", i);
        rc = tjzw_put(w.p.t, "fav", key, "{\"at\":1}", &w.p.e);
        assert_true(rc == TJZW_OK || rc == TJZW_FULL);
        full += rc == TJZW_FULL;
        written += rc == TJZW_OK;
    }
    assert_true(full > 0 && written > 0);
    assert_int_equal(me_of(&w.p).unsent, written);
    (void)!tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e);
    assert_int_equal(sqlite3_exec(w.p.t->db, "PRAGMA max_page_count=100000", NULL, NULL, NULL),
                     SQLITE_OK);
    me_exchange(&w.p);
    assert_int_equal(w.f.accounts[8].seq, written);
    assert_int_equal(me_shown(&w.p, "fav", NULL).n, written);
    me_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_may_take_fewer_than_were_sent),
        cmocka_unit_test(one_that_is_refused_holds_nothing_up),
        cmocka_unit_test(what_is_on_its_way_is_not_changed_any_more),
        cmocka_unit_test(a_server_that_forgot_the_device_gets_a_new_one),
        cmocka_unit_test(a_restored_server_gets_what_it_lost),
        cmocka_unit_test(two_phones_with_one_device_lose_nothing),
        cmocka_unit_test(whatever_is_lost_all_arrives_once_and_both_end_equal),
        cmocka_unit_test(a_full_disk_loses_nothing_that_was_written),
    };

    return cmocka_run_group_tests_name("tjzw_once", tests, NULL, NULL);
}
