/* Messages: one of a group, read and removed everywhere, withdrawn from all, over in time; and numbers that never come again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/citizen/adopt.h"
#include "server/citizen/entry.h"
#include "server/citizen/inbox.h"
#include "server/identity/account.h"
#include "tests/lib/library_world.h"

static int64_t li, han;

static int64_t someone(struct library_world *t, enum account_kind kind)
{
    struct account a;

    assert_int_equal(account_make(&t->w, &(struct account_new){ kind, 1, NULL }, &a), RC_OK);
    return a.id;
}

static int64_t person(struct library_world *t)
{
    return someone(t, ACCOUNT_CITIZEN);
}

static int set_up(void **state)
{
    struct library_world *t;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(seal_load(&t->w.err, t->dir, SEAL_XCHACHA), RC_OK);
    clock_set(WORLD_NOW);
    world_begin(t);
    li = person(t);
    han = person(t);
    world_commit(t);
    return 0;
}

static int tear_down(void **state)
{
    seal_forget();
    return library_world_tear_down(state);
}

static struct message note(const char *group, const char *title)
{
    return (struct message){
        .kind = "notice", .group = group, .title = title, .text = "第一行\n第二行"
    };
}

static int64_t put(struct library_world *t, int64_t account, const struct message *m)
{
    int64_t no = -1;

    world_begin(t);
    assert_int_equal(inbox_put(&t->w, account, m, &no), RC_OK);
    world_commit(t);
    return no;
}

static int64_t send(struct library_world *t, int64_t account, const char *group)
{
    struct message m = note(group, "一条消息");

    return put(t, account, &m);
}

static int held(struct library_world *t, int64_t account, struct inbox_message **list)
{
    int n;

    assert_int_equal(inbox_list(&t->w, account, 0, list, &n), RC_OK);
    return n;
}

static void a_message_stands_in_the_state_and_is_sealed(void **state)
{
    struct library_world *t = *state;
    int64_t no = send(t, li, "g/1");
    struct inbox_message *list;
    struct entry e;

    assert_int_equal(held(t, li, &list), 1);
    assert_int_equal(list[0].no, no);
    assert_string_equal(list[0].title, "一条消息");
    assert_string_equal(list[0].text, "第一行\n第二行");
    assert_false(list[0].seen);
    assert_int_equal(held(t, han, &list), 0);
    assert_int_equal(entry_get(&t->w, li, "message", arena_printf(t->mem, "%" PRId64, no), &e),
                     RC_OK);
    assert_int_equal(e.seq, no);
    assert_int_equal(world_number(t, "SELECT count(*) FROM entry WHERE value LIKE '%一条%'"),
                     0);
}

static void a_sender_that_sends_again_sends_once(void **state)
{
    struct library_world *t = *state;
    int64_t no = send(t, li, "campaign/7");
    struct inbox_message *list;

    assert_int_equal(send(t, li, "campaign/7"), no);
    assert_true(send(t, li, "campaign/8") > no);
    send(t, han, "campaign/7");
    assert_int_equal(held(t, li, &list), 2);
    assert_true(list[0].no > list[1].no);
    assert_int_equal(held(t, han, &list), 1);
}

static void what_is_withdrawn_is_gone_from_all_and_does_not_come_again(void **state)
{
    struct library_world *t = *state;
    struct inbox_message *list;
    struct entry e;
    int64_t no = send(t, li, "campaign/7"), other = send(t, li, "g");
    int n;

    send(t, han, "campaign/7");
    world_begin(t);
    assert_int_equal(inbox_see(&t->w, li, no), RC_OK);
    assert_int_equal(inbox_withdraw(&t->w, "campaign/7", 100, &n), RC_OK);
    world_commit(t);
    assert_int_equal(n, 2);
    assert_int_equal(held(t, han, &list), 0);
    assert_int_equal(held(t, li, &list), 1);
    assert_int_equal(list[0].no, other);
    assert_int_equal(entry_get(&t->w, li, "message", arena_printf(t->mem, "%" PRId64, no), &e),
                     RC_OK);
    assert_null(e.value); /* its devices learn of it */
    assert_int_equal(entry_get(&t->w, li, "seen", arena_printf(t->mem, "%" PRId64, no), &e),
                     RC_OK);
    assert_null(e.value);
    send(t, li, "campaign/7"); /* a sender that was interrupted */
    assert_int_equal(held(t, li, &list), 1);
}

static void read_and_dropped_on_a_page(void **state)
{
    struct library_world *t = *state;
    struct inbox_message *list;
    int64_t no = send(t, li, "a");

    send(t, li, "b");
    world_begin(t);
    assert_int_equal(inbox_see(&t->w, li, no), RC_OK);
    assert_int_equal(inbox_see(&t->w, li, 999), RC_NOT_FOUND);
    assert_int_equal(inbox_see(&t->w, han, no), RC_NOT_FOUND);
    world_commit(t);
    assert_int_equal(held(t, li, &list), 2);
    assert_true(list[1].seen && !list[0].seen);
    world_begin(t);
    assert_int_equal(inbox_drop(&t->w, li, no), RC_OK);
    assert_int_equal(inbox_drop(&t->w, li, no), RC_OK); /* pressed twice */
    assert_int_equal(inbox_drop(&t->w, han, no), RC_OK);
    world_commit(t);
    assert_int_equal(held(t, li, &list), 1);
}

static void a_message_is_over_in_time_and_its_number_never_comes_again(void **state)
{
    struct library_world *t = *state;
    struct message m = note("short", "到明天为止");
    struct inbox_message *list;
    int64_t no;

    send(t, li, "long");
    m.expires = WORLD_NOW + 86400;
    no = put(t, li, &m);
    inbox_tick(t->w.db, NULL);
    assert_int_equal(held(t, li, &list), 2);
    clock_set(WORLD_NOW + 86400);
    inbox_tick(t->w.db, NULL);
    assert_int_equal(held(t, li, &list), 1);
    assert_true(send(t, li, "next") > no);
    clock_set(WORLD_NOW + INBOX_KEPT + 86400 + 1);
    inbox_tick(t->w.db, NULL);
    assert_int_equal(held(t, li, &list), 0);
    assert_int_equal(world_number(t, "SELECT count(*) FROM inbox"), 0);
}

static void it_points_at_what_is_published(void **state)
{
    struct library_world *t = *state;
    struct item item = world_publish(t, "一篇文章", t->news);
    struct id none = id_new();
    struct message m = note("x", "答复已经公开");
    struct entry e;
    char id[ID_TEXT];
    int64_t no;

    m.item = &none;
    world_begin(t);
    assert_int_equal(inbox_put(&t->w, li, &m, &no), RC_NOT_FOUND);
    world_commit(t);
    m.item = &item.id;
    no = put(t, li, &m);
    assert_int_equal(entry_get(&t->w, li, "message", arena_printf(t->mem, "%" PRId64, no), &e),
                     RC_OK);
    assert_non_null(strstr(e.value, id_text(&item.id, id)));
    assert_string_equal(e.needs, arena_printf(t->mem, "{\"%s\":\"%" PRId64 ".%" PRId64 "\"}",
                                              t->stream.name, world_stream(t).epoch, item.seq));
}

/* Two accounts become one: nothing that was sent to either is lost or comes twice, and what is withdrawn later goes too. */
static void two_inboxes_become_one(void **state)
{
    struct library_world *t = *state;
    struct inbox_message *list;
    int64_t read, gone;
    int n;

    send(t, li, "campaign/7");
    send(t, han, "campaign/7");
    read = send(t, han, "letter/1");
    gone = send(t, han, "letter/2");
    send(t, han, NULL);
    world_begin(t);
    assert_int_equal(inbox_see(&t->w, han, read), RC_OK);
    assert_int_equal(inbox_drop(&t->w, han, gone), RC_OK);
    assert_int_equal(adopt(&t->w, han, li), RC_OK);
    world_commit(t);
    assert_int_equal(held(t, han, &list), 0);
    assert_int_equal(held(t, li, &list), 3);
    assert_false(list[0].seen);
    assert_true(list[1].seen);
    send(t, li, "letter/2"); /* he did not want it */
    assert_int_equal(held(t, li, &list), 3);
    world_begin(t);
    assert_int_equal(inbox_withdraw(&t->w, "letter/1", 10, &n), RC_OK);
    world_commit(t);
    assert_int_equal(n, 1);
    assert_int_equal(held(t, li, &list), 2);
    assert_int_equal(
        world_number(t, "SELECT count(*) FROM entry WHERE type = 'seen' AND gone = 0"), 0);
}

/* His phone forgets what a guest had, and some of it had not come down. */
static void a_guest_who_signs_in_keeps_his_messages(void **state)
{
    struct library_world *t = *state;
    struct inbox_message *list;
    int64_t guest, read;

    world_begin(t);
    guest = someone(t, ACCOUNT_GUEST);
    world_commit(t);
    send(t, guest, "letter/1");
    read = send(t, guest, "letter/2");
    world_begin(t);
    assert_int_equal(inbox_see(&t->w, guest, read), RC_OK);
    assert_int_equal(adopt(&t->w, guest, li), RC_OK);
    world_commit(t);
    assert_int_equal(held(t, guest, &list), 0);
    assert_int_equal(held(t, li, &list), 2);
    assert_true(list[0].seen && !list[1].seen);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct library_world *t = *state;
    struct message cases[] = {
        note("g", ""),         note("g", "两\n行"),     note("", "空的组"),
        note("g", "已经过期"), note("g", "没有这一种"),
    };

    cases[3].expires = WORLD_NOW;
    cases[4].kind = "spam";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(inbox_put(&t->w, li, &cases[i], NULL), RC_INVALID);
    cases[0] = note("g", "没有这个人");
    assert_int_equal(inbox_put(&t->w, 99999, &cases[0], NULL), RC_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_stands_in_the_state_and_is_sealed),
        TEST(a_sender_that_sends_again_sends_once),
        TEST(what_is_withdrawn_is_gone_from_all_and_does_not_come_again),
        TEST(read_and_dropped_on_a_page),
        TEST(a_message_is_over_in_time_and_its_number_never_comes_again),
        TEST(it_points_at_what_is_published),
        TEST(two_inboxes_become_one),
        TEST(a_guest_who_signs_in_keeps_his_messages),
        TEST(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
