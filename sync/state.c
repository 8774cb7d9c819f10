/*
 * state.c - state.def, and the patterns in it.
 *
 * A pattern is text that must be there as it stands, with capital letters for what varies; `|` stands between alternatives. Each letter takes as much as it can, and
 * the whole text must be used up. Nothing in a pattern begins with what the letter before it could take, so there is never a choice and nothing is tried twice.
 *
 *     S  the name of a stream
 *     U  a UUID, lower case
 *     N  a number from 0, at most 15 digits, no zero before it
 *     P  a number from 0 to 1000
 *     A  6, 9 or 12 digits: an area of GB/T 2260
 *     C  1 to 64 letters, digits, - and _
 *     R  the same without - and _
 *     T  1 to 60 bytes of text, without control characters, quotes, \ and /
 *     H  a time of day, "07:30"
 *     B  ranges of numbers (merge.h)
 */
#include "sync/state.h"

#include <string.h>

#include "sync/wire.h"

static const struct state_type types[] = {
#define STATE_TYPE(name, rule, most, value_max, writer, sealed, key, value) \
    { #name, MERGE_##rule, most, value_max, STATE_BY_##writer, sealed, key, value },
#define STATE_SETTING(name, value)
#include "sync/state.def"
#undef STATE_TYPE
#undef STATE_SETTING
};

static const struct setting {
    const char *name, *value;
} settings[] = {
#define STATE_TYPE(name, rule, most, value_max, writer, sealed, key, value)
#define STATE_SETTING(name, value) { #name, value },
#include "sync/state.def"
#undef STATE_TYPE
#undef STATE_SETTING
};

enum { TYPES = sizeof types / sizeof *types, SETTINGS = sizeof settings / sizeof *settings };

/* ---- what varies: each returns the bytes it takes of `s`, 0 if it is not there ---- */

static const char digits[] = "0123456789",
                  letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                  word[] = "-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static size_t at_most(size_t n, size_t max)
{
    return n <= max ? n : 0;
}

static size_t take_stream(const char *s)
{
    size_t n = strcspn(s, "/\"");

    return wire_stream_ok(s, n) ? n : 0;
}

static size_t take_uuid(const char *s)
{
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (!s[i] || !strchr(dash ? "-" : "0123456789abcdef", s[i]))
            return 0;
    }
    return 36;
}

static size_t take_number(const char *s)
{
    size_t n = strspn(s, digits);

    return n > 1 && *s == '0' ? 0 : at_most(n, 15);
}

static size_t take_per_mille(const char *s)
{
    size_t n = take_number(s);

    return n < 4 || (n == 4 && !memcmp(s, "1000", 4)) ? n : 0;
}

static size_t take_area(const char *s)
{
    size_t n = strspn(s, digits);

    return n == 6 || n == 9 || n == 12 ? n : 0;
}

static size_t take_code(const char *s)
{
    return at_most(strspn(s, word), 64);
}

static size_t take_rank(const char *s)
{
    return at_most(strspn(s, letters), 64);
}

static size_t take_tag(const char *s)
{
    size_t n = 0;

    while ((unsigned char)s[n] >= 0x20 && s[n] != 0x7f && !strchr("/\\\"", s[n]))
        n++;
    return wire_is_utf8(s, n) ? at_most(n, 60) : 0;
}

static bool is_below(const char *s, int limit)
{
    return strspn(s, digits) >= 2 && (s[0] - '0') * 10 + s[1] - '0' < limit;
}

static size_t take_time(const char *s)
{
    return is_below(s, 24) && s[2] == ':' && is_below(s + 3, 60) ? 5 : 0;
}

static size_t take_ranges(const char *s)
{
    size_t n = strcspn(s, "\"");

    return merge_ranges_ok(s, n) ? n : 0;
}

static size_t (*const takers['Z' - 'A' + 1])(const char *s) = {
    ['S' - 'A'] = take_stream,    ['U' - 'A'] = take_uuid, ['N' - 'A'] = take_number,
    ['P' - 'A'] = take_per_mille, ['A' - 'A'] = take_area, ['C' - 'A'] = take_code,
    ['R' - 'A'] = take_rank,      ['T' - 'A'] = take_tag,  ['H' - 'A'] = take_time,
    ['B' - 'A'] = take_ranges,
};

/* ---- patterns ---- */

static bool is_end(char c)
{
    return !c || c == '|';
}

/* One alternative: up to the next '|' or the end. */
static bool fits_one(const char *p, const char *s)
{
    for (; !is_end(*p); p++) {
        bool varies = *p >= 'A' && *p <= 'Z';
        size_t n = varies ? takers[*p - 'A'](s) : *s == *p;

        if (!n)
            return false;
        s += n;
    }
    return !*s;
}

static bool fits(const char *pattern, const char *s)
{
    for (const char *p = pattern;; p++) {
        if (fits_one(p, s))
            return true;
        if (!(p = strchr(p, '|')))
            return false;
    }
}

/* ---- the table ---- */

const struct state_type *state_types(int *n)
{
    *n = TYPES;
    return types;
}

const struct state_type *state_type_find(const char *name)
{
    for (int i = 0; i < TYPES; i++)
        if (!strcmp(types[i].name, name))
            return &types[i];
    return NULL;
}

static const struct setting *find_setting(const char *name)
{
    for (int i = 0; i < SETTINGS; i++)
        if (!strcmp(settings[i].name, name))
            return &settings[i];
    return NULL;
}

static bool is_settings(const struct state_type *t)
{
    return !strcmp(t->name, "set");
}

bool state_key_ok(const struct state_type *t, const char *key)
{
    return strnlen(key, STATE_KEY_MAX + 1) <= STATE_KEY_MAX && fits(t->key, key) &&
           (!is_settings(t) || find_setting(key));
}

bool state_value_ok(const struct state_type *t, const char *key, const char *value)
{
    const char *pattern = is_settings(t) ? find_setting(key)->value : t->value;

    return strnlen(value, (size_t)t->value_max + 1) <= (size_t)t->value_max &&
           (!pattern || fits(pattern, value));
}
