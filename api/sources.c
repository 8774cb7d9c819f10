/*
 * sources.c - see the header.
 */
#include "api/sources.h"

#include <string.h>

#include "api/view.h"
#include "server/base/jx.h"
#include "server/source/fetch.h"
#include "server/source/source.h"

enum { MINUTE = 60, MINUTES = 60 /* unless it is said otherwise */ };

static enum rc put(struct work *w, struct buf *b, struct places *places, const struct source *s)
{
    const struct site *site;
    enum rc rc;

    if ((rc = places_site(w, places, s->site, &site)))
        return rc;
    if (b->n && b->p[b->n - 1] == '}')
        buf_addc(b, ',');
    buf_addc(b, '{');
    view_time(b, "again", s->again);
    view_time(b, "asked", s->asked);
    jx_put_text(b, "column", s->column);
    jx_put_int(b, "failures", s->failures);
    jx_key(b, "faults");
    buf_adds(b, s->faults);
    jx_put_text(b, "id", s->id);
    jx_put_text(b, "kind", source_kind_name(s->kind));
    jx_put_int(b, "minutes", s->period / MINUTE);
    jx_put_text(b, "said", s->said);
    jx_put_text(b, "site", site->code);
    jx_put_int(b, "taken", s->taken);
    jx_put_text(b, "url", s->url);
    buf_addc(b, '}');
    return RC_OK;
}

static enum rc reply_one(struct work *w, const char *id, struct reply *rp)
{
    struct places places = PLACES_NONE;
    struct buf b = BUF_IN(w->mem);
    struct source s;
    enum rc rc;

    if ((rc = source_find(w, id, &s)) || (rc = put(w, &b, &places, &s)))
        return rc;
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_source(struct work *w, const struct request *rq, struct reply *rp)
{
    return reply_one(w, request_arg(rq, "source")->text, rp);
}

enum rc get_sources(struct work *w, const struct request *rq, struct reply *rp)
{
    struct places places = PLACES_NONE;
    struct buf b = BUF_IN(w->mem);
    struct source *list;
    enum rc rc;
    int n;

    (void)rq;
    if ((rc = source_list(w, &list, &n)))
        return rc;
    view_list_open(&b, "sources");
    for (int i = 0; i < n; i++)
        if ((rc = put(w, &b, &places, &list[i])))
            return rc;
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static enum rc read_source(struct work *w, const json_t *body, struct source *out)
{
    const struct jx_field members[] = {
        { "id", JX_TEXT, true, 1, SOURCE_ID_MAX },
        place_field(body, "site", true),
        { "column", JX_TEXT, true, 1, 600 },
        { "kind", JX_TEXT, false, 1, 20 },
        { "url", JX_TEXT, true, 8, SOURCE_URL_MAX },
        { "minutes", JX_INT, false, SOURCE_PERIOD_MIN / MINUTE, SOURCE_PERIOD_MAX / MINUTE },
        { 0 },
    };
    const char *word = jx_text(body, "kind");
    int kind = word ? source_kind_parse(word) : SOURCE_FEED;
    struct site site;
    enum rc rc;

    if ((rc = jx_check(&w->err, body, members, "")) || (rc = place_site_in(w, body, &site)))
        return rc;
    if (kind < 0)
        return err_field(&w->err, "/kind", "a source is a feed, records, or pages");
    *out = (struct source){ .id = jx_text(body, "id"),
                            .site = site.no,
                            .column = jx_text(body, "column"),
                            .kind = (enum source_kind)kind,
                            .url = jx_text(body, "url"),
                            .period = jx_int(body, "minutes", MINUTES) * MINUTE };
    return RC_OK;
}

enum rc post_source(struct work *w, const struct request *rq, struct reply *rp)
{
    struct source s;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = read_source(w, body, &s)) || (rc = source_add(w, &s)) ||
        (rc = reply_one(w, s.id, rp)))
        return rc;
    work_fact_word(w, "source", s.id);
    work_after_commit(w, fetch_stir, NULL);
    reply_header(rp, "location", arena_printf(w->mem, "/v1/sources/%s", s.id));
    rp->status = 201;
    return RC_OK;
}

enum rc post_source_pull(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *id = request_arg(rq, "source")->text;
    enum rc rc;

    if ((rc = source_ask_now(w, id)) || (rc = reply_one(w, id, rp)))
        return rc;
    work_after_commit(w, fetch_stir, NULL);
    rp->status = 202;
    return RC_OK;
}

enum rc delete_source(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *id = request_arg(rq, "source")->text;
    enum rc rc;

    if ((rc = source_remove(w, id)))
        return rc;
    reply_body(rp, TYPE_JSON, "", 0);
    rp->status = 204;
    return RC_OK;
}
