/*
 * origin_form.c - see the header.
 */
#include "server/http/origin_form.h"

#include <stdbool.h>
#include <strings.h>

static bool starts_with(h2o_iovec_t s, const char *prefix, size_t n)
{
    return s.len >= n && !strncasecmp(s.base, prefix, n);
}

void origin_form_take(h2o_req_t *req)
{
    h2o_iovec_t path = req->input.path, host = req->input.authority;
    size_t scheme, origin;

    if (req->version >= 0x200 || !path.len || path.base[0] == '/')
        return;
    scheme = starts_with(path, H2O_STRLIT("https://"))  ? 8
             : starts_with(path, H2O_STRLIT("http://")) ? 7
                                                        : 0;
    origin = scheme + host.len;
    if (!scheme || path.len < origin || strncasecmp(path.base + scheme, host.base, host.len))
        return;
    if (path.len == origin)
        req->input.path = h2o_iovec_init("/", 1);
    else if (path.base[origin] == '/')
        req->input.path = h2o_iovec_init(path.base + origin, path.len - origin);
}
