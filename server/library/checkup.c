/*
 * checkup.c - content as texts: strings as they are, lists with a line for each element, attachments
 * by their names. What is no text (hashes, conditions, questions' numbers) is not looked at.
 */
#include "server/library/checkup.h"

#include <string.h>

#include "server/base/jx.h"

static int hex(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* What stands behind a backslash at p: how many bytes it takes. */
static size_t put_escaped(struct buf *b, const char *p)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *known = strchr(from, *p);

    if (*p != 'u') {
        buf_addc(b, known ? to[known - from] : *p);
        return 1;
    }
    buf_addc(b, (char)(hex(p[3]) << 4 |
                       hex(p[4]))); /* canonical text escapes control characters alone */
    return 5;
}

/* The string behind the quote at p, a line of its own; where it ends. */
static const char *put_string(struct buf *b, const char *p, const char *end)
{
    if (b->n)
        buf_addc(b, '\n');
    while (p < end && *p != '"') {
        const char *from = p;

        while (p < end && *p != '"' && *p != '\\')
            p++;
        buf_add(b, from, (size_t)(p - from));
        if (p < end && *p == '\\')
            p += 1 + put_escaped(b, p + 1);
    }
    return p;
}

static const char *string_end(const char *p, const char *end)
{
    while (p < end && *p != '"')
        p += *p == '\\' ? 2 : 1;
    return p;
}

/*
 * All strings in a canonical value, a line each; of attachments the names. The text is our own
 * (content_read() made it), so it is walked and not parsed: of a record this is most of the cost.
 */
static void put_strings(struct buf *b, const struct slice *value, bool names)
{
    const char *p = value->p, *end = p + value->n, *last;
    bool wanted = !names;

    while ((p = memchr(p, '"', (size_t)(end - p)))) {
        last = string_end(p + 1, end);
        if (last + 1 < end && last[1] == ':')
            wanted = !names || (last - p == 5 && !memcmp(p + 1, "name", 4));
        else if (wanted)
            put_string(b, p + 1, last);
        p = last < end ? last + 1 : end;
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

    for (int i = 0; i < FIELD_COUNT; i++) {
        const struct slice *v = &content->value[i];
        struct buf text = BUF_IN(mem);

        if (!v->p || !is_text(fields[i].type))
            continue;
        buf_reserve(&text, v->n + 1);
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
