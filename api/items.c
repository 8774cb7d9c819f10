/*
 * items.c - lists come from columns of the store, an item is its record as it was stored:
 * nothing here parses or dumps the JSON of an article.
 *
 * A list is walked by its cursor until an answer has no "next". What has been withdrawn answers
 * 410 in every form, its revisions too.
 */
#include "api/items.h"

#include <string.h>

#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/jx.h"

enum { PAGE = 20 };

static enum rc read_time(struct work *w, const struct request *rq, const char *name,
                         int64_t *out)
{
    const char *text = request_text(rq, name, NULL);

    if (text && clock_parse(text, strlen(text), out))
        return err_field(&w->err, name, "%s is not a date like 2026-11-21", name);
    return RC_OK;
}

enum rc items_query(struct work *w, const struct request *rq, struct item_query *out)
{
    struct item_query q = { .by = LIST_ALL };
    enum rc rc;

    q.limit = (int)request_int(rq, "n", PAGE);
    q.cursor = request_text(rq, "cursor", NULL);
    if ((rc = read_time(w, rq, "since", &q.since)))
        return rc;
    if ((rc = read_time(w, rq, "until", &q.until)))
        return rc;
    *out = q;
    return RC_OK;
}

void items_link_next(struct work *w, const struct request *rq, const char *next,
                     struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    if (!*next)
        return;
    buf_printf(&b, "<%s?cursor=%s", rq->path, next);
    for (int i = 0; i < rq->nargs; i++) {
        const struct arg *a = &rq->args[i];

        if (!a->set || !strcmp(a->name, "cursor") || !strcmp(a->name, "column"))
            continue;
        buf_printf(&b, "&%s=", a->name);
        buf_url(&b, a->text, strlen(a->text));
    }
    buf_adds(&b, ">; rel=\"next\"");
    reply_header(rp, "link", b.p);
}

static enum rc reply_list(struct work *w, const struct request *rq, const struct item_query *q,
                          struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct places places = PLACES_NONE;
    struct item_page page;
    enum rc rc;

    if ((rc = item_list(w, q, &page)))
        return rc;
    view_list_open(&b, "items");
    for (int i = 0; i < page.n; i++)
        if ((rc = view_item(w, &b, &places, &page.items[i])))
            return rc;
    view_list_close(&b, page.next);
    items_link_next(w, rq, page.next, rp);
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_items(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *code = request_text(rq, "site", NULL);
    const char *stream = request_text(rq, "stream", NULL);
    struct item_query q;
    struct site site;
    enum rc rc;

    if ((rc = items_query(w, rq, &q)))
        return rc;
    if (code) {
        if ((rc = place_site(w, code, &site)))
            return rc;
        q.by = LIST_SITE;
        q.no = site.no;
    } else if (stream) {
        q.by = LIST_STREAM;
        if ((rc = place_stream(w, stream, &q.no)))
            return rc;
    }
    return reply_list(w, rq, &q, rp);
}

enum rc get_column_items(struct work *w, const struct request *rq, struct reply *rp)
{
    struct item_query q;
    struct column column;
    enum rc rc;

    if ((rc = items_query(w, rq, &q)))
        return rc;
    if ((rc = column_by_no(w, request_arg(rq, "column")->num, &column)))
        return rc;
    q.by = LIST_COLUMN;
    q.no = column.no;
    return reply_list(w, rq, &q, rp);
}

enum rc get_item(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct arg *id = request_arg(rq, "id");
    struct slice record;
    struct item item;
    enum rc rc;

    if ((rc = item_live(w, &id->id, &item, &record)))
        return rc;
    reply_header(
        rp, "link",
        arena_printf(w->mem, "</a/%s>; rel=\"alternate\"; type=\"text/html\"", id->text));
    reply_body(rp, TYPE_JSON, record.p, record.n);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_revisions(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct arg *id = request_arg(rq, "id");
    struct buf b = BUF_IN(w->mem);
    struct revision *revisions;
    struct slice record;
    struct item item;
    enum rc rc;
    int n;

    if ((rc = item_live(w, &id->id, &item, &record)))
        return rc;
    if ((rc = item_revisions(w, &id->id, true, &revisions, &n)))
        return rc;
    view_list_open(&b, "revisions");
    for (int i = 0; i < n; i++)
        view_revision(&b, &revisions[i]);
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_revision(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct id *id = &request_arg(rq, "id")->id;
    struct slice record;
    struct item item;
    enum rc rc;

    if ((rc = item_live(w, id, &item, &record)))
        return rc;
    if ((rc = item_record(w, id, request_arg(rq, "rev")->num, &record)))
        return rc;
    reply_body(rp, TYPE_JSON, record.p, record.n);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}
