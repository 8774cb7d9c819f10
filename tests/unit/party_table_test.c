/*
 * party_table_test.c - many ask while parties change: nobody sees half of a change, and no request goes uncounted. ThreadSanitizer
 * has the last word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/identity/party_log.h"
#include "server/identity/party_table.h"

enum { THREADS = 4, ROUNDS = 5000, NOW = 1795000000, QUOTA = 10000 };

static atomic_int allowed, known;
static atomic_bool over;

/* A party whose every part says the same number. */
static void put(int64_t no, int generation, bool open)
{
    char id[20], name[20];
    struct scope rights[2] = { { 1, (unsigned)generation }, { 2, (unsigned)generation } };
    struct party_pass keys[2] = {
        { .no = 2 * no, .expires = NOW + 100, .per_minute = QUOTA, .per_day = QUOTA },
        { .no = 2 * no + 1, .expires = NOW - 1, .per_minute = 1, .per_day = 1 },
    };
    const struct party_entry e = { .party = { .no = no,
                                              .id = id,
                                              .name = name,
                                              .kind = PARTY_TEST,
                                              .open = open,
                                              .rights = rights,
                                              .nrights = 2,
                                              .client = { .sector = "x" } },
                                   .keys = keys,
                                   .n = 2 };

    snprintf(id, sizeof id, "p%d", (int)no);
    snprintf(name, sizeof name, "p%d", (int)no);
    memset(keys[0].hash, (int)no, HASH_BYTES);
    memset(keys[1].hash, (int)no + 100, HASH_BYTES);
    party_table_put(&e);
}

static void *ask(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        struct arena *mem = arena_new();
        uint8_t hash[HASH_BYTES];
        struct verdict v[VERDICTS];
        struct actor who;
        struct party p;

        memset(hash, 1 + i % 3, sizeof hash);
        if (party_table_know(hash, NOW, mem, &who)) {
            known++;
            if (who.scopes[0].rights != who.scopes[1].rights)
                abort();
            if (who.party == 1)
                allowed += party_table_charge(who.key, NOW, 1, v);
            party_log_note(who.party, &(struct party_request){ .method = "GET", .route = "/" });
        }
        if (party_table_find(mem, 0, "p2", &p) && strcmp(p.id, p.name))
            abort();
        party_table_lives(4, NOW);
        arena_free(mem);
    }
    return NULL;
}

static void *change(void *unused)
{
    (void)unused;
    for (int i = 1; !over; i++) {
        put(1, i, true);
        put(2, i, i % 2);
        put(3, i, true);
    }
    return NULL;
}

static void changes_are_whole_and_every_request_is_counted(void **state)
{
    pthread_t askers[THREADS], changer;
    struct verdict v[VERDICTS];

    (void)state;
    /* On a busy machine the askers may be done before the changer begins. */
    for (int no = 1; no <= 3; no++)
        put(no, 1, true);
    pthread_create(&changer, NULL, change, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&askers[i], NULL, ask, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(askers[i], NULL);
    over = true;
    pthread_join(changer, NULL);
    assert_true(known > allowed);
    assert_true(party_table_charge(2, NOW, 1, v));
    assert_int_equal(v[1].remaining, QUOTA - allowed - 1);
    assert_int_equal(v[0].remaining, QUOTA - allowed - 1);
    party_table_empty();
    assert_false(party_table_lives(2, NOW));
}

static void what_has_expired_or_is_closed_is_not_known(void **state)
{
    struct arena *mem = arena_new();
    uint8_t hash[HASH_BYTES];
    struct actor who;

    (void)state;
    put(5, 1, true);
    memset(hash, 105, sizeof hash);
    assert_false(party_table_know(hash, NOW, mem, &who));
    memset(hash, 5, sizeof hash);
    assert_true(party_table_know(hash, NOW + 99, mem, &who));
    assert_false(party_table_know(hash, NOW + 100, mem, &who));
    assert_int_equal(party_table_key_of(5, hash, NOW), 10);
    assert_int_equal(party_table_key_of(6, hash, NOW), 0);
    put(5, 1, false);
    assert_false(party_table_know(hash, NOW, mem, &who));
    party_table_empty();
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_whole_and_every_request_is_counted),
        cmocka_unit_test(what_has_expired_or_is_closed_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
