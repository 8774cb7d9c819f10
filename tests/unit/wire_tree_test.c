/* wire_tree_test.c - what a cover is made of, which horizons there are, and the shapes of tiles: by the words of the page,
 * size by size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/wire.h"

static struct sync_err err;

#define OK(expr)      assert_int_equal((expr), SYNC_OK)
#define REFUSED(expr) assert_int_equal((expr), SYNC_INVALID)

/* Around every boundary, and some in between. */
static uint64_t size_no(unsigned i)
{
    static const uint64_t around[] = { 1,      64,     1024,   4096,    65536,   66560,
                                       131072, 196608, 262144, 1000000, 1u << 30 };
    enum { AROUND = sizeof around / sizeof around[0] };

    return i < 5 * AROUND ? around[i / 5] + i % 5 - (i < 5 ? 1 : 2) : 0;
}
enum { SIZES = 55 };

static void the_pieces_of_a_cover_are_all_leaves_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SIZES; i++) {
        uint64_t size = size_no(i), most = size > 65536 ? size - 65536 : 0;
        struct wire_cover c;

        wire_cover_shape(size, &c);
        assert_int_equal(c.size, size);
        assert_int_equal(c.first, most / 65536 * 65536);
        assert_int_equal(c.tops, c.first / 65536);
        assert_int_equal(c.mids, size / 1024 - c.first / 1024);
        assert_int_equal(c.lows, size / 64 - size / 1024 * 16);
        assert_int_equal(c.lasts, size % 64);
        assert_int_equal(c.tops * 65536 + c.mids * 1024 + c.lows * 64 + c.lasts, size);
        assert_int_equal(wire_cover_bytes(&c),
                         24 + 32 * (c.tops + c.mids + c.lows) + 40 * c.lasts);
        assert_null(c.top);
    }
}

static size_t a_cover(uint64_t size, uint8_t *out)
{
    struct wire_cover c;

    wire_cover_shape(size, &c);
    memset(out, 7, wire_cover_bytes(&c));
    wire_cover_header(&c, out);
    return wire_cover_bytes(&c);
}

static void a_cover_is_exactly_as_long_as_its_size_says(void **state)
{
    uint8_t *bytes = calloc(1, WIRE_COVER_MAX + 2);
    struct wire_cover c;

    (void)state;
    for (unsigned i = 0; i < SIZES; i++) {
        uint64_t size = size_no(i);
        size_t n = a_cover(size, bytes);

        OK(wire_cover_parse(&err, bytes, n, &c));
        assert_int_equal(c.size, size);
        assert_ptr_equal(c.top, bytes + 24);
        assert_ptr_equal(c.mid, c.top + 32 * c.tops);
        assert_ptr_equal(c.low, c.mid + 32 * c.mids);
        assert_ptr_equal(c.last, c.low + 32 * c.lows);
        REFUSED(wire_cover_parse(&err, bytes, n - 1, &c));
        REFUSED(wire_cover_parse(&err, bytes, n + 1, &c));
        if (size % 64 == 0)
            continue;
        assert_int_equal(wire_row_seq(c.last), 0x0707070707070707);
        memset(bytes + n - 40, 0, 8);
        REFUSED(wire_cover_parse(&err, bytes, n, &c));
        bytes[n - 40] = 0x80;
        REFUSED(wire_cover_parse(&err, bytes, n, &c));
    }
    free(bytes);
}

static void a_cover_with_another_header_is_refused(void **state)
{
    uint8_t *bytes = calloc(1, WIRE_COVER_MAX + 1);
    size_t n = a_cover(131072, bytes);
    struct wire_cover c;

    (void)state;
    for (size_t i = 0; i < WIRE_COVER_HEADER; i++) {
        bytes[i] ^= 1;
        REFUSED(wire_cover_parse(&err, bytes, n, &c));
        bytes[i] ^= 1;
    }
    OK(wire_cover_parse(&err, bytes, n, &c));
    for (n = 0; n < WIRE_COVER_HEADER; n++)
        REFUSED(wire_cover_parse(&err, bytes, n, &c));
    /* A size whose cover would be longer than any, or wrap around. */
    for (unsigned bit = 32; bit < 64; bit++) {
        memset(bytes + 8, 0, 16);
        bytes[15 - bit / 8] = (uint8_t)(1 << bit % 8);
        REFUSED(wire_cover_parse(&err, bytes, WIRE_COVER_HEADER, &c));
        REFUSED(wire_cover_parse(&err, bytes, WIRE_COVER_MAX, &c));
    }
    free(bytes);
}

/* Section 11, word by word. */
static bool allowed(uint64_t size, uint64_t h)
{
    uint64_t first = (size > 65536 ? size - 65536 : 0) / 65536 * 65536;

    return h <= size && (h % 65536 == 0 || (h % 1024 == 0 && h >= first));
}

static void horizons_are_those_of_the_page(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SIZES - 5; i++) {
        uint64_t size = size_no(i), low = 0;

        for (uint64_t born = 0; born < size + 70000; born += born % 512 ? 511 : 1) {
            uint64_t above = wire_horizon_above(size, born);

            assert_int_equal(wire_horizon_ok(size, born), allowed(size, born));
            if (allowed(size, born))
                low = born;
            assert_int_equal(wire_horizon_below(size, born), low);
            if (above == 0)
                assert_true(born == 0 || low <= born);
            else
                assert_true(above >= born && above - born < 65536 && allowed(size, above));
        }
    }
}

static void the_horizon_above_is_the_lowest_there_is(void **state)
{
    static const uint64_t sizes[] = { 0, 1023, 1024, 65536, 131071, 131072, 200000, 262144 };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t next = 0;

        for (uint64_t born = (sizes[i] / 1024 + 2) * 1024;; born--) {
            if (allowed(sizes[i], born))
                next = born;
            assert_int_equal(wire_horizon_above(sizes[i], born), next);
            if (born == 0)
                break;
        }
    }
    assert_int_equal(wire_horizon_above(200000, UINT64_MAX), 0);
    assert_int_equal(wire_horizon_below(200000, UINT64_MAX), 199680);
}

static void a_tile_has_the_children_of_its_height(void **state)
{
    unsigned child;
    size_t bytes;

    (void)state;
    for (unsigned height = 0; height < 70; height++) {
        size_t n = wire_tile_shape(height, &child, &bytes);

        if (height != 6 && height != 10 && height != 16) {
            assert_int_equal(n, 0);
            continue;
        }
        assert_int_equal(n << child, 1u << height);
        assert_int_equal(bytes, height == 6 ? 40 : 32);
        assert_true(n * bytes <= WIRE_TILE_MAX);
        assert_int_equal(wire_tile_shape(height, NULL, NULL), n);
    }
}

static void the_tree_has_its_urls(void **state)
{
#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define UUID "0123abcd-4567-89ef-fedc-ba9876543210"
    static const struct {
        const char *path;
        enum wire_url_kind kind;
    } good[] = {
        { "/v1/sync/heads", WIRE_URL_HEADS },
        { "/v1/sync/heads/main", WIRE_URL_HEADS },
        { "/v1/sync/heads/head", WIRE_URL_HEADS }, /* a stream may be called so */
        { "/v1/sync/main/cover/1.0", WIRE_URL_COVER },
        { "/v1/sync/main/cover/9223372036854775807.9223372036854775807", WIRE_URL_COVER },
        { "/v1/sync/main/tile/6.0." HASH, WIRE_URL_TILE },
        { "/v1/sync/main/tile/10.77." HASH, WIRE_URL_TILE },
        { "/v1/sync/main/tile/16.9223372036854775807." HASH, WIRE_URL_TILE },
        { "/v1/sync/main/item/1/0.7", WIRE_URL_ITEM },
        { "/v1/sync/main/item/1/0.7.zst", WIRE_URL_ITEM },
        { "/v1/sync/main/place/" UUID, WIRE_URL_PLACE },
        { "/v1/sync/main/log/1/2/0-9.dz", WIRE_URL_LOG },
    };
    static const char *const bad[] = {
        "/v1/sync/heads/",
        "/v1/sync/heads/heads",
        "/v1/sync/heads/main/x",
        "/v1/sync/heads/Main",
        "/v1/sync/main/cover/1",
        "/v1/sync/main/cover/1.2.gz",
        "/v1/sync/main/cover/1.2.3",
        "/v1/sync/main/tile/0.0." HASH,
        "/v1/sync/main/tile/7.0." HASH,
        "/v1/sync/main/tile/06.0." HASH,
        "/v1/sync/main/tile/4294967302.0." HASH,
        "/v1/sync/main/tile/6.0." HASH ".gz",
        "/v1/sync/main/tile/6." HASH,
        "/v1/sync/main/item/1/0.7.dz",
        "/v1/sync/main/item/1/0",
        "/v1/sync/main/item/1.0.7",
        "/v1/sync/main/place/" UUID "0",
        "/v1/sync/main/place/0123ABCD-4567-89ef-fedc-ba9876543210",
        "/v1/sync/main/object/" HASH ".dz",
    };
    char printed[WIRE_URL_MAX];
    struct wire_url u;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        OK(wire_url_parse(&err, good[i].path, strlen(good[i].path), &u));
        assert_int_equal(u.kind, good[i].kind);
        assert_int_equal(wire_url_print(&u, printed), strlen(good[i].path));
        assert_string_equal(printed, good[i].path);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (wire_url_parse(&err, bad[i], strlen(bad[i]), &u) != SYNC_INVALID)
            fail_msg("accepted: %s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pieces_of_a_cover_are_all_leaves_once),
        cmocka_unit_test(a_cover_is_exactly_as_long_as_its_size_says),
        cmocka_unit_test(a_cover_with_another_header_is_refused),
        cmocka_unit_test(horizons_are_those_of_the_page),
        cmocka_unit_test(the_horizon_above_is_the_lowest_there_is),
        cmocka_unit_test(a_tile_has_the_children_of_its_height),
        cmocka_unit_test(the_tree_has_its_urls),
    };

    return cmocka_run_group_tests_name("wire_tree", tests, NULL, NULL);
}
