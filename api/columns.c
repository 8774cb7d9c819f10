/*
 * columns.c - the directory a reader finds its way by.
 *
 * A column's number is its address (/v1/columns/3), because its path changes when it is
 * renamed; a site's is its code or its number. Nothing is deleted: what is closed takes nothing
 * new and stays readable.
 */
#include "api/columns.h"

#include <inttypes.h>

#include "api/instance.h"
#include "api/view.h"
#include "server/base/jx.h"
#include "server/library/ruling.h"
#include "server/library/stream.h"

static enum rc reply_site(struct work *w, const struct site *s, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    if ((rc = view_site(w, &b, s)))
        return rc;
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static enum rc reply_column(struct work *w, int64_t no, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct column column;
    struct site site;
    enum rc rc;

    if ((rc = column_by_no(w, no, &column)))
        return rc;
    if ((rc = site_by_no(w, column.site, &site)))
        return rc;
    view_column(&b, &column, &site);
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_sites(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct site *sites;
    enum rc rc;
    int n;

    (void)rq;
    if ((rc = site_list(w, 0, &sites, &n)))
        return rc;
    view_list_open(&b, "sites");
    for (int i = 0; i < n; i++)
        if ((rc = view_site(w, &b, &sites[i])))
            return rc;
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_site(struct work *w, const struct request *rq, struct reply *rp)
{
    struct site site;
    enum rc rc;

    if ((rc = place_site(w, request_arg(rq, "site")->text, &site)))
        return rc;
    rp->cache = CACHE_SHORT;
    return reply_site(w, &site, rp);
}

static enum rc put_columns(struct work *w, struct buf *b, const struct site *site)
{
    struct column *columns;
    enum rc rc;
    int n;

    if ((rc = column_list(w, site->no, &columns, &n)))
        return rc;
    for (int i = 0; i < n; i++)
        view_column(b, &columns[i], site);
    return RC_OK;
}

enum rc get_columns(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *code = request_text(rq, "site", NULL);
    struct buf b = BUF_IN(w->mem);
    struct site one, *sites = &one;
    int n = 1;
    enum rc rc;

    rc = code ? place_site(w, code, &one) : site_list(w, 0, &sites, &n);
    if (rc)
        return rc;
    view_list_open(&b, "columns");
    for (int i = 0; i < n; i++)
        if ((rc = put_columns(w, &b, &sites[i])))
            return rc;
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_column(struct work *w, const struct request *rq, struct reply *rp)
{
    rp->cache = CACHE_SHORT;
    return reply_column(w, request_arg(rq, "column")->num, rp);
}

static enum rc check_new_site(struct work *w, const json_t *body)
{
    const struct jx_field members[] = {
        { "code", JX_TEXT, true, 1, 64 },
        { "name", JX_TEXT, true, 1, 100 },
        { "domain", JX_TEXT, false, 1, 253 },
        place_org_field(body, "org"),
        { "stream", JX_TEXT, false, 1, STREAM_NAME_MAX },
        { 0 },
    };

    return jx_check(&w->err, body, members, "");
}

enum rc post_site(struct work *w, const struct request *rq, struct reply *rp)
{
    struct site site = { .stream = instance()->stream, .open = true };
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = check_new_site(w, body)) || (rc = place_org_in(w, body, "org", &site.org)) ||
        (rc = place_stream(w, jx_text(body, "stream"), &site.stream)))
        return rc;
    site.code = jx_text(body, "code");
    site.name = jx_text(body, "name");
    site.domain = jx_text(body, "domain");
    if ((rc = site_create(w, &site)))
        return rc;
    rp->status = 201;
    reply_header(rp, "location", arena_printf(w->mem, "/v1/sites/%" PRId64, site.no));
    return reply_site(w, &site, rp);
}

static enum rc check_edited_site(struct work *w, const json_t *body)
{
    const struct jx_field members[] = {
        { "name", JX_TEXT, false, 1, 100 },
        { "domain", JX_TEXT, false, 1, 253 },
        { "open", JX_BOOL, false, 0, 0 },
        place_org_field(body, "org"),
        { 0 },
    };

    return jx_check(&w->err, body, members, "");
}

enum rc patch_site(struct work *w, const struct request *rq, struct reply *rp)
{
    struct site site;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = check_edited_site(w, body)) ||
        (rc = place_site(w, request_arg(rq, "site")->text, &site)) ||
        (rc = place_org_in(w, body, "org", &site.org)))
        return rc;
    if (jx_text(body, "name"))
        site.name = jx_text(body, "name");
    if (jx_text(body, "domain"))
        site.domain = jx_text(body, "domain");
    site.open = jx_bool(body, "open", site.open);
    if ((rc = site_edit(w, &site)))
        return rc;
    return reply_site(w, &site, rp);
}

static enum rc reply_rules(struct work *w, int64_t site, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    const uint8_t *own;
    enum rc rc;

    if ((rc = site_rules(w, site, &own)))
        return rc;
    buf_adds(&b, "{\"rules\":[");
    for (int i = 0; i < CHECK_RULES; i++) {
        const struct check_rule *r = &check_rules[i];
        bool is_own = own && own[i] != CHECK_UNSET;

        buf_adds(&b, i ? ",{" : "{");
        jx_put_text(&b, "default", check_severity_name(r->severity));
        jx_put_text(&b, "label", r->label);
        jx_put_bool(&b, "own", is_own);
        jx_put_text(&b, "rule", r->name);
        jx_put_text(&b, "severity",
                    check_severity_name(is_own ? (enum check_severity)own[i] : r->severity));
        jx_put_int(&b, "version", r->version);
        buf_addc(&b, '}');
    }
    buf_adds(&b, "]}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_site_rules(struct work *w, const struct request *rq, struct reply *rp)
{
    struct site site;
    enum rc rc;

    if ((rc = place_site(w, request_arg(rq, "site")->text, &site)) ||
        (rc = work_need_at(w, ITEM_DRAFT_RIGHTS, site.no)))
        return rc;
    return reply_rules(w, site.no, rp);
}

enum rc put_site_rule(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "severity", JX_TEXT, true, 1, 10 }, { 0 } };
    const char *rule = request_arg(rq, "rule")->text;
    struct site site;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) ||
        (rc = place_site(w, request_arg(rq, "site")->text, &site)) ||
        (rc = site_rule_set(w, site.no, rule, jx_text(body, "severity"))))
        return rc;
    work_fact_word(w, "rule", rule);
    work_fact_word(w, "severity", jx_text(body, "severity"));
    return reply_rules(w, site.no, rp);
}

/* The members that a new column and a changed one share. */
#define COLUMN_MEMBERS                                                                       \
    { "name", JX_TEXT, false, 1, 64 }, { "type", JX_TEXT, false, 1, 32 },                    \
        { "description", JX_TEXT, false, 1, 500 }, { "keywords", JX_TEXT, false, 1, 200 },   \
        { "periodDays", JX_INT, false, 0, 3660 }, { "position", JX_INT, false, 0, 1000000 }, \
    {                                                                                        \
        "open", JX_BOOL, false, 0, 0                                                         \
    }

static void read_column(const json_t *body, struct column *c)
{
    const struct {
        const char *name, **to;
    } texts[] = {
        { "name", &c->name },
        { "type", &c->type },
        { "description", &c->description },
        { "keywords", &c->keywords },
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (jx_text(body, texts[i].name))
            *texts[i].to = jx_text(body, texts[i].name);
    c->period_days = jx_int(body, "periodDays", c->period_days);
    c->position = jx_int(body, "position", c->position);
    c->open = jx_bool(body, "open", c->open);
}

static enum rc check_new_column(struct work *w, const json_t *body)
{
    const struct jx_field members[] = {
        place_field(body, "site", true),
        { "path", JX_TEXT, true, 1, 600 },
        COLUMN_MEMBERS,
        { 0 },
    };

    return jx_check(&w->err, body, members, "");
}

enum rc post_column(struct work *w, const struct request *rq, struct reply *rp)
{
    struct column column;
    struct site site;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    if ((rc = check_new_column(w, body)))
        return rc;
    if ((rc = place_site_in(w, body, &site)))
        return rc;
    if ((rc = column_at(w, site.no, jx_text(body, "path"), true, &column)))
        return rc;
    read_column(body, &column);
    if (json_object_size(body) > 2 && (rc = column_edit(w, &column)))
        return rc;
    rp->status = 201;
    reply_header(rp, "location", arena_printf(w->mem, "/v1/columns/%" PRId64, column.no));
    return reply_column(w, column.no, rp);
}

enum rc patch_column(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { COLUMN_MEMBERS, { 0 } };
    struct column column;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    if ((rc = jx_check(&w->err, body, members, "")))
        return rc;
    if ((rc = column_by_no(w, request_arg(rq, "column")->num, &column)))
        return rc;
    read_column(body, &column);
    if ((rc = column_edit(w, &column)))
        return rc;
    return reply_column(w, column.no, rp);
}
