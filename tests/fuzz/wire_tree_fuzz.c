/*
 * wire_tree_fuzz.c - the tree in pieces, as a stranger may serve it: cover, tile, and the roots in a store.
 *
 * The first byte chooses. A cover that is let in is as long as its size says, its pieces lie inside the input, and each horizon it
 * allows has roots that go to a store and back. Which root is right is not asked here.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "sync/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint8_t (*room(unsigned i))[WIRE_HASH]
{
    static uint8_t roots[2][BELOW_MAX][WIRE_HASH];

    return roots[i];
}

static void try_below(const uint8_t *in, size_t n)
{
    static uint8_t again[BELOW_TEXT_MAX];
    struct merkle_below b = { .roots = room(0) };
    uint64_t first, last, next = 0;
    struct sync_err e;
    unsigned height;

    if (merkle_below_parse(&e, in, n, &b))
        return;
    if (merkle_below_print(&b, again) != n || memcmp(again, in, n))
        abort();
    for (size_t i = 0; i < b.n; i++, next = last + 1) {
        merkle_below_extent(&b, i, &first, &last, &height);
        if (first != next || last - first + 1 != (uint64_t)1 << height ||
            merkle_below_of(&b, first) != i || merkle_below_of(&b, last) != i)
            abort();
    }
    if (next != b.horizon)
        abort();
}

static void try_horizon(const struct wire_cover *c, uint64_t born)
{
    static uint8_t text[BELOW_TEXT_MAX];
    struct merkle_below b = { .roots = room(1) };
    uint64_t low = wire_horizon_below(c->size, born), up = wire_horizon_above(c->size, born);
    struct sync_err e;

    if (!wire_horizon_ok(c->size, low) || low > born || !wire_horizon_ok(c->size, up) ||
        (up != 0 && up < born))
        abort();
    if (merkle_below_count(low) > BELOW_MAX)
        return;
    if (merkle_below_from_cover(&e, c, low, &b))
        abort();
    try_below(text, merkle_below_print(&b, text));
}

static void try_cover(const uint8_t *in, size_t n)
{
    uint8_t header[WIRE_COVER_HEADER];
    struct wire_head head = { 0 };
    struct wire_cover c;
    struct sync_err e;

    if (wire_cover_parse(&e, in, n, &c))
        return;
    wire_cover_header(&c, header);
    if (wire_cover_bytes(&c) != n || memcmp(header, in, sizeof header) ||
        c.last + c.lasts * WIRE_LEAF_ROW != in + n)
        abort();
    head.size = c.size;
    verify_cover_root(&c, head.root);
    if (verify_cover(&e, &c, &head))
        abort();
    head.root[0] ^= 1;
    if (!verify_cover(&e, &c, &head))
        abort();
    for (uint64_t born = 0; born <= c.size + 1; born += 1 + c.size / 5)
        try_horizon(&c, born);
}

static void try_tile(const uint8_t *in, size_t n)
{
    uint8_t hash[WIRE_HASH] = { 0 };
    struct sync_err e;

    if (n == 0 || verify_tile(&e, in[0], in + 1, n - 1, hash) == SYNC_INVALID)
        return;
    if (n - 1 > WIRE_TILE_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static void (*const tries[])(const uint8_t *, size_t) = { try_cover, try_tile, try_below };

    if (sodium_init() < 0)
        abort();
    if (n)
        tries[data[0] % 3](data + 1, n - 1);
    return 0;
}
