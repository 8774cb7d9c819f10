/*
 * feed_log.c - each change of an item is a row in every scope that has the item, or had it.
 *
 *     feed_scope (no, name, n, chain, modified)      how far a scope has counted
 *     feed_log   (scope, n, stream, seq, item, …)    what it counted; `void`: a removal, or a text that replaces purged ones
 *     feed_place (item, scope, first, last, void, shown)  each item's first, last and last void row in a scope
 *
 *     change --> scopes it belongs to now  --> a row "entry" in each
 *            \-> scopes that showed it and are not among them --> a row "moved", or why it is no longer published
 *
 * Messages that are for some people only (`recipients`) are in no feed. Of a mirrored stream earlier versions are not kept, so that each of its
 * updates makes void what archives hold of the item.
 */
#include "server/feed/feed_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/library/item.h"
#include "server/library/org.h"
#include "server/library/row.h"
#include "server/library/site.h"
#include "server/library/stream.h"
#include "server/store/db.h"

enum { SCOPES_MAX = 64, ROWS_AT_ONCE = 64 };

struct scopes { /* of one item; names in w->mem, each once */
    const char *name[SCOPES_MAX];
    int n;
};

/* ---- which scopes ---- */

static void add_scope(struct scopes *s, const char *name)
{
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->name[i], name))
            return;
    if (s->n < SCOPES_MAX)
        s->name[s->n++] = name;
}

/* A region and all that it lies in: the village, the street, the county, the city, the province. */
static void add_area(struct work *w, struct scopes *s, const char *region)
{
    size_t n = strlen(region);

    if (n == 12)
        add_scope(s, arena_printf(w->mem, "area/%.12s", region));
    if (n >= 9)
        add_scope(s, arena_printf(w->mem, "area/%.9s", region));
    add_scope(s, arena_printf(w->mem, "area/%.6s", region));
    add_scope(s, arena_printf(w->mem, "area/%.4s00", region));
    add_scope(s, arena_printf(w->mem, "area/%.2s0000", region));
}

static enum rc add_area_of_site(struct work *w, struct scopes *s, int64_t no)
{
    struct site site;
    struct org org;
    enum rc rc;

    if ((rc = site_by_no(w, no, &site)) || !site.org)
        return rc;
    if ((rc = org_by_no(w, site.org, &org)))
        return rc;
    if (org.region && org_region_ok(org.region))
        add_area(w, s, org.region);
    return RC_OK;
}

/* The library's own numbers: a mirrored stream's directory has others. */
static enum rc find_place(struct work *w, const struct derived_change *c, int64_t *site,
                          int64_t *column, bool *mirrored)
{
    struct stream stream;
    struct item item;
    enum rc rc;

    if ((rc = stream_by_no(w, c->stream, &stream)))
        return rc;
    *mirrored = stream.mirrored;
    *site = c->site;
    *column = c->column;
    if (!stream.mirrored)
        return RC_OK;
    if ((rc = item_find(w, &c->item, &item)))
        return rc;
    *site = item.site;
    *column = item.col;
    return RC_OK;
}

static enum rc scopes_of(struct work *w, const struct derived_change *c, struct scopes *out,
                         bool *mirrored)
{
    const json_t *areas = json_object_get(c->record, fields[FIELD_areas].name);
    const char *theme = jx_text(c->record, fields[FIELD_theme].name);
    int64_t site, column;
    enum rc rc;

    out->n = 0;
    if ((rc = find_place(w, c, &site, &column, mirrored)))
        return rc;
    add_scope(out, "all");
    add_scope(out, arena_printf(w->mem, "site/%" PRId64, site));
    add_scope(out, arena_printf(w->mem, "column/%" PRId64, column));
    if (theme)
        add_scope(out, arena_printf(w->mem, "theme/%s", theme));
    for (size_t i = 0; i < json_array_size(areas); i++) {
        const char *region = json_string_value(json_array_get(areas, i));

        if (region && org_region_ok(region))
            add_area(w, out, region);
    }
    return add_area_of_site(w, out, site);
}

/* ---- rows ---- */

static void step_chain(struct feed_scope *s, const struct derived_change *c, enum feed_op op)
{
    uint8_t in[FEED_CHAIN_BYTES + 17], hash[HASH_BYTES];

    memcpy(in, s->chain, FEED_CHAIN_BYTES);
    for (int i = 0; i < 8; i++) {
        in[FEED_CHAIN_BYTES + i] = (uint8_t)((uint64_t)c->stream >> (56 - 8 * i));
        in[FEED_CHAIN_BYTES + 8 + i] = (uint8_t)((uint64_t)c->seq >> (56 - 8 * i));
    }
    in[FEED_CHAIN_BYTES + 16] = (uint8_t)op;
    sha256(in, sizeof in, hash);
    memcpy(s->chain, hash, FEED_CHAIN_BYTES);
}

static enum rc read_scope(struct work *w, const char *name, struct feed_scope *out)
{
    struct rows q;
    const void *chain;
    size_t n;
    enum rc rc;

    *out = (struct feed_scope){ 0 };
    if (!(rc = db_one(w, SQL_feed_scope, &q, "t", name))) {
        out->no = rows_int(&q, 0);
        out->n = rows_int(&q, 1);
        if ((chain = rows_blob(&q, 2, &n)) && n == FEED_CHAIN_BYTES)
            memcpy(out->chain, chain, n);
        out->at = rows_int(&q, 3);
        out->modified = rows_int(&q, 4);
    }
    return row_finish(&q, rc);
}

static enum rc make_scope(struct work *w, const char *name, struct feed_scope *out)
{
    struct rows q;
    enum rc rc = read_scope(w, name, out);

    if (rc != RC_NOT_FOUND)
        return rc;
    if (!(rc = db_one(w, SQL_feed_scope_add, &q, "tb", name, out->chain, sizeof out->chain)))
        out->no = rows_int(&q, 0);
    return row_finish(&q, rc);
}

/* The item's first row in the scope: `otherwise` if it has none yet. */
static enum rc first_row(struct work *w, const struct id *item, int64_t scope,
                         int64_t otherwise, int64_t *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_feed_first, &q, "bi", item->b, sizeof item->b, scope);

    *out = rc ? otherwise : rows_int(&q, 0);
    rc = row_finish(&q, rc);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc append(struct work *w, const char *name, const struct derived_change *c,
                      enum feed_op op, bool makes_void)
{
    struct feed_scope s;
    int64_t first, now = clock_now();
    enum rc rc;

    if ((rc = make_scope(w, name, &s)) || (rc = first_row(w, &c->item, s.no, s.n + 1, &first)))
        return rc;
    s.n++;
    s.at = c->at;
    s.modified = now > s.modified ? now : s.modified; /* the clock may go back */
    step_chain(&s, c, op);
    if ((rc = db_run(w, SQL_feed_log_add, "iiiibiiibii", s.no, s.n, c->stream, c->seq,
                     c->item.b, sizeof c->item.b, c->rev, (int64_t)op, c->at, s.chain,
                     sizeof s.chain, (int64_t)makes_void, first)) ||
        (rc = db_run(w, SQL_feed_place_set, "biiii", c->item.b, sizeof c->item.b, s.no, s.n,
                     (int64_t)makes_void, (int64_t)(op == FEED_ENTRY))))
        return rc;
    return db_run(w, SQL_feed_scope_step, "iibii", s.no, s.n, s.chain, sizeof s.chain, s.at,
                  s.modified);
}

static bool has_scope(const struct scopes *s, const char *name)
{
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->name[i], name))
            return true;
    return false;
}

static enum rc shown_in(struct work *w, const struct id *item, struct scopes *out)
{
    struct rows q;
    enum rc rc;

    out->n = 0;
    if ((rc = db_query(w, SQL_feed_shown_in, &q, "b", item->b, sizeof item->b)))
        return rc;
    while (rows_next(&q))
        add_scope(out, rows_dup_text(w, &q, 1));
    return rows_done(&q);
}

static enum feed_op op_of(enum change_op op)
{
    static const enum feed_op ops[] = { [CHANGE_PUT] = FEED_MOVED,
                                        [CHANGE_WITHDRAWN] = FEED_WITHDRAWN,
                                        [CHANGE_EXPIRED] = FEED_EXPIRED,
                                        [CHANGE_GONE] = FEED_GONE };

    return ops[op];
}

static enum rc take(struct work *w, const struct derived_change *c, bool *shown)
{
    struct scopes now = { 0 }, before;
    bool mirrored = false;
    enum rc rc;

    if (c->op == CHANGE_PUT && !c->record) /* a later change took the text away, and comes */
        return RC_OK;
    if (c->op == CHANGE_PUT && !json_object_get(c->record, fields[FIELD_recipients].name) &&
        (rc = scopes_of(w, c, &now, &mirrored)))
        return rc;
    if ((rc = shown_in(w, &c->item, &before)))
        return rc;
    for (int i = 0; i < before.n; i++)
        if (!has_scope(&now, before.name[i]) &&
            (rc = append(w, before.name[i], c, op_of(c->op), true)))
            return rc;
    for (int i = 0; i < now.n; i++)
        if ((rc = append(w, now.name[i], c, FEED_ENTRY,
                         c->flags & CHANGE_PURGE ||
                             (mirrored && has_scope(&before, now.name[i])))))
            return rc;
    *shown |= before.n || now.n;
    return RC_OK;
}

static const char *const tables[] = { "feed_scope", "feed_log", "feed_place", NULL };
const struct projection feed_projection = {
    .name = "feed", .version = 1, .take = take, .tables = tables
};

/* ---- reading ---- */

enum rc feed_scope_find(struct work *w, const char *name, struct feed_scope *out)
{
    enum rc rc = read_scope(w, name, out);

    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc feed_scope_at(struct work *w, const struct feed_scope *now, int64_t n,
                      struct feed_scope *out)
{
    struct rows q;
    const void *chain;
    size_t bytes;
    enum rc rc;

    *out = (struct feed_scope){ .no = now->no, .n = n };
    if (!n)
        return RC_OK;
    if (!(rc = db_one(w, SQL_feed_row, &q, "ii", now->no, n))) {
        if ((chain = rows_blob(&q, 0, &bytes)) && bytes == FEED_CHAIN_BYTES)
            memcpy(out->chain, chain, bytes);
        out->at = rows_int(&q, 1);
    }
    return row_finish(&q, rc);
}

enum rc feed_rows(struct work *w, const struct feed_scope *scope, int64_t after, int64_t upto,
                  struct feed_row **out, int *n)
{
    struct feed_row *all = NULL;
    int count = 0, room = 0;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_feed_rows, &q, "iii", scope->no, after, upto)))
        return rc;
    while (rows_next(&q)) {
        const void *item;
        size_t bytes;

        if (count == room) {
            struct feed_row *more = arena_zalloc(
                w->mem, (size_t)(room = room ? 2 * room : ROWS_AT_ONCE) * sizeof *more);

            if (count)
                memcpy(more, all, (size_t)count * sizeof *more);
            all = more;
        }
        all[count] = (struct feed_row){ .n = rows_int(&q, 0),
                                        .stream = rows_int(&q, 1),
                                        .seq = rows_int(&q, 2),
                                        .rev = rows_int(&q, 4),
                                        .op = (enum feed_op)rows_int(&q, 5),
                                        .at = rows_int(&q, 6),
                                        .newest = rows_int(&q, 7),
                                        .good = rows_int(&q, 8) };
        if ((item = rows_blob(&q, 3, &bytes)) && bytes == ID_BYTES)
            memcpy(all[count].item.b, item, bytes);
        count++;
    }
    *out = all;
    *n = count;
    return rows_done(&q);
}

enum rc feed_void_after(struct work *w, const struct feed_scope *scope, int64_t n, int64_t *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_feed_void_after, &q, "ii", scope->no, n);

    *out = rc ? 0 : rows_int(&q, 0);
    return row_finish(&q, rc);
}
