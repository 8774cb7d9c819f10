/*
 * keybag_fuzz.c - a backup of keys, however damaged, with its key at hand.
 *
 * The input is what a bag is made of: it must open to the same. Then one byte of the bag is another, where the input says so: refused.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "server/identity/keybag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const uint8_t key[KEYBAG_KEY] = { 1, 2, 3 }, salt[16] = { 4 };

static void check(struct arena *mem, const uint8_t *data, size_t n)
{
    struct keybag_file in = { .name = "seal.1", .bytes = (const char *)data, .n = n }, *out;
    struct buf bag = BUF_IN(mem);
    struct err e;
    size_t at;
    int out_n;

    if (keybag_close_with(&e, &in, 1, salt, key, &bag) ||
        keybag_open_with(&e, mem, bag.p, bag.n, key, &out, &out_n) || out_n != 1 ||
        out->n != n || memcmp(out->bytes, data, n) != 0)
        abort();
    at = n > 1 ? (size_t)(data[0] << 8 | data[1]) % bag.n : 0;
    bag.p[at] ^= 1;
    if (!keybag_open_with(&e, mem, bag.p, bag.n, key, &out, &out_n))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();
    struct keybag_file *out;
    struct err e;
    int out_n;

    if (sodium_init() < 0)
        abort();
    (void)!keybag_open_with(&e, mem, data, n, key, &out, &out_n);
    if (n <= 4096)
        check(mem, data, n);
    arena_free(mem);
    return 0;
}
