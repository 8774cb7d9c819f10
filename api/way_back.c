/*
 * way_back.c - a return address is looked up like a request for it, so what is no page of ours is none.
 */
#include "api/way_back.h"

#include <string.h>

#include "server/http/router.h"

/* What may stand in a header, a link and a form as it is. Browsers read \ as /, and // as the begin of another host. */
static bool is_plain(const char *text)
{
    static const char never[] = "\"<>\\^`{|}";
    size_t n = strlen(text);

    if (n > WAY_BACK_MAX || text[0] != '/' || text[1] == '/')
        return false;
    for (size_t i = 0; i < n; i++)
        if (text[i] < 0x21 || text[i] > 0x7e || strchr(never, text[i]))
            return false;
    return true;
}

const char *way_back(struct arena *mem, const char *text, const char *otherwise)
{
    struct target target;
    struct match match;
    struct err ignored;

    if (!text || !is_plain(text) ||
        target_parse(&ignored, mem, text, strlen(text), &target) != RC_OK)
        return otherwise;
    match = router_find(&target, GET);
    return match.route && match.route->flags & R_PAGE ? text : otherwise;
}
