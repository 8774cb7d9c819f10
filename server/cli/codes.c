/*
 * codes.c - `tjzw print-codes`: every closed list of words, with its version, from the tables that the program runs on. docs/standard.md holds what it prints.
 */
#include <stdio.h>
#include <string.h>

#include "server/base/jx.h"
#include "server/check/check.h"
#include "server/cli/commands.h"
#include "server/library/column.h"
#include "server/library/field.h"
#include "server/library/state.h"
#include "server/source/submission.h"

struct code {
    const char *word, *label; /* label NULL: the word is Chinese itself */
};

/* The i-th of a list; false past the last. */
typedef bool code_at(enum field_no field, int i, struct code *out);

static bool kinds(enum field_no unused, int i, struct code *out)
{
    (void)unused;
    if (i >= KIND_COUNT)
        return false;
    *out = (struct code){ kind_name((enum item_kind)i), kind_label((enum item_kind)i) };
    return true;
}

static bool choices(enum field_no field, int i, struct code *out)
{
    *out = (struct code){ fields[field].choices[i], NULL };
    return out->word;
}

static bool column_types_row(enum field_no unused, int i, struct code *out)
{
    (void)unused;
    *out = (struct code){ column_types[i].name, NULL };
    return out->word;
}

static bool states(enum field_no unused, int i, struct code *out)
{
    (void)unused;
    if (i >= STATE_COUNT)
        return false;
    *out = (struct code){ state_name((enum state)i), state_label((enum state)i) };
    return true;
}

static bool submissions(enum field_no unused, int i, struct code *out)
{
    (void)unused;
    if (i >= SHOWN_STATES)
        return false;
    *out = (struct code){ shown_name((enum shown_state)i), shown_label((enum shown_state)i) };
    return true;
}

static bool agreements(enum field_no unused, int i, struct code *out)
{
    static const char *const labels[] = { "不承认：存为草稿", "自动送审", "承认：直接发布" };

    (void)unused;
    if (i > ACCEPTS_PUBLISH)
        return false;
    *out = (struct code){ accepts_name((enum accepts)i), labels[i] };
    return true;
}

static bool rules(enum field_no unused, int i, struct code *out)
{
    (void)unused;
    if (i >= CHECK_RULES)
        return false;
    *out = (struct code){ check_rules[i].name, check_rules[i].label };
    return true;
}

static const struct list {
    const char *name;
    int version;
    const char *since, *label, *source;
    code_at *at;
    enum field_no field;
} lists[] = {
#define CHOICES(field) choices, FIELD_##field
#define CODES(name, version, since, label, source, ...) \
    { #name, version, since, label, source, __VA_ARGS__ },
#include "server/cli/codes.def"
#undef CODES
#undef CHOICES
};

enum { LISTS = sizeof lists / sizeof *lists };

static void put_markdown(struct buf *out, const struct list *l)
{
    struct code c;

    buf_printf(out, "\n### %s\n\n`%s`，第 %d 版，%s 起。依据：%s。\n\n", l->label, l->name,
               l->version, l->since, l->source);
    for (int i = 0; l->at(l->field, i, &c); i++)
        buf_printf(out, c.label ? "* `%s` %s\n" : "* `%s`\n", c.word, c.label);
}

static void put_json(struct buf *out, const struct list *l)
{
    struct code c;

    if (out->p[out->n - 1] != '{')
        buf_addc(out, ',');
    buf_printf(out, "\"%s\":{\"version\":%d,\"codes\":[", l->name, l->version);
    for (int i = 0; l->at(l->field, i, &c); i++) {
        buf_adds(out, i ? "," : "");
        jx_quote(out, c.word, strlen(c.word));
    }
    buf_adds(out, "]}");
}

int cmd_print_codes(const struct args *a)
{
    struct buf out = BUF_HEAP;
    bool json = arg_flag(a, "json");

    buf_adds(&out, json ? "{" : "");
    for (int i = 0; i < LISTS; i++)
        (json ? put_json : put_markdown)(&out, &lists[i]);
    buf_adds(&out, json ? "}\n" : "");
    fwrite(out.p, 1, out.n, stdout);
    buf_done(&out);
    return 0;
}
