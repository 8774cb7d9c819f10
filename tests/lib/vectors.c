/* vectors.c - reading the examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/vectors.h"

json_t *load(const char *name)
{
    char path[512];
    json_error_t why;
    json_t *v;

    snprintf(path, sizeof path, "%s/%s", TJZW_VECTORS, name);
    v = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (!v)
        fail_msg("%s: line %d: %s", path, why.line, why.text);
    return v;
}

const char *text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    assert_non_null(s);
    return s;
}

uint64_t number(const json_t *o, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(o, name));
}

size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;

    assert_true(wire_unhex(hex, strlen(hex), out, n));
    return n;
}

void assert_hash(const json_t *o, const char *name, const uint8_t hash[WIRE_HASH])
{
    char hex[65];

    wire_hex(hash, WIRE_HASH, hex);
    assert_string_equal(text(o, name), hex);
}

uint8_t *unhex_new(const char *hex, size_t *n)
{
    uint8_t *out = malloc(strlen(hex) / 2 + 1);

    *n = unhex(hex, out);
    return out;
}
