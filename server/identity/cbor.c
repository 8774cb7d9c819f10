/*
 * cbor.c - RFC 8949 as far as authenticators need it, in the one spelling that CTAP2 allows.
 *
 *     first byte   major type (3 bits), then the argument: itself below 24, else in 1, 2, 4 or 8 bytes
 *     0, 1         an integer: n, or -1 - n
 *     2, 3         bytes or UTF-8 text of n bytes
 *     4, 5         an array of n items, a map of n pairs
 *     7            false, true, null
 *
 * "CTAP2 canonical CBOR encoding form": each argument as short as it can be; lengths said
 * beforehand; the keys of a map sorted (by major type, then by length, then byte by byte), which
 * also means that none stands twice; no tags; at most four levels. So two readers of the same bytes
 * cannot see different things. Floats, undefined and integers beyond 63 bits are canonical too, but
 * nothing that we read has them; they are refused.
 *
 * Reading an item checks all that is in it. cbor_at() walks over what was checked.
 */
#include "server/identity/cbor.h"

#include <string.h>

#include "sync/wire.h"

struct reader {
    const uint8_t *p, *end;
};

enum {
    MAJOR_INT,
    MAJOR_NEGATIVE,
    MAJOR_BYTES,
    MAJOR_TEXT,
    MAJOR_ARRAY,
    MAJOR_MAP,
    MAJOR_SIMPLE = 7
};

/* Major type and argument. False: cut, not the shortest form, or a length that is not said. */
static bool head(struct reader *r, int *major, uint64_t *argument)
{
    static const uint64_t least[] = { 24, 1 << 8, 1 << 16,
                                      1ull << 32 }; /* in 1, 2, 4, 8 bytes */
    int info;

    if (r->p == r->end)
        return false;
    *major = *r->p >> 5;
    info = *r->p++ & 31;
    *argument = (uint64_t)info;
    if (info < 24)
        return true;
    if (info > 27 || r->end - r->p < 1 << (info - 24))
        return false;
    *argument = 0;
    for (int i = 1 << (info - 24); i; i--)
        *argument = *argument << 8 | *r->p++;
    return *argument >= least[info - 24];
}

static bool take(struct reader *r, uint64_t n, struct cbor *out)
{
    if (n > (uint64_t)(r->end - r->p))
        return false;
    out->bytes = r->p;
    out->n = (size_t)n;
    r->p += n;
    return true;
}

/* Whether key a stands before key b; both are encoded items. */
static bool in_order(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
    if (a[0] >> 5 != b[0] >> 5)
        return a[0] >> 5 < b[0] >> 5;
    if (a_n != b_n)
        return a_n < b_n;
    return memcmp(a, b, a_n) < 0;
}

static bool item(struct reader *r, int depth, struct cbor *out);

static bool members(struct reader *r, int depth, uint64_t count, struct cbor *out)
{
    const uint8_t *key = NULL, *begun = r->p;
    size_t key_n = 0;
    bool map = out->type == CBOR_MAP;
    struct cbor ignored;

    /* Each takes a byte at least; so a count cannot ask for more work than there are bytes. */
    if (!depth || count > (uint64_t)(r->end - r->p))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *at = r->p;

        if (map && (!item(r, depth - 1, &ignored) ||
                    (key && !in_order(key, key_n, at, (size_t)(r->p - at)))))
            return false;
        key = at;
        key_n = (size_t)(r->p - at);
        if (!item(r, depth - 1, &ignored))
            return false;
    }
    out->number = (int64_t)count;
    out->bytes = begun;
    out->n = (size_t)(r->p - begun);
    return true;
}

static bool simple(uint64_t argument, struct cbor *out)
{
    enum { FALSE = 20, TRUE, NIL };

    *out = (struct cbor){ .type = argument == NIL ? CBOR_NULL : CBOR_BOOL,
                          .number = argument == TRUE };
    return argument >= FALSE && argument <= NIL;
}

static bool item(struct reader *r, int depth, struct cbor *out)
{
    uint64_t argument;
    int major;

    *out = (struct cbor){ 0 };
    if (!head(r, &major, &argument))
        return false;
    switch (major) {
    case MAJOR_INT:
    case MAJOR_NEGATIVE:
        out->type = CBOR_INT;
        out->number = major == MAJOR_INT ? (int64_t)argument : -1 - (int64_t)argument;
        return argument <= INT64_MAX;
    case MAJOR_BYTES: out->type = CBOR_BYTES; return take(r, argument, out);
    case MAJOR_TEXT:
        out->type = CBOR_TEXT;
        return take(r, argument, out) && wire_is_utf8((const char *)out->bytes, out->n);
    case MAJOR_ARRAY: out->type = CBOR_ARRAY; return members(r, depth, argument, out);
    case MAJOR_MAP: out->type = CBOR_MAP; return members(r, depth, argument, out);
    case MAJOR_SIMPLE: return simple(argument, out);
    default: return false; /* tags */
    }
}

bool cbor_read(const uint8_t *p, size_t n, struct cbor *out, size_t *used)
{
    struct reader r;
    struct cbor found;

    if (!n || n > CBOR_MAX)
        return false;
    r = (struct reader){ p, p + n };
    if (!item(&r, CBOR_DEPTH, &found))
        return false;
    *out = found;
    *used = (size_t)(r.p - p);
    return true;
}

static bool is_key(const struct cbor *key, int64_t number, const char *name)
{
    if (!name)
        return key->type == CBOR_INT && key->number == number;
    return key->type == CBOR_TEXT && key->n == strlen(name) &&
           !memcmp(key->bytes, name, key->n);
}

static bool find(const struct cbor *map, int64_t number, const char *name, struct cbor *out)
{
    struct reader r;
    struct cbor key, value;

    if (map->type != CBOR_MAP)
        return false;
    r = (struct reader){ map->bytes, map->bytes + map->n };
    while (r.p < r.end && item(&r, CBOR_DEPTH, &key) && item(&r, CBOR_DEPTH, &value))
        if (is_key(&key, number, name)) {
            *out = value;
            return true;
        }
    return false;
}

bool cbor_at(const struct cbor *map, int64_t key, struct cbor *out)
{
    return find(map, key, NULL, out);
}

bool cbor_at_name(const struct cbor *map, const char *key, struct cbor *out)
{
    return find(map, 0, key, out);
}
