/*
 * merge.c - the higher seq wins in public; at home it depends on the type.
 *
 * seq is given in the order of commit by the one server that may, so nothing else (no clock, no
 * order of arrival) decides. That makes applying idempotent and free of order: records may come
 * twice, from objects and catch-ups that overlap, and in any sequence.
 *
 * Of a person's own state LAST and OLDEST take what was written; that the server's order decides is the order in which it asks. UNION is commutative, associative and
 * idempotent, so there even the order does not matter: sets of numbers become bits, and text again in the one way that is canonical.
 */
#include "sync/merge.h"

#include <string.h>

bool merge_counts(uint64_t held, uint64_t seq)
{
    return seq > held;
}

/* ---- sets of numbers ---- */

enum { NUMBERS = 4096, WORD = 64, DIGITS = 4 };

struct set {
    uint64_t word[NUMBERS / WORD];
};

static bool has(const struct set *s, unsigned n)
{
    return s->word[n / WORD] >> n % WORD & 1;
}

static void add(struct set *s, unsigned first, unsigned last)
{
    for (unsigned n = first; n <= last; n++)
        s->word[n / WORD] |= UINT64_C(1) << n % WORD;
}

/* A number at *at, which moves behind it. */
static bool read_number(const char **at, const char *end, unsigned *out)
{
    const char *p = *at;
    unsigned v = 0;

    while (p < end && *p >= '0' && *p <= '9' && p - *at < DIGITS)
        v = v * 10 + (unsigned)(*p++ - '0');
    if (p == *at || (**at == '0' && p - *at > 1) || v >= NUMBERS)
        return false;
    *at = p;
    *out = v;
    return true;
}

static bool read_range(const char **at, const char *end, struct set *out)
{
    unsigned first, last;

    if (!read_number(at, end, &first))
        return false;
    last = first;
    if (*at < end && **at == '-') {
        ++*at;
        if (!read_number(at, end, &last) || last < first)
            return false;
    }
    add(out, first, last);
    return true;
}

static bool read_set(const char *text, size_t n, struct set *out)
{
    const char *at = text, *end = text + n;

    for (;;) {
        if (!read_range(&at, end, out))
            return false;
        if (at == end)
            return true;
        if (*at++ != ',')
            return false;
    }
}

static char *put_number(char *at, unsigned n)
{
    if (n >= 10)
        at = put_number(at, n / 10);
    *at++ = (char)('0' + n % 10);
    return at;
}

static void put_set(const struct set *s, char *at)
{
    const char *begin = at;

    *at++ = '"';
    for (unsigned n = 0; n < NUMBERS; n++) {
        unsigned first = n;

        if (!has(s, n))
            continue;
        while (n + 1 < NUMBERS && has(s, n + 1))
            n++;
        if (at > begin + 1)
            *at++ = ',';
        at = put_number(at, first);
        if (n == first)
            continue;
        *at++ = '-';
        at = put_number(at, n);
    }
    *at++ = '"';
    *at = '\0';
}

bool merge_ranges_ok(const char *text, size_t n)
{
    struct set s = { 0 };

    return read_set(text, n, &s);
}

bool merge_ranges_have(const char *text, size_t n, unsigned number)
{
    struct set s = { 0 };

    return number < NUMBERS && read_set(text, n, &s) && has(&s, number);
}

/* ---- the rules ---- */

/* "…" with ranges between the quotes; anything else is no set. */
static bool add_value(const char *value, struct set *out)
{
    size_t n = value ? strlen(value) : 0;

    return n > 2 && *value == '"' && read_set(value + 1, n - 2, out);
}

static const char *unite(const char *held, const char *written, char out[MERGE_MAX])
{
    struct set s = { 0 };

    if (!written)
        return held;
    if (!add_value(written, &s))
        return written;
    if (held)
        add_value(held, &s);
    put_set(&s, out);
    return out;
}

const char *merge_value(enum merge_rule rule, const char *held, const char *written,
                        char out[MERGE_MAX])
{
    return rule == MERGE_UNION ? unite(held, written, out) : written;
}

int merge_surplus(enum merge_rule rule, int n, int most)
{
    return rule == MERGE_OLDEST && n > most ? n - most : 0;
}
