/*
 * delta.c - on the hot path of every request, so it looks for the rarest sign first.
 */
#include "server/http/delta.h"

#include <stdbool.h>
#include <string.h>

static const char UNDER[] = "/feeds/", PARAMETER[] = "since=";

/* "feed", "feed;q=0.5", and not "feed;q=0": that says that he does not want it. */
static bool wants_feed(const char *p, size_t n)
{
    const char *end = p + n, *semicolon = memchr(p, ';', n), *q;

    if (!h2o_lcstris(p, semicolon ? (size_t)(semicolon - p) : n, H2O_STRLIT("feed")))
        return false;
    q = semicolon ? memchr(semicolon, '=', (size_t)(end - semicolon)) : NULL;
    if (!q)
        return true;
    for (q++; q < end; q++)
        if (*q >= '1' && *q <= '9')
            return true;
    return false;
}

/* A list of instance manipulations. */
static bool lists_feed(h2o_iovec_t list)
{
    const char *name;
    size_t n;

    while ((name = h2o_next_token(&list, ',', &n, NULL)))
        if (wants_feed(name, n))
            return true;
    return false;
}

static bool is_hex(const char *p, const char *end)
{
    for (; p < end; p++)
        if (*p != '.' && (*p < '0' || *p > '9') && (*p < 'a' || *p > 'f'))
            return false;
    return true;
}

/* What stands before the last dot of the one tag; an empty slice: it is none of ours. */
static h2o_iovec_t since_of(h2o_iovec_t tag)
{
    h2o_iovec_t none = { NULL, 0 };
    const char *dot;

    if (tag.len < 2 || tag.base[0] != '"' || tag.base[tag.len - 1] != '"')
        return none;
    tag = h2o_iovec_init(tag.base + 1, tag.len - 2);
    dot = memrchr(tag.base, '.', tag.len);
    if (!dot || dot - tag.base > DELTA_SINCE_MAX || !is_hex(tag.base, tag.base + tag.len))
        return none;
    return h2o_iovec_init(tag.base, (size_t)(dot - tag.base));
}

void delta_name(h2o_req_t *req)
{
    ssize_t wish = h2o_find_header_by_str(&req->headers, H2O_STRLIT("a-im"), -1), held;
    h2o_iovec_t path = req->input.path, since;
    bool query;

    if (wish < 0 || path.len < sizeof UNDER || memcmp(path.base, UNDER, sizeof UNDER - 1) ||
        !lists_feed(req->headers.entries[wish].value))
        return;
    held = h2o_find_header(&req->headers, H2O_TOKEN_IF_NONE_MATCH, -1);
    since = held < 0 ? h2o_iovec_init(NULL, 0) : since_of(req->headers.entries[held].value);
    if (!since.len)
        return;
    query = memchr(path.base, '?', path.len);
    req->input.path = h2o_concat(&req->pool, path, h2o_iovec_init(query ? "&" : "?", 1),
                                 h2o_iovec_init(PARAMETER, sizeof PARAMETER - 1), since);
}
