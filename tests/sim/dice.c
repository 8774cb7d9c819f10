/*
 * dice.c - splitmix64, and the places where libraries ask the system for randomness.
 */
#include "tests/sim/dice.h"

#include <sodium.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static struct dice ours;

static uint64_t next(struct dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t dice_roll(struct dice *d, uint32_t below)
{
    return (uint32_t)((next(d) >> 16) % below);
}

struct dice dice_split(const struct dice *d, uint64_t salt)
{
    struct dice out = { d->state ^ (salt + 1) * 0xd6e8feb86659fd93u };

    out.state = next(&out);
    return out;
}

static void fill(void *const p, const size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        uint64_t z = next(&ours);

        memcpy((char *)p + i, &z, n - i < 8 ? n - i : 8);
    }
}

static const char *name(void)
{
    return "dice";
}

static uint32_t draw(void)
{
    return (uint32_t)next(&ours);
}

void dice_rule(struct dice d)
{
    static randombytes_implementation impl = { .implementation_name = name,
                                               .random = draw,
                                               .buf = fill };

    ours = d;
    randombytes_set_implementation(&impl);
}

/* What OpenSSL seeds itself with. */
ssize_t getrandom(void *p, size_t n, unsigned flags)
{
    (void)flags;
    fill(p, n);
    return (ssize_t)n;
}

int getentropy(void *p, size_t n)
{
    fill(p, n);
    return 0;
}
