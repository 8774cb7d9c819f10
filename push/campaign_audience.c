/*
 * campaign_audience.c - from a row's text to an opened audience.
 */
#include "push/campaign_audience.h"

#include <inttypes.h>
#include <string.h>

#include "server/library/column.h"
#include "server/library/site.h"
#include "server/library/stream.h"

enum rc campaign_column(struct work *w, const struct campaign *c, const char **out)
{
    struct stream stream;
    struct site site;
    enum rc rc;

    if ((rc = site_by_no(w, c->site, &site)) || (rc = stream_by_no(w, site.stream, &stream)))
        return rc;
    *out = arena_printf(w->mem, "%s/%" PRId64, stream.name, c->col);
    return RC_OK;
}

enum rc campaign_audience(struct work *w, const struct campaign *c, struct audience **out)
{
    const char *column;
    json_t *value;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, c->audience, strlen(c->audience), &value)) ||
        (rc = audience_parse(w, value, out)) || (rc = campaign_column(w, c, &column)))
        return rc;
    audience_refusals(w, *out, push_class_word(c->class), column);
    return audience_open(w, *out);
}

/* "all" anywhere, or a "not" that no "and" narrows: of an "and" each part narrows the others. */
static bool is_wide(const json_t *value)
{
    const json_t *part, *list = json_object_get(value, "or");
    size_t i;

    json_array_foreach(list, i, part) if (is_wide(part)) return true;
    list = json_object_get(value, "and");
    json_array_foreach(list, i, part) if (!is_wide(part)) return false;
    return json_is_array(list) || json_object_get(value, "all") ||
           json_object_get(value, "not");
}

bool campaign_is_for_all(struct work *w, const struct campaign *c)
{
    struct err e;
    json_t *value;

    return jx_object(&e, w->mem, c->audience, strlen(c->audience), &value) || is_wide(value);
}
