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

enum { ROWS_AT_ONCE = 64, SETTLED_S = 2 };

struct scopes { /* of one item; names in w->mem, each once */
    const char **name;
    int n, room;
};

/* ---- which scopes ---- */

static bool has_scope(const struct scopes *s, const char *name)
{
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->name[i], name))
            return true;
    return false;
}

static void add_scope(struct work *w, struct scopes *s, const char *name)
{
    if (has_scope(s, name))
        return;
    if (s->n == s->room) {
        const char **more =
            arena_alloc(w->mem, (size_t)(s->room = 2 * s->room + 16) * sizeof *more);

        if (s->n)
            memcpy(more, s->name, (size_t)s->n * sizeof *more);
        s->name = more;
    }
    s->name[s->n++] = name;
}

/* A region and all that it lies in: the village, the street, the county, the city, the province. */
static void add_area(struct work *w, struct scopes *s, const char *region)
{
    size_t n = strlen(region);

    if (n == 12)
        add_scope(w, s, arena_printf(w->mem, "area/%.12s", region));
    if (n >= 9)
        add_scope(w, s, arena_printf(w->mem, "area/%.9s", region));
    add_scope(w, s, arena_printf(w->mem, "area/%.6s", region));
    add_scope(w, s, arena_printf(w->mem, "area/%.4s00", region));
    add_scope(w, s, arena_printf(w->mem, "area/%.2s0000", region));
}

/* A site that is not in a directory, or an organisation that is not there, stands in no area. */
static enum rc add_area_of_site(struct work *w, struct scopes *s, int64_t no)
{
    struct site site = { 0 };
    struct org org = { 0 };
    enum rc rc = site_by_no(w, no, &site);

    if (!rc && site.org)
        rc = org_by_no(w, site.org, &org);
    if (!rc && org.region && org_region_ok(org.region))
        add_area(w, s, org.region);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* By the library's own numbers: a mirrored stream's directory has others. */
static enum rc scopes_of(struct work *w, const struct derived_change *c,
                         const struct item *item, bool mirrored, struct scopes *out)
{
    const json_t *areas = json_object_get(c->record, fields[FIELD_areas].name);
    const char *theme = jx_text(c->record, fields[FIELD_theme].name);
    int64_t site = mirrored ? item->site : c->site, column = mirrored ? item->col : c->column;

    add_scope(w, out, "all");
    add_scope(w, out, arena_printf(w->mem, "site/%" PRId64, site));
    add_scope(w, out, arena_printf(w->mem, "column/%" PRId64, column));
    if (theme)
        add_scope(w, out, arena_printf(w->mem, "theme/%s", theme));
    for (size_t i = 0; i < json_array_size(areas); i++) {
        const char *region = json_string_value(json_array_get(areas, i));

        if (region && org_region_ok(region))
            add_area(w, out, region);
    }
    return add_area_of_site(w, out, site);
}

/* ---- rows ---- */

static void put_number(uint8_t out[8], int64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
}

/* What the change says, by its bytes: after a restore the same seq is another one. */
static void digest_of(const struct derived_change *c, uint8_t out[HASH_BYTES])
{
    uint8_t in[ID_BYTES + HASH_BYTES + 16] = { 0 };

    memcpy(in, c->item.b, ID_BYTES);
    if (c->bytes)
        sha256(c->bytes, c->n, in + ID_BYTES);
    put_number(in + ID_BYTES + HASH_BYTES, c->stream);
    put_number(in + ID_BYTES + HASH_BYTES + 8, c->seq);
    sha256(in, sizeof in, out);
}

static void step_chain(struct feed_scope *s, const uint8_t digest[HASH_BYTES], enum feed_op op)
{
    uint8_t in[FEED_CHAIN_BYTES + HASH_BYTES + 1], hash[HASH_BYTES];

    memcpy(in, s->chain, FEED_CHAIN_BYTES);
    memcpy(in + FEED_CHAIN_BYTES, digest, HASH_BYTES);
    in[FEED_CHAIN_BYTES + HASH_BYTES] = (uint8_t)op;
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

struct taking { /* a change, and what is known of it */
    const struct derived_change *c;
    uint8_t digest[HASH_BYTES];
    bool mirrored;
};

/* `modified` is a moment at which the row is surely committed: two changes that are seen one after the other never have the same. */
static enum rc append(struct work *w, const struct taking *t, const char *name, enum feed_op op,
                      bool makes_void)
{
    const struct derived_change *c = t->c;
    struct feed_scope s;
    int64_t first, settled = clock_now() + SETTLED_S;
    enum rc rc;

    if ((rc = make_scope(w, name, &s)) || (rc = first_row(w, &c->item, s.no, s.n + 1, &first)))
        return rc;
    s.n++;
    s.at = c->at;
    s.modified = settled > s.modified ? settled : s.modified; /* the clock may go back */
    step_chain(&s, t->digest, op);
    if ((rc = db_run(w, SQL_feed_log_add, "iiiibiiibii", s.no, s.n, c->stream, c->seq,
                     c->item.b, sizeof c->item.b, c->rev, (int64_t)op, c->at, s.chain,
                     sizeof s.chain, (int64_t)makes_void, first)) ||
        (rc = db_run(w, SQL_feed_place_set, "biiii", c->item.b, sizeof c->item.b, s.no, s.n,
                     (int64_t)makes_void, (int64_t)(op == FEED_ENTRY))))
        return rc;
    return db_run(w, SQL_feed_scope_step, "iibii", s.no, s.n, s.chain, sizeof s.chain, s.at,
                  s.modified);
}

static enum rc shown_in(struct work *w, const struct id *item, struct scopes *out)
{
    struct rows q;
    enum rc rc;

    out->n = 0;
    if ((rc = db_query(w, SQL_feed_shown_in, &q, "b", item->b, sizeof item->b)))
        return rc;
    while (rows_next(&q))
        add_scope(w, out, rows_dup_text(w, &q, 1));
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

static enum rc count(struct work *w, const struct taking *t, const struct scopes *before,
                     const struct scopes *now)
{
    enum rc rc = RC_OK;

    for (int i = 0; i < before->n && !rc; i++)
        if (!has_scope(now, before->name[i]))
            rc = append(w, t, before->name[i], op_of(t->c->op), true);
    for (int i = 0; i < now->n && !rc; i++)
        rc = append(w, t, now->name[i], FEED_ENTRY,
                    t->c->flags & CHANGE_PURGE ||
                        (t->mirrored && has_scope(before, now->name[i])));
    return rc;
}

/* A change of an item that another stream has was refused by the library, and says nothing here either. */
static enum rc take(struct work *w, const struct derived_change *c, bool *shown)
{
    struct taking t = { .c = c };
    struct scopes now = { 0 }, before = { 0 };
    struct stream stream;
    struct item item;
    enum rc rc;

    if (c->op == CHANGE_PUT && !c->record) /* a later change took the text away, and comes */
        return RC_OK;
    rc = item_find(w, &c->item, &item);
    if (rc == RC_NOT_FOUND || (!rc && item.stream != c->stream))
        return RC_OK;
    if (rc || (rc = stream_by_no(w, c->stream, &stream)))
        return rc;
    t.mirrored = stream.mirrored;
    digest_of(c, t.digest);
    if (c->op == CHANGE_PUT && !json_object_get(c->record, fields[FIELD_recipients].name) &&
        (rc = scopes_of(w, c, &item, t.mirrored, &now)))
        return rc;
    if ((rc = shown_in(w, &c->item, &before)) || (rc = count(w, &t, &before, &now)))
        return rc;
    *shown |= before.n || now.n;
    return RC_OK;
}

static const char *const tables[] = { "feed_scope", "feed_log", "feed_place", NULL };
const struct projection feed_projection = {
    .name = "feed", .version = 2, .take = take, .tables = tables
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

enum rc feed_standings(struct work *w, const struct id *item, struct feed_standing **out,
                       int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_feed_standing, &q, "b", item->b, sizeof item->b)))
        return rc;
    while (rows_next(&q)) {
        struct feed_standing s = { rows_dup_text(w, &q, 0), rows_int(&q, 1),
                                   rows_int(&q, 2) != 0 };

        buf_add(&list, &s, sizeof s);
    }
    *out = (struct feed_standing *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}
