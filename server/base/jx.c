/*
 * jx.c - strict JSON in, canonical JSON out.
 *
 * jansson checks the grammar and the UTF-8; we add what it leaves open: duplicate keys are
 * refused, nesting ends at 32, and a table says which members an object may have. Output is
 * written by hand: an article must never be turned into a tree just to be sent.
 */
#include "server/base/jx.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, KEYS_MAX = 256, PLACE = 128 };

/* Whether so many objects and arrays begin in it, or seem to, that it may be deep: memchr() sees at once that most texts are not. */
static bool may_be_deep(const char *text, size_t n)
{
    const char *end = text + n;
    int begun = 0;

    for (const char *kind = "{["; *kind; kind++)
        for (const char *at = text; at < end && (at = memchr(at, *kind, (size_t)(end - at)));
             at++)
            if (++begun > DEPTH_MAX)
                return true;
    return false;
}

/* jansson's own limit is 2048 levels, which is more stack than a worker should lend to a
 * stranger. */
static bool is_shallow(const char *text, size_t n)
{
    int depth = 0;
    bool in_string = false;

    if (!may_be_deep(text, n))
        return true;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if ((c == '{' || c == '[') && ++depth > DEPTH_MAX) {
            return false;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return true;
}

static void drop(void *value)
{
    json_decref(value);
}

enum rc jx_object(struct err *e, struct arena *mem, const char *text, size_t n, json_t **out)
{
    json_error_t why;
    json_t *value;

    if (!is_shallow(text, n))
        return err_set(e, RC_INVALID, "JSON is nested deeper than %d levels", DEPTH_MAX);
    value = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    if (!value)
        return err_set(e, RC_INVALID, "not JSON: line %d column %d: %.100s", why.line,
                       why.column, why.text);
    arena_defer(mem, drop, value);
    if (!json_is_object(value))
        return err_set(e, RC_INVALID, "a JSON object is expected");
    *out = value;
    return RC_OK;
}

static const char *const type_names[] = {
    [JX_TEXT] = "a string",
    [JX_INT] = "an integer",
    [JX_BOOL] = "true or false",
    [JX_TEXTS] = "an array of strings",
    [JX_OBJECTS] = "an array of objects",
    [JX_OBJECT] = "an object",
    [JX_ANY] = "anything",
};

static bool all_are(const json_t *array, json_type type)
{
    size_t i;
    json_t *v;

    if (!json_is_array(array))
        return false;
    json_array_foreach((json_t *)(uintptr_t)array, i,
                       v) if (json_typeof(v) != type) return false;
    return true;
}

static bool has_type(const json_t *v, enum jx_type type)
{
    switch (type) {
    case JX_TEXT: return json_is_string(v);
    case JX_INT: return json_is_integer(v);
    case JX_BOOL: return json_is_boolean(v);
    case JX_TEXTS: return all_are(v, JSON_STRING);
    case JX_OBJECTS: return all_are(v, JSON_OBJECT);
    case JX_OBJECT: return json_is_object(v);
    case JX_ANY: return true;
    }
    return false;
}

static int64_t code_points(const char *s)
{
    int64_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static int64_t measure(const json_t *v, enum jx_type type)
{
    switch (type) {
    case JX_TEXT: return code_points(json_string_value(v));
    case JX_INT: return json_integer_value(v);
    case JX_TEXTS:
    case JX_OBJECTS: return (int64_t)json_array_size(v);
    default: return 0;
    }
}

/* How one speaks of its limits. */
static const char *verb(enum jx_type type)
{
    return type == JX_INT ? "be from" : "have";
}

static const char *unit(enum jx_type type)
{
    return type == JX_TEXT ? " characters" : type == JX_INT ? "" : " elements";
}

/* As a JSON pointer: only for what is wrong, since it costs more than the check. */
static const char *place(char out[PLACE], const char *at, const char *name)
{
    snprintf(out, PLACE, "%s/%.80s", at, name);
    return out;
}

static enum rc check_one(struct err *e, const json_t *v, const struct jx_field *f,
                         const char *at)
{
    char where[PLACE];
    int64_t n;

    if (!has_type(v, f->type))
        return err_field(e, place(where, at, f->name), "%s should be %s", f->name,
                         type_names[f->type]);
    n = measure(v, f->type);
    if ((f->min || f->max) && (n < f->min || n > f->max))
        return err_field(e, place(where, at, f->name),
                         "%s should %s %" PRId64 " to %" PRId64 "%s", f->name, verb(f->type),
                         f->min, f->max, unit(f->type));
    return RC_OK;
}

static const struct jx_field *find_field(const struct jx_field *fields, const char *name)
{
    for (; fields->name; fields++)
        if (!strcmp(fields->name, name))
            return fields;
    return NULL;
}

static enum rc check(struct err *e, const json_t *object, const struct jx_field *fields,
                     const char *at, bool others)
{
    char where[PLACE];
    const char *name;
    json_t *v;
    enum rc rc;

    json_object_foreach((json_t *)(uintptr_t)object, name, v)
    {
        const struct jx_field *f = find_field(fields, name);

        if (!f && !others)
            return err_field(e, place(where, at, name), "there is no field \"%.80s\"", name);
        if (f && (rc = check_one(e, v, f, at)))
            return rc;
    }
    for (; fields->name; fields++)
        if (fields->required && !json_object_get(object, fields->name))
            return err_field(e, place(where, at, fields->name), "%s is missing", fields->name);
    return RC_OK;
}

enum rc jx_check(struct err *e, const json_t *object, const struct jx_field *fields,
                 const char *at)
{
    return check(e, object, fields, at, false);
}

enum rc jx_check_known(struct err *e, const json_t *object, const struct jx_field *fields,
                       const char *at)
{
    return check(e, object, fields, at, true);
}

const char *jx_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

int64_t jx_int(const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *v = json_object_get(object, name);

    return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

bool jx_bool(const json_t *object, const char *name, bool otherwise)
{
    const json_t *v = json_object_get(object, name);

    return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

static void escape(struct buf *out, unsigned char c)
{
    static const char short_form[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
    };

    if (c == '"' || c == '\\')
        buf_printf(out, "\\%c", c);
    else if (short_form[c])
        buf_printf(out, "\\%c", short_form[c]);
    else
        buf_printf(out, "\\u%04x", c);
}

void jx_quote(struct buf *out, const char *s, size_t n)
{
    size_t from = 0;

    buf_reserve(out, n + 2);
    buf_addc(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(out, s + from, i - from);
        escape(out, c);
        from = i + 1;
    }
    buf_add(out, s + from, n - from);
    buf_addc(out, '"');
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void canonical_object(struct buf *out, const json_t *object)
{
    const char *keys[KEYS_MAX];
    const char *name;
    json_t *v;
    size_t n = 0;

    json_object_foreach((json_t *)(uintptr_t)object, name, v) if (n < KEYS_MAX) keys[n++] =
        name;
    if (n != json_object_size(object))
        abort(); /* jx_check() came first, and no table is that long */
    qsort(keys, n, sizeof *keys, by_bytes);
    buf_addc(out, '{');
    for (size_t i = 0; i < n; i++) {
        jx_key(out, keys[i]);
        jx_canonical(out, json_object_get(object, keys[i]));
    }
    buf_addc(out, '}');
}

static void canonical_array(struct buf *out, const json_t *array)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i)
            buf_addc(out, ',');
        jx_canonical(out, json_array_get(array, i));
    }
    buf_addc(out, ']');
}

bool jx_is_canonical(const json_t *value)
{
    const char *name;
    bool good = true;
    json_t *v;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        json_object_foreach((json_t *)(uintptr_t)value, name, v) good &= jx_is_canonical(v);
        return good && json_object_size(value) <= KEYS_MAX;
    case JSON_ARRAY:
        json_array_foreach((json_t *)(uintptr_t)value, i, v) good &=
            json_is_null(v) || jx_is_canonical(v);
        return good;
    case JSON_REAL:
    case JSON_NULL: return false;
    default: return true;
    }
}

void jx_canonical(struct buf *out, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: canonical_object(out, value); break;
    case JSON_ARRAY: canonical_array(out, value); break;
    case JSON_STRING: jx_quote(out, json_string_value(value), json_string_length(value)); break;
    case JSON_INTEGER: buf_int(out, json_integer_value(value)); break;
    case JSON_TRUE: buf_adds(out, "true"); break;
    case JSON_FALSE: buf_adds(out, "false"); break;
    case JSON_NULL: buf_adds(out, "null"); break; /* a place of an array that was left empty */
    default: abort();                             /* a real never passes a table */
    }
}

void jx_key(struct buf *out, const char *key)
{
    if (out->n && out->p[out->n - 1] != '{' && out->p[out->n - 1] != '[')
        buf_addc(out, ',');
    jx_quote(out, key, strlen(key));
    buf_addc(out, ':');
}

void jx_put_text(struct buf *out, const char *key, const char *s)
{
    if (!s)
        return;
    jx_key(out, key);
    jx_quote(out, s, strlen(s));
}

void jx_put_int(struct buf *out, const char *key, int64_t v)
{
    jx_key(out, key);
    buf_int(out, v);
}

void jx_put_bool(struct buf *out, const char *key, bool v)
{
    jx_key(out, key);
    buf_adds(out, v ? "true" : "false");
}
