/*
 * jx.h - JSON at the edges: strict reading with jansson, writing straight into a buf.
 *
 * Reading refuses duplicate keys, invalid UTF-8, NUL in strings, more than 32 levels, trailing
 * bytes. A table says which fields an object may have; the error names the field as a JSON
 * pointer.
 */
#ifndef BASE_JX_H
#define BASE_JX_H

#include <jansson.h>
#include <stdbool.h>

#include "server/base/buf.h"

/* Parses one object. The value is released with the arena. RC_INVALID says where and why. */
enum rc jx_object(struct err *e, struct arena *mem, const char *text, size_t n, json_t **out);

enum jx_type {
    JX_TEXT,
    JX_INT,
    JX_BOOL,
    JX_TEXTS /* array of strings */,
    JX_OBJECTS /* array of objects */,
    JX_OBJECT,
    JX_ANY
};

struct jx_field {
    const char *name; /* NULL ends the table */
    enum jx_type type;
    bool required;
    int64_t min, max; /* JX_INT: value; JX_TEXT: characters (code points); arrays: elements;
                         0,0: no limit */
};

/* Every member is in the table, has its type and keeps its limits; required ones are there.
 * `at` is the pointer prefix, "" at the top. */
enum rc jx_check(struct err *e, const json_t *object, const struct jx_field *fields,
                 const char *at);
/* The same, but members that are not in the table are passed over: what others wrote may say more. */
enum rc jx_check_known(struct err *e, const json_t *object, const struct jx_field *fields,
                       const char *at);
const char *jx_text(const json_t *object,
                    const char *name); /* NULL if absent; lives as long as the object */
int64_t jx_int(const json_t *object, const char *name, int64_t otherwise);
bool jx_bool(const json_t *object, const char *name, bool otherwise);

/* Whether jx_canonical() can write it: no null but as a place of an array that was left empty, no fraction, no object of more than 256 members. What a table let pass it can, but for JX_ANY. */
bool jx_is_canonical(const json_t *value);
/* Canonical text (docs/protocol/sync.md section 9) of a value of strings, integers, booleans,
 * arrays and objects. */
void jx_canonical(struct buf *out, const json_t *value);
void jx_quote(struct buf *out, const char *s, size_t n); /* "…" with canonical escapes */
/* {"key":"value" members for hand-made objects: writes the comma unless the last byte is { or
 * [. */
void jx_key(struct buf *out, const char *key);
void jx_put_text(struct buf *out, const char *key, const char *s); /* nothing if s is NULL */
void jx_put_int(struct buf *out, const char *key, int64_t v);
void jx_put_bool(struct buf *out, const char *key, bool v);

#endif
