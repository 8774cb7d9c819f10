/*
 * view.c - written straight into the answer, member by member: no tree is built to be sent.
 *
 * A published item's own JSON is not here: it is the record, sent as it was stored.
 */
#include "api/view.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/library/stream.h"

static void open_object(struct buf *out)
{
    if (out->n && out->p[out->n - 1] == '}')
        buf_addc(out, ',');
    buf_addc(out, '{');
}

void view_time(struct buf *out, const char *key, int64_t at)
{
    char text[CLOCK_TEXT];

    if (at)
        jx_put_text(out, key, clock_text(at, text));
}

static void put_id(struct buf *out, const struct id *id)
{
    char text[ID_TEXT];

    jx_put_text(out, "id", id_text(id, text));
}

void view_list_open(struct buf *out, const char *key)
{
    buf_addc(out, '{');
    jx_key(out, key);
    buf_addc(out, '[');
}

void view_list_close(struct buf *out, const char *next)
{
    buf_addc(out, ']');
    if (*next)
        jx_put_text(out, "next", next);
    buf_adds(out, "}\n");
}

void view_org(struct buf *out, const struct org *o)
{
    open_object(out);
    jx_put_text(out, "code", o->code);
    jx_put_text(out, "name", o->name);
    jx_put_int(out, "no", o->no);
    if (o->parent)
        jx_put_int(out, "parent", o->parent);
    jx_put_text(out, "region", o->region);
    buf_addc(out, '}');
}

enum rc view_site(struct work *w, struct buf *out, const struct site *s)
{
    struct org org = { 0 };
    struct stream stream;
    enum rc rc;

    if ((s->org && (rc = org_by_no(w, s->org, &org))) ||
        (rc = stream_by_no(w, s->stream, &stream)))
        return rc;
    open_object(out);
    jx_put_text(out, "code", s->code);
    jx_put_text(out, "domain", s->domain);
    jx_put_text(out, "name", s->name);
    jx_put_int(out, "no", s->no);
    jx_put_bool(out, "open", s->open);
    jx_put_text(out, "org", org.code);
    jx_put_text(out, "stream", stream.name);
    buf_addc(out, '}');
    return RC_OK;
}

void view_column(struct buf *out, const struct column *c, const struct site *s)
{
    open_object(out);
    jx_put_text(out, "description", c->description);
    jx_put_text(out, "keywords", c->keywords);
    jx_put_text(out, "name", c->name);
    jx_put_int(out, "no", c->no);
    jx_put_bool(out, "open", c->open);
    if (c->parent)
        jx_put_int(out, "parent", c->parent);
    jx_put_text(out, "path", c->path);
    if (c->period_days)
        jx_put_int(out, "periodDays", c->period_days);
    jx_put_int(out, "position", c->position);
    jx_put_text(out, "site", s->code);
    jx_put_text(out, "type", c->type);
    buf_addc(out, '}');
}

enum rc view_item(struct work *w, struct buf *out, struct places *p, const struct item *it)
{
    const struct column *column;
    const struct site *site;
    enum rc rc;

    if ((rc = places_column(w, p, it->col, &column)))
        return rc;
    if ((rc = places_site(w, p, it->site, &site)))
        return rc;
    open_object(out);
    jx_put_text(out, "column", column->path);
    jx_put_int(out, "columnNo", column->no);
    view_time(out, "date", it->date);
    put_id(out, &it->id);
    jx_put_text(out, "kind", kind_name(it->kind));
    view_time(out, "published", it->published);
    jx_put_int(out, "revision", it->live_rev);
    jx_put_int(out, "seq", it->seq);
    jx_put_text(out, "site", site->code);
    jx_put_text(out, "summary", it->summary);
    jx_put_text(out, "title", it->title);
    view_time(out, "updated", it->updated);
    buf_addc(out, '}');
    return RC_OK;
}

enum rc view_staff_item(struct work *w, struct buf *out, struct places *p,
                        const struct item *it)
{
    const struct column *column;
    const struct site *site;
    enum rc rc;

    if ((rc = places_column(w, p, it->col, &column)))
        return rc;
    if ((rc = places_site(w, p, it->site, &site)))
        return rc;
    open_object(out);
    jx_put_text(out, "authority", it->authority);
    jx_put_text(out, "column", column->path);
    jx_put_int(out, "columnNo", column->no);
    view_time(out, "created", it->created);
    view_time(out, "date", it->date);
    view_time(out, "expires", it->expires);
    put_id(out, &it->id);
    jx_put_text(out, "kind", kind_name(it->kind));
    if (it->live_rev)
        jx_put_int(out, "liveRevision", it->live_rev);
    jx_put_text(out, "originId", it->origin_id);
    view_time(out, "published", it->published);
    jx_put_int(out, "revision", it->rev);
    if (it->seq)
        jx_put_int(out, "seq", it->seq);
    jx_put_text(out, "site", site->code);
    jx_put_text(out, "state", state_name(it->state));
    jx_put_text(out, "stateLabel", state_label(it->state));
    jx_put_text(out, "title", it->title);
    view_time(out, "updated", it->updated);
    buf_addc(out, '}');
    return RC_OK;
}

void view_revision(struct buf *out, const struct revision *r)
{
    open_object(out);
    view_time(out, "created", r->created);
    jx_put_text(out, "note", r->note);
    jx_put_int(out, "revision", r->rev);
    if (r->seq)
        jx_put_int(out, "seq", r->seq);
    jx_put_text(out, "state", state_name(r->state));
    jx_put_text(out, "updateType", r->update_type);
    buf_addc(out, '}');
}

void view_event(struct buf *out, const struct item_event *e)
{
    open_object(out);
    jx_put_text(out, "actor", e->actor);
    jx_put_text(out, "after", e->after);
    view_time(out, "at", e->at);
    jx_put_text(out, "before", e->before);
    jx_put_text(out, "reason", e->reason);
    jx_put_int(out, "revision", e->rev);
    jx_put_text(out, "verb", e->verb);
    buf_addc(out, '}');
}
