/*
 * preview_test.c - links to drafts: ours work until they expire, nobody else's do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/library/preview.h"

static const struct preview_key key = { { 7 } }, other_key = { { 8 } };
static struct err e;

static void a_link_works_until_it_expires(void **unused)
{
    struct id id = id_new(), found;
    char link[PREVIEW_TEXT];
    int64_t rev;

    (void)unused;
    clock_set(1763712000);
    assert_int_equal(preview_make(&e, &key, &id, 3, 3600, link), RC_OK);
    assert_int_equal(preview_check(&e, &key, link, &found, &rev), RC_OK);
    assert_memory_equal(found.b, id.b, sizeof id.b);
    assert_int_equal(rev, 3);
    clock_set(1763712000 + 3599);
    assert_int_equal(preview_check(&e, &key, link, &found, &rev), RC_OK);
    clock_set(1763712000 + 3600);
    assert_int_equal(preview_check(&e, &key, link, &found, &rev), RC_GONE);
}

static void any_other_character_makes_it_void(void **unused)
{
    struct id id = id_new(), found;
    char link[PREVIEW_TEXT], forged[PREVIEW_TEXT];
    int64_t rev;

    (void)unused;
    clock_set(1763712000);
    assert_int_equal(preview_make(&e, &key, &id, 3, 3600, link), RC_OK);
    for (size_t i = 0; link[i]; i++)
        for (const char *c = "AZaz09-_=. \n/"; *c; c++) {
            if (link[i] == *c)
                continue;
            strcpy(forged, link);
            forged[i] = *c;
            assert_int_equal(preview_check(&e, &key, forged, &found, &rev), RC_NOT_FOUND);
        }
    for (size_t n = 0; n < strlen(link); n++) {
        memcpy(forged, link, n);
        forged[n] = '\0';
        assert_int_equal(preview_check(&e, &key, forged, &found, &rev), RC_NOT_FOUND);
    }
    assert_int_equal(preview_check(&e, &other_key, link, &found, &rev), RC_NOT_FOUND);
}

static void lifetimes_are_limited(void **unused)
{
    struct id id = id_new();
    char link[PREVIEW_TEXT];

    (void)unused;
    assert_int_equal(preview_make(&e, &key, &id, 1, 0, link), RC_INVALID);
    assert_int_equal(preview_make(&e, &key, &id, 1, -5, link), RC_INVALID);
    assert_int_equal(preview_make(&e, &key, &id, 1, PREVIEW_LIFETIME_MAX + 1, link),
                     RC_INVALID);
    assert_int_equal(preview_make(&e, &key, &id, 1, PREVIEW_LIFETIME_MAX, link), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_works_until_it_expires),
        cmocka_unit_test(any_other_character_makes_it_void),
        cmocka_unit_test(lifetimes_are_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
