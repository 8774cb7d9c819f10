/*
 * print.c - the reference pages, printed from the tables that the program itself runs on.
 */
#include "server/cli/commands.h"

#include <stdio.h>

#include "api/openapi.h"
#include "server/base/metric.h"

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
