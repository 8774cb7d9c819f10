/*
 * form.c - cut at "&", cut at the first "=", decode both sides; a value of several lines is cut at their ends too.
 */
#include "server/http/form.h"

#include <string.h>
#include <strings.h>

#include "server/http/target.h"

/* A browser escapes everything else; whoever does not may have meant something else by it. */
static bool is_escaped(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < 0x21 || p[i] > 0x7e)
            return false;
    return true;
}

/* Decoded and NUL-terminated; NULL: it cannot be. */
static const char *decode(struct arena *mem, const char *p, size_t n)
{
    char *text = arena_alloc(mem, n + 1);
    long length = target_decode(p, n, true, text);

    if (length < 0)
        return NULL;
    text[length] = '\0';
    return text;
}

/* Bytes of the line end that begins here; 0: none does. */
static size_t line_end(const char *p, size_t n)
{
    static const char *const ends[] = { "%0D%0A", "%0D", "%0A" };

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (n >= strlen(ends[i]) && !strncasecmp(p, ends[i], strlen(ends[i])))
            return strlen(ends[i]);
    return 0;
}

/* A browser ends each line of a box with CR and LF, whatever its system does; what is kept has LF. */
static const char *decode_lines(struct arena *mem, const char *p, size_t n)
{
    char *text = arena_alloc(mem, n + 1);
    size_t used = 0;

    for (const char *end = p + n, *at = p;; at++) {
        size_t skip = at < end ? line_end(at, (size_t)(end - at)) : 0;
        long length;

        if (at < end && !skip)
            continue;
        if ((length = target_decode(p, (size_t)(at - p), true, text + used)) < 0)
            return NULL;
        used += (size_t)length;
        if (at == end)
            break;
        text[used++] = '\n';
        p = at + skip;
        at = p - 1;
    }
    text[used] = '\0';
    return text;
}

static bool has(const struct form *f, const char *name)
{
    for (int i = 0; i < f->n; i++)
        if (!strcmp(f->field[i].name, name))
            return true;
    return false;
}

static enum rc take_field(struct err *e, struct arena *mem, struct span pair,
                          const char *(*value)(struct arena *, const char *, size_t),
                          struct form *f)
{
    const char *equals = memchr(pair.p, '=', pair.n), *end = pair.p + pair.n;
    struct form_field field;

    if (!equals)
        return err_set(e, RC_INVALID, "the form has a field without \"=\"");
    field.name = decode(mem, pair.p, (size_t)(equals - pair.p));
    field.value = value(mem, equals + 1, (size_t)(end - equals - 1));
    if (!field.name || !field.value)
        return err_set(e, RC_INVALID, "the form is not valid percent-encoded UTF-8 text");
    if (!*field.name || strlen(field.name) > FORM_NAME_MAX)
        return err_set(e, RC_INVALID, "a field's name has 1 to %d bytes", FORM_NAME_MAX);
    if (has(f, field.name))
        return err_field(e, field.name, "the field \"%s\" comes twice", field.name);
    if (f->n == FORM_FIELDS)
        return err_set(e, RC_INVALID, "a form has at most %d fields", FORM_FIELDS);
    f->field[f->n++] = field;
    return RC_OK;
}

static enum rc parse(struct err *e, struct arena *mem, const char *text, size_t n,
                     const char *(*value)(struct arena *, const char *, size_t),
                     struct form *out)
{
    struct span rest = { text, n };
    enum rc rc;

    out->n = 0;
    if (n > FORM_MAX)
        return err_set(e, RC_INVALID, "a form has at most %d bytes", FORM_MAX);
    if (!is_escaped(text, n))
        return err_set(e, RC_INVALID, "the form has a byte that should be escaped");
    for (bool more = n > 0; more;) {
        const char *amp = memchr(rest.p, '&', rest.n);
        struct span pair = { rest.p, amp ? (size_t)(amp - rest.p) : rest.n };

        if ((rc = take_field(e, mem, pair, value, out)))
            return rc;
        more = amp;
        rest.p += pair.n + more;
        rest.n -= pair.n + more;
    }
    return RC_OK;
}

enum rc form_parse(struct err *e, struct arena *mem, const char *text, size_t n,
                   struct form *out)
{
    return parse(e, mem, text, n, decode, out);
}

enum rc form_parse_lines(struct err *e, struct arena *mem, const char *text, size_t n,
                         struct form *out)
{
    return parse(e, mem, text, n, decode_lines, out);
}

const char *form_text(const struct form *f, const char *name)
{
    for (int i = 0; i < f->n; i++)
        if (!strcmp(f->field[i].name, name))
            return *f->field[i].value ? f->field[i].value : NULL;
    return NULL;
}
