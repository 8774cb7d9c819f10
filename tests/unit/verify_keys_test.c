/* verify_keys_test.c - the chain of keys: who vouches for whom, and what each algorithm's current key is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/verify.h"
#include "tests/lib/key_pair.h"

static struct sync_err err;

#define OK(expr)       assert_int_equal((expr), SYNC_OK)
#define IS(kind, expr) assert_int_equal((expr), kind)

struct chain {
    char text[4096];
    size_t n;
};

static void add(struct chain *c, const char *role, const struct pair *key,
                const struct pair *signer)
{
    OK(verify_keys_append(&err, c->text, &c->n, sizeof c->text, role, &key->key, 1000 + c->n,
                          signer->secret));
}

static enum sync_rc current(const struct chain *c, const struct pair *trust,
                            struct verify_key *out)
{
    return verify_keys_current(&err, c->text, c->n, trust->public_key, "stream:main", out);
}

static void a_chain_leads_from_the_trusted_key_to_the_streams(void **state)
{
    struct pair p1 = a_pair(1), p2 = a_pair(2), s1 = a_pair(3), s2 = a_pair(4),
                stranger = a_pair(9);
    struct chain c = { .n = 0 }, held;
    struct verify_key key;
    uint8_t first[32];

    (void)state;
    add(&c, "platform", &p1, &p1);
    add(&c, "stream:main", &s1, &p1);
    OK(current(&c, &p1, &key));
    assert_memory_equal(key.bytes, s1.public_key, 32);
    OK(verify_keys_first(&err, c.text, c.n, first));
    assert_memory_equal(first, p1.public_key, 32);
    IS(SYNC_UNTRUSTED, current(&c, &stranger, &key));
    IS(SYNC_UNTRUSTED, verify_keys_append(&err, c.text, &c.n, sizeof c.text, "platform",
                                          &p2.key, 1, stranger.secret));

    held = c;
    add(&c, "platform", &p2, &p1);
    add(&c, "stream:main", &s2, &p2);
    OK(verify_keys_accept(&err, c.text, c.n, held.text, held.n, p1.public_key));
    OK(current(&c, &p1, &key));
    assert_memory_equal(key.bytes, s2.public_key, 32);
    OK(current(&c, &p2, &key));
    IS(SYNC_ROLLBACK, verify_keys_accept(&err, held.text, held.n, c.text, c.n, p1.public_key));
    IS(SYNC_UNTRUSTED, verify_keys_append(&err, c.text, &c.n, sizeof c.text, "stream:main",
                                          &s1.key, 1, p1.secret));
}

static void a_stranger_cannot_borrow_our_key(void **state)
{
    struct pair ours = a_pair(1), stranger = a_pair(2), lies = a_pair(3);
    struct chain c = { .n = 0 };
    struct verify_key key;

    (void)state;
    add(&c, "platform", &stranger, &stranger);
    add(&c, "stream:main", &lies, &stranger);
    add(&c, "platform", &ours, &stranger);
    IS(SYNC_UNTRUSTED, current(&c, &ours, &key));
    IS(SYNC_UNTRUSTED, verify_keys_accept(&err, c.text, c.n, NULL, 0, ours.public_key));
}

static void any_flipped_bit_breaks_a_chain(void **state)
{
    struct pair p = a_pair(1), s = a_pair(2);
    struct chain c = { .n = 0 };
    struct verify_key key;

    (void)state;
    add(&c, "platform", &p, &p);
    add(&c, "stream:main", &s, &p);
    for (size_t i = 0; i < c.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            c.text[i] ^= (char)(1 << bit);
            assert_int_not_equal(current(&c, &p, &key), SYNC_OK);
            c.text[i] ^= (char)(1 << bit);
        }
    for (size_t cut = 0; cut < c.n; cut++) {
        struct chain part = c;

        part.n = cut;
        assert_int_not_equal(current(&part, &p, &key), SYNC_OK);
    }
}

/* ---- by algorithm ---- */

static struct verify_key an_sm2_key(uint8_t x)
{
    uint8_t bytes[VERIFY_SM2] = { 0x04, x };
    struct verify_key key;

    assert_true(verify_key_of("sm2", bytes, sizeof bytes, &key));
    return key;
}

static void add_sm2(struct chain *c, uint8_t x, const struct pair *signer)
{
    struct verify_key key = an_sm2_key(x);

    OK(verify_keys_append(&err, c->text, &c->n, sizeof c->text, "stream:main", &key,
                          1000 + c->n, signer->secret));
}

static enum sync_rc current_sm2(const struct chain *c, const struct pair *trust,
                                struct verify_key *out)
{
    return verify_keys_current_of(&err, c->text, c->n, trust->public_key, "stream:main", "sm2",
                                  out);
}

static void each_algorithm_has_its_own_current_key(void **state)
{
    struct pair p = a_pair(1), s1 = a_pair(3), s2 = a_pair(4);
    struct verify_key key, want;
    struct chain c = { .n = 0 };

    (void)state;
    add(&c, "platform", &p, &p);
    add(&c, "stream:main", &s1, &p);
    IS(SYNC_UNTRUSTED, current_sm2(&c, &p, &key));
    add_sm2(&c, 1, &p);
    OK(current(&c, &p, &key));
    assert_memory_equal(key.bytes, s1.public_key, 32);
    want = an_sm2_key(1);
    OK(current_sm2(&c, &p, &key));
    assert_memory_equal(&key, &want, sizeof key);
    add(&c, "stream:main", &s2, &p);
    OK(current_sm2(&c, &p, &key));
    assert_memory_equal(&key, &want, sizeof key);
    add_sm2(&c, 2, &p);
    OK(current(&c, &p, &key));
    assert_memory_equal(key.bytes, s2.public_key, 32);
    want = an_sm2_key(2);
    OK(current_sm2(&c, &p, &key));
    assert_memory_equal(&key, &want, sizeof key);
}

static void a_role_with_an_sm2_key_alone_has_no_key_to_rely_on(void **state)
{
    struct pair p = a_pair(1);
    struct chain c = { .n = 0 };
    struct verify_key key;

    (void)state;
    add(&c, "platform", &p, &p);
    add_sm2(&c, 1, &p);
    OK(current_sm2(&c, &p, &key));
    IS(SYNC_UNTRUSTED, current(&c, &p, &key));
    IS(SYNC_UNTRUSTED,
       verify_keys_current_of(&err, c.text, c.n, p.public_key, "stream:main", "rsa", &key));
}

/* A stream key signed anew with any algorithm lets the new platform key vouch for all above. */
static void an_sm2_line_counts_when_a_key_vouches(void **state)
{
    struct pair p1 = a_pair(1), p2 = a_pair(2), s = a_pair(3);
    struct chain c = { .n = 0 }, held;
    struct verify_key key;

    (void)state;
    add(&c, "platform", &p1, &p1);
    add(&c, "stream:main", &s, &p1);
    add(&c, "platform", &p2, &p1);
    IS(SYNC_UNTRUSTED, current(&c, &p2, &key));
    held = c;
    add_sm2(&c, 1, &p2);
    OK(current(&c, &p2, &key));
    OK(verify_keys_accept(&err, c.text, c.n, held.text, held.n, p1.public_key));
    OK(verify_keys_accept(&err, c.text, c.n, NULL, 0, p2.public_key));
    IS(SYNC_ROLLBACK, verify_keys_accept(&err, held.text, held.n, c.text, c.n, p1.public_key));
}

static void a_platform_key_is_ed25519(void **state)
{
    struct pair p = a_pair(1), s = a_pair(3);
    struct verify_key key = an_sm2_key(1);
    struct chain c = { .n = 0 };
    size_t n;

    (void)state;
    IS(SYNC_INVALID,
       verify_keys_append(&err, c.text, &c.n, sizeof c.text, "platform", &key, 1, p.secret));
    assert_int_equal(c.n, 0);
    add(&c, "platform", &p, &p);
    n = c.n;
    IS(SYNC_INVALID,
       verify_keys_append(&err, c.text, &c.n, sizeof c.text, "platform", &key, 1, p.secret));
    assert_int_equal(c.n, n);
    add(&c, "stream:main", &s, &p);
    OK(current(&c, &p, &key));
}

static void a_key_that_no_algorithm_has_is_none(void **state)
{
    uint8_t bytes[VERIFY_PUBLIC_MAX + 1] = { 0x04 };
    struct verify_key key;

    (void)state;
    assert_true(verify_key_of("sm2", bytes, 65, &key));
    assert_true(verify_key_of("ed25519", bytes, 32, &key));
    assert_true(verify_key_of("new", bytes, VERIFY_PUBLIC_MAX, &key));
    assert_false(verify_key_of("sm2", bytes, 64, &key));
    assert_false(verify_key_of("ed25519", bytes, 33, &key));
    assert_false(verify_key_of("new", bytes, VERIFY_PUBLIC_MAX + 1, &key));
    assert_false(verify_key_of("new", bytes, 0, &key));
    assert_false(verify_key_of("", bytes, 32, &key));
    assert_false(verify_key_of("sixteen-letters-", bytes, 32, &key));
    bytes[0] = 0x02;
    assert_false(verify_key_of("sm2", bytes, 65, &key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_leads_from_the_trusted_key_to_the_streams),
        cmocka_unit_test(a_stranger_cannot_borrow_our_key),
        cmocka_unit_test(any_flipped_bit_breaks_a_chain),
        cmocka_unit_test(each_algorithm_has_its_own_current_key),
        cmocka_unit_test(a_role_with_an_sm2_key_alone_has_no_key_to_rely_on),
        cmocka_unit_test(an_sm2_line_counts_when_a_key_vouches),
        cmocka_unit_test(a_platform_key_is_ed25519),
        cmocka_unit_test(a_key_that_no_algorithm_has_is_none),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
