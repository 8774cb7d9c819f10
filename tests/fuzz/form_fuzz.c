/*
 * form_fuzz.c - any bytes as a form: refused with a sentence, or fields that keep their promises and mean the same when they are
 * written down again, in their order and backwards; as words, and as lines.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/http/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The text is on the heap and no longer than it is, so that a read too far is seen. */
static enum rc parse(struct err *e, struct arena *mem, const char *text, size_t n, bool lines,
                     struct form *out)
{
    char *exact = malloc(n + !n);
    enum rc rc;

    memcpy(exact, text, n);
    rc = lines ? form_parse_lines(e, mem, exact, n, out) : form_parse(e, mem, exact, n, out);
    free(exact);
    return rc;
}

static void check_promises(const struct form *f, bool lines)
{
    if (f->n < 0 || f->n > FORM_FIELDS)
        abort();
    for (int i = 0; i < f->n; i++) {
        const struct form_field *x = &f->field[i];
        const char *said = form_text(f, x->name);

        if (!*x->name || strlen(x->name) > FORM_NAME_MAX)
            abort();
        if (*x->value ? said != x->value : said != NULL)
            abort(); /* another field of the same name stands before it */
        for (const char *p = x->value; *p; p++) /* no control character reaches a handler */
            if (((unsigned char)*p < ' ' && !(lines && *p == '\n')) || *p == 127)
                abort();
    }
}

static void put(struct buf *out, const struct form_field *x)
{
    if (out->n)
        buf_addc(out, '&');
    buf_url(out, x->name, strlen(x->name));
    buf_addc(out, '=');
    buf_url(out, x->value, strlen(x->value));
}

static void must_agree(struct arena *mem, const struct form *f, const struct buf *text,
                       bool lines)
{
    struct form again;
    struct err e = { 0 };

    if (text->n > FORM_MAX)
        return; /* escaping made it longer */
    if (parse(&e, mem, text->n ? text->p : "", text->n, lines, &again) || again.n != f->n)
        abort();
    for (int i = 0; i < f->n; i++) {
        const char *a = form_text(f, f->field[i].name),
                   *b = form_text(&again, f->field[i].name);

        if (!a != !b || (a && strcmp(a, b)))
            abort();
    }
}

static void try(const uint8_t *data, size_t n, bool lines)
{
    struct arena *mem = arena_new();
    struct buf forth = BUF_IN(mem), back = BUF_IN(mem);
    struct err e = { 0 };
    struct form f;
    enum rc rc = parse(&e, mem, (const char *)data, n, lines, &f);

    if (rc && (rc != RC_INVALID || !e.text[0]))
        abort();
    if (!rc) {
        check_promises(&f, lines);
        for (int i = 0; i < f.n; i++)
            put(&forth, &f.field[i]);
        for (int i = f.n; i--;)
            put(&back, &f.field[i]);
        must_agree(mem, &f, &forth, lines);
        must_agree(mem, &f, &back, lines);
    }
    arena_free(mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    try(data, n, false);
    try(data, n, true);
    return 0;
}
