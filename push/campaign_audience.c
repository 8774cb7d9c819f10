/*
 * campaign_audience.c - from a row's text to an opened audience.
 */
#include "push/campaign_audience.h"

#include <inttypes.h>
#include <stdio.h>
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

/* ---- for all, whatever it is called ---- */

/* By its words alone. Of an "or" the widest part counts, of an "and" the narrowest. */
enum width {
    WIDTH_ASKED, /* who follows it himself, or is named */
    WIDTH_AREA,  /* who lives in one area */
    WIDTH_AREAS, /* … or in others: that may be everybody, and is counted */
    WIDTH_ALL,   /* all; all but some; all of a province; all whose phones are of one make */
};

enum { NEARLY = 9 /* tenths */, LEAST_OF = 20 /* devices: of fewer, a share says nothing */ };

static bool is_province(const char *code)
{
    return strlen(code) > 2 && strspn(code + 2, "0") == strlen(code + 2);
}

static enum width width_of(const json_t *value)
{
    const char *area = json_string_value(json_object_get(value, "area"));
    const json_t *part, *either = json_object_get(value, "or"),
                        *both = json_object_get(value, "and");
    enum width w = both ? WIDTH_ALL : WIDTH_ASKED, one;
    size_t i;

    if (area)
        return is_province(area) ? WIDTH_ALL : WIDTH_AREA;
    if (!either && !both)
        return json_object_get(value, "all") || json_object_get(value, "not") ||
                       json_object_get(value, "transport")
                   ? WIDTH_ALL
                   : WIDTH_ASKED;
    json_array_foreach(either ? either : both, i, part)
    {
        one = width_of(part);
        if (either ? one > w : one < w)
            w = one;
    }
    return either && w == WIDTH_AREA ? WIDTH_AREAS : w;
}

static void gather_provinces(const json_t *value, struct buf *out)
{
    const char *area = json_string_value(json_object_get(value, "area"));
    const json_t *part, *list = json_object_get(value, "or");
    char term[32];
    size_t i;

    if (!list)
        list = json_object_get(value, "and");
    json_array_foreach(list, i, part) gather_provinces(part, out);
    if (json_object_get(value, "not"))
        gather_provinces(json_object_get(value, "not"), out);
    if (!area || strlen(area) < 2)
        return;
    snprintf(term, sizeof term, ",{\"area\":\"%.2s0000\"}", area);
    if (!out->p || !strstr(out->p, term))
        buf_adds(out, term);
}

static enum rc open_text(struct work *w, const char *text, struct audience **out)
{
    json_t *value;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, text, strlen(text), &value)) ||
        (rc = audience_parse(w, value, out)))
        return rc;
    return audience_open(w, *out);
}

/* Whether nearly all of the devices of `of` are in `text`. */
static enum rc covers(struct work *w, const char *text, const char *of, bool *yes)
{
    struct audience *a, *all;
    struct bits mine, theirs;
    int64_t in = 0, n = 0;
    enum rc rc;

    if ((rc = open_text(w, text, &a)) || (rc = open_text(w, of, &all)))
        return rc;
    for (int64_t block = 0; block < audience_blocks(all); block++) {
        if ((rc = audience_block(w, all, block, &theirs)) ||
            (rc = audience_block(w, a, block, &mine)))
            return rc;
        n += bits_count(&theirs);
        bits_and(&mine, &theirs);
        in += bits_count(&mine);
    }
    *yes = n >= LEAST_OF && in * 10 >= n * NEARLY;
    return RC_OK;
}

enum rc campaign_is_for_all(struct work *w, const struct campaign *c, bool *yes)
{
    struct buf provinces = BUF_IN(w->mem);
    enum width width;
    json_t *value;
    bool one;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, c->audience, strlen(c->audience), &value)))
        return rc;
    width = width_of(value);
    *yes = width == WIDTH_ALL;
    if (width != WIDTH_AREAS)
        return RC_OK;
    gather_provinces(value, &provinces);
    if ((rc = covers(w, c->audience, "{\"all\":true}", yes)) || *yes)
        return rc;
    /* Who says nowhere that he lives there is no reason why those who do are fewer than all. */
    one = !strstr(provinces.p + 1, ",{"); /* an "or" has two parts or more */
    return covers(
        w, c->audience,
        arena_printf(w->mem, "{\"or\":[%s%s]}", provinces.p + 1, one ? provinces.p : ""), yes);
}
