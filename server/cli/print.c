/*
 * print.c - the reference pages, printed from the tables that the program itself runs on.
 */
#include "server/cli/commands.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/openapi.h"
#include "server/base/metric.h"
#include "server/library/field.h"

static int put(struct buf *b)
{
    fwrite(b->p, 1, b->n, stdout);
    buf_done(b);
    return 0;
}

int cmd_print_conf(const struct args *a)
{
    struct buf out = BUF_HEAP;
    struct conf c;
    int code;

    if (arg_flag(a, "markdown")) {
        conf_print_doc(&out);
        return put(&out);
    }
    if ((code = cli_conf(a, &c)))
        return code;
    conf_print(&c, &out);
    conf_done(&c);
    return put(&out);
}

int cmd_print_routes(const struct args *a)
{
    struct buf out = BUF_HEAP;

    (void)a;
    routes_print_doc(&out);
    return put(&out);
}

int cmd_print_metrics(const struct args *a)
{
    struct buf out = BUF_HEAP;

    (void)a;
    metric_print_doc(&out);
    return put(&out);
}

int cmd_print_openapi(const struct args *a)
{
    struct buf out = BUF_HEAP;

    (void)a;
    openapi_print(&out);
    return put(&out);
}

static const char *const field_forms[] = {
    [FIELD_SYSTEM] = "set by the server",
    [FIELD_LINE] = "text of one line",
    [FIELD_TEXT] = "text",
    [FIELD_DAY] = "YYYY-MM-DD",
    [FIELD_LINES] = "list of texts",
    [FIELD_CHOICE] = "one of",
    [FIELD_HASH] = "SHA-256 of a blob",
    [FIELD_URL] = "http(s) address",
    [FIELD_FILES] = "list of files",
    [FIELD_BOOL] = "true or false",
    [FIELD_LINKS] = "list of ids or addresses",
    [FIELD_QUESTIONS] = "list of questions (docs/surveys.md)",
};

static void print_kinds(struct buf *out, unsigned kinds)
{
    const char *comma = "";

    if (kinds == (1u << KIND_COUNT) - 1) {
        buf_adds(out, "all");
        return;
    }
    for (int k = 0; k < KIND_COUNT; k++) {
        if (!(kinds & 1u << k))
            continue;
        buf_printf(out, "%s%s", comma, kind_name((enum item_kind)k));
        comma = ", ";
    }
}

static void print_field(struct buf *out, const struct field *f)
{
    buf_printf(out, "| `%s` | %s | %s", f->name, f->label, field_forms[f->type]);
    for (const char *const *c = f->choices; c && *c; c++)
        buf_printf(out, "%s`%s`", c == f->choices ? " " : ", ", *c);
    if (f->max && f->type != FIELD_SYSTEM)
        buf_printf(out, ", %" PRId64 " to %" PRId64, f->min, f->max);
    buf_adds(out, " | ");
    print_kinds(out, f->kinds);
    buf_printf(out, " | %s |\n", f->meta ? f->meta : "");
}

int cmd_print_fields(const struct args *a)
{
    struct buf out = BUF_HEAP;

    (void)a;
    buf_adds(&out,
             "# Fields of an item\n\nPrinted by `tjzw print-fields`. In an import, `id` is the "
             "source's own id, `source` names the site (and, unless there is "
             "one, the `contentSource`), `column` is a path such as `政策文件/市政府文件`, "
             "`pubDate` stands for `sourceDate` and `url` for `sourceUrl`.\n\n"
             "| field | 中文 | form | kinds | meta tag of 国办发〔2017〕47号 "
             "|\n|---|---|---|---|---|\n");
    for (int i = 0; i < FIELD_COUNT; i++)
        print_field(&out, &fields[i]);
    return put(&out);
}
