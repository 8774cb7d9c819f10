/*
 * keys_test.c - keys are exchanged, whatever a crash leaves of it; and SM2 beside Ed25519.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/generation.h"
#include "server/base/sm2.h"
#include "server/store/writer.h"
#include "sync/keys.h"
#include "sync/verify.h"
#include "tests/lib/sync_world.h"

static void restart_with(struct sync_world *t, const char *key, const char *value)
{
    struct err e = { 0 };

    sync_world_stop(t);
    assert_int_equal(conf_set(&e, &t->conf, key, value), RC_OK);
    sync_world_start(t);
}

static enum rc rotate(struct work *w, void *arg)
{
    return sync_rotate(w, arg);
}

static enum rc exchange(const char *role, struct err *e)
{
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), NULL, "test", RIGHT_ALL);
    rc = writer_call(&w, rotate, (void *)(uintptr_t)role);
    if (e)
        *e = w.err;
    arena_free(w.mem);
    return rc;
}

struct chain {
    const char *text;
    size_t n;
};

static struct chain chain_now(struct sync_world *t)
{
    struct chain c;

    c.text = keys_chain(sync_keys(), t->mem, &c.n);
    return c;
}

static const char *head_now_of(struct sync_world *t, const char *stream, size_t *n)
{
    const char *text, *etag;
    struct err e;

    assert_int_equal(head_now(live_find(stream), &e, t->mem, &text, n, &etag), RC_OK);
    return text;
}

/* A phone with this chain and this trusted key accepts the newest head. */
static bool accepts(struct sync_world *t, const struct chain *c, const uint8_t *trust,
                    const char *stream, const char *algorithm)
{
    struct wire_head h;
    struct wire_note note;
    struct verify_key key;
    struct sync_err se;
    size_t n;
    const char *text = head_now_of(t, stream, &n);

    assert_int_equal(wire_head_parse(&se, text, n, &h, &note), SYNC_OK);
    if (verify_keys_current_of(&se, c->text, c->n, trust,
                               arena_printf(t->mem, "stream:%s", stream), algorithm, &key))
        return false;
    if (strcmp(algorithm, "sm2"))
        return !verify_note(&se, text, &note, &key);
    for (size_t i = 0; i < note.nsigs; i++)
        if (!strcmp(note.sigs[i].algorithm, "sm2") &&
            !memcmp(note.sigs[i].key_id, key.id, WIRE_KEY_ID))
            return sm2_holds(key.bytes, text, note.signed_len, note.sigs[i].bytes,
                             note.sigs[i].len);
    return false;
}

static void first_key(const struct chain *c, uint8_t out[VERIFY_ED25519])
{
    struct sync_err se;

    assert_int_equal(verify_keys_first(&se, c->text, c->n, out), SYNC_OK);
}

/* ---- exchange ---- */

static void a_new_stream_key_signs_the_next_head_at_once(void **state)
{
    struct sync_world *t = *state;
    struct chain old = chain_now(t), new;
    struct sync_err se;
    uint8_t trust[VERIFY_ED25519];

    first_key(&old, trust);
    assert_true(accepts(t, &old, trust, "main", "ed25519"));
    assert_int_equal(exchange("main", NULL), RC_OK);
    new = chain_now(t);
    assert_false(accepts(t, &old, trust, "main", "ed25519"));
    assert_true(accepts(t, &new, trust, "main", "ed25519"));
    /* A phone that was off accepts the longer chain. */
    assert_int_equal(verify_keys_accept(&se, new.text, new.n, old.text, old.n, trust), SYNC_OK);
    sync_world_shell(
        t, "test \"$(stat -c %a keys/stream-main.key)\" = 600 && ! ls keys | grep new");
    sync_world_stop(t);
    sync_world_start(t);
    assert_int_equal(chain_now(t).n, new.n);
    assert_true(accepts(t, &new, trust, "main", "ed25519"));
    sync_world_put(t, 0, 100);
    sync_world_head(t);
    assert_true(accepts(t, &new, trust, "main", "ed25519"));
}

static void after_a_new_platform_key_either_key_is_enough_for_trust(void **state)
{
    struct sync_world *t = *state;
    struct chain old, new;
    struct sync_err se;
    uint8_t first[VERIFY_ED25519], second[VERIFY_ED25519];
    char hex[HASH_TEXT];

    restart_with(t, "streams", "main,heping");
    old = chain_now(t);
    first_key(&old, first);
    assert_int_equal(exchange("platform", NULL), RC_OK);
    new = chain_now(t);
    assert_true(hex_parse(keys_trust(sync_keys(), hex), 64, second, sizeof second));
    assert_memory_not_equal(first, second, sizeof first);
    for (int i = 0; i < 2; i++) {
        assert_true(accepts(t, &new, first, i ? "main" : "heping", "ed25519"));
        assert_true(accepts(t, &new, second, i ? "main" : "heping", "ed25519"));
    }
    assert_int_equal(verify_keys_accept(&se, new.text, new.n, old.text, old.n, first), SYNC_OK);
    /* And on: both, in turn, with a restart in between. */
    assert_int_equal(exchange("stream:heping", NULL), RC_OK);
    sync_world_stop(t);
    sync_world_start(t);
    assert_int_equal(exchange("platform", NULL), RC_OK);
    new = chain_now(t);
    assert_int_equal(verify_keys_accept(&se, new.text, new.n, old.text, old.n, first), SYNC_OK);
    assert_true(accepts(t, &new, second, "heping", "ed25519"));
}

static void what_has_no_key_here_cannot_be_exchanged(void **state)
{
    struct sync_world *t = *state;
    struct err e;
    size_t n = chain_now(t).n;

    assert_int_equal(exchange("hexi", &e), RC_NOT_FOUND);
    assert_int_equal(exchange("", &e), RC_NOT_FOUND);
    assert_int_equal(exchange("../../x", &e), RC_NOT_FOUND);
    assert_int_equal(chain_now(t).n, n);
}

static void a_chain_that_cannot_be_written_leaves_the_old_key(void **state)
{
    struct sync_world *t = *state;
    struct chain old = chain_now(t), now;
    uint8_t trust[VERIFY_ED25519];
    struct err e;

    first_key(&old, trust);
    sync_world_shell(t, "mv keys/chain keys/aside && mkdir keys/chain");
    assert_int_not_equal(exchange("main", &e), RC_OK);
    assert_int_not_equal(exchange("platform", &e), RC_OK);
    sync_world_shell(t, "rmdir keys/chain && mv keys/aside keys/chain && ! ls keys | grep new");
    now = chain_now(t);
    assert_int_equal(now.n, old.n);
    sync_world_put(t, 0, 100);
    sync_world_head(t);
    assert_true(accepts(t, &old, trust, "main", "ed25519"));
    sync_world_stop(t);
    sync_world_start(t);
    assert_int_equal(chain_now(t).n, old.n);
    assert_int_equal(exchange("main", &e), RC_OK);
}

/* What a crash leaves after each step, made of the directories before and after. */
static void a_crash_at_any_step_leaves_one_key_that_signs(void **state)
{
    static const struct {
        const char *role, *leave;
        bool is_new;
    } steps[] = {
        { "main", "cp before/* keys && cp after/stream-main.key keys/stream-main.key.new",
          false },
        { "main",
          "cp before/* keys && cp after/stream-main.key keys/stream-main.key.new && "
          "cp after/stream-main.sm2.key keys/stream-main.sm2.key.new",
          false },
        { "main",
          "cp before/* keys && cp after/stream-main.key keys/stream-main.key.new && "
          "cp after/stream-main.sm2.key keys/stream-main.sm2.key.new && "
          "cp after/chain keys",
          true },
        { "main", "cp after/* keys", true },
        { "platform", "cp before/* keys && cp after/platform.key keys/platform.key.new",
          false },
        { "platform",
          "cp before/* keys && cp after/platform.key keys/platform.key.new && "
          "cp after/chain keys",
          true },
        /* One of two was renamed. */
        { "main",
          "cp after/* keys && cp before/stream-main.sm2.key keys && "
          "cp after/stream-main.sm2.key keys/stream-main.sm2.key.new",
          true },
    };
    struct sync_world *t = *state;
    uint8_t trust[VERIFY_ED25519];

    restart_with(t, "sign_sm2", "true");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct chain before = chain_now(t), after, now;

        first_key(&before, trust);
        sync_world_shell(t, "rm -rf before after && cp -r keys before");
        assert_int_equal(exchange(steps[i].role, NULL), RC_OK);
        after = chain_now(t);
        sync_world_stop(t);
        sync_world_shell(
            t, arena_printf(t->mem, "cp -r keys after && rm -rf keys/* && %s", steps[i].leave));
        sync_world_start(t);
        now = chain_now(t);
        if (now.n != (steps[i].is_new ? after.n : before.n))
            fail_msg("step %zu: a chain of %zu bytes, not %zu or %zu", i, now.n, before.n,
                     after.n);
        sync_world_put(t, t->items, 100);
        sync_world_head(t);
        assert_true(accepts(t, &now, trust, "main", "ed25519"));
        assert_true(accepts(t, &now, trust, "main", "sm2"));
        sync_world_shell(t, "! ls keys | grep new");
    }
}

/* ---- a mirrored stream's key ---- */

static enum rc vouch(struct work *w, void *arg)
{
    return keys_vouch(sync_keys(), &w->err, "hexi", arg);
}

static enum rc vouch_own(struct work *w, void *arg)
{
    return keys_vouch(sync_keys(), &w->err, "main", arg);
}

static enum rc add_mirror(struct work *w, void *arg)
{
    return live_mirror_add(w, "hexi", arg);
}

static void a_mirrored_streams_key_is_vouched_for_and_again_by_the_next_platform_key(
    void **state)
{
    struct sync_world *t = *state;
    uint8_t bytes[VERIFY_ED25519], trust[VERIFY_ED25519];
    struct verify_key key, now;
    struct chain c;
    struct live *l;
    struct sync_err se;
    char hex[HASH_TEXT];
    uint64_t generation;
    size_t n;

    memset(bytes, 7, sizeof bytes);
    verify_key_ed25519(bytes, &key);
    assert_int_equal(sync_world_on_writer(add_mirror, &l, NULL), RC_OK);
    usleep(200000); /* the list with it is shown */
    generation = generation_now();
    assert_int_equal(sync_world_on_writer(vouch, &key, NULL), RC_OK);
    assert_true(generation_now() > generation); /* or the old chain would be answered */
    n = chain_now(t).n;
    assert_int_equal(sync_world_on_writer(vouch, &key, NULL), RC_OK);
    assert_int_equal(chain_now(t).n, n); /* once is enough */
    assert_int_equal(sync_world_on_writer(vouch_own, &key, NULL), RC_CONFLICT);
    assert_int_equal(exchange("hexi", NULL), RC_CONFLICT);
    assert_int_equal(exchange("platform", NULL), RC_OK);
    c = chain_now(t);
    assert_true(hex_parse(keys_trust(sync_keys(), hex), 64, trust, sizeof trust));
    assert_int_equal(verify_keys_current(&se, c.text, c.n, trust, "stream:hexi", &now),
                     SYNC_OK);
    assert_memory_equal(now.bytes, key.bytes, key.len);
}

static void a_full_chain_refuses_and_stays(void **state)
{
    struct sync_world *t = *state;
    enum rc rc = RC_OK;
    struct err e;
    int n = 0;

    while (!(rc = exchange("main", &e)) && n < 1000)
        n++;
    assert_int_equal(rc, RC_FULL);
    assert_true(n > 200);
    assert_true(chain_now(t).n <= VERIFY_KEYS_MAX);
    sync_world_stop(t);
    sync_world_start(t);
    sync_world_put(t, 0, 100);
    sync_world_head(t);
}

/* ---- SM2 ---- */

static void sm2_signs_beside_ed25519(void **state)
{
    struct sync_world *t = *state;
    uint8_t trust[VERIFY_ED25519];
    struct chain c;
    const char *text;
    size_t n;

    restart_with(t, "sign_sm2", "true");
    sync_world_put(t, 0, 100);
    sync_world_head(t);
    c = chain_now(t);
    first_key(&c, trust);
    assert_non_null(strstr(c.text, " stream:main sm2 04"));
    text = head_now_of(t, "main", &n);
    assert_true(n < WIRE_HEAD_MAX);
    assert_non_null(memmem(text, n, "\nsig sm2 ", 9));
    assert_true(accepts(t, &c, trust, "main", "sm2"));
    assert_true(accepts(t, &c, trust, "main", "ed25519")); /* a reader that knows no SM2 */
    assert_int_equal(exchange("main", NULL), RC_OK);
    c = chain_now(t);
    assert_true(accepts(t, &c, trust, "main", "sm2"));
    assert_true(accepts(t, &c, trust, "main", "ed25519"));
    restart_with(t, "sign_sm2", "false");
    sync_world_put(t, 0, 100);
    sync_world_head(t);
    c = chain_now(t);
    text = head_now_of(t, "main", &n);
    assert_null(memmem(text, n, "sig sm2", 7));
    assert_true(accepts(t, &c, trust, "main", "ed25519"));
}

/* What another program makes of it: the openssl command, which reads DER. */
static void the_openssl_command_verifies_what_we_signed(void **state)
{
    static const uint8_t secret[SM2_SECRET] = { 1, 2, 3, 4 };
    struct sync_world *t = *state;
    uint8_t public_key[SM2_PUBLIC], sig[SM2_SIG],
        pem[26 + SM2_PUBLIC] = {
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
            0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x03, 0x42, 0x00,
        };
    uint8_t der[80] = { 0x30, 0, 0x02 };
    size_t n = 3;
    struct err e;

    assert_int_equal(sm2_public(&e, secret, public_key), RC_OK);
    assert_int_equal(sm2_sign(&e, secret, public_key, "tjzw\n", 5, sig), RC_OK);
    memcpy(pem + 26, public_key, SM2_PUBLIC);
    for (int i = 0; i < 2; i++) {
        const uint8_t *v = sig + 32 * i;
        size_t skip = 0;

        while (skip < 31 && !v[skip])
            skip++;
        if (i)
            der[n++] = 0x02;
        der[n++] = (uint8_t)(32 - skip + (v[skip] >> 7));
        if (v[skip] >> 7)
            der[n++] = 0;
        memcpy(der + n, v + skip, 32 - skip);
        n += 32 - skip;
    }
    der[1] = (uint8_t)(n - 2);
    assert_int_equal(fs_write(&e, arena_printf(t->mem, "%s/sig", t->dir), der, n, 0600), RC_OK);
    assert_int_equal(
        fs_write(&e, arena_printf(t->mem, "%s/key", t->dir), pem, sizeof pem, 0600), RC_OK);
    assert_int_equal(fs_write(&e, arena_printf(t->mem, "%s/text", t->dir), "tjzw\n", 5, 0600),
                     RC_OK);
    sync_world_shell(t, "openssl pkey -pubin -inform DER -in key -out key.pem && "
                        "openssl dgst -sm3 -verify key.pem -sigopt distid:1234567812345678 "
                        "-signature sig text >/dev/null");
    assert_true(sm2_holds(public_key, "tjzw\n", 5, sig, sizeof sig));
    assert_false(sm2_holds(public_key, "tjzX\n", 5, sig, sizeof sig));
    sig[40] ^= 1;
    assert_false(sm2_holds(public_key, "tjzw\n", 5, sig, sizeof sig));
    assert_false(sm2_holds(public_key, "tjzw\n", 5, sig, 63));
    public_key[10] ^= 1;
    assert_false(sm2_holds(public_key, "tjzw\n", 5, sig, sizeof sig));
    assert_int_equal(sm2_public(&e, (const uint8_t[SM2_SECRET]){ 0 }, public_key), RC_CORRUPT);
    memset(pem, 0xff, SM2_SECRET);
    assert_int_equal(sm2_public(&e, pem, public_key), RC_CORRUPT);
}

static void a_name_that_leaves_no_room_for_two_signatures_is_refused(void **state)
{
    struct sync_world *t = *state;
    struct err e = { 0 };
    bool refused = false;

    sync_world_stop(t);
    assert_int_equal(conf_set(&e, &t->conf, "sign_sm2", "true"), RC_OK);
    for (int n = 1; n <= WIRE_STREAM_MAX; n++) {
        char name[WIRE_STREAM_MAX + 1] = "";

        memset(name, 'x', (size_t)n);
        assert_int_equal(
            conf_set(&e, &t->conf, "streams", arena_printf(t->mem, "main,%s", name)), RC_OK);
        if (sync_world_try_start(t, &e)) {
            assert_non_null(strstr(e.text, "sign_sm2"));
            assert_non_null(strstr(e.text, "shorter name"));
            refused = true;
            break;
        }
        sync_world_stop(t);
        n += 7;
    }
    print_message("# sm2 leaves room for every name: %s\n", refused ? "no" : "yes");
    assert_int_equal(conf_set(&e, &t->conf, "streams", "main"), RC_OK);
    sync_world_start(t);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sync_world_set_up, sync_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_new_stream_key_signs_the_next_head_at_once),
        TEST(after_a_new_platform_key_either_key_is_enough_for_trust),
        TEST(what_has_no_key_here_cannot_be_exchanged),
        TEST(a_chain_that_cannot_be_written_leaves_the_old_key),
        TEST(a_crash_at_any_step_leaves_one_key_that_signs),
        TEST(a_mirrored_streams_key_is_vouched_for_and_again_by_the_next_platform_key),
        TEST(a_full_chain_refuses_and_stays),
        TEST(sm2_signs_beside_ed25519),
        TEST(the_openssl_command_verifies_what_we_signed),
        TEST(a_name_that_leaves_no_room_for_two_signatures_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
