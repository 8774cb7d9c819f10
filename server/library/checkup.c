/*
 * checkup.c - content as texts: strings as they are, lists with a line for each element, attachments
 * by their names. What is no text (hashes, conditions, questions' numbers) is not looked at.
 */
#include "server/library/checkup.h"

#include <string.h>

#include "server/base/jx.h"

static void put_line(struct buf *b, const char *s)
{
    if (b->n && s)
        buf_addc(b, '\n');
    if (s)
        buf_adds(b, s);
}

/* All strings in a value, a line each; of attachments the names. */
static void put_strings(struct buf *b, const json_t *v, bool names)
{
    const char *key;
    json_t *one;
    size_t i;

    if (json_is_string(v))
        put_line(b, json_string_value(v));
    json_array_foreach((json_t *)(uintptr_t)v, i, one) put_strings(b, one, names);
    json_object_foreach((json_t *)(uintptr_t)v, key, one)
    {
        if (!names || !strcmp(key, "name"))
            put_strings(b, one, names);
    }
}

static bool is_text(enum field_type type)
{
    return type != FIELD_SYSTEM && type != FIELD_HASH && type != FIELD_BOOL &&
           type != FIELD_ADDRESSED;
}

void checkup(struct arena *mem, const struct content *content, enum check_step step,
             const struct check_context *context, struct check_result *out)
{
    struct check_text *texts = arena_alloc(mem, FIELD_COUNT * sizeof *texts);
    struct check_item item = { .kind = kind_name(content->kind), .texts = texts };
    struct buf all = BUF_IN(mem);
    json_t *object;
    struct err e;

    *out = (struct check_result){ 0 };
    content_write(content, &all);
    if (jx_object(&e, mem, all.p, all.n, &object))
        return;
    for (int i = 0; i < FIELD_COUNT; i++) {
        const json_t *v = json_object_get(object, fields[i].name);
        struct buf text = BUF_IN(mem);

        if (!v || !is_text(fields[i].type))
            continue;
        put_strings(&text, v, fields[i].type == FIELD_FILES);
        if (text.n)
            texts[item.n++] = (struct check_text){ fields[i].name, text.p, text.n };
    }
    check_run(mem, &item, step, context, out);
}

void checkup_json(struct buf *out, const struct check_result *result)
{
    buf_addc(out, '[');
    for (int i = 0; i < result->n; i++) {
        const struct check_verdict *v = &result->verdicts[i];

        buf_adds(out, i ? ",{" : "{");
        jx_put_text(out, "rule", check_rules[v->rule].name);
        jx_put_int(out, "version", check_rules[v->rule].version);
        jx_put_text(out, "severity", check_severity_name(v->severity));
        jx_put_text(out, "field", v->field);
        jx_put_int(out, "from", v->from);
        jx_put_int(out, "to", v->to);
        jx_put_text(out, "said", v->said);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}
