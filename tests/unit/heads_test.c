/*
 * heads_test.c - the platform's list of streams: what it says, when it is signed, and what phones
 * get behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/store/writer.h"
#include "sync/heads.h"
#include "sync/keys.h"
#include "sync/object.h"
#include "sync/verify.h"
#include "tests/lib/sync_world.h"

static int set_up(void **state)
{
    struct sync_world *t;
    struct err e = { 0 };

    if (sync_world_set_up(state))
        return -1;
    t = *state;
    sync_world_stop(t);
    assert_int_equal(conf_set(&e, &t->conf, "streams", "main,heping"), RC_OK);
    sync_world_start(t);
    return 0;
}

/* As a phone reads it: signed by the platform, and each note by its stream. */
static struct wire_heads read_list(struct sync_world *t, const char *stream, size_t *notes_n)
{
    struct wire_heads list;
    struct wire_note note;
    struct verify_key platform, key;
    struct sync_err se;
    struct err e = { 0 };
    uint8_t trust[HASH_BYTES];
    char hex[HASH_TEXT];
    size_t n, at, len, keys_n;
    const char *text, *etag, *head, *chain = keys_chain(sync_keys(), t->mem, &keys_n);

    assert_int_equal(heads_now(&e, t->mem, stream, &text, &n, &etag), RC_OK);
    assert_true(etag[0] == '"' && etag[strlen(etag) - 1] == '"');
    if (wire_heads_parse(&se, text, n, &list, &note, &at))
        fail_msg("%s\n%.*s", se.text, (int)n, text);
    assert_true(hex_parse(keys_trust(sync_keys(), hex), 64, trust, sizeof trust));
    assert_int_equal(verify_keys_current(&se, chain, keys_n, trust, "platform", &platform),
                     SYNC_OK);
    assert_int_equal(verify_note(&se, text, &note, &platform), SYNC_OK);
    for (*notes_n = 0;; ++*notes_n) {
        struct wire_head h;

        assert_int_equal(wire_heads_next(&se, text, n, &at, &head, &len), SYNC_OK);
        if (!len)
            return list;
        assert_int_equal(wire_head_parse(&se, head, len, &h, &note), SYNC_OK);
        assert_int_equal(verify_keys_current(&se, chain, keys_n, trust,
                                             arena_printf(t->mem, "stream:%s", h.stream), &key),
                         SYNC_OK);
        assert_int_equal(verify_note(&se, head, &note, &key), SYNC_OK);
    }
}

static void the_list_names_all_streams_and_their_heads_stand_behind_it(void **state)
{
    struct sync_world *t = *state;
    struct wire_heads list;
    struct err e;
    const char *text, *etag;
    size_t n;

    list = read_list(t, NULL, &n);
    assert_int_equal(list.n, 2);
    assert_int_equal(n, 2);
    assert_string_equal(list.stream[0].name, "heping");
    assert_string_equal(list.stream[1].name, "main");
    assert_false(list.stream[0].has_withheld);
    assert_int_equal(list.lease, 3600);
    list = read_list(t, "main", &n);
    assert_int_equal(list.n, 2);
    assert_int_equal(n, 1);
    assert_int_equal(heads_now(&e, t->mem, "hexi", &text, &n, &etag), RC_NOT_FOUND);
}

static void a_new_head_is_behind_the_same_list(void **state)
{
    struct sync_world *t = *state;
    struct wire_heads before, after;
    const char *text, *etag, *etag2, *other, *other2;
    struct err e;
    size_t n;

    before = read_list(t, "main", &n);
    assert_int_equal(heads_now(&e, t->mem, "main", &text, &n, &etag), RC_OK);
    assert_int_equal(heads_now(&e, t->mem, "heping", &text, &n, &other), RC_OK);
    sync_world_put(t, 0, 100);
    sync_world_head(t);
    after = read_list(t, "main", &n);
    assert_int_equal(after.counter, before.counter);
    assert_int_equal(heads_now(&e, t->mem, "main", &text, &n, &etag2), RC_OK);
    assert_string_not_equal(etag, etag2);
    assert_non_null(memmem(text, n, "\nseq 1\n", 7));
    assert_int_equal(heads_now(&e, t->mem, "heping", &text, &n, &other2), RC_OK);
    assert_string_equal(other, other2);
}

static struct wire_heads wait_for(struct sync_world *t, uint64_t counter)
{
    struct wire_heads list = { 0 };
    size_t n;

    for (int i = 0; i < 2000; i++) {
        assert_true(heads_values(&list));
        if (list.counter > counter)
            return read_list(t, NULL, &n);
        usleep(10000);
    }
    fail_msg("no new list within 20 seconds");
    return list;
}

static void it_is_signed_anew_every_quarter_of_its_lease(void **state)
{
    struct sync_world *t = *state;
    struct wire_heads first, list;
    size_t n;

    first = read_list(t, NULL, &n);
    clock_set(SYNC_NOW + 899);
    usleep(200000);
    list = read_list(t, NULL, &n);
    assert_int_equal(list.counter, first.counter);
    clock_set(SYNC_NOW + 900);
    list = wait_for(t, first.counter);
    assert_int_equal(list.time, SYNC_NOW + 900);
}

static void a_restart_shows_the_stored_list_and_a_restored_database_none_lower(void **state)
{
    struct sync_world *t = *state;
    struct wire_heads first, list;
    struct sync_err se;
    size_t n;

    first = read_list(t, NULL, &n);
    sync_world_stop(t);
    sync_world_start(t);
    list = read_list(t, NULL, &n);
    assert_int_equal(list.counter, first.counter);
    /* A database from before the first list: phones hold a higher one than it knows. */
    sync_world_stop(t);
    sync_world_sql(t, "DELETE FROM heads");
    clock_set(SYNC_NOW + 5);
    sync_world_start(t);
    list = read_list(t, NULL, &n);
    assert_true(list.counter > first.counter);
    assert_int_equal(verify_heads(&se, &first, &list), SYNC_OK);
    /* A clock that went back moves nothing back. */
    sync_world_stop(t);
    first = list;
    clock_set(SYNC_NOW - 5000);
    t->conf.head_lease = 7200000; /* so that it is another list */
    sync_world_start(t);
    list = read_list(t, NULL, &n);
    assert_true(list.counter > first.counter);
    assert_int_equal(verify_heads(&se, &first, &list), SYNC_OK);
    clock_set(SYNC_NOW);
}

static void another_stream_is_a_new_list(void **state)
{
    struct sync_world *t = *state;
    struct wire_heads first, list;
    struct err e = { 0 };
    size_t n;

    first = read_list(t, NULL, &n);
    sync_world_stop(t);
    assert_int_equal(conf_set(&e, &t->conf, "streams", "main,heping,a"), RC_OK);
    sync_world_start(t);
    list = read_list(t, NULL, &n);
    assert_int_equal(list.n, 3);
    assert_int_equal(n, 3);
    assert_string_equal(list.stream[0].name, "a");
    assert_true(list.counter > first.counter);
}

static enum rc add_mirror(struct work *w, void *arg)
{
    (void)arg;
    return live_mirror_add(w, "hexi", &(struct live *){ 0 });
}

static enum rc drop_mirror(struct work *w, void *arg)
{
    (void)arg;
    return live_mirror_drop(w, live_find("hexi"));
}

static void a_mirrored_stream_is_in_the_list_before_it_has_a_head(void **state)
{
    struct sync_world *t = *state;
    struct wire_heads list;
    size_t n;

    list = read_list(t, NULL, &n);
    assert_int_equal(sync_world_on_writer(add_mirror, NULL, NULL), RC_OK);
    list = wait_for(t, list.counter);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.stream[1].name, "hexi");
    read_list(t, NULL, &n);
    assert_int_equal(n, 2);
    read_list(t, "hexi", &n);
    assert_int_equal(n, 0);
    assert_int_equal(sync_world_on_writer(drop_mirror, NULL, NULL), RC_OK);
    list = wait_for(t, list.counter);
    assert_int_equal(list.n, 2);
}

/* ---- withheld ---- */

static enum rc changed(struct work *w, void *arg)
{
    (void)arg;
    return heads_withheld_changed(w, live_no(live_own()));
}

static void withhold(struct sync_world *t, const char *sql)
{
    sync_world_sql(t, sql);
    assert_int_equal(sync_world_on_writer(changed, NULL, NULL), RC_OK);
}

static void what_is_withheld_is_named_at_once(void **state)
{
    struct sync_world *t = *state;
    struct wire_heads first, list;
    struct wire_lines lines;
    struct sync_err se;
    uint8_t id[WIRE_ID];
    const char *p;
    size_t n;
    bool more;

    first = read_list(t, NULL, &n);
    withhold(t,
             "INSERT INTO withheld (stream, id) SELECT no, x'ff000000000000000000000000000000' "
             "FROM stream WHERE name = 'main'");
    withhold(t,
             "INSERT INTO withheld (stream, id) SELECT no, x'0a000000000000000000000000000000' "
             "FROM stream WHERE name = 'main'");
    list = read_list(t, NULL, &n);
    assert_int_equal(list.counter, first.counter + 2);
    assert_true(list.stream[1].has_withheld);
    assert_false(list.stream[0].has_withheld);
    assert_int_equal(object_read(&t->w, t->dir, list.stream[1].withheld, WIRE_IDENTITY, &p, &n),
                     RC_OK);
    assert_int_equal(wire_withheld_begin(&se, p, n, &lines), SYNC_OK);
    assert_int_equal(wire_withheld_next(&se, &lines, id, &more), SYNC_OK);
    assert_true(more && id[0] == 0x0a);
    assert_int_equal(wire_withheld_next(&se, &lines, id, &more), SYNC_OK);
    assert_true(more && id[0] == 0xff);
    assert_int_equal(wire_withheld_next(&se, &lines, id, &more), SYNC_OK);
    assert_false(more);
    withhold(t, "DELETE FROM withheld");
    list = read_list(t, NULL, &n);
    assert_false(list.stream[1].has_withheld);
}

static enum rc rotate(struct work *w, void *arg)
{
    return sync_rotate(w, arg);
}

static void a_platform_key_that_is_exchanged_signs_the_list_at_once(void **state)
{
    struct sync_world *t = *state;
    char before[HASH_TEXT], after[HASH_TEXT];
    struct wire_heads first, list;
    size_t n;

    first = read_list(t, NULL, &n);
    keys_trust(sync_keys(), before);
    assert_int_equal(sync_world_on_writer(rotate, (char *)"platform", NULL), RC_OK);
    keys_trust(sync_keys(), after);
    assert_string_not_equal(before, after);
    list = read_list(t, NULL, &n); /* by the new key */
    assert_int_equal(n, 2);
    assert_true(list.counter > first.counter);
    sync_world_stop(t);
    sync_world_start(t);
    first = read_list(t, NULL, &n);
    assert_int_equal(first.counter, list.counter);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, sync_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_list_names_all_streams_and_their_heads_stand_behind_it),
        TEST(a_new_head_is_behind_the_same_list),
        TEST(it_is_signed_anew_every_quarter_of_its_lease),
        TEST(a_restart_shows_the_stored_list_and_a_restored_database_none_lower),
        TEST(another_stream_is_a_new_list),
        TEST(a_mirrored_stream_is_in_the_list_before_it_has_a_head),
        TEST(what_is_withheld_is_named_at_once),
        TEST(a_platform_key_that_is_exchanged_signs_the_list_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
