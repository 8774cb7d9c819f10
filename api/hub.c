/*
 * hub.c - see the header. What can be refused at once is refused here; what takes a question to the callback is the hub's (server/websub).
 */
#include "api/hub.h"

#include <inttypes.h>
#include <string.h>

#include "api/feeds.h"
#include "api/instance.h"
#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/url.h"
#include "server/derived/derived.h"
#include "server/http/form.h"
#include "server/http/reach.h"

static bool may_be_private;

void hub_open(bool private_net)
{
    may_be_private = private_net;
}

/* ---- what the hub's thread asks ---- */

static void take_place(const struct feed_scope *at, struct websub_place *out)
{
    _Static_assert((int)WEBSUB_CHAIN == (int)FEED_CHAIN_BYTES,
                   "a place of a feed is one of the hub");
    *out = (struct websub_place){ .n = at->n };
    memcpy(out->chain, at->chain, sizeof out->chain);
}

static enum rc place(struct work *w, const char *path, struct websub_place *out)
{
    const struct feed_format *as;
    struct feed_source of;
    struct feed_scope at;
    enum rc rc;

    if ((rc = feed_at(w, path, &of, &as)) || (rc = derived_read(w)) ||
        (rc = feed_scope_find(w, of.scope, &at)))
        return rc;
    take_place(&at, out);
    return RC_OK;
}

/* The same as a reader gets who comes with the entity tag of that place: what is new, or all of it where that cannot be said. */
static enum rc make(struct work *w, const char *path, const struct websub_place *since,
                    struct websub_document *out)
{
    struct buf b = BUF_IN(w->mem);
    char chain[FEED_CHAIN_TEXT];
    const struct feed_format *as;
    struct feed_source of;
    struct feed_scope at;
    struct feed feed;
    enum feed_news news;
    enum rc rc;

    *out = (struct websub_document){ 0 };
    hex_text(since->chain, sizeof since->chain, chain);
    if ((rc = feed_at(w, path, &of, &as)) ||
        (rc = feed_read_since(w, &of, arena_printf(w->mem, "%" PRId64 ".%s", since->n, chain),
                              &feed, &at, &news)))
        return rc;
    if ((news == FEED_UNKNOWN || (news == FEED_NEWS && feed.ngone && !as->tells_gone)) &&
        (rc = feed_read_newest(w, &of, &feed, &at)))
        return rc;
    take_place(&at, &out->upto);
    if (news == FEED_NO_NEWS || (news == FEED_NEWS && !feed.n && !feed.ngone))
        return RC_OK;
    as->write(&feed, &b);
    out->type = as->type;
    out->bytes = b.p;
    out->n = b.n;
    return RC_OK;
}

const struct websub_feeds hub_feeds = { .place = place, .make = make, .url = instance_url };

/* ---- POST /hub ---- */

static enum rc need(struct work *w, const struct form *f, const char *name, const char **out)
{
    *out = form_text(f, name);
    return *out ? RC_OK : err_field(&w->err, name, "%s is missing", name);
}

static enum rc read_mode(struct work *w, const struct form *f, struct websub_ask *out)
{
    const char *mode;
    enum rc rc;

    if ((rc = need(w, f, "hub.mode", &mode)))
        return rc;
    for (int i = WEBSUB_SUBSCRIBE; i <= WEBSUB_UNSUBSCRIBE; i++)
        if (!strcmp(mode, websub_modes[i]))
            out->mode = (enum websub_mode)i;
    return out->mode ? RC_OK
                     : err_field(&w->err, "hub.mode", "should be subscribe or unsubscribe");
}

static enum rc no_topic(struct work *w)
{
    return err_field(
        &w->err, "hub.topic",
        "should be the address of a feed of this server as its rel=\"self\" has it; "
        "/feeds lists them, and searches and archives are none");
}

static enum rc find_topic(struct work *w, struct websub_ask *ask)
{
    const struct feed_format *as;
    struct feed_source of;
    struct feed_scope at;
    enum rc rc = feed_at(w, ask->topic, &of, &as);

    if (rc)
        return rc == RC_NOT_FOUND ? no_topic(w) : rc;
    if (ask->mode == WEBSUB_UNSUBSCRIBE || strncmp(of.scope, "theme/", 6) != 0)
        return RC_OK;
    if ((rc = derived_read(w)) || (rc = feed_scope_find(w, of.scope, &at)))
        return rc;
    return at.no ? RC_OK : no_topic(w); /* a theme that nothing has is anybody's word */
}

/* As a path: where the server stands may change while the subscription lives. */
static enum rc read_topic(struct work *w, const struct form *f, struct websub_ask *out)
{
    struct buf origin = BUF_IN(w->mem);
    const char *topic;
    enum rc rc;

    if ((rc = need(w, f, "hub.topic", &topic)))
        return rc;
    instance_url(&origin, "/");
    if (strncmp(topic, origin.p, origin.n) != 0)
        return no_topic(w);
    out->topic = topic + origin.n - 1;
    return find_topic(w, out);
}

static enum rc read_callback(struct work *w, const struct form *f, struct websub_ask *out)
{
    char *host = arena_alloc(w->mem, WEBSUB_HOST_MAX + 1);
    enum rc rc;

    if ((rc = need(w, f, "hub.callback", &out->callback)) ||
        (rc = websub_callback(&w->err, out->callback, host)))
        return rc;
    out->host = host;
    return may_be_private || reach_may_be_public(host)
               ? RC_OK
               : err_field(&w->err, "hub.callback",
                           "its host is none of the Internet's: it would not be asked");
}

static enum rc read_rest(struct work *w, const struct form *f, struct websub_ask *out)
{
    const char *lease = form_text(f, "hub.lease_seconds");

    if (lease && (strspn(lease, "0123456789") != strlen(lease) || strlen(lease) > 10))
        return err_field(&w->err, "hub.lease_seconds", "should be a number of seconds");
    out->lease = websub_lease(lease ? strtoll(lease, NULL, 10) : 0);
    out->secret = form_text(f, "hub.secret");
    if (out->secret && strlen(out->secret) > WEBSUB_SECRET_MAX)
        return err_field(&w->err, "hub.secret", "should have less than 200 bytes");
    return RC_OK;
}

enum rc prepare_hub(struct work *w, struct request *rq)
{
    struct websub_ask *ask = arena_zalloc(w->mem, sizeof *ask);
    struct form f;
    enum rc rc;

    if ((rc = form_parse(&w->err, w->mem, rq->body, rq->body_len, &f)) ||
        (rc = read_mode(w, &f, ask)) || (rc = read_topic(w, &f, ask)) ||
        (rc = read_callback(w, &f, ask)) || (rc = read_rest(w, &f, ask)))
        return rc;
    if (ask->mode == WEBSUB_SUBSCRIBE && websub_count() >= WEBSUB_MOST)
        return err_set(&w->err, RC_TOO_MANY, "the hub has as many subscriptions as it takes");
    rq->prepared = ask;
    return RC_OK;
}

enum rc post_hub(struct work *w, const struct request *rq, struct reply *rp)
{
    enum rc rc = websub_ask_add(w, rq->prepared);

    if (rc)
        return rc;
    work_after_commit(w, websub_stir, NULL);
    reply_body(rp, TYPE_TEXT, "", 0);
    rp->status = 202;
    return RC_OK;
}

/* ---- who is subscribed, for staff ---- */

enum { PAGE = 100 };

static void put_row(struct buf *b, const struct websub_row *row)
{
    struct buf shown = BUF_IN(b->mem);

    url_show(&shown, row->callback); /* its query may be a key */
    if (b->p[b->n - 1] == '}')
        buf_addc(b, ',');
    buf_addc(b, '{');
    if (row->again_ms)
        view_time(b, "again", row->again_ms / 1000);
    jx_put_text(b, "callback", shown.p);
    view_time(b, "ends", row->ends);
    jx_put_int(b, "failures", row->failures);
    jx_put_int(b, "n", row->place.n);
    jx_put_int(b, "no", row->no);
    view_time(b, "since", row->since);
    jx_put_text(b, "topic", row->topic);
    buf_addc(b, '}');
}

enum rc get_websub(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct websub_row *rows;
    const char *next = "";
    enum rc rc;
    int n;

    if ((rc = work_need(w, RIGHT_OPERATE)) ||
        (rc = websub_list(w, request_int(rq, "after", 0), PAGE, false, &rows, &n)))
        return rc;
    view_list_open(&b, "subscriptions");
    for (int i = 0; i < n; i++)
        put_row(&b, &rows[i]);
    if (n == PAGE)
        next = arena_printf(w->mem, "%" PRId64, rows[n - 1].no);
    view_list_close(&b, next);
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
