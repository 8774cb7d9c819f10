/*
 * password_test.c - one form, a slow hash in a bounded pool, and a no that takes as long for nobody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "server/base/clock.h"
#include "server/identity/password.h"
#include "server/identity/password_rule.h"

/* ---- the normal form ---- */

static void full_width_and_composed_forms_are_one_password(void **state)
{
    struct err e;
    char a[PASSWORD_TEXT], b[PASSWORD_TEXT];

    (void)state;
    assert_int_equal(password_normal(&e, "Ｔｉａｎｊｉｎ２０２６海河", a), RC_OK);
    assert_int_equal(password_normal(&e, "Tianjin2026海河", b), RC_OK);
    assert_string_equal(a, b);
    assert_int_equal(password_normal(&e, "re\u0301sume\u0301-19", a), RC_OK);
    assert_int_equal(password_normal(&e, "r\u00e9sum\u00e9-19", b), RC_OK);
    assert_string_equal(a, b);
    assert_int_equal(password_normal(&e, "海河边的八个汉字", a), RC_OK);
}

static void what_is_no_password_is_refused(void **state)
{
    char longest[129] = { 0 }, longer[130] = { 0 }, huge[4000] = { 0 };
    const char *const wrong[] = { "",
                                  "seven77",
                                  "七个汉字不够长",
                                  longer,
                                  huge,
                                  "bell\a in it",
                                  "line\nfeed here",
                                  "not\xffutf8 at all",
                                  "\xc0\x80overlong",
                                  "unassigned \U000e0fff",
                                  "c1 \xc2\x85 control" };
    struct err e;
    char out[PASSWORD_TEXT] = "untouched";

    (void)state;
    memset(longest, 'x', 128);
    memset(longer, 'x', 129);
    memset(huge, 'x', sizeof huge - 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (password_normal(&e, wrong[i], out) != RC_INVALID || strcmp(e.field, "password"))
            fail_msg("%s", wrong[i]);
    assert_string_equal(out, "untouched");
    assert_int_equal(password_normal(&e, longest, out), RC_OK);
}

/* One character becomes eighteen: what came in was short, what comes out is measured. */
static void a_character_that_grows_is_measured_afterwards(void **state)
{
    char text[3 * 129 + 1] = "", out[PASSWORD_TEXT];
    struct err e;

    (void)state;
    for (int i = 0; i < 8; i++)
        strcat(text, "\uFDFA");
    assert_int_equal(password_normal(&e, text, out), RC_INVALID);
    assert_int_equal(password_normal(&e, "\uFDFA", out), RC_OK);
}

/* ---- what is easy ---- */

static bool is_fit(const char *text, const char *const *own, int n)
{
    struct err e;
    char normal[PASSWORD_TEXT];

    assert_int_equal(password_normal(&e, text, normal), RC_OK);
    return !password_is_fit(&e, normal, own, n);
}

static void easy_ones_are_refused(void **state)
{
    static const char *const easy[] = {
        "12345678",       "123456789",          "password",           "P@ssw0rd",
        "Passw0rd!",      "aaaaaaaa",           "AAAAaaaa1111",       "87654321",
        "11112222",       "qwertyuiop",         "1qaz2wsx",           "!QAZ2wsx",
        "zaq12wsx",       "1q2w3e4r",           "qazwsxedc",          "asdf1234",
        "qwer1234",       "abcd1234",           "a123456789",         "Aa123456",
        "5201314520",     "woaini1314",         "woaini520",          "iloveyou1314",
        "wangwei1987",    "zhangwei19870512",   "WangXiaoMing",       "lixiaolong99",
        "Tianjin@2026",   "tianjin2026!",       "zhongguo",           "woaibeijing",
        "19870512",       "870512870512",       "20080808",           "13812345678",
        "abc13812345678", "120101198705120018", "12010119870512001X", "147258369",
        "admin123",       "Admin@123",          "administrator",      "welcome1",
        "letmein!!",      "superman123",        "Michael1987",        "jinnan2026",
        "1a2b3c4d5e",     "天天天天天天天天",   "1029384756",         "trustno1trustno1",
        "$unsh1ne2024",   "0123456789",
    };

    (void)state;
    for (size_t i = 0; i < sizeof easy / sizeof *easy; i++)
        if (is_fit(easy[i], NULL, 0))
            fail_msg("%s is taken for a good password", easy[i]);
}

static void good_ones_are_taken(void **state)
{
    static const char *const good[] = {
        "correct horse battery staple",
        "k7#pQ2xz",
        "海河边上看日落很美",
        "mJ8-vTq3rW",
        "tja-4hd0-x",
        "the bus to Jinnan was late",
        "Vx9!mKp2",
        "我家的猫爱吃鱼头",
        "tianjink2026q", /* four pieces */
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!is_fit(good[i], NULL, 0))
            fail_msg("%s is taken for an easy password", good[i]);
}

/* A generator's work passes: of 2,000 with 12 characters hardly one may look easy. */
static void random_ones_are_taken(void **state)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_!";
    int refused = 0;

    (void)state;
    srandom(20261122);
    for (int i = 0; i < 2000; i++) {
        char text[13] = { 0 };

        for (int j = 0; j < 12; j++)
            text[j] = letters[(size_t)random() % (sizeof letters - 1)];
        refused += !is_fit(text, NULL, 0);
    }
    assert_in_range(refused, 0, 2);
}

static void the_accounts_own_names_are_refused(void **state)
{
    const char *const own[] = { "13820261122", "Kowalczyk-7", "张三丰", NULL, "津南小站镇" };
    static const char *const wrong[] = { "13820261122",       "20261122abc", "kowalczyk-7",
                                         "KOWALCZYK-7!!",     "Kowa1czyk-7", "张三丰19870512",
                                         "我张三丰津南小站镇" };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (is_fit(wrong[i], own, 5))
            fail_msg("%s", wrong[i]);
    assert_true(is_fit("kowalczyk-7", NULL, 0));
    assert_true(is_fit("张三丰住在津南很多年了", own, 5));
}

/* The longest text that touches every word of the list is judged quickly all the same. */
static void the_worst_text_costs_little(void **state)
{
    char text[129] = { 0 };
    int64_t begun = clock_mono_us();

    (void)state;
    for (int i = 0; i < 128; i++)
        text[i] = "pasl"[i % 4];
    for (int i = 0; i < 10; i++)
        is_fit(text, NULL, 0);
    assert_in_range((clock_mono_us() - begun) / 10, 0, 200000);
}

/* ---- the pool ---- */

struct waiter {
    struct password_job job;
    pthread_mutex_t lock;
    pthread_cond_t more;
    bool done;
};

static void on_done(struct password_job *job)
{
    struct waiter *w = (struct waiter *)(void *)job;

    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
}

static struct waiter *waiter(enum password_task task, const char *text, const char *hash)
{
    struct waiter *w = calloc(1, sizeof *w);

    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    w->job.task = task;
    w->job.done = on_done;
    strcpy(w->job.text, text);
    strcpy(w->job.hash, hash);
    return w;
}

static struct waiter *ask(struct passwords *p, enum password_task task, const char *text,
                          const char *hash)
{
    struct waiter *w = waiter(task, text, hash);
    struct err e;

    assert_int_equal(passwords_submit(p, &e, &w->job), RC_OK);
    return w;
}

static void wait_for(struct waiter *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->done)
        pthread_cond_wait(&w->more, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

static struct passwords *open_pool(int threads)
{
    struct passwords *p;
    struct err e;

    assert_int_equal(passwords_open(&e, threads, &p), RC_OK);
    return p;
}

static void a_right_password_is_known_again(void **state)
{
    struct passwords *p = open_pool(2);
    struct waiter *made = ask(p, PASSWORD_MAKE, "sunset over Haihe", ""), *right, *wrong;
    char zeros[PASSWORD_TEXT] = { 0 };

    (void)state;
    wait_for(made);
    assert_int_equal(made->job.rc, RC_OK);
    assert_memory_equal(made->job.hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
    right = ask(p, PASSWORD_CHECK, "sunset over Haihe", made->job.hash);
    wrong = ask(p, PASSWORD_CHECK, "sunset over haihe", made->job.hash);
    wait_for(right);
    wait_for(wrong);
    assert_true(right->job.right && !right->job.stale && !right->job.rc);
    assert_true(!wrong->job.right && !wrong->job.stale && !wrong->job.rc);
    assert_memory_equal(right->job.text, zeros, sizeof zeros);
    passwords_close(p);
    free(made);
    free(right);
    free(wrong);
}

static void an_older_hash_is_stale(void **state)
{
    struct passwords *p = open_pool(1);
    char old[PASSWORD_HASH];
    struct waiter *w;

    (void)state;
    assert_int_equal(crypto_pwhash_argon2id_str(old, "sunset over Haihe", 17, 1, 8 << 20), 0);
    w = ask(p, PASSWORD_CHECK, "sunset over Haihe", old);
    wait_for(w);
    assert_true(w->job.right && w->job.stale);
    free(w);
    w = ask(p, PASSWORD_CHECK, "another", old);
    wait_for(w);
    assert_true(!w->job.right && !w->job.stale);
    free(w);
    passwords_close(p);
}

static int64_t thread_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t cost_of_check(struct passwords *p, const char *text, const char *hash)
{
    int64_t begun = thread_us();
    struct waiter *w = ask(p, PASSWORD_CHECK, text, hash);

    wait_for(w);
    assert_false(w->job.right);
    free(w);
    return thread_us() - begun;
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* In time of the processor, so that others on this machine do not count; medians of 9. */
static void nobody_costs_as_much_as_somebody(void **state)
{
    struct passwords *p = open_pool(1);
    struct err e;
    char hash[PASSWORD_HASH];
    int64_t known[9], unknown[9];

    (void)state;
    assert_int_equal(password_hash(&e, "sunset over Haihe", hash), RC_OK);
    for (int i = 0; i < 9; i++) {
        known[i] = cost_of_check(p, "guess number 1", hash);
        unknown[i] = cost_of_check(p, "guess number 1", "");
    }
    qsort(known, 9, sizeof *known, by_size);
    qsort(unknown, 9, sizeof *unknown, by_size);
    print_message("known %" PRId64 " us, unknown %" PRId64 " us\n", known[4], unknown[4]);
    print_message("%d a second of one core\n", (int)(1000000 / known[4]));
    assert_in_range(unknown[4] * 10, known[4] * 7, known[4] * 14);
    passwords_close(p);
}

static void without_a_password_nothing_is_right(void **state)
{
    struct passwords *p = open_pool(1);
    struct err e;
    char hash[PASSWORD_HASH];

    (void)state;
    assert_int_equal(password_hash(&e, "", hash), RC_OK);
    cost_of_check(p, "", hash); /* typed what has no normal form */
    cost_of_check(p, "", "");
    cost_of_check(p, "anything", "not a hash");
    passwords_close(p);
}

static void a_full_queue_says_come_again(void **state)
{
    struct passwords *p = open_pool(1);
    struct waiter *w[PASSWORD_QUEUE + 8];
    struct err e;
    int taken = 0;

    (void)state;
    for (size_t i = 0; i < sizeof w / sizeof *w; i++) {
        w[i] = waiter(PASSWORD_CHECK, "guess", "not a hash: quick");
        w[i]->job.hash[0] = '\0';
    }
    while (taken < PASSWORD_QUEUE + 8 && !passwords_submit(p, &e, &w[taken]->job))
        taken++;
    assert_in_range(taken, PASSWORD_QUEUE, PASSWORD_QUEUE + 7);
    assert_int_equal(passwords_submit(p, &e, &w[taken]->job), RC_BUSY);
    passwords_close(p); /* does what is queued */
    for (int i = 0; i < taken; i++)
        assert_true(w[i]->done);
    for (size_t i = 0; i < sizeof w / sizeof *w; i++)
        free(w[i]);
}

static void threads_are_bounded(void **state)
{
    struct passwords *p = NULL;
    struct err e;

    (void)state;
    assert_int_equal(passwords_open(&e, 0, &p), RC_INVALID);
    assert_int_equal(passwords_open(&e, PASSWORD_THREADS_MAX + 1, &p), RC_INVALID);
    assert_null(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_width_and_composed_forms_are_one_password),
        cmocka_unit_test(what_is_no_password_is_refused),
        cmocka_unit_test(a_character_that_grows_is_measured_afterwards),
        cmocka_unit_test(easy_ones_are_refused),
        cmocka_unit_test(good_ones_are_taken),
        cmocka_unit_test(random_ones_are_taken),
        cmocka_unit_test(the_accounts_own_names_are_refused),
        cmocka_unit_test(the_worst_text_costs_little),
        cmocka_unit_test(a_right_password_is_known_again),
        cmocka_unit_test(an_older_hash_is_stale),
        cmocka_unit_test(nobody_costs_as_much_as_somebody),
        cmocka_unit_test(without_a_password_nothing_is_right),
        cmocka_unit_test(a_full_queue_says_come_again),
        cmocka_unit_test(threads_are_bounded),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
