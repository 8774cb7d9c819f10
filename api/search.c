/*
 * search.c - what was found, as JSON: docs/search.md.
 */
#include "api/search.h"

#include <string.h>

#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/derived/derived.h"
#include "server/search/find.h"

enum { PAGE = 20, DAY = 86400, BEHIND = 5 /* seconds that are not worth telling */ };

#define AFTER                                                                                   \
    {                                                                                           \
        "after", P_TEXT, 1, SEARCH_CURSOR, "上一页答复里的 next；不给则从头开始" \
    }
#define SIZE                                              \
    {                                                     \
        "n", P_INT, 1, SEARCH_PAGE_MAX, "每页多少条" \
    }

#define WANTED                                                                          \
    { "q", P_TEXT, 1, 400, "要找的词，以空格分开，都要有；至多 100 字" },               \
        { "site", P_TEXT, 1, 64, "站点标识码，或编号" },                                \
        { "column", P_INT, 1, INT64_MAX, "栏目的编号" },                                \
        { "theme", P_TEXT, 1, 800, "主题分类，一级、二级或“一级\\二级”" },              \
        { "area", P_TEXT, 2, 12, "区划代码，或它的前几位：站点主办机构所在的区划" },    \
        { "from", P_TEXT, 10, 40, "只要这一天（含）之后的，如 2026-11-21" },            \
        { "to", P_TEXT, 10, 40, "只要这一天（含）之前的" },                             \
        { "validity", P_TEXT, 1, 40, "有效性：有效、修改、废止、失效" },                \
    {                                                                                   \
        "kind", P_TEXT, 1, 20, "类别：article、policy、notice、faq、guide……" \
    }

const struct param search_params[] = { WANTED, SIZE, AFTER, { 0 } };
const struct param search_feed_params[] = { WANTED, { 0 } };
const struct param suggest_params[] = {
    { "q", P_TEXT, 1, 400, "已经输入的字" },
    { 0 },
};
const struct param catalogue_params[] = {
    { "organ", P_TEXT, 1, 400, "发文机关，或来源" },
    { "theme", P_TEXT, 1, 800, "主题分类，一级、二级或“一级\\二级”" },
    { "year", P_INT, 1900, 2200, "生成日期的年份" },
    SIZE,
    AFTER,
    { 0 },
};

static enum rc read_day(struct work *w, const struct request *rq, const char *name,
                        int64_t *out)
{
    const char *text = request_text(rq, name, NULL);

    if (text && clock_parse(text, strlen(text), out))
        return err_field(&w->err, name, "%s is not a date like 2026-11-21", name);
    return RC_OK;
}

enum rc search_read(struct work *w, const struct request *rq, struct search_ask *out)
{
    const char *site = request_text(rq, "site", NULL);
    struct search_filter *f = &out->filter;
    struct site found;
    enum rc rc;

    *out = (struct search_ask){ .q = request_text(rq, "q", "") };
    out->q_n = strlen(out->q);
    f->column = request_int(rq, "column", 0);
    f->theme = request_text(rq, "theme", NULL);
    f->area = request_text(rq, "area", NULL);
    f->validity = request_text(rq, "validity", NULL);
    f->kind = request_text(rq, "kind", NULL);
    if ((rc = read_day(w, rq, "from", &f->from)) || (rc = read_day(w, rq, "to", &f->until)))
        return rc;
    f->until += f->until ? DAY : 0;
    if (!site)
        return RC_OK;
    if ((rc = place_site(w, site, &found)))
        return rc;
    f->site = found.no;
    return RC_OK;
}

static enum rc view_hit(struct work *w, struct buf *b, struct places *places,
                        const struct search_hit *hit)
{
    enum rc rc;

    if (b->p[b->n - 1] == '}')
        buf_addc(b, ',');
    buf_addc(b, '{');
    jx_key(b, "item");
    if ((rc = view_item(w, b, places, &hit->item)))
        return rc;
    jx_put_text(b, "snippet", hit->snippet);
    jx_put_text(b, "title", hit->title);
    buf_addc(b, '}');
    return RC_OK;
}

static enum rc view_hits(struct work *w, struct buf *b, const struct search_hit *hits, int n,
                         const char *next)
{
    struct places places = PLACES_NONE;
    int64_t behind = derived_age();
    enum rc rc;

    buf_addc(b, '{');
    if (behind >= BEHIND)
        jx_put_int(b, "behind", behind);
    jx_key(b, "hits");
    buf_addc(b, '[');
    for (int i = 0; i < n; i++)
        if ((rc = view_hit(w, b, &places, &hits[i])))
            return rc;
    view_list_close(b, next);
    return RC_OK;
}

enum rc get_search(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct search_page page;
    struct search_ask ask;
    enum rc rc;

    if ((rc = search_read(w, rq, &ask)))
        return rc;
    ask.limit = (int)request_int(rq, "n", PAGE);
    ask.after = request_text(rq, "after", NULL);
    if ((rc = search_find(w, &ask, &page)) ||
        (rc = view_hits(w, &b, page.hits, page.n, page.next)))
        return rc;
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_suggestions(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *q = request_text(rq, "q", "");
    struct buf b = BUF_IN(w->mem);
    struct search_titles found;
    enum rc rc;

    if ((rc = search_suggest(w, q, strlen(q), &found)) ||
        (rc = view_hits(w, &b, found.hits, found.n, "")))
        return rc;
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

/* ---- 公开目录 (条例第十二条: 索引、名称、内容概述、生成日期) ---- */

static void put_member(struct buf *b, const json_t *record, const char *key, const char *member)
{
    jx_put_text(b, key, jx_text(record, member));
}

static enum rc view_entry(struct work *w, struct buf *b, const struct item *it)
{
    const char *written;
    struct slice bytes;
    struct item now;
    char id[ID_TEXT], day[CLOCK_TEXT];
    json_t *record;
    enum rc rc = item_live(w, &it->id, &now, &bytes);

    if (rc == RC_GONE || rc == RC_NOT_FOUND) /* since a moment */
        return RC_OK;
    if (rc || (rc = jx_object(&w->err, w->mem, bytes.p, bytes.n, &record)))
        return rc;
    if (b->p[b->n - 1] == '}')
        buf_addc(b, ',');
    buf_addc(b, '{');
    put_member(b, record, "docNumber", "docNumber");
    jx_put_text(b, "id", id_text(&it->id, id));
    put_member(b, record, "indexNumber", "indexNumber");
    if (json_object_get(record, "issuers")) {
        jx_key(b, "issuers");
        jx_canonical(b, json_object_get(record, "issuers"));
    }
    jx_put_text(b, "name", jx_text(record, "title"));
    jx_put_text(b, "summary", it->summary);
    put_member(b, record, "theme", "theme");
    put_member(b, record, "validity", "validity");
    written = jx_text(record, "writtenDate");
    jx_put_text(b, "written", written ? written : clock_day(it->date, day));
    buf_addc(b, '}');
    return RC_OK;
}

enum rc get_catalogue(struct work *w, const struct request *rq, struct reply *rp)
{
    struct search_ask ask = { .limit = (int)request_int(rq, "n", PAGE),
                              .after = request_text(rq, "after", NULL) };
    struct buf b = BUF_IN(w->mem);
    struct search_page page;
    enum rc rc;

    ask.filter = (struct search_filter){ .catalogue = true,
                                         .organ = request_text(rq, "organ", NULL),
                                         .theme = request_text(rq, "theme", NULL),
                                         .year = request_int(rq, "year", 0) };
    if ((rc = search_find(w, &ask, &page)))
        return rc;
    view_list_open(&b, "entries");
    for (int i = 0; i < page.n; i++)
        if ((rc = view_entry(w, &b, &page.hits[i].item)))
            return rc;
    view_list_close(&b, page.next);
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}
