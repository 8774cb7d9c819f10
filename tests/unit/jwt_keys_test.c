/*
 * jwt_keys_test.c - a key is known before it signs and until all that it signed has ended, whatever
 * the clock does and wherever the process dies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/identity/jwt.h"

enum { NOW = 1763712000, DAY = 86400 };

struct world {
    char dir[64];
    struct arena *mem;
    struct jwt_keys *keys;
    struct err e;
};

static void start(struct world *t)
{
    assert_int_equal(jwt_keys_open(&t->e, t->dir, &jwt_times_usual, &t->keys), RC_OK);
}

static void stop(struct world *t)
{
    jwt_keys_close(t->keys);
    t->keys = NULL;
}

static int set_up(void **state)
{
    struct world *t = calloc(1, sizeof *t);

    clock_set(NOW);
    t->mem = arena_new();
    strcpy(t->dir, "/tmp/tjzw-keys-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    start(t);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct world *t = *state;
    char command[128];

    stop(t);
    snprintf(command, sizeof command, "rm -rf %s", t->dir);
    assert_int_equal(system(command), 0);
    arena_free(t->mem);
    clock_unset();
    free(t);
    return 0;
}

static void tick_at(struct world *t, int64_t now)
{
    clock_set(now);
    assert_int_equal(jwt_keys_tick(t->keys, &t->e), RC_OK);
}

static char *signer(struct world *t)
{
    char *kid = arena_alloc(t->mem, JWS_NAME_MAX + 1), secret[JWT_SECRET_MAX];

    jwt_keys_signing(t->keys, kid, secret);
    return kid;
}

static int shown(struct world *t)
{
    int n;

    jwt_keys_public(t->keys, t->mem, &n);
    return n;
}

static bool is_shown(struct world *t, const char *kid)
{
    return strstr(jwt_keys_set(t->keys, t->mem), kid) != NULL;
}

static char *path(struct world *t, int no)
{
    return arena_printf(t->mem, "%s/keys/jwt.%d", t->dir, no);
}

static char *file(struct world *t, int no)
{
    char *text = NULL;
    size_t n;

    assert_int_equal(fs_read(&t->e, t->mem, path(t, no), 4096, &text, &n), RC_OK);
    return text;
}

static const char *issue(struct world *t)
{
    json_t *claims = json_pack("{ss ss ss sI sI}", "iss", "https://www.example.cn", "sub", "3",
                               "aud", "app", "iat", (json_int_t)clock_now(), "exp",
                               (json_int_t)(clock_now() + JWT_LIFETIME_MAX));
    const char *text;

    assert_int_equal(jwt_issue(t->keys, &t->e, t->mem, claims, &text), RC_OK);
    json_decref(claims);
    return text;
}

/* What a reader does who fetched this key set. */
static bool holds(struct world *t, const char *set, const char *text)
{
    const struct jwt_expect x = { "JWT", "https://www.example.cn", "app", clock_now() };
    struct jwk *keys;
    json_t *claims;
    int n;

    assert_int_equal(jwk_read_set(&t->e, t->mem, set, strlen(set), &keys, &n), RC_OK);
    return !jwt_verify(&t->e, t->mem, keys, n, &x, text, strlen(text), &claims);
}

static void the_first_key_signs_at_once(void **state)
{
    struct world *t = *state;
    struct stat st;
    char *kid = signer(t);

    assert_int_equal(shown(t), 1);
    assert_true(is_shown(t, kid));
    assert_int_equal(strlen(kid), 43); /* SHA-256 in base64url */
    assert_int_equal(stat(path(t, 1), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_memory_equal(file(t, 1), "state: signing\nsince: 1763712000\n-----BEGIN PRIVATE",
                        51);
    stop(t);
    start(t);
    assert_string_equal(signer(t), kid);
}

/* The secret half stands nowhere in what is shown. */
static void the_key_set_is_public(void **state)
{
    struct world *t = *state;
    const char *set = jwt_keys_set(t->keys, t->mem);

    assert_null(strstr(set, "\"d\""));
    assert_null(strstr(set, "PRIVATE"));
    assert_non_null(strstr(set, "\"kty\":\"EC\",\"crv\":\"P-256\""));
    assert_non_null(strstr(set, "\"use\":\"sig\",\"alg\":\"ES256\",\"kid\":\""));
}

static void a_key_is_shown_a_day_before_it_signs(void **state)
{
    struct world *t = *state;
    char *first = signer(t), *second;

    tick_at(t, NOW + 89 * DAY - 1);
    assert_int_equal(shown(t), 1);
    tick_at(t, NOW + 89 * DAY);
    assert_int_equal(shown(t), 2);
    assert_string_equal(signer(t), first);
    assert_memory_equal(file(t, 2), "state: upcoming\n", 16);
    tick_at(t, NOW + 90 * DAY - 1);
    assert_string_equal(signer(t), first);
    tick_at(t, NOW + 90 * DAY);
    second = signer(t);
    assert_string_not_equal(second, first);
    assert_int_equal(shown(t), 2);
    assert_true(is_shown(t, first));
    tick_at(t, NOW + 90 * DAY + 3659);
    assert_true(is_shown(t, first));
    tick_at(t, NOW + 90 * DAY + 3660);
    assert_false(is_shown(t, first));
    assert_int_equal(access(path(t, 1), F_OK), -1);
    assert_string_equal(signer(t), second);
}

static void a_retired_key_has_no_secret_half(void **state)
{
    struct world *t = *state;

    assert_int_equal(jwt_keys_rotate(t->keys, &t->e), RC_OK);
    tick_at(t, NOW + DAY);
    assert_memory_equal(file(t, 1), "state: retired\nsince: 1763798400\n-----BEGIN PUBLIC", 50);
    assert_null(strstr(file(t, 1), "PRIVATE"));
    stop(t);
    start(t);
    assert_int_equal(shown(t), 2);
}

static void one_new_key_waits_at_a_time(void **state)
{
    struct world *t = *state;
    char *first = signer(t);

    assert_int_equal(jwt_keys_rotate(t->keys, &t->e), RC_OK);
    assert_int_equal(jwt_keys_rotate(t->keys, &t->e), RC_CONFLICT);
    assert_int_equal(shown(t), 2);
    assert_string_equal(signer(t), first);
    tick_at(t, NOW + DAY - 1);
    assert_string_equal(signer(t), first);
    tick_at(t, NOW + DAY);
    assert_string_not_equal(signer(t), first);
    assert_int_equal(jwt_keys_rotate(t->keys, &t->e), RC_OK);
}

/*
 * Over two years, hour by hour, with restarts: whoever fetches the key set once a day can verify
 * each statement from the moment it is made until it has ended.
 */
static void a_reader_who_looks_once_a_day_always_understands(void **state)
{
    struct world *t = *state;
    struct arena *outer = t->mem;
    char cached[8192] = "", kid[JWS_NAME_MAX + 1] = "";
    int exchanged = 0;

    for (int hour = 0; hour < 2 * 365 * 24; hour++) {
        t->mem = arena_new();
        tick_at(t, NOW + hour * 3600);
        if (hour % 24 == 0)
            strcpy(cached, jwt_keys_set(t->keys, t->mem));
        if (strcmp(kid, signer(t))) {
            strcpy(kid, signer(t));
            exchanged++;
        }
        assert_non_null(strstr(cached, kid));
        assert_in_range(shown(t), 1, 3);
        if (hour % 97 == 0) {
            const char *text = issue(t);

            assert_true(holds(t, cached, text));
            tick_at(t, NOW + hour * 3600 + JWT_LIFETIME_MAX + JWT_SKEW - 1);
            assert_true(holds(t, jwt_keys_set(t->keys, t->mem), text));
        }
        if (hour % 1000 == 999) {
            stop(t);
            start(t);
        }
        arena_free(t->mem);
    }
    t->mem = outer;
    assert_in_range(exchanged, 8, 9);
}

/* Died between the two files of an exchange: both say that they sign. */
static void of_two_that_sign_the_newer_does(void **state)
{
    struct world *t = *state;
    char *first = signer(t), *text;

    assert_int_equal(jwt_keys_rotate(t->keys, &t->e), RC_OK);
    stop(t);
    text = file(t, 2);
    text = arena_printf(t->mem, "state: signing\nsince: %d\n%s", NOW + 5,
                        strstr(text, "-----BEGIN"));
    assert_int_equal(fs_write(&t->e, path(t, 2), text, strlen(text), 0600), RC_OK);
    clock_set(NOW + 10);
    start(t);
    assert_string_not_equal(signer(t), first);
    assert_int_equal(shown(t), 2);
    assert_null(strstr(file(t, 1), "PRIVATE"));
}

/* A machine whose clock said 2100 for a moment must not sign with one key for 74 years. */
static void a_clock_that_was_wrong_stops_nothing(void **state)
{
    struct world *t = *state;
    char *first;

    tick_at(t, 4102444800);
    tick_at(t, 4102444800 + DAY);
    first = signer(t);
    tick_at(t, NOW);
    assert_string_equal(signer(t), first);
    clock_set(NOW + 80 * DAY);
    stop(t);
    start(t); /* does not begin to count anew */
    tick_at(t, NOW + 89 * DAY);
    tick_at(t, NOW + 90 * DAY);
    assert_string_not_equal(signer(t), first);
    assert_true(is_shown(t, first));
}

/* The server stood still for a year: the key signs on until a new one was shown for a day. */
static void after_a_long_sleep_nobody_is_surprised(void **state)
{
    struct world *t = *state;
    char *first = signer(t);

    stop(t);
    clock_set(NOW + 365 * DAY);
    start(t);
    assert_string_equal(signer(t), first);
    assert_int_equal(shown(t), 2);
    tick_at(t, NOW + 366 * DAY);
    assert_string_not_equal(signer(t), first);
}

static void a_broken_file_is_told(void **state)
{
    struct world *t = *state;
    const char *const broken[] = {
        "", "state: signing\nsince: 1\n", "state: dancing\nsince: 1\n",
        "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n"
    };
    char *good = file(t, 1);
    struct jwt_keys *keys = NULL;

    for (size_t i = 0; i < sizeof broken / sizeof *broken + 1; i++) {
        const char *text = i < sizeof broken / sizeof *broken
                               ? broken[i]
                               : arena_strndup(t->mem, good, strlen(good) - 60);

        assert_int_equal(fs_write(&t->e, path(t, 1), text, strlen(text), 0600), RC_OK);
        assert_int_equal(jwt_keys_open(&t->e, t->dir, &jwt_times_usual, &keys), RC_CORRUPT);
        assert_non_null(strstr(t->e.text, "keys/jwt.1"));
    }
    assert_null(keys);
    /* What a crash of fs_write() leaves, and files of others, are none of ours. */
    assert_int_equal(fs_write(&t->e, path(t, 1), good, strlen(good), 0600), RC_OK);
    assert_int_equal(
        fs_write(&t->e, arena_printf(t->mem, "%s.77-0.tmp", path(t, 2)), "x", 1, 0600), RC_OK);
    assert_int_equal(
        fs_write(&t->e, arena_printf(t->mem, "%s/keys/jwt.old", t->dir), "x", 1, 0600), RC_OK);
    assert_int_equal(jwt_keys_open(&t->e, t->dir, &jwt_times_usual, &keys), RC_OK);
    jwt_keys_close(keys);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_first_key_signs_at_once),
        TEST(the_key_set_is_public),
        TEST(a_key_is_shown_a_day_before_it_signs),
        TEST(a_retired_key_has_no_secret_half),
        TEST(one_new_key_waits_at_a_time),
        TEST(a_reader_who_looks_once_a_day_always_understands),
        TEST(of_two_that_sign_the_newer_does),
        TEST(a_clock_that_was_wrong_stops_nothing),
        TEST(after_a_long_sleep_nobody_is_surprised),
        TEST(a_broken_file_is_told),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
