/*
 * check.c - every rule over a record, and what they say.
 */
#include "server/check/check.h"

#include <stdarg.h>
#include <string.h>

#include "server/check/rule.h"

const struct check_rule check_rules[CHECK_RULES] = {
#define RULE(name, version, severity, steps, judge, label) \
    { name, version, severity, steps, label },
#include "server/check/rule.def"
#undef RULE
};

static void (*const judges[CHECK_RULES])(struct checking *) = {
#define RULE(name, version, severity, steps, judge, label) judge_##judge,
#include "server/check/rule.def"
#undef RULE
};

enum check_rule_no check_rule_find(const char *name)
{
    int i = 0;

    while (i < CHECK_RULES && strcmp(check_rules[i].name, name))
        i++;
    return (enum check_rule_no)i;
}

const char *check_severity_name(enum check_severity severity)
{
    static const char *const names[] = { "off", "warning", "blocking", "default" };

    return names[severity];
}

/* ---- folding ---- */

/* What the bytes at p fold to, in `to`; *n bytes of them. Returns how many bytes it takes; 0 at
 * most: dropped. */
static size_t fold_one(const unsigned char *p, size_t left, size_t *n, char to[4])
{
    size_t len = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    uint32_t c;

    *n = len = len > left ? left : len;
    memcpy(to, p, len);
    if (len == 1) {
        *to = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
        return 1;
    }
    if (len == 2 && p[0] == 0xc2 && (p[1] == 0xad || p[1] == 0xa0))
        return *to = ' ', p[1] == 0xa0;
    if (len != 3)
        return len;
    c = (p[0] & 0x0fU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
    if (c == 0xfeff || (c >= 0x200b && c <= 0x200f) || c == 0x2060)
        return 0;
    if (c == 0x3000)
        return *to = ' ', 1;
    if (c < 0xff01 || c > 0xff5e)
        return len;
    *to = (char)(c - 0xff01 + '!');
    *to = (char)(*to >= 'A' && *to <= 'Z' ? *to + 32 : *to);
    return 1;
}

static void fold(struct arena *mem, const struct check_text *from, struct folded *out)
{
    char *p = arena_alloc(mem, from->n + 1);
    uint32_t *at = arena_alloc(mem, (from->n + 1) * sizeof *at);
    size_t n = 0, taken, made;
    char to[4];

    for (size_t i = 0; i < from->n; i += taken) {
        unsigned char c = (unsigned char)from->text[i];

        /* Most of a Chinese text: nothing between U+4000 and U+EFFF folds. */
        if (c >= 0xe4 && c <= 0xee && from->n - i >= 3) {
            for (taken = 0; taken < 3; taken++, n++) {
                p[n] = from->text[i + taken];
                at[n] = (uint32_t)i;
            }
            continue;
        }
        made = fold_one((const unsigned char *)from->text + i, from->n - i, &taken, to);
        for (size_t k = 0; k < made; k++, n++) {
            p[n] = to[k];
            at[n] = (uint32_t)i;
        }
    }
    p[n] = '\0';
    at[n] = (uint32_t)from->n;
    *out = (struct folded){ .from = from, .p = p, .n = n, .at = at };
}

size_t check_fold_word(const char *word, char *out)
{
    size_t left = strlen(word), taken, made, n = 0;
    char to[4];

    for (; left; word += taken, left -= taken) {
        made = fold_one((const unsigned char *)word, left, &taken, to);
        memcpy(out + n, to, made);
        n += made;
    }
    out[n] = '\0';
    return n;
}

/* ---- saying ---- */

static int code_points(const char *s, size_t n)
{
    int count = 0;

    for (size_t i = 0; i < n; i++)
        count += (s[i] & 0xc0) != 0x80;
    return count;
}

/* A sentence that was cut ends with a whole character. */
static void cut_to_characters(char *text, size_t n)
{
    while (n && (text[n - 1] & 0xc0) == 0x80)
        n--;
    if (n && (text[n - 1] & 0x80))
        n--;
    text[n] = '\0';
}

/* Whether the site says how severe the rule is. */
static bool is_set(const struct check_context *context, int rule)
{
    return context->severity && context->severity[rule] != CHECK_UNSET;
}

static void say(struct checking *c, enum check_severity severity, const char *field, int from,
                int to, const char *fmt, va_list args)
{
    struct check_result *out = c->out;
    struct buf b = BUF_IN(c->mem);
    char text[1024];

    if (severity == CHECK_OFF)
        return;
    out->blocked |= severity == CHECK_BLOCKING;
    if (out->n == CHECK_VERDICTS_MAX || c->said == CHECK_OF_A_RULE_MAX) {
        out->more = true;
        return;
    }
    c->said++;
    if (vsnprintf(text, sizeof text, fmt, args) >= (int)sizeof text)
        cut_to_characters(text, sizeof text - 1);
    buf_adds(&b, text);
    out->verdicts[out->n++] = (struct check_verdict){ .rule = c->rule,
                                                      .severity = severity,
                                                      .field = field,
                                                      .from = from,
                                                      .to = to,
                                                      .said = b.p };
}

static void say_at(struct checking *c, enum check_severity severity, const struct folded *t,
                   size_t from, size_t to, const char *fmt, va_list args)
{
    const struct check_text *text = t->from;
    int first = code_points(text->text, t->at[from]);

    say(c, severity, text->field, first,
        to ? first + code_points(text->text + t->at[from], t->at[to] - t->at[from]) : 0, fmt,
        args);
}

void check_say(struct checking *c, const struct folded *t, size_t from, size_t to,
               const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say_at(c, c->severity, t, from, to, fmt, args);
    va_end(args);
}

void check_say_as(struct checking *c, enum check_severity severity, const struct folded *t,
                  size_t from, size_t to, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say_at(c, is_set(c->context, c->rule) ? c->severity : severity, t, from, to, fmt, args);
    va_end(args);
}

void check_say_missing(struct checking *c, const char *field, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(c, c->severity, field, 0, 0, fmt, args);
    va_end(args);
}

/* ---- the record ---- */

const struct folded *check_field(const struct checking *c, const char *name)
{
    for (int i = 0; i < c->item->n; i++)
        if (!strcmp(c->item->texts[i].field, name))
            return &c->texts[i];
    return NULL;
}

bool check_is_prose(const struct folded *t)
{
    static const char *const others[] = { "image",      "sourceHash",  "sourceUrl",
                                          "identifier", "indexNumber", "docNumber",
                                          "phone",      NULL };

    for (const char *const *other = others; *other; other++)
        if (!strcmp(*other, t->from->field))
            return false;
    return true;
}

char check_before(const struct folded *t, size_t at)
{
    return at == 0 ? '\0' : check_at(t, at - 1);
}

char check_at(const struct folded *t, size_t at)
{
    return at >= t->n ? '\0' : (t->p[at] & 0x80) ? '\1' : t->p[at];
}

void check_run(struct arena *mem, const struct check_item *item, enum check_step step,
               const struct check_context *context, struct check_result *out)
{
    struct checking c = { .mem = mem, .item = item, .context = context, .out = out };

    *out = (struct check_result){ .verdicts = arena_alloc(mem, CHECK_VERDICTS_MAX *
                                                                   sizeof *out->verdicts) };
    c.texts = arena_alloc(mem, (size_t)(item->n + 1) * sizeof *c.texts);
    for (int i = 0; i < item->n; i++)
        fold(mem, &item->texts[i], &c.texts[i]);
    for (int i = 0; i < CHECK_RULES; i++) {
        c.rule = (enum check_rule_no)i;
        c.said = 0;
        c.severity = is_set(context, i) ? (enum check_severity)context->severity[i]
                                        : check_rules[i].severity;
        if (c.severity != CHECK_OFF && check_rules[i].steps & step)
            judges[i](&c);
    }
}
