/*
 * builtin.c - an app's requests and the net's are the same but for who declares them: tjzw.h stands
 * alone, and sync/net knows no app.
 */
#include "clients/c/builtin.h"

#include <stdio.h>
#include <stdlib.h>

#include "clients/c/link.h"

struct net *builtin_open(void)
{
    return net_open("libtjzw/" TJZW_VERSION, link_now_ms);
}

static void on_status(void *ctx, int status)
{
    struct tjzw_request *r = ctx;

    r->on_status(r, status);
}

static void on_header(void *ctx, const char *name, const char *value)
{
    struct tjzw_request *r = ctx;

    r->on_header(r, name, value);
}

static int on_body(void *ctx, const void *bytes, size_t n)
{
    struct tjzw_request *r = ctx;

    return r->on_body(r, bytes, n);
}

static void get(void *ctx, struct tjzw_request *requests, size_t n,
                bool (*stop)(void *stop_ctx), void *stop_ctx)
{
    struct net_request *under = calloc(n + 1, sizeof *under);

    if (!under)
        abort();
    for (size_t i = 0; i < n; i++)
        under[i] = (struct net_request){ .url = requests[i].url,
                                         .headers = requests[i].headers,
                                         .on_status = on_status,
                                         .on_header = on_header,
                                         .on_body = on_body,
                                         .ctx = &requests[i],
                                         .method = requests[i].method,
                                         .body = requests[i].body,
                                         .size = requests[i].size };
    net_get(ctx, under, n, stop, stop_ctx);
    for (size_t i = 0; i < n; i++) {
        requests[i].whole = under[i].whole;
        requests[i].untrusted = under[i].untrusted;
        requests[i].bytes_down = under[i].bytes_down;
        requests[i].bytes_up = under[i].bytes_up;
        requests[i].ms = under[i].ms;
        snprintf(requests[i].why, sizeof requests[i].why, "%s", under[i].why);
    }
    free(under);
}

struct tjzw_transport builtin_transport(struct net *n)
{
    return (struct tjzw_transport){ n, get };
}
