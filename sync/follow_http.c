/*
 * follow_http.c - Range, If-Range, If-None-Match and Cache-Control there, ETag, Content-Range,
 * Content-Length and Retry-After back.
 */
#include "sync/follow_http.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void add_line(struct follow_question *q, size_t *n, const char *name, const char *value)
{
    snprintf(q->lines[*n], FOLLOW_LINE_MAX, "%s: %s", name, value);
    q->headers[*n] = q->lines[*n];
    ++*n;
}

void follow_ask_http(const struct follow_get *g, const char *server,
                     struct follow_question *out)
{
    char range[48];
    size_t n = 0;

    snprintf(out->url, sizeof out->url, "%s%s", server, g->path);
    if (g->from > 0) {
        snprintf(range, sizeof range, "bytes=%" PRIu64 "-", g->from);
        add_line(out, &n, "Range", range);
        if (g->if_range)
            add_line(out, &n, "If-Range", g->if_range);
    }
    if (g->if_none)
        add_line(out, &n, "If-None-Match", g->if_none);
    if (g->past_caches)
        add_line(out, &n, "Cache-Control", "no-cache");
    out->headers[n] = NULL;
}

void follow_take_status(struct follow_get *g, int status)
{
    g->status = status;
    g->range_from = g->length = 0;
    g->retry_after = 0;
    g->etag[0] = '\0';
}

void follow_take_header(struct follow_get *g, const char *name, const char *value)
{
    const bool digits = value[0] >= '0' && value[0] <= '9';
    unsigned long long from, length;

    if (!strcasecmp(name, "etag") && value[0] == '"' && strlen(value) < sizeof g->etag)
        strcpy(g->etag, value);
    else if (!strcasecmp(name, "content-range") && sscanf(value, "bytes %llu-", &from) == 1) {
        g->range_from = from;
        if (sscanf(value, "bytes %*u-%*u/%llu", &length) == 1)
            g->length = length;
    } else if (!strcasecmp(name, "content-length") && g->status == 200 && digits)
        g->length = strtoull(value, NULL, 10);
    else if (!strcasecmp(name, "retry-after") && digits)
        g->retry_after = (uint32_t)strtoul(value, NULL, 10);
}
