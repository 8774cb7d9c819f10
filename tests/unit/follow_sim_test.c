/*
 * follow_sim_test.c - everything at once, from a seed: a server that edits, withdraws, purges, merges
 * layers, restores and changes keys; caches that lie, freeze and forget; a network that cuts; a phone that
 * dies in the middle of a transaction, or right behind it.
 *
 * The oracle is the server's own history: every leaf under every head that it ever signed
 * (tests/lib/follow_phone.h). After each run, whatever became of it:
 *
 *     nothing is visible that the head held does not cover      the cursor never goes back
 *
 * and when the faults stop, one run brings the phone to the newest head, every tombstone included, for
 * no more than 1.25 times the bytes of a first sync.
 *
 * TJZW_FULL: 2,000 rounds instead of 40. TJZW_SEED: that round only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/follow_phone.h"

enum {
    ROUNDS = 40,
    ROUNDS_FULL = 2000,
    STEPS = 12,
    SLACK =
        24000 /* bytes: a record here has some 80, so covers and tiles weigh more than in life */
};

/* ---- the server ---- */

static void one_change(struct fake *s, uint64_t *seed)
{
    uint64_t born = fake_size(s) ? fake_random(seed, (uint32_t)fake_size(s)) : 0;

    switch (fake_size(s) ? fake_random(seed, 14) : 0) {
    case 0:
    case 1:
    case 2: fake_publish(s, "新发布", "{\"a\":1}"); break;
    case 3:
    case 4:
    case 5:
    case 6: fake_edit(s, born, "改过", "{\"b\":22}"); break;
    case 7:
    case 8: fake_withdraw(s, born); break;
    case 9: fake_take_down(s, born); break;
    case 10: fake_correct(s, born, "更正", "{\"c\":3}"); break;
    default: fake_publish_some(s, 1); break;
    }
}

static void some_changes(struct fake *s, uint64_t *seed)
{
    for (unsigned n = fake_random(seed, fake_random(seed, 5) ? 12 : 200); n > 0; n--)
        one_change(s, seed);
    if (fake_random(seed, 15) == 0 && fake_seq(s) > 2)
        fake_restore(s, fake_seq(s) -
                            fake_random(seed, (uint32_t)(fake_seq(s) < 40 ? fake_seq(s) : 40)));
    if (fake_random(seed, 12) == 0)
        fake_rotate_keys(s, fake_random(seed, 2));
    if (fake_random(seed, 6) == 0 && fake_size(s) > 0)
        fake_layer(s);
    fake_head(s);
}

static struct fake *any_server(uint64_t *seed)
{
    bool large = fake_random(seed, 4) == 0;
    struct fake *s = a_server(large ? 1100 + fake_random(seed, 2500) : fake_random(seed, 60));

    if (large || fake_random(seed, 10) == 0) {
        unsigned edits = fake_random(seed, 3) ? fake_random(seed, 200) : 4300;

        for (unsigned i = 0; i < edits && fake_size(s) > 0;
             i++) /* perhaps beyond one catch-up */
            fake_edit(s, i % fake_size(s), "旧", "{}");
        if (fake_size(s) > 0)
            fake_index(s);
        fake_head(s);
    }
    return s;
}

/* ---- the phone ---- */

static struct phone any_phone(struct fake *s, uint64_t *seed)
{
    static const uint64_t horizons[] = { 0, 0, 500, 1200 };
    struct phone p = phone_new(s);

    p.encoding = fake_random(seed, 4) ? WIRE_ZSTD : (enum wire_encoding)fake_random(seed, 3);
    p.horizon = horizons[fake_random(seed, 4)];
    p.in_steps = fake_random(seed, 2);
    p.plain = fake_random(seed, 4) == 0;
    return p;
}

static void any_trouble(struct phone *p, uint64_t *seed)
{
    p->net.seed = *seed;
    p->net.faults = 1 + fake_random(seed, FAULTS);
    p->net.percent = 5 + fake_random(seed, 60);
    p->net.honest_when_uncached = fake_random(seed, 3) == 0;
    if (fake_random(seed, 6) == 0)
        p->net.frozen = 1 + fake_random(seed, (uint32_t)fake_heads(p->net.server));
}

static void one_run(struct phone *p, uint64_t *seed)
{
    char twin[WIRE_URL_MAX];

    if (fake_random(seed, 4) == 0) {
        p->store->crash_in = 1 + fake_random(seed, fake_random(seed, 2) ? 20 : 3000);
        p->store->crash_committed = fake_random(seed, 2);
    }
    fake_twin(p->net.server, twin);
    p->twin = fake_random(seed, 3) == 0 ? twin : NULL;
    p->repair = fake_random(seed, 20) == 0;
    if (fake_random(seed, 8) == 0 && fake_size(p->net.server) > 0)
        (void)!phone_fetch_item(p, fake_random(seed, (uint32_t)fake_size(p->net.server)));
    else
        (void)!phone_sync(p);
    p->store->crash_in = 0;
    p->twin = NULL;
    p->repair = false;
}

/* What the user does: keeps something, wants more or less. */
static void some_wishes(struct phone *p, uint64_t *seed)
{
    if (fake_random(seed, 2) && fake_size(p->net.server) > 0)
        memory_store_keep(p->store, fake_random(seed, (uint32_t)fake_size(p->net.server)));
    if (fake_random(seed, 8) == 0)
        p->horizon = fake_random(seed, 2) ? 0 : 600 + fake_random(seed, 900);
}

/* A dead disk: something that was held is not what it was. */
static void some_decay(struct phone *p, uint64_t *seed)
{
    struct memory_content *c = p->store->now;

    for (unsigned i = 0; i < 5 && c->ntiles[0] > 0; i++) {
        size_t at = fake_random(seed, (uint32_t)c->ntiles[0]);

        c->tiles[0][at].nodes[fake_random(seed, sizeof c->tiles[0][at].nodes)] ^= 1;
    }
}

static void assert_forward(const struct wire_head *before, const struct wire_head *head)
{
    assert_true(head->epoch > before->epoch ||
                (head->epoch == before->epoch && head->seq >= before->seq &&
                 head->time >= before->time));
}

static void one_simulation(uint64_t seed)
{
    struct fake *s = any_server(&seed);
    struct phone p = any_phone(s, &seed), fresh = phone_new(s);
    struct wire_head before = { 0 };

    any_trouble(&p, &seed);
    for (unsigned step = 0; step < STEPS; step++) {
        struct wire_head head;

        one_run(&p, &seed);
        head = phone_check(&p);
        assert_forward(&before, &head);
        before = head;
        some_wishes(&p, &seed);
        if (fake_random(&seed, 20) == 0)
            some_decay(&p, &seed);
        some_changes(s, &seed);
    }
    p.net.percent = 0;
    p.net.frozen = 0;
    phone_must_sync(&p);
    fresh.encoding = p.encoding;
    fresh.horizon = p.horizon;
    fresh.in_steps = p.in_steps;
    phone_must_sync(&fresh);
    if (p.last.bytes_down * 4 > fresh.last.bytes_down * 5 + 4 * SLACK)
        fail_msg("%llu bytes, and %llu for a first sync", (unsigned long long)p.last.bytes_down,
                 (unsigned long long)fresh.last.bytes_down);
    phone_done(&fresh);
    phone_done(&p);
    fake_free(s);
}

static uint64_t running_seed;

/* Runs after the simulation whether it went well or not. */
static int tell_the_seed(void **state)
{
    (void)state;
    print_message("last seed: TJZW_SEED=%llu\n", (unsigned long long)running_seed);
    return 0;
}

static void nothing_unverified_is_ever_visible_and_all_converge(void **state)
{
    const char *only = getenv("TJZW_SEED");
    uint64_t rounds = getenv("TJZW_FULL") ? ROUNDS_FULL : ROUNDS;

    (void)state;
    if (only) {
        running_seed = strtoull(only, NULL, 10);
        one_simulation(running_seed);
        return;
    }
    for (running_seed = 0; running_seed < rounds; running_seed++)
        one_simulation(running_seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_unverified_is_ever_visible_and_all_converge,
                                  tell_the_seed),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("follow_sim", tests, NULL, NULL);
}
