/*
 * tjzw_me_test.c - the phone's half of docs/protocol/state.md, sections 2, 3 and 4, on real stores, against the server in memory of tests/lib/fake_me.
 */
#include "tests/lib/fake_me.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clients/c/store.h"

#define ITEM "main/0190b1c2-0000-7000-8000-00000000000"

struct world {
    struct phone p; /* a phone with public content, signed in as a */
    struct fake_me f;
};

static void sign_in(struct phone *p, const char *login)
{
    const struct tjzw_sign_in entered = { .login = login, .password = "good" };
    struct tjzw_step step;

    OK(p, tjzw_sign_in(p->t, &entered, &step, &p->e));
    assert_int_equal(step.kind, TJZW_STEP_DONE);
}

static void use_fake(struct phone *p, struct fake_me *f)
{
    struct tjzw_transport transport = { f, fake_me_get };

    tjzw_set_transport(p->t, &transport);
}

static void begin(struct world *w)
{
    phone_start(&w->p);
    phone_sync(&w->p);
    fake_me_start(&w->f, &w->p);
    use_fake(&w->p, &w->f);
}

static void begin_as_a(struct world *w)
{
    begin(w);
    sign_in(&w->p, "a");
}

static void end(struct world *w)
{
    phone_end(&w->p);
    fake_me_end(&w->f);
}

/* Another phone of the same server, with a store of its own. */
static void second(struct world *w, struct phone *q, const char *login)
{
    *q = (struct phone){ .server = w->p.server, .net = w->p.net };
    snprintf(q->path, sizeof q->path, "%s/second.db", w->p.dir);
    phone_open(q);
    OK(q, tjzw_sync(q->t, NULL, NULL, &q->e));
    use_fake(q, &w->f);
    if (login)
        sign_in(q, login);
}

static void put(struct phone *p, const char *type, const char *key, const char *value)
{
    OK(p, tjzw_put(p->t, type, key, value, &p->e));
}

static void exchange(struct phone *p)
{
    OK(p, tjzw_me_sync(p->t, NULL, &p->last, &p->e));
}

/* ---- what is shown, and what is there ---- */

struct seen {
    char value[256];
    bool pending;
    size_t n;
};

static bool see(void *ctx, const struct tjzw_entry *entry)
{
    struct seen *s = ctx;

    s->n++;
    s->pending = entry->pending;
    snprintf(s->value, sizeof s->value, "%s", entry->value);
    return true;
}

/* "": nothing. */
static struct seen shown(struct phone *p, const char *type, const char *key)
{
    struct seen s = { 0 };
    enum tjzw_code rc = tjzw_entries(p->t, type, key, see, &s, &p->e);

    assert_true(rc == TJZW_OK || (key && rc == TJZW_NOT_FOUND));
    return s;
}

static void assert_shown(struct phone *p, const char *type, const char *key, const char *value)
{
    assert_string_equal(shown(p, type, key).value, value);
}

static void assert_there(struct world *w, int64_t account, const char *type, const char *key,
                         const char *value)
{
    char *text = fake_me_value(&w->f, account, type, key);

    assert_string_equal(text ? text : "", value);
    free(text);
}

static struct tjzw_me me(struct phone *p)
{
    struct tjzw_me out;

    OK(p, tjzw_me(p->t, &out, &p->e));
    return out;
}

static int64_t number(struct phone *p, const char *sql)
{
    sqlite3_stmt *q;
    sqlite3 *db;
    int64_t n;

    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

/* ---- section 2: the exchange ---- */

static void what_is_written_without_a_network_is_shown_at_once_and_arrives(void **state)
{
    struct world w;

    (void)state;
    begin_as_a(&w);
    w.f.cut = true;
    put(&w.p, "fav", ITEM "1", "{\"at\": 5}");
    put(&w.p, "set", "font", "20");
    put(&w.p, "set", "font", "22");
    assert_shown(&w.p, "fav", ITEM "1", "{\"at\":5}");
    assert_shown(&w.p, "set", "font", "22");
    assert_true(shown(&w.p, "set", "font").pending);
    assert_int_equal(me(&w.p).unsent, 2); /* the second size took the first one's place */
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_NET);
    w.f.cut = false;
    exchange(&w.p);
    assert_there(&w, 8, "fav", ITEM "1", "{\"at\":5}");
    assert_there(&w, 8, "set", "font", "22");
    assert_false(shown(&w.p, "set", "font").pending);
    assert_int_equal(me(&w.p).unsent, 0);
    put(&w.p, "fav", ITEM "1", NULL);
    assert_int_equal(shown(&w.p, "fav", NULL).n, 0);
    exchange(&w.p);
    assert_there(&w, 8, "fav", ITEM "1", "");
    end(&w);
}

static void what_cannot_be_is_refused_before_it_is_written(void **state)
{
    static const char *const bad[][3] = {
        { "no_such_type", "k", "1" },
        { "letter", "0190b1c2-0000-7000-8000-000000000001", "{}" },
        { "fav", "not a key", "{}" },
        { "fav", ITEM "1", "{\"at\":\"x\"}" },
        { "set", "font", "1000" },
        { "set", "no_such", "1" },
        { "set", "font", "not json" },
        { "read", "main/0", "\"5-3\"" },
        { "follow", "tag/\xe6\x94", "{\"rank\":\"V\"}" }, /* cut within a character */
        { "follow", "tag/\xff", "{\"rank\":\"V\"}" },
    };
    struct world w;

    (void)state;
    begin(&w);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tjzw_put(w.p.t, bad[i][0], bad[i][1], bad[i][2], &w.p.e), TJZW_USAGE);
    assert_int_equal(tjzw_act(w.p.t, "letter.burn", "{}", NULL, &w.p.e), TJZW_USAGE);
    assert_int_equal(tjzw_act(w.p.t, "letter.send", "[]", NULL, &w.p.e), TJZW_USAGE);
    assert_int_equal(me(&w.p).unsent, 0);
    end(&w);
}

static void a_thousand_go_up_in_order_and_many_come_down_in_pages(void **state)
{
    struct world w;
    struct phone q;
    char key[64];

    (void)state;
    begin_as_a(&w);
    for (int i = 0; i < 1100; i++) {
        snprintf(key, sizeof key, "main/0190b1c2-0000-7000-8000-%012d", i);
        put(&w.p, "fav", key, "{\"at\":1}");
    }
    exchange(&w.p);
    assert_int_equal(w.p.last.requests, 3);
    assert_int_equal(w.f.accounts[8].seq, 1100);
    assert_int_equal(json_integer_value(json_object_get(w.f.last, "acked")), 1000);
    w.f.page = 100;
    second(&w, &q, "a");
    exchange(&q);
    assert_int_equal(q.last.requests, 11);
    assert_int_equal(shown(&q, "fav", NULL).n, 1100);
    tjzw_close(q.t);
    end(&w);
}

static void results_are_acknowledged_and_one_request_is_enough_when_nothing_is_new(void **state)
{
    struct world w;

    (void)state;
    begin_as_a(&w);
    put(&w.p, "set", "font", "20");
    exchange(&w.p);
    exchange(&w.p);
    assert_int_equal(w.p.last.requests, 1);
    assert_int_equal(json_integer_value(json_object_get(w.f.last, "acked")), 1);
    assert_null(json_object_get(w.f.last, "mutations"));
    end(&w);
}

static void the_servers_word_comes_below_what_waits(void **state)
{
    struct world w;

    (void)state;
    begin_as_a(&w);
    put(&w.p, "set", "font", "20");
    exchange(&w.p);
    fake_me_put(&w.f, 8, "set", "font", "32"); /* another device */
    fake_me_put(&w.f, 8, "read", "main/0", "\"7\"");
    put(&w.p, "set", "font", "14");
    put(&w.p, "read", "main/0", "\"3\"");
    w.f.takes = 1; /* the page of entries comes while the mark still waits */
    w.f.busy = 0;
    exchange(&w.p);
    assert_shown(&w.p, "set", "font", "14");
    assert_shown(&w.p, "read", "main/0", "\"3,7\"");
    assert_there(&w, 8, "read", "main/0", "\"3,7\"");
    end(&w);
}

static void an_answer_that_is_bounded_moves_no_cursor_for_results(void **state)
{
    struct world w;
    char key[64];

    (void)state;
    begin_as_a(&w);
    for (int i = 0; i < 30; i++) {
        snprintf(key, sizeof key, ITEM "%d", i % 10);
        fake_me_put(&w.f, 8, "place", key, "500");
    }
    w.f.page = 3;
    put(&w.p, "set", "font", "20");
    w.f.cut_after = 1; /* the page that has it does not come any more */
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_NET);
    assert_int_equal(me(&w.p).unsent, 0);
    assert_shown(&w.p, "set", "font", "20");
    w.f.cut = false;
    exchange(&w.p);
    assert_shown(&w.p, "set", "font", "20");
    assert_int_equal(shown(&w.p, "place", NULL).n, 10);
    assert_int_equal(number(&w.p, "SELECT count(*) FROM person WHERE cursor LIKE '%.31'"), 1);
    end(&w);
}

static void a_reset_shows_the_old_until_the_new_is_whole(void **state)
{
    struct world w;
    char key[64];

    (void)state;
    begin_as_a(&w);
    for (int i = 0; i < 9; i++) {
        snprintf(key, sizeof key, ITEM "%d", i);
        fake_me_put(&w.f, 8, "place", key, "500");
    }
    exchange(&w.p);
    fake_me_put(&w.f, 8, "place", ITEM "3", NULL);
    for (int i = 0; i < 6; i++) {
        snprintf(key, sizeof key, ITEM "%d", i);
        fake_me_put(&w.f, 8, "place", key, i == 3 ? NULL : "600");
    }
    w.f.floor = w.f.accounts[8].seq;
    w.f.page = 4;
    w.f.percent = 60; /* pages are lost on the way */
    while (tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e))
        assert_true(shown(&w.p, "place", NULL).n >= 8);
    w.f.percent = 0;
    exchange(&w.p);
    assert_int_equal(shown(&w.p, "place", NULL).n, 8);
    assert_shown(&w.p, "place", ITEM "3", "");
    assert_shown(&w.p, "place", ITEM "0", "600");
    end(&w);
}

static void a_busy_server_is_left_alone_for_as_long_as_it_says(void **state)
{
    struct world w;

    (void)state;
    begin_as_a(&w);
    put(&w.p, "set", "font", "20");
    w.f.busy = 1;
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, &w.p.last, &w.p.e), TJZW_BUSY);
    assert_int_equal(w.p.last.wait, 77);
    assert_true(me(&w.p).due >= (int64_t)time(NULL) + 70);
    OK(&w.p, tjzw_background(w.p.t, 5, &w.p.last, &w.p.e));
    assert_int_equal(w.f.exchanges, 1); /* not asked again */
    end(&w);
}

static void a_letter_is_shown_when_what_it_points_at_is_held(void **state)
{
    struct tjzw_status status;
    char needs[80];
    struct world w;

    (void)state;
    begin_as_a(&w);
    OK(&w.p, tjzw_status(w.p.t, NULL, &status, &w.p.e));
    fake_publish(w.p.server, "答复", "{}");
    fake_head(w.p.server);
    snprintf(needs, sizeof needs, "{\"main\":\"%.*s.%d\"}", (int)strcspn(status.cursor, "."),
             status.cursor, atoi(strchr(status.cursor, '.') + 1) + 1);
    w.f.needs = needs;
    fake_me_put(&w.f, 8, "letter", "0190b1c2-0000-4000-8000-000000000001",
                "{\"state\":\"answered\"}");
    exchange(&w.p);
    assert_int_equal(shown(&w.p, "letter", NULL).n, 0);
    OK(&w.p, tjzw_sync(w.p.t, NULL, NULL, &w.p.e));
    assert_int_equal(shown(&w.p, "letter", NULL).n, 1);
    end(&w);
}

static unsigned told, told_all;

static void count_change(void *ctx, const char *type, const char *key)
{
    (void)ctx, (void)key;
    told++;
    told_all += type == NULL;
}

static void who_asked_is_told_of_what_changed(void **state)
{
    struct world w;

    (void)state;
    begin_as_a(&w);
    told = told_all = 0;
    tjzw_on_change(w.p.t, count_change, NULL);
    put(&w.p, "set", "font", "20");
    assert_int_equal(told, 1);
    fake_me_put(&w.f, 8, "set", "elder", "true");
    exchange(&w.p);
    assert_true(told >= 3);
    assert_int_equal(told_all, 0);
    OK(&w.p, tjzw_sign_out(w.p.t, &w.p.e));
    assert_int_equal(told_all, 1);
    end(&w);
}

/* ---- section 3: exactly once ---- */

static void the_server_may_take_fewer_than_were_sent(void **state)
{
    struct world w;
    char key[64];

    (void)state;
    begin_as_a(&w);
    w.f.takes = 3;
    for (int i = 0; i < 8; i++) {
        snprintf(key, sizeof key, ITEM "%d", i);
        put(&w.p, "fav", key, "{\"at\":1}");
    }
    exchange(&w.p);
    assert_int_equal(w.p.last.requests, 3);
    assert_int_equal(w.f.accounts[8].seq, 8);
    end(&w);
}

static void one_that_is_refused_holds_nothing_up(void **state)
{
    struct tjzw_mutation found = { 0 };
    struct world w;

    (void)state;
    begin_as_a(&w);
    w.f.refuses = ITEM "2";
    put(&w.p, "fav", ITEM "1", "{\"at\":1}");
    put(&w.p, "fav", ITEM "2", "{\"at\":1}");
    put(&w.p, "fav", ITEM "3", "{\"at\":1}");
    exchange(&w.p);
    assert_int_equal(w.f.accounts[8].seq, 2);
    assert_int_equal(me(&w.p).attention, 1);
    assert_int_equal(me(&w.p).unsent, 0);
    assert_shown(&w.p, "fav", ITEM "2", ""); /* it did not come about */
    exchange(&w.p);
    assert_null(json_object_get(w.f.last, "mutations")); /* and is not tried again by itself */
    found.no =
        number(&w.p, "SELECT no FROM mutation WHERE code = 'missing' AND detail = '这样不行'");
    OK(&w.p, tjzw_outbox_drop(w.p.t, found.no, &w.p.e));
    assert_int_equal(me(&w.p).attention, 0);
    assert_int_equal(tjzw_outbox_drop(w.p.t, found.no, &w.p.e), TJZW_NOT_FOUND);
    end(&w);
}

static void what_is_on_its_way_is_not_changed_any_more(void **state)
{
    struct world w;

    (void)state;
    begin_as_a(&w);
    put(&w.p, "set", "font", "20");
    w.f.busy = 1;
    assert_int_equal(tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e), TJZW_BUSY);
    assert_int_equal(tjzw_outbox_drop(w.p.t, number(&w.p, "SELECT no FROM mutation"), &w.p.e),
                     TJZW_BUSY);
    put(&w.p, "set", "font", "22");
    assert_int_equal(me(&w.p).unsent, 2);
    assert_shown(&w.p, "set", "font", "22");
    exchange(&w.p);
    assert_there(&w, 8, "set", "font", "22");
    end(&w);
}

static void a_server_that_forgot_the_device_gets_a_new_one(void **state)
{
    struct world w;

    (void)state;
    begin_as_a(&w);
    put(&w.p, "set", "font", "20");
    exchange(&w.p);
    json_object_clear(w.f.accounts[8].devices); /* not used for 400 days */
    put(&w.p, "set", "elder", "true");
    exchange(&w.p);
    assert_there(&w, 8, "set", "elder", "true");
    assert_int_equal(json_object_size(w.f.accounts[8].devices), 2);
    assert_int_equal(number(&w.p, "SELECT next_n FROM person WHERE state = 1"), 2);
    end(&w);
}

static void a_restored_server_gets_what_it_lost(void **state)
{
    struct fake_me backup;
    struct world w;
    char id[37];

    (void)state;
    begin_as_a(&w);
    put(&w.p, "set", "font", "20");
    exchange(&w.p);
    fake_me_copy(&backup, &w.f);
    OK(&w.p, tjzw_act(w.p.t, "letter.send", "{\"title\":\"路灯\"}", id, &w.p.e));
    fake_me_put(&w.f, 8, "set", "theme", "\"dark\"");
    exchange(&w.p);
    assert_shown(&w.p, "set", "theme", "\"dark\"");
    put(&w.p, "set", "elder", "true");
    fake_me_restore(&w.f, &backup);
    exchange(&w.p);
    assert_shown(&w.p, "set", "theme", ""); /* the server's state is the state */
    assert_there(&w, 8, "set", "elder", "true");
    /* … and a letter has its receipt along, so that it keeps number and day. */
    assert_there(&w, 8, "letter", id, "{\"receipt\":\"收据\",\"title\":\"路灯\"}");
    assert_shown(&w.p, "set", "font", "20");
    end(&w);
}

/* Another phone with a copy of the store, as a backup of one phone that was played to a second. */
static void copy_phone(struct world *w, struct phone *q)
{
    char command[512];

    *q = (struct phone){ .server = w->p.server, .net = w->p.net };
    snprintf(q->path, sizeof q->path, "%s/copy.db", w->p.dir);
    snprintf(command, sizeof command, "sqlite3 %s '.backup %s' 2>/dev/null || cp %s %s",
             w->p.path, q->path, w->p.path, q->path);
    OK(&w->p, tjzw_sync(w->p.t, NULL, NULL, &w->p.e)); /* empties the log */
    assert_int_equal(system(command), 0);
    OK(q, tjzw_open(q->path, &q->t, &q->e));
    use_fake(q, &w->f);
}

static void two_phones_with_one_device_lose_nothing(void **state)
{
    struct world w;
    struct phone q;

    (void)state;
    for (int acked = 0; acked < 2; acked++) {
        begin_as_a(&w);
        put(&w.p, "set", "font", "20");
        exchange(&w.p);
        copy_phone(&w, &q);
        put(&w.p, "set", "elder", "true");
        exchange(&w.p);
        if (acked)
            exchange(&w.p); /* the server knows no more what number 2 was */
        put(&q, "set", "theme", "\"dark\"");
        exchange(&q);
        exchange(&w.p);
        assert_there(&w, 8, "set", "theme", "\"dark\"");
        assert_there(&w, 8, "set", "elder", "true");
        assert_shown(&w.p, "set", "theme", "\"dark\"");
        assert_shown(&q, "set", "elder", "true");
        assert_int_equal(json_object_size(w.f.accounts[8].devices), 2);
        tjzw_close(q.t);
        end(&w);
    }
}

/* ---- whatever is lost ---- */

enum { LETTERS = 6 };

static void write_something(struct phone *p, uint64_t *seed)
{
    char key[64], value[32];

    snprintf(key, sizeof key, ITEM "%u", fake_random(seed, 10));
    switch (fake_random(seed, 4)) {
    case 0: put(p, "fav", key, fake_random(seed, 3) ? "{\"at\":1}" : NULL); break;
    case 1:
        snprintf(value, sizeof value, "\"%u\"", fake_random(seed, 4096));
        put(p, "read", "main/0", value);
        break;
    case 2: put(p, "set", "font", fake_random(seed, 2) ? "20" : "22"); break;
    default:
        snprintf(value, sizeof value, "%u", fake_random(seed, 1000));
        put(p, "place", key, value);
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
        exchange(p);
}

static void whatever_is_lost_all_arrives_once_and_both_end_equal(void **state)
{
    unsigned runs = getenv("TJZW_FULL") ? 60 : 8, faults = 0;

    (void)state;
    for (unsigned seed = 1; seed <= runs; seed++) {
        struct phone *phones[2], q;
        struct world w;
        uint64_t chance = seed;
        const char *name;
        json_t *times;
        char *a, *b;

        begin_as_a(&w);
        second(&w, &q, "a");
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
        assert_int_equal(me(&w.p).unsent + me(&q).unsent, 0);
        assert_int_equal(json_object_size(w.f.applied), LETTERS);
        json_object_foreach(w.f.applied, name, times)
            assert_int_equal(json_integer_value(times), 1);
        free(a);
        free(b);
        tjzw_close(q.t);
        end(&w);
    }
    assert_true(faults > 10 * runs);
}

static void a_full_disk_loses_nothing_that_was_written(void **state)
{
    unsigned full = 0, written = 0;
    char sql[64], key[64];
    struct world w;

    (void)state;
    begin_as_a(&w);
    snprintf(sql, sizeof sql, "PRAGMA max_page_count=%" PRId64,
             number(&w.p, "PRAGMA page_count") + 6);
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
    assert_int_equal(me(&w.p).unsent, written);
    (void)!tjzw_me_sync(w.p.t, NULL, NULL, &w.p.e);
    assert_int_equal(sqlite3_exec(w.p.t->db, "PRAGMA max_page_count=100000", NULL, NULL, NULL),
                     SQLITE_OK);
    exchange(&w.p);
    assert_int_equal(w.f.accounts[8].seq, written);
    assert_int_equal(shown(&w.p, "fav", NULL).n, written);
    end(&w);
}

/* ---- section 4 ---- */

static bool first_id(void *ctx, const struct tjzw_item *item)
{
    memcpy(ctx, item->id, 37);
    return false;
}

static void read_marks_are_ranges_and_favourites_are_kept(void **state)
{
    struct phone_seen kept = { 0 };
    struct world w;
    struct phone q;
    char id[37];
    bool read;

    (void)state;
    begin_as_a(&w);
    OK(&w.p, tjzw_list(w.p.t, NULL, first_id, id, &w.p.e));
    OK(&w.p, tjzw_is_read(w.p.t, id, &read, &w.p.e));
    assert_false(read);
    OK(&w.p, tjzw_mark_read(w.p.t, id, &w.p.e));
    OK(&w.p, tjzw_mark_read(w.p.t, id, &w.p.e));
    OK(&w.p, tjzw_fav(w.p.t, id, true, &w.p.e));
    OK(&w.p, tjzw_is_read(w.p.t, id, &read, &w.p.e));
    assert_true(read);
    assert_int_equal(me(&w.p).unsent, 2);
    exchange(&w.p);
    second(&w, &q, "a");
    exchange(&q);
    OK(&q, tjzw_is_read(q.t, id, &read, &q.e));
    assert_true(read);
    OK(&q, tjzw_list(q.t, &(struct tjzw_query){ .kept = true }, phone_see, &kept, &q.e));
    assert_int_equal(kept.n, 1);
    OK(&q, tjzw_fav(q.t, id, false, &q.e));
    exchange(&q);
    exchange(&w.p);
    kept.n = 0;
    OK(&w.p, tjzw_list(w.p.t, &(struct tjzw_query){ .kept = true }, phone_see, &kept, &w.p.e));
    assert_int_equal(kept.n, 0);
    tjzw_close(q.t);
    end(&w);
}

static bool join(void *ctx, const struct tjzw_entry *entry)
{
    char *out = ctx;

    snprintf(out + strlen(out), 512 - strlen(out), "%s ", entry->key + 4);
    return true;
}

static void follows_have_an_order_that_can_be_changed_for_ever(void **state)
{
    char order[512] = "";
    struct world w;

    (void)state;
    begin(&w);
    OK(&w.p, tjzw_follow_at(w.p.t, "tag/a", UINT32_MAX, &w.p.e));
    OK(&w.p, tjzw_follow_at(w.p.t, "tag/b", UINT32_MAX, &w.p.e));
    OK(&w.p, tjzw_follow_at(w.p.t, "tag/c", 0, &w.p.e));
    OK(&w.p, tjzw_follow_at(w.p.t, "tag/d", 1, &w.p.e));
    OK(&w.p, tjzw_follows(w.p.t, join, order, &w.p.e));
    assert_string_equal(order, "c d a b ");
    for (int i = 0; i < 300; i++) /* always between the first two */
        OK(&w.p, tjzw_follow_at(w.p.t, i % 2 ? "tag/b" : "tag/a", 1, &w.p.e));
    order[0] = '\0';
    OK(&w.p, tjzw_follows(w.p.t, join, order, &w.p.e));
    assert_string_equal(order, "c b a d ");
    assert_int_equal(tjzw_follow_at(w.p.t, "no such", 0, &w.p.e), TJZW_USAGE);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_without_a_network_is_shown_at_once_and_arrives),
        cmocka_unit_test(what_cannot_be_is_refused_before_it_is_written),
        cmocka_unit_test(a_thousand_go_up_in_order_and_many_come_down_in_pages),
        cmocka_unit_test(
            results_are_acknowledged_and_one_request_is_enough_when_nothing_is_new),
        cmocka_unit_test(the_servers_word_comes_below_what_waits),
        cmocka_unit_test(an_answer_that_is_bounded_moves_no_cursor_for_results),
        cmocka_unit_test(a_reset_shows_the_old_until_the_new_is_whole),
        cmocka_unit_test(a_busy_server_is_left_alone_for_as_long_as_it_says),
        cmocka_unit_test(a_letter_is_shown_when_what_it_points_at_is_held),
        cmocka_unit_test(who_asked_is_told_of_what_changed),
        cmocka_unit_test(the_server_may_take_fewer_than_were_sent),
        cmocka_unit_test(one_that_is_refused_holds_nothing_up),
        cmocka_unit_test(what_is_on_its_way_is_not_changed_any_more),
        cmocka_unit_test(a_server_that_forgot_the_device_gets_a_new_one),
        cmocka_unit_test(a_restored_server_gets_what_it_lost),
        cmocka_unit_test(two_phones_with_one_device_lose_nothing),
        cmocka_unit_test(whatever_is_lost_all_arrives_once_and_both_end_equal),
        cmocka_unit_test(a_full_disk_loses_nothing_that_was_written),
        cmocka_unit_test(read_marks_are_ranges_and_favourites_are_kept),
        cmocka_unit_test(follows_have_an_order_that_can_be_changed_for_ever),
    };

    return cmocka_run_group_tests_name("tjzw_me", tests, NULL, NULL);
}
