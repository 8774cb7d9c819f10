/*
 * duplicate.c - see the header.
 *
 *     published: fingerprint (item, stream, seq, site, characters, exact, near, q0 … q3)      one row an item
 *     asked:     rows with the same `exact` or one quarter in common --> compared --> asked of the library, for the projection may be behind
 */
#include "server/source/duplicate.h"

#include <string.h>

#include "server/base/jx.h"
#include "server/derived/derived.h"
#include "server/library/row.h"

enum { CANDIDATES = 400 };

/* ---- the projection ---- */

static enum rc drop(struct work *w, const struct id *item)
{
    return db_run(w, SQL_fingerprint_drop, "b", item->b, sizeof item->b);
}

static enum rc set(struct work *w, const struct derived_change *c, const struct item *it,
                   const struct fingerprint *f)
{
    int64_t near;

    memcpy(&near, &f->near, sizeof near);
    return db_run(w, SQL_fingerprint_set, "biiiibiiiii", c->item.b, sizeof c->item.b, c->stream,
                  c->seq, it->site, (int64_t)f->characters, f->exact, sizeof f->exact, near,
                  (int64_t)fingerprint_quarter(f, 0), (int64_t)fingerprint_quarter(f, 1),
                  (int64_t)fingerprint_quarter(f, 2), (int64_t)fingerprint_quarter(f, 3));
}

/* Messages to some people are nobody's duplicate. */
static enum rc take(struct work *w, const struct derived_change *c, bool *shown)
{
    const char *body = c->op == CHANGE_PUT && c->record &&
                               !json_object_get(c->record, fields[FIELD_recipients].name)
                           ? jx_text(c->record, fields[FIELD_body].name)
                           : NULL;
    struct fingerprint f = { 0 };
    struct item it;
    enum rc rc;

    (void)shown;
    if (body)
        fingerprint_of(body, strlen(body), &f);
    if (f.characters < FINGERPRINT_LEAST)
        return drop(w, &c->item);
    rc = item_find(w, &c->item, &it);
    if (rc == RC_NOT_FOUND || (!rc && it.stream != c->stream))
        return RC_OK;
    return rc ? rc : set(w, c, &it, &f);
}

static const char *const tables[] = { "fingerprint", NULL };
const struct projection duplicate_projection = {
    .name = "duplicate", .version = 1, .take = take, .tables = tables
};

/* ---- asking ---- */

struct candidate {
    struct id item;
    int64_t seq;
    enum likeness likeness;
};

static enum rc find_candidates(struct work *w, const struct fingerprint *f, int64_t site,
                               const struct id *self, struct buf *out)
{
    struct rows q;
    enum rc rc =
        db_query(w, SQL_fingerprint_like, &q, "biiiiii", f->exact, sizeof f->exact,
                 (int64_t)fingerprint_quarter(f, 0), (int64_t)fingerprint_quarter(f, 1),
                 (int64_t)fingerprint_quarter(f, 2), (int64_t)fingerprint_quarter(f, 3), site,
                 (int64_t)CANDIDATES);

    if (rc)
        return rc;
    while (!rc && rows_next(&q)) {
        struct fingerprint other = { .characters = (int)rows_int(&q, 2) };
        struct candidate one = { .seq = rows_int(&q, 1) };
        int64_t near = rows_int(&q, 4);

        memcpy(&other.near, &near, sizeof near);
        if ((rc = row_bytes(w, &q, 0, one.item.b, sizeof one.item.b)) ||
            (rc = row_bytes(w, &q, 3, other.exact, sizeof other.exact)))
            break;
        one.likeness = fingerprint_compare(f, &other);
        if (one.likeness != UNLIKE && !(self && !memcmp(self, &one.item, sizeof one.item)))
            buf_add(out, &one, sizeof one);
    }
    return row_finish(&q, rc);
}

/* Those that the public sees now, the same ones first. */
static enum rc keep_live(struct work *w, const struct candidate *all, size_t n,
                         struct duplicate **out, int *found)
{
    struct duplicate *list = arena_zalloc(w->mem, DUPLICATES_MAX * sizeof *list);

    *out = list;
    *found = 0;
    for (int like = SAME; like >= NEAR; like--)
        for (size_t i = 0; i < n && *found < DUPLICATES_MAX; i++) {
            struct item it;
            enum rc rc;

            if ((int)all[i].likeness != like)
                continue;
            rc = item_find(w, &all[i].item, &it);
            if (rc && rc != RC_NOT_FOUND)
                return rc;
            if (!rc && it.live_rev && it.seq == all[i].seq)
                list[(*found)++] = (struct duplicate){ it, all[i].likeness };
        }
    return RC_OK;
}

static enum rc like_print(struct work *w, const struct fingerprint *f, int64_t site,
                          const struct id *self, struct duplicate **out, int *n)
{
    struct buf candidates = BUF_IN(w->mem);
    enum rc rc;

    if ((rc = find_candidates(w, f, site, self, &candidates)))
        return rc;
    return keep_live(w, (const struct candidate *)(const void *)candidates.p,
                     candidates.n / sizeof(struct candidate), out, n);
}

static void print_of(const struct content *c, struct fingerprint *out)
{
    const struct slice *body = &c->value[FIELD_body];
    json_t *text = body->p ? json_loadb(body->p, body->n, JSON_DECODE_ANY, NULL) : NULL;

    fingerprint_of(text ? json_string_value(text) : "", text ? json_string_length(text) : 0,
                   out);
    json_decref(text);
}

enum rc duplicates_of(struct work *w, const struct content *c, int64_t site,
                      const struct id *self, struct duplicate **out, int *n)
{
    struct fingerprint f;
    enum rc rc;

    *out = NULL;
    *n = 0;
    print_of(c, &f);
    if (f.characters < FINGERPRINT_LEAST)
        return RC_OK;
    rc = derived_read(w);
    if (rc == RC_BUSY) {
        w->err = (struct err){ 0 };
        return RC_OK;
    }
    return rc ? rc : like_print(w, &f, site, self, out, n);
}

/* ---- all of them ---- */

struct printed {
    struct id item;
    int64_t site, seq;
    struct fingerprint print;
};

static enum rc read_page(struct work *w, const struct id *after, struct buf *out)
{
    static const struct id first = { 0 };
    struct rows q;
    enum rc rc = db_query(w, SQL_fingerprint_page, &q, "bi", (after ? after : &first)->b,
                          ID_BYTES, (int64_t)DUPLICATES_PAGE);

    if (rc)
        return rc;
    while (!rc && rows_next(&q)) {
        struct printed p = { .seq = rows_int(&q, 1), .site = rows_int(&q, 5) };
        int64_t near = rows_int(&q, 4);

        p.print.characters = (int)rows_int(&q, 2);
        memcpy(&p.print.near, &near, sizeof near);
        if (!(rc = row_bytes(w, &q, 0, p.item.b, sizeof p.item.b)) &&
            !(rc = row_bytes(w, &q, 3, p.print.exact, sizeof p.print.exact)))
            buf_add(out, &p, sizeof p);
    }
    return row_finish(&q, rc);
}

static enum rc add_pair(struct work *w, const struct printed *p, struct buf *out)
{
    struct duplicate_pair pair;
    enum rc rc;

    if ((rc = like_print(w, &p->print, p->site, &p->item, &pair.like, &pair.n)) || !pair.n)
        return rc;
    rc = item_find(w, &p->item, &pair.item);
    if (rc == RC_NOT_FOUND || (!rc && (!pair.item.live_rev || pair.item.seq != p->seq)))
        return RC_OK;
    if (!rc)
        buf_add(out, &pair, sizeof pair);
    return rc;
}

enum rc duplicates_list(struct work *w, const struct id *after, struct duplicate_pair **out,
                        int *n, struct id *last, bool *next)
{
    struct buf page = BUF_IN(w->mem), pairs = BUF_IN(w->mem);
    const struct printed *p;
    size_t have;
    enum rc rc;

    if ((rc = derived_read(w)) || (rc = read_page(w, after, &page)))
        return rc;
    p = (const struct printed *)(const void *)page.p;
    have = page.n / sizeof *p;
    for (size_t i = 0; i < have; i++)
        if ((rc = add_pair(w, &p[i], &pairs)))
            return rc;
    *out = (struct duplicate_pair *)(void *)pairs.p;
    *n = (int)(pairs.n / sizeof **out);
    *next = have == DUPLICATES_PAGE;
    if (have)
        *last = p[have - 1].item;
    return RC_OK;
}
