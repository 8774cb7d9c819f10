/*
 * wire_json.c - is this one object of canonical JSON (docs/protocol/sync.md section 9)?
 *
 * One pass, nothing is built. A text that another spelling of the same value would fit is refused: white
 * space, an escape that is not needed or has a shorter form, a number that is no integer, members out of the
 * order of their bytes. That order is of the names as meant, so two names are compared behind their escapes.
 * Not here: what the members are (clients/c/directory.c, server/channel/mirror_items.c).
 */
#include "sync/wire.h"

#include <string.h>

enum { DEEPEST = 32, NO_BYTE = -1 };

static bool take_value(struct wire_text *t, int depth);

/* The control character that has no short form; NO_BYTE, and nothing is taken, if this is none. */
static int long_escape(struct wire_text *t)
{
    struct wire_text mark = *t;
    uint8_t byte;

    if (!wire_take_lit(&mark, "\\u00") || !wire_take_hex(&mark, &byte, 1) || byte >= 0x20 ||
        (byte && strchr("\n\r\t\b\f", byte)))
        return NO_BYTE;
    *t = mark;
    return byte;
}

/* The next byte of what a string means; NO_BYTE, and nothing is taken, at its closing quote and where it is malformed. */
static int take_byte(struct wire_text *t)
{
    static const char letters[] = "\"\\nrtbf", meant[] = "\"\\\n\r\t\b\f";
    const char *letter;

    if (t->at == t->end || *t->at == '"' || (unsigned char)*t->at < 0x20)
        return NO_BYTE;
    if (*t->at != '\\')
        return (unsigned char)*t->at++;
    if (t->end - t->at < 2 || t->at[1] == '\0' || !(letter = strchr(letters, t->at[1])))
        return long_escape(t);
    t->at += 2;
    return meant[letter - letters];
}

/* *inside: what stands between the quotes. */
static bool take_string(struct wire_text *t, struct wire_text *inside)
{
    if (!wire_take_lit(t, "\""))
        return false;
    inside->at = t->at;
    while (take_byte(t) != NO_BYTE)
        ;
    inside->end = t->at;
    return wire_take_lit(t, "\"") &&
           wire_is_utf8(inside->at, (size_t)(inside->end - inside->at));
}

static bool ascends(struct wire_text a, struct wire_text b)
{
    int x, y;

    do {
        x = take_byte(&a);
        y = take_byte(&b);
    } while (x == y && x != NO_BYTE);
    return x < y;
}

static bool take_members(struct wire_text *t, int depth)
{
    struct wire_text before, name;

    if (wire_take_lit(t, "}"))
        return true;
    for (bool first = true;; first = false) {
        if (!take_string(t, &name) || (!first && !ascends(before, name)) ||
            !wire_take_lit(t, ":") || !take_value(t, depth + 1))
            return false;
        if (!wire_take_lit(t, ","))
            return wire_take_lit(t, "}");
        before = name;
    }
}

static bool take_elements(struct wire_text *t, int depth)
{
    if (wire_take_lit(t, "]"))
        return true;
    do
        if (!take_value(t, depth + 1))
            return false;
    while (wire_take_lit(t, ","));
    return wire_take_lit(t, "]");
}

static bool take_integer(struct wire_text *t)
{
    bool negative = wire_take_lit(t, "-");
    uint64_t value;

    return wire_take_u64(t, &value) && !(negative && value == 0);
}

static bool take_value(struct wire_text *t, int depth)
{
    struct wire_text ignored;

    if (t->at == t->end || (depth > DEEPEST && strchr("{[", *t->at)))
        return false;
    switch (*t->at) {
    case '{': t->at++; return take_members(t, depth);
    case '[': t->at++; return take_elements(t, depth);
    case '"': return take_string(t, &ignored);
    default:
        return take_integer(t) || wire_take_lit(t, "true") || wire_take_lit(t, "false") ||
               wire_take_lit(t, "null");
    }
}

bool wire_is_canonical(const char *text, size_t n)
{
    struct wire_text t = { text, text + n };

    return n > 0 && text[0] == '{' && take_value(&t, 1) && t.at == t.end;
}
