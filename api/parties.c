/*
 * parties.c - parties as JSON.
 *
 * A body's `rights` (words with commas, "" for none) are those at its `site`, or without one everywhere; other sites stay as they are.
 */
#include "api/parties.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/identity/grant_scope.h"
#include "server/identity/party_key.h"
#include "server/identity/party_log.h"
#include "server/identity/party_reach.h"

enum {
    DAY = 86400,
    DAYS = 365,
    PER_MINUTE = 600,
    PER_DAY = 100000,
    OVERLAP_HOURS = 24,
    TEAM_TEXT = 20 * PARTY_TEAM_MAX
};

#define PARTY                                                  \
    {                                                          \
        "party", P_TEXT, 1, PARTY_ID_MAX, "第三方的代号" \
    }

const struct param party_params[] = { PARTY, { 0 } };
const struct param party_key_params[] = { PARTY,
                                          { "key", P_INT, 1, INT64_MAX, "密钥的编号" },
                                          { 0 } };
const struct param party_request_params[] = {
    PARTY, { "n", P_INT, 1, PARTY_LOG_MAX, "条数，默认 100" }, { 0 }
};

/* ---- out ---- */

static void put_texts(struct buf *b, const char *key, const char *const *v, int n)
{
    jx_key(b, key);
    buf_addc(b, '[');
    for (int i = 0; i < n; i++) {
        buf_adds(b, i ? "," : "");
        jx_quote(b, v[i], strlen(v[i]));
    }
    buf_addc(b, ']');
}

static enum rc put_rights(struct work *w, struct buf *b, const struct party *p)
{
    struct places places = PLACES_NONE;
    const struct site *site;
    char text[RIGHTS_TEXT];
    enum rc rc;

    jx_key(b, "rights");
    buf_addc(b, '[');
    for (int i = 0; i < p->nrights; i++) {
        buf_adds(b, i ? ",{" : "{");
        jx_put_text(b, "rights", rights_text(p->rights[i].rights, text));
        if (p->rights[i].site != EVERYWHERE) {
            if ((rc = places_site(w, &places, p->rights[i].site, &site)))
                return rc;
            jx_put_text(b, "site", site->code);
        }
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
    return RC_OK;
}

static enum rc put_team(struct work *w, struct buf *b, const struct party *p)
{
    struct buf text = BUF_IN(w->mem);
    int64_t *team;
    enum rc rc;
    int n;

    if ((rc = party_team_list(w, p->no, &team, &n)))
        return rc;
    for (int i = 0; i < n; i++)
        buf_printf(&text, "%s%" PRId64, i ? "," : "", team[i]);
    if (n)
        jx_put_text(b, "team", text.p);
    return RC_OK;
}

static enum rc put_party(struct work *w, struct buf *b, const struct party *p)
{
    const struct grant_client *c = &p->client;
    char grants[PARTY_WAYS_TEXT], scopes[GRANT_SCOPES_TEXT];
    enum rc rc;

    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
    jx_put_int(b, "ceiling", c->ceiling);
    jx_put_bool(b, "confidential", c->confidential);
    view_time(b, "created", p->created);
    jx_put_text(b, "grants", party_ways_text(c->ways, grants));
    jx_put_text(b, "id", p->id);
    jx_put_text(b, "kind", party_kind_name(p->kind));
    put_texts(b, "logouts", p->client.logouts, p->client.nlogouts);
    jx_put_text(b, "name", p->name);
    jx_put_bool(b, "open", p->open);
    if (p->owner)
        jx_put_int(b, "owner", p->owner);
    put_texts(b, "redirects", c->redirects, c->nredirects);
    if ((rc = put_rights(w, b, p)))
        return rc;
    jx_put_text(b, "scopes", grant_scopes_text(c->scopes, scopes));
    jx_put_text(b, "sector", c->sector);
    if ((rc = put_team(w, b, p)))
        return rc;
    buf_addc(b, '}');
    return RC_OK;
}

static enum rc reply_party(struct work *w, const struct party *p, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    if ((rc = put_party(w, &b, p)))
        return rc;
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static void put_key(struct buf *b, const struct party_key *k, const char *text)
{
    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
    view_time(b, "created", k->created);
    view_time(b, "expires", k->expires);
    jx_put_text(b, "key", text);
    jx_put_int(b, "no", k->no);
    jx_put_int(b, "perDay", k->per_day);
    jx_put_int(b, "perMinute", k->per_minute);
    view_time(b, "used", k->used);
    buf_addc(b, '}');
}

enum rc get_parties(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct party *list;
    enum rc rc;
    int n;

    (void)rq;
    if ((rc = party_list(w, &list, &n)))
        return rc;
    view_list_open(&b, "parties");
    for (int i = 0; i < n; i++)
        if ((rc = put_party(w, &b, &list[i])))
            return rc;
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static enum rc find(struct work *w, const struct request *rq, struct party *out)
{
    return party_find(w, request_text(rq, "party", ""), out);
}

enum rc get_party(struct work *w, const struct request *rq, struct reply *rp)
{
    struct party p;
    enum rc rc = find(w, rq, &p);

    return rc ? rc : reply_party(w, &p, rp);
}

/* ---- in ---- */

#define CLIENT_MEMBERS                                                                        \
    { "ceiling", JX_INT, false, 1, 4 }, { "confidential", JX_BOOL, false, 0, 0 },             \
        { "grants", JX_TEXT, false, 0, PARTY_WAYS_TEXT },                                     \
        { "logouts", JX_TEXTS, false, 0, PARTY_ADDRESSES }, { "open", JX_BOOL, false, 0, 0 }, \
        { "owner", JX_INT, false, 0, INT64_MAX },                                             \
        { "redirects", JX_TEXTS, false, 0, PARTY_ADDRESSES },                                 \
        { "rights", JX_TEXT, false, 0, RIGHTS_TEXT },                                         \
        { "scopes", JX_TEXT, false, 0, GRANT_SCOPES_TEXT },                                   \
        { "sector", JX_TEXT, false, 1, PARTY_SECTOR_MAX },                                    \
        { "team", JX_TEXT, false, 0, TEAM_TEXT }, place_field(body, "site", false)

static void read_texts(struct work *w, const json_t *body, const char *name,
                       const char *const **out, int *n)
{
    const json_t *v = json_object_get(body, name);
    const char **list;

    if (!v)
        return;
    list = arena_zalloc(w->mem, (json_array_size(v) + 1) * sizeof *list);
    *n = (int)json_array_size(v);
    for (int i = 0; i < *n; i++)
        list[i] = json_string_value(json_array_get(v, (size_t)i));
    *out = (const char *const *)list;
}

static enum rc read_words(struct work *w, const json_t *body, struct grant_client *c)
{
    const char *grants = jx_text(body, "grants"), *scopes = jx_text(body, "scopes"), *bad;

    if (grants && !party_ways_parse(grants, &c->ways, &bad))
        return err_field(&w->err, "grants", "there is no grant \"%.*s\"",
                         (int)strcspn(bad, " "), bad);
    if (scopes)
        c->scopes = grant_scopes_read(scopes);
    return RC_OK;
}

static enum rc read_party(struct work *w, const json_t *body, struct party *p)
{
    if (jx_text(body, "name"))
        p->name = jx_text(body, "name");
    if (jx_text(body, "sector"))
        p->client.sector = jx_text(body, "sector");
    p->owner = jx_int(body, "owner", p->owner);
    p->open = jx_bool(body, "open", p->open);
    p->client.ceiling = (int)jx_int(body, "ceiling", p->client.ceiling);
    p->client.confidential = jx_bool(body, "confidential", p->client.confidential);
    read_texts(w, body, "redirects", &p->client.redirects, &p->client.nredirects);
    read_texts(w, body, "logouts", &p->client.logouts, &p->client.nlogouts);
    return read_words(w, body, &p->client);
}

/* What it may do, if the body says so. */
static enum rc allow(struct work *w, const json_t *body, int64_t party)
{
    const char *text = jx_text(body, "rights"), *bad;
    struct site site = { 0 };
    unsigned rights = 0;
    enum rc rc;

    if (!text)
        return RC_OK;
    if (json_object_get(body, "site") && (rc = place_site_in(w, body, &site)))
        return rc;
    if (*text && !rights_parse(text, &rights, &bad))
        return err_field(&w->err, "rights", "there is no right \"%.*s\"",
                         (int)strcspn(bad, ","), bad);
    if ((rc = party_allow(w, party, site.no, rights)))
        return rc;
    /* Each right once, in our order: what was sent may say one a hundred times. */
    work_fact_word(w, "rights", rights_text(rights, arena_alloc(w->mem, RIGHTS_TEXT)));
    if (site.no)
        work_fact(w, "site", site.no);
    return RC_OK;
}

/* Its own people, if the body says who they are: "7,19". */
static enum rc set_team(struct work *w, const json_t *body, int64_t party)
{
    const char *at = jx_text(body, "team");
    int64_t team[PARTY_TEAM_MAX + 1];
    enum rc rc;
    int n = 0;

    if (!at)
        return RC_OK;
    while (*at && n <= PARTY_TEAM_MAX) {
        size_t digits = strspn(at, "0123456789");

        if (!digits || digits > 18 || (at[digits] && (at[digits] != ',' || !at[digits + 1])))
            return err_field(&w->err, "team", "a team is numbers of accounts with commas");
        team[n++] = strtoll(at, NULL, 10);
        at += digits + (at[digits] == ',');
    }
    if ((rc = party_team_set(w, party, team, n)))
        return rc;
    work_fact(w, "team", n);
    return RC_OK;
}

enum rc post_party(struct work *w, const struct request *rq, struct reply *rp)
{
    struct party p = { .open = true, .client = { .ceiling = 1, .confidential = true } };
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body,
                       (const struct jx_field[]){ { "id", JX_TEXT, true, 1, PARTY_ID_MAX },
                                                  { "kind", JX_TEXT, true, 1, 10 },
                                                  { "name", JX_TEXT, true, 1, PARTY_NAME_MAX },
                                                  CLIENT_MEMBERS,
                                                  { 0 } },
                       "")))
        return rc;
    p.id = p.client.sector = jx_text(body, "id");
    p.kind = party_kind_parse(jx_text(body, "kind"));
    if ((rc = read_party(w, body, &p)) || (rc = party_create(w, &p)) ||
        (rc = allow(w, body, p.no)) || (rc = set_team(w, body, p.no)) ||
        (rc = party_find(w, p.id, &p)))
        return rc;
    work_fact_word(w, "kind", party_kind_name(p.kind));
    rp->status = 201;
    reply_header(rp, "location", arena_printf(w->mem, "/v1/parties/%s", p.id));
    return reply_party(w, &p, rp);
}

enum rc patch_party(struct work *w, const struct request *rq, struct reply *rp)
{
    struct party p;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body,
                       (const struct jx_field[]){ { "name", JX_TEXT, false, 1, PARTY_NAME_MAX },
                                                  CLIENT_MEMBERS,
                                                  { 0 } },
                       "")) ||
        (rc = find(w, rq, &p)) || (rc = read_party(w, body, &p)) || (rc = party_edit(w, &p)) ||
        (rc = allow(w, body, p.no)) || (rc = set_team(w, body, p.no)) ||
        (rc = party_find(w, p.id, &p)))
        return rc;
    work_fact(w, "open", p.open);
    return reply_party(w, &p, rp);
}

/* ---- keys ---- */

enum rc get_party_keys(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct party_key *keys;
    struct party p;
    enum rc rc;
    int n;

    if ((rc = find(w, rq, &p)) || (rc = party_key_list(w, p.no, &keys, &n)))
        return rc;
    view_list_open(&b, "keys");
    for (int i = 0; i < n; i++)
        put_key(&b, &keys[i], NULL);
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* The answer holds a secret: its route takes no Idempotency-Key, so that it is kept nowhere. */
static void reply_key(struct work *w, const struct party *p, const struct party_key *k,
                      const char *text, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    put_key(&b, k, text);
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    rp->status = 201;
    reply_header(rp, "location",
                 arena_printf(w->mem, "/v1/parties/%s/keys/%" PRId64, p->id, k->no));
    work_fact(w, "key", k->no);
}

static enum rc read_body(struct work *w, const struct request *rq,
                         const struct jx_field *members, json_t **out)
{
    static const char nothing[] = "{}";
    enum rc rc = rq->body_len ? jx_object(&w->err, w->mem, rq->body, rq->body_len, out)
                              : jx_object(&w->err, w->mem, nothing, strlen(nothing), out);

    return rc ? rc : jx_check(&w->err, *out, members, "");
}

enum rc post_party_key(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = {
        { "days", JX_INT, false, 1, PARTY_KEY_LIFE_MAX / DAY },
        { "perDay", JX_INT, false, 1, PARTY_KEY_DAY_MAX },
        { "perMinute", JX_INT, false, 1, PARTY_KEY_MINUTE_MAX },
        { 0 },
    };
    char text[PARTY_KEY_TEXT];
    struct party_key key;
    struct party p;
    json_t *body;
    enum rc rc;

    if ((rc = read_body(w, rq, members, &body)) || (rc = find(w, rq, &p)))
        return rc;
    key = (struct party_key){ .expires = clock_now() + jx_int(body, "days", DAYS) * DAY,
                              .per_minute = jx_int(body, "perMinute", PER_MINUTE),
                              .per_day = jx_int(body, "perDay", PER_DAY) };
    if ((rc = party_key_make(w, &p, &key, text)))
        return rc;
    reply_key(w, &p, &key, text, rp);
    return RC_OK;
}

enum rc post_party_key_rotate(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = {
        { "overlapHours", JX_INT, false, 0, PARTY_KEY_OVERLAP_MAX / 3600 },
        { 0 },
    };
    char text[PARTY_KEY_TEXT];
    struct party_key next;
    struct party p;
    json_t *body;
    enum rc rc;

    if ((rc = read_body(w, rq, members, &body)) || (rc = find(w, rq, &p)) ||
        (rc =
             party_key_rotate(w, &p, request_int(rq, "key", 0),
                              jx_int(body, "overlapHours", OVERLAP_HOURS) * 3600, &next, text)))
        return rc;
    reply_key(w, &p, &next, text, rp);
    return RC_OK;
}

enum rc delete_party_key(struct work *w, const struct request *rq, struct reply *rp)
{
    struct party p;
    enum rc rc;

    if ((rc = find(w, rq, &p)) || (rc = party_key_revoke(w, &p, request_int(rq, "key", 0))))
        return rc;
    rp->status = 204;
    return RC_OK;
}

/* ---- what it asked ---- */

enum rc get_party_requests(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct party_request *list;
    struct party p;
    enum rc rc;
    int n;

    if ((rc = find(w, rq, &p)) ||
        (rc = party_log_list(w, p.no, (int)request_int(rq, "n", 100), &list, &n)))
        return rc;
    view_list_open(&b, "requests");
    for (int i = 0; i < n; i++) {
        buf_adds(&b, i ? ",{" : "{");
        if (list[i].key)
            jx_put_int(&b, "key", list[i].key);
        jx_put_text(&b, "method", list[i].method);
        jx_put_int(&b, "ms", list[i].ms);
        jx_put_text(&b, "route", list[i].route);
        jx_put_int(&b, "status", list[i].status);
        view_time(&b, "time", list[i].at_ms / 1000);
        buf_addc(&b, '}');
    }
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
