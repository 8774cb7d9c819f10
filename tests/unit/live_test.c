/*
 * live_test.c - several streams on one server: our own, and those of others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "server/base/be64.h"
#include "server/base/clock.h"
#include "server/base/generation.h"
#include "server/library/change.h"
#include "server/library/column.h"
#include "server/library/site.h"
#include "server/store/writer.h"
#include "sync/cover.h"
#include "sync/keys.h"
#include "sync/verify.h"
#include "tests/lib/sync_world.h"

static void restart_with(struct sync_world *t, const char *streams)
{
    struct err e = { 0 };

    sync_world_stop(t);
    assert_int_equal(conf_set(&e, &t->conf, "streams", streams), RC_OK);
    sync_world_start(t);
}

static int set_up(void **state)
{
    if (sync_world_set_up(state))
        return -1;
    restart_with(*state, "main,heping");
    return 0;
}

static enum rc make_site(struct work *w, void *arg)
{
    struct site s = { .stream = live_no(arg), .code = live_name(arg), .name = "天津市和平区" };

    return site_create(w, &s);
}

static enum rc write_one(struct work *w, void *arg)
{
    struct change c = { .stream = live_no(arg),
                        .item = id_new(),
                        .born = -1,
                        .op = CHANGE_PUT,
                        .site = 1,
                        .col = 1,
                        .title = "通知",
                        .n = 2,
                        .bytes = "{}" };

    return change_write(w, &c);
}

static struct wire_head head_of(struct live *l)
{
    struct wire_head h = { 0 };

    assert_true(head_values(l, &h));
    return h;
}

/* Signs what is committed, in all streams of our own. */
static void flush(void)
{
    struct err e = { 0 };

    for (int i = 0; i < live_count(); i++)
        if (!live_is_mirrored(live_at(i)) && head_flush(live_at(i), &e))
            fail_msg("%s", e.text);
}

/* As a phone does it: one trusted platform key, one chain, any stream. */
static void assert_verifies(struct sync_world *t, struct live *l)
{
    char trust_hex[HASH_TEXT];
    uint8_t trust[HASH_BYTES];
    struct verify_key key;
    struct wire_head h;
    struct wire_note note;
    struct sync_err se;
    struct err e;
    size_t keys_n, n;
    const char *keys = keys_chain(sync_keys(), t->mem, &keys_n), *text, *etag;

    assert_int_equal(head_now(l, &e, t->mem, &text, &n, &etag), RC_OK);
    assert_true(hex_parse(keys_trust(sync_keys(), trust_hex), 64, trust, sizeof trust));
    assert_int_equal(verify_keys_current(&se, keys, keys_n, trust,
                                         arena_printf(t->mem, "stream:%s", live_name(l)), &key),
                     SYNC_OK);
    assert_int_equal(wire_head_parse(&se, text, n, &h, &note), SYNC_OK);
    assert_string_equal(h.stream, live_name(l));
    assert_int_equal(verify_note(&se, text, &note, &key), SYNC_OK);
}

/* ---- our own ---- */

static void each_stream_signs_its_own_log(void **state)
{
    struct sync_world *t = *state;
    struct live *other = live_find("heping");
    uint8_t root[HASH_BYTES];

    assert_int_equal(live_count(), 2);
    assert_ptr_equal(live_at(0), other); /* by name */
    assert_ptr_equal(live_at(1), live_own());
    assert_null(live_at(2));
    assert_string_equal(live_name(live_own()), "main");
    assert_ptr_equal(live_by_no(live_no(other)), other);
    sync_world_put(t, 0, 100);
    for (int i = 0; i < 3; i++)
        assert_int_equal(sync_world_on_writer(write_one, other, NULL), RC_OK);
    flush();
    assert_int_equal(head_of(live_own()).seq, 1);
    assert_int_equal(head_of(other).seq, 3);
    assert_int_equal(head_of(other).size, 3);
    memcpy(root, head_of(other).root, HASH_BYTES);
    assert_verifies(t, other);
    assert_verifies(t, live_own());
    sync_world_shell(t, "grep -q '^heping [0-9]* 3$' epoch && grep -q '^main [0-9]* 1$' epoch");
    sync_world_stop(t);
    sync_world_start(t);
    other = live_find("heping");
    assert_memory_equal(head_of(other).root, root, HASH_BYTES);
    assert_int_equal(head_of(other).seq, 3);
    assert_verifies(t, other);
}

static void a_site_changes_the_directory_of_its_stream_alone(void **state)
{
    struct sync_world *t = *state;
    struct live *other = live_find("heping");
    struct wire_head before, before_own;

    (void)t;
    flush();
    before = head_of(other), before_own = head_of(live_own());
    assert_int_equal(sync_world_on_writer(make_site, other, NULL), RC_OK);
    flush();
    assert_memory_not_equal(head_of(other).directory, before.directory, HASH_BYTES);
    assert_memory_equal(head_of(live_own()).directory, before_own.directory, HASH_BYTES);
}

/* Two streams that were founded in the same second have the same ancestry, and two empty ones the same
 * directory: what one of them outlives, the other still needs. */
static void an_object_of_two_streams_stays_until_both_are_done_with_it(void **state)
{
    struct sync_world *t = *state;
    struct wire_head h;

    restart_with(t, "main,heping,nankai");
    h = head_of(live_find("nankai"));
    assert_memory_equal(h.directory, head_of(live_find("heping")).directory, HASH_BYTES);
    assert_int_equal(sync_world_on_writer(make_site, live_find("heping"), NULL), RC_OK);
    flush();
    clock_set(SYNC_NOW + 30 * 86400);
    sync_world_stop(t);
    sync_world_start(t);
    for (int i = 0; i < 20; i++)
        usleep(20000); /* ticks that expire */
    assert_int_equal(
        sync_world_number(t,
                          "SELECT count(*) FROM sync_object o JOIN stream s ON s.no = o.stream "
                          "WHERE s.name = 'nankai' AND kind = 'directory'"),
        1);
}

static void the_setting_must_name_what_the_library_holds(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };

    restart_with(t, "main"); /* an empty one may be left out */
    assert_null(live_find("heping"));
    restart_with(t, "heping,main");
    assert_string_equal(live_name(live_own()), "heping");
    assert_int_equal(sync_world_on_writer(write_one, live_own(), NULL), RC_OK);
    sync_world_stop(t);
    assert_int_equal(conf_set(&e, &t->conf, "streams", "main"), RC_OK);
    assert_int_equal(sync_world_try_start(t, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "heping"));
    assert_int_equal(conf_set(&e, &t->conf, "streams", "main,heping"), RC_OK);
    sync_world_start(t);
}

static void names_that_are_none_are_refused(void **state)
{
    static const char *const wrong[] = { "", "main,main", "main,heads", "main,He", "-a" };
    struct sync_world *t = *state;
    struct err e = { 0 };

    sync_world_stop(t);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(conf_set(&e, &t->conf, "streams", wrong[i]), RC_OK);
        assert_int_equal(sync_world_try_start(t, &e), RC_INVALID);
        assert_non_null(strstr(e.text, "streams"));
    }
    assert_int_equal(conf_set(&e, &t->conf, "streams", "main,heping"), RC_OK);
    sync_world_start(t);
}

static void every_stream_gets_its_index(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };

    sync_world_stop(t);
    t->conf.index_changes = 2;
    sync_world_start_with_workers(t);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(sync_world_on_writer(write_one, live_find("main"), NULL), RC_OK);
        assert_int_equal(sync_world_on_writer(write_one, live_find("heping"), NULL), RC_OK);
    }
    assert_int_equal(sync_settle(&e, true, 20000), RC_OK);
    flush();
    assert_true(head_of(live_find("main")).has_index);
    assert_true(head_of(live_find("heping")).has_index);
    /* No sweep took what the other stream's index names. */
    assert_int_equal(
        sync_world_number(t, "SELECT count(*) FROM sync_object WHERE kind = 'index'") >= 2, 1);
    sync_world_shell(t, "test $(find objects -type f | wc -l) -ge 6");
}

/* ---- mirrored ---- */

/* Another server, as its follower hands it in. */
struct fake {
    struct live *live;
    struct wire_head head;
    char note[WIRE_HEAD_MAX];
    size_t n;
    uint8_t leaf[200][HASH_BYTES];
    bool fails;
};

static void fake_print(struct fake *f)
{
    static const struct wire_sig sig = { .algorithm = "ed25519", .len = 64 };
    struct sync_err se;

    assert_int_equal(wire_head_print(&se, &f->head, f->note, &f->n), SYNC_OK);
    assert_int_equal(wire_sig_append(&se, &sig, f->note, &f->n, sizeof f->note), SYNC_OK);
}

static void fake_sign(struct fake *f, uint64_t size, uint64_t seq, uint64_t cut)
{
    struct merkle_stack stack = { 0 };

    for (uint64_t i = 0; i < size; i++) {
        uint64_t v = i * 1000 + seq;

        sha256(&v, sizeof v, f->leaf[i]);
        merkle_stack_add(&stack, f->leaf[i]);
    }
    f->head = (struct wire_head){ .stream = "hexi",
                                  .epoch = 77,
                                  .seq = seq,
                                  .sign = 1,
                                  .time = SYNC_NOW,
                                  .lease = 3600,
                                  .poll = 60,
                                  .cut = cut,
                                  .size = size };
    merkle_stack_root(&stack, f->head.root);
    fake_print(f);
}

static enum rc fake_add(struct work *w, void *arg)
{
    struct fake *f = arg;
    enum rc rc = live_mirror_add(w, "hexi", &f->live);

    if (!rc && f->fails)
        return err_set(&w->err, RC_BUSY, "another time");
    return rc;
}

static void fake_show(void *arg)
{
    struct fake *f = arg;

    for (uint64_t i = f->head.size; i-- > 0;) /* the newest first */
        live_mirror_leaf(f->live, i, f->head.seq, f->leaf[i]);
    live_mirror_show(f->live, &f->head, f->note, f->n);
}

static enum rc fake_store(struct work *w, void *arg)
{
    const struct fake *f = arg;
    const struct wire_head *h = &f->head;
    enum rc rc = RC_OK;

    for (uint64_t i = 0; i < h->size && !rc; i++)
        rc = db_run(w, SQL_leaf_set, "iiib", live_no(f->live), (int64_t)i, (int64_t)h->seq,
                    f->leaf[i], (size_t)HASH_BYTES);
    if (rc ||
        (rc = db_run(w, SQL_sync_head_add, "iiiiiibb", live_no(f->live), (int64_t)h->epoch,
                     (int64_t)h->seq, (int64_t)h->sign, (int64_t)h->time, (int64_t)h->cut,
                     h->chain, sizeof h->chain, f->note, f->n)))
        return rc;
    work_after_commit(w, fake_show, (void *)(uintptr_t)f);
    return RC_OK;
}

static enum rc fake_cut(struct work *w, void *arg)
{
    return db_run(w, SQL_mirror_forget_leaves, "i", live_no(((struct fake *)arg)->live));
}

static int heads_heard, cuts_heard;

static void hear_head(const struct wire_head *h)
{
    heads_heard += !strcmp(h->stream, "hexi");
}

static void hear_cut(void)
{
    cuts_heard++;
}

static void assert_shown(struct sync_world *t, const struct fake *f)
{
    struct live *l = live_find("hexi");
    const char *text, *etag;
    struct err e;
    size_t n;

    assert_non_null(l);
    assert_true(live_is_mirrored(l));
    assert_int_equal(head_now(l, &e, t->mem, &text, &n, &etag), RC_OK);
    assert_int_equal(n, f->n);
    assert_memory_equal(text, f->note, n);
    assert_int_equal(head_of(l).seq, f->head.seq);
}

/* What phones with a horizon ask for, with the root and the seqs that belong to it. */
static void assert_cover(struct sync_world *t, const struct fake *f)
{
    struct wire_cover c;
    struct sync_err se;
    struct err e;
    const char *p;
    size_t n;

    assert_int_equal(
        cover_read(live_covers(f->live), &e, t->mem, f->head.epoch, f->head.seq, &p, &n),
        RC_OK);
    assert_int_equal(wire_cover_parse(&se, (const uint8_t *)p, n, &c), SYNC_OK);
    assert_int_equal(verify_cover(&se, &c, &f->head), SYNC_OK);
    for (uint64_t i = 0; i < c.lasts; i++)
        assert_int_equal(be64_get((const uint8_t *)p + n - 40 * (c.lasts - i)), f->head.seq);
}

static void a_mirrored_stream_shows_what_it_is_given(void **state)
{
    struct sync_world *t = *state;
    struct fake f = { 0 };
    struct err e;
    uint64_t generation;

    sync_world_stop(t);
    sync_on_head(hear_head);
    sync_on_cut(hear_cut);
    sync_world_start(t);
    assert_int_equal(sync_world_on_writer(fake_add, &f, NULL), RC_OK);
    assert_ptr_equal(live_find("hexi"), f.live);
    assert_int_equal(head_now(f.live, &e, t->mem, &(const char *){ 0 }, &(size_t){ 0 },
                              &(const char *){ 0 }),
                     RC_BUSY); /* there is no head yet */
    heads_heard = cuts_heard = 0;
    generation = generation_now();
    fake_sign(&f, 130, 130, 0);
    assert_int_equal(sync_world_on_writer(fake_store, &f, NULL), RC_OK);
    assert_shown(t, &f);
    assert_int_equal(heads_heard, 1);
    assert_int_equal(cuts_heard, 0);
    assert_true(generation_now() > generation);
    fake_sign(&f, 131, 200, 2);
    assert_int_equal(sync_world_on_writer(fake_store, &f, NULL), RC_OK);
    assert_shown(t, &f);
    assert_cover(t, &f);
    assert_int_equal(cuts_heard, 1);
    /* A log that was restored elsewhere may be shorter. */
    fake_sign(&f, 77, 90, 2);
    f.head.epoch = 78;
    fake_print(&f);
    assert_int_equal(sync_world_on_writer(fake_cut, &f, NULL), RC_OK);
    assert_int_equal(sync_world_on_writer(fake_store, &f, NULL), RC_OK);
    assert_shown(t, &f);
    assert_cover(t, &f);
    /* It is never signed by us, however late it is. */
    clock_set(SYNC_NOW + 3000);
    usleep(200000);
    assert_shown(t, &f);
    sync_world_stop(t);
    sync_on_head(NULL);
    sync_on_cut(NULL);
    sync_world_start(t);
}

static void a_mirrored_stream_is_there_again_after_a_restart(void **state)
{
    struct sync_world *t = *state;
    struct fake f = { 0 };

    assert_int_equal(sync_world_on_writer(fake_add, &f, NULL), RC_OK);
    fake_sign(&f, 100, 170, 1);
    assert_int_equal(sync_world_on_writer(fake_store, &f, NULL), RC_OK);
    sync_world_stop(t);
    sync_world_start(t);
    assert_shown(t, &f);
    assert_int_equal(live_count(), 3);
    /* And follows on from there. */
    assert_int_equal(sync_world_on_writer(fake_add, &f, NULL), RC_OK);
    assert_ptr_equal(f.live, live_find("hexi"));
    fake_sign(&f, 140, 300, 1);
    assert_int_equal(sync_world_on_writer(fake_store, &f, NULL), RC_OK);
    assert_shown(t, &f);
}

static void a_mirror_that_was_rolled_back_is_found_by_nobody(void **state)
{
    struct fake f = { .fails = true };

    (void)state;
    assert_int_equal(sync_world_on_writer(fake_add, &f, NULL), RC_BUSY);
    assert_null(live_find("hexi"));
    f.fails = false;
    assert_int_equal(sync_world_on_writer(fake_add, &f, NULL), RC_OK);
    assert_ptr_equal(live_find("hexi"), f.live);
}

static enum rc drop(struct work *w, void *arg)
{
    return live_mirror_drop(w, arg);
}

static void a_dropped_mirror_is_gone_and_may_come_again(void **state)
{
    struct sync_world *t = *state;
    struct fake f = { 0 };
    struct live *old;

    assert_int_equal(sync_world_on_writer(fake_add, &f, NULL), RC_OK);
    fake_sign(&f, 50, 60, 0);
    assert_int_equal(sync_world_on_writer(fake_store, &f, NULL), RC_OK);
    old = f.live;
    assert_int_equal(sync_world_on_writer(drop, old, NULL), RC_OK);
    assert_null(live_find("hexi"));
    assert_string_equal(live_name(old), "hexi"); /* for a request that found it before */
    assert_int_equal(sync_world_number(t, "SELECT count(*) FROM stream WHERE name = 'hexi'"),
                     0);
    assert_int_equal(sync_world_on_writer(fake_add, &f, NULL), RC_OK);
    assert_ptr_not_equal(f.live, old);
    assert_int_equal(sync_world_on_writer(drop, live_own(), NULL), RC_CONFLICT);
}

static enum rc add_own(struct work *w, void *arg)
{
    return live_mirror_add(w, "main", arg);
}

static enum rc rename_site(struct work *w, void *arg)
{
    struct site s;
    enum rc rc = site_by_no(w, 70, &s);

    (void)arg;
    return rc ? rc : site_edit(w, &s);
}

static enum rc add_column(struct work *w, void *arg)
{
    struct column c;

    (void)arg;
    return column_at(w, 70, "要闻", true, &c);
}

static void nothing_is_written_to_another_servers_stream(void **state)
{
    struct sync_world *t = *state;
    struct fake f = { 0 };
    struct live *l;
    struct err e = { 0 };

    assert_int_equal(sync_world_on_writer(fake_add, &f, NULL), RC_OK);
    assert_int_equal(sync_world_on_writer(write_one, f.live, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "hexi"));
    assert_int_equal(sync_world_on_writer(make_site, f.live, &e), RC_CONFLICT);
    sync_world_sql(t, "INSERT INTO site (no, stream, code, name, created) "
                      "SELECT 70, no, 'hexi', '河西区', 0 FROM stream WHERE name = 'hexi'");
    assert_int_equal(sync_world_on_writer(rename_site, NULL, &e), RC_CONFLICT);
    assert_int_equal(sync_world_on_writer(add_column, NULL, &e), RC_CONFLICT);
    assert_int_equal(sync_world_on_writer(add_own, &l, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "main"));
    /* Nor may it become one of ours. */
    sync_world_stop(t);
    assert_int_equal(conf_set(&e, &t->conf, "streams", "main,hexi"), RC_OK);
    assert_int_equal(sync_world_try_start(t, &e), RC_CONFLICT);
    assert_int_equal(conf_set(&e, &t->conf, "streams", "main,heping"), RC_OK);
    sync_world_start(t);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, sync_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_stream_signs_its_own_log),
        TEST(a_site_changes_the_directory_of_its_stream_alone),
        TEST(an_object_of_two_streams_stays_until_both_are_done_with_it),
        TEST(the_setting_must_name_what_the_library_holds),
        TEST(names_that_are_none_are_refused),
        TEST(every_stream_gets_its_index),
        TEST(a_mirrored_stream_shows_what_it_is_given),
        TEST(a_mirrored_stream_is_there_again_after_a_restart),
        TEST(a_mirror_that_was_rolled_back_is_found_by_nobody),
        TEST(a_dropped_mirror_is_gone_and_may_come_again),
        TEST(nothing_is_written_to_another_servers_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
