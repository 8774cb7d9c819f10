/*
 * find.c - walks the lists of words, newest first, and asks the library about each document.
 *
 *     FAQ        words of the text, ":k:faq"
 *     TITLE      words of the title, no FAQ
 *     TEXT       words of the text, no FAQ; not what TITLE has shown. Of the newest (ask.newest) this list alone, with FAQ and titles
 *
 * A document is looked for in the text only if the words do not prove it (query.h), and at most SEARCH_LOOK_MOST are looked at in one request. The
 * place where it ended is the cursor, "tier-number": the numbers are in the order of the list, so the next page begins there at once.
 */
#include "server/search/find.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/derived/derived.h"
#include "server/library/column.h"
#include "server/library/org.h"
#include "server/library/row.h"
#include "server/library/site.h"
#include "server/search/index.h"
#include "server/search/marks.h"
#include "server/search/query.h"
#include "server/search/shown.h"

enum tier { FAQ, TITLE, TEXT, TIERS };

enum { SITES_MOST = 64 /* of an area: more are asked of the library one by one */ };

struct search {
    const struct search_ask *in;
    struct query q;
    bool has_query;
    const char *filter; /* for FTS5, "" or " AND …" */
    const char *region; /* of the sites: what has to be compared for each hit; NULL: nothing */
    int64_t low, high;  /* numbers */
    int looked;
    bool cut;       /* there may be more */
    enum tier tier; /* … from here on, below `last` */
    int64_t last;
    struct search_page page;
};

/* ---- filters ---- */

static void and_mark(struct buf *b, enum mark m, const char *value)
{
    if (!value)
        return;
    buf_adds(b, " AND \"");
    mark_text(b, m, value, strlen(value));
    buf_addc(b, '"');
}

static enum rc remote_no(struct work *w, enum sql sql, int64_t no, int64_t *stream,
                         int64_t *out)
{
    struct rows q;
    enum rc rc = db_one(w, sql, &q, "i", no);

    if (!rc) {
        *stream = rows_int(&q, 0);
        *out = rows_int(&q, 1);
    }
    return row_finish(&q, rc);
}

/* One that does not exist has nothing. */
static enum rc and_place(struct work *w, struct buf *b, char what, enum sql sql, int64_t no)
{
    int64_t stream = 0, remote = 0;
    enum rc rc;

    if (!no)
        return RC_OK;
    rc = remote_no(w, sql, no, &stream, &remote);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    buf_adds(b, " AND \"");
    mark_place(b, what, stream, remote);
    buf_addc(b, '"');
    return RC_OK;
}

/* The sites of an area, and what names it itself. */
static enum rc and_area(struct work *w, struct buf *b, struct search *s)
{
    const char *area = s->in->filter.area;
    struct buf sites = BUF_IN(w->mem);
    struct rows q;
    int n = 0;
    enum rc rc;

    if (!area)
        return RC_OK;
    if (strlen(area) < 2 || strlen(area) > 12 || strspn(area, "0123456789") != strlen(area))
        return err_field(&w->err, "area", "an area is 2 to 12 digits");
    if ((rc = db_query(w, SQL_site_of_region, &q, "ti", arena_printf(w->mem, "%s%%", area),
                       (int64_t)SITES_MOST + 1)))
        return rc;
    for (; rows_next(&q); n++) {
        buf_adds(&sites, "\"");
        mark_place(&sites, 's', rows_int(&q, 0), rows_int(&q, 1));
        buf_adds(&sites, "\" OR ");
    }
    if ((rc = rows_done(&q)))
        return rc;
    if (n > SITES_MOST)
        s->region = area;
    else
        buf_printf(b, " AND (%s\":a:%s\"*)", n ? sites.p : "", area);
    return RC_OK;
}

static enum rc make_filter(struct work *w, struct search *s)
{
    const struct search_filter *f = &s->in->filter;
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    buf_adds(&b, "");
    if (f->kind && kind_parse(f->kind) < 0)
        return err_field(&w->err, "kind", "no such kind of item");
    if ((rc = and_place(w, &b, 's', SQL_site_remote, f->site)) ||
        (rc = and_place(w, &b, 'c', SQL_column_remote, f->column)) || (rc = and_area(w, &b, s)))
        return rc;
    and_mark(&b, MARK_THEME, f->theme);
    and_mark(&b, MARK_ORGAN, f->organ);
    and_mark(&b, MARK_VALIDITY, f->validity);
    if (f->kind)
        buf_printf(&b, " AND \":k:%s\"", f->kind);
    if (f->year)
        buf_printf(&b, " AND \":y:%04" PRId64 "\"", f->year);
    if (f->catalogue)
        buf_adds(&b, " AND \":x:1\"");
    s->filter = b.p ? b.p : "";
    s->low = f->from ? doc_first_of_day(f->from) : 0;
    s->high = f->until ? doc_first_of_day(f->until) : INT64_MAX;
    return RC_OK;
}

/* ---- a document ---- */

struct doc {
    int64_t no, stream, seq;
    struct id item;
    const char *title;
    const void *packed; /* lives as long as the row */
    size_t packed_n;
    const char *text; /* NULL: not unpacked yet, for that costs more than finding it */
    size_t text_n;
};

static bool read_doc(struct work *w, struct rows *q, struct doc *out)
{
    size_t n;
    const void *p = rows_blob(q, 1, &n);

    *out =
        (struct doc){ .no = rows_int(q, 0), .seq = rows_int(q, 2), .stream = rows_int(q, 3) };
    if (!p || n != sizeof out->item.b)
        return false;
    memcpy(out->item.b, p, n);
    out->title = rows_dup_text(w, q, 4);
    out->packed = rows_blob(q, 5, &out->packed_n);
    return out->title;
}

static void unpack(struct work *w, struct doc *d)
{
    if (!d->text)
        d->text = doc_text(w->mem, d->packed, d->packed_n, &d->text_n);
}

/* What stands there to the letter need not be folded. */
static bool holds_as_typed(const struct search *s, const char *text, size_t n)
{
    for (int i = 0; i < s->q.n; i++) {
        const struct phrase *p = &s->q.v[i];

        if (fold_is_word(p->p[0]) || fold_is_word(p->p[p->n - 1]) ||
            !memmem(text, n, p->p, p->n))
            return false;
    }
    return true;
}

static bool text_holds(struct work *w, const struct search *s, struct doc *d)
{
    const char *both;
    struct folded all;

    unpack(w, d);
    if (holds_as_typed(s, d->text, d->text_n))
        return true;
    both = arena_printf(w->mem, "%s\n%s", d->title, d->text);
    fold(w->mem, both, strlen(both), false, &all);
    return query_holds(&s->q, &all);
}

static bool holds(struct work *w, const struct search *s, struct doc *d, enum tier tier)
{
    struct folded title;

    if (!s->has_query || (tier != TEXT && !s->q.looks))
        return true;
    if (tier != FAQ && !s->in->newest) {
        fold(w->mem, d->title, strlen(d->title), false, &title);
        if (query_holds(&s->q, &title))
            return tier == TITLE; /* it stood among the titles already */
        if (tier == TITLE)
            return false;
    }
    return !s->q.looks || text_holds(w, s, d);
}

static enum rc in_region(struct work *w, const struct search *s, const struct item *it,
                         bool *is)
{
    struct site site;
    struct org org;
    enum rc rc;

    *is = !s->region;
    if (*is || (rc = site_by_no(w, it->site, &site)) == RC_NOT_FOUND)
        return RC_OK;
    if (rc || !site.org || (rc = org_by_no(w, site.org, &org)))
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    *is = org.region && !strncmp(org.region, s->region, strlen(s->region));
    return RC_OK;
}

/* What the public sees of it now: that same change of that same stream, or it is not shown. */
static enum rc is_live(struct work *w, const struct search *s, const struct doc *d,
                       struct item *out, bool *is)
{
    enum rc rc = item_find(w, &d->item, out);

    *is = false;
    if (rc == RC_NOT_FOUND ||
        (!rc && (!out->live_rev || out->stream != d->stream || out->seq != d->seq)))
        return RC_OK;
    return rc ? rc : in_region(w, s, out, is);
}

static void show(struct work *w, const struct search *s, struct doc *d, struct search_hit *hit)
{
    struct buf title = BUF_IN(work_kept(w)), snippet = BUF_IN(work_kept(w));

    buf_adds(&title, "");
    buf_adds(&snippet, "");
    unpack(w, d);
    shown_marked(w->mem, &title, d->title, strlen(d->title), &s->q);
    shown_snippet(w->mem, &snippet, d->text, d->text_n, &s->q);
    hit->title = title.p ? title.p : "";
    hit->snippet = snippet.p ? snippet.p : "";
}

/* An item that is read here outlives the part. */
static void keep_item(struct work *w, struct item *it)
{
    struct arena *mem = work_kept(w);

    it->authority = arena_strdup(mem, it->authority);
    it->origin_id = arena_strdup(mem, it->origin_id);
    it->title = arena_strdup(mem, it->title);
    it->summary = arena_strdup(mem, it->summary);
}

static enum rc look_at(struct work *w, struct search *s, struct rows *q, bool *full)
{
    struct search_page *page = &s->page;
    struct doc d;
    struct item it;
    bool is = false;
    enum rc rc = RC_OK;

    if (!read_doc(w, q, &d))
        return RC_OK;
    if (holds(w, s, &d, s->tier) && (rc = is_live(w, s, &d, &it, &is)))
        return rc;
    *full = is && page->n == s->in->limit;
    if (*full)
        return RC_OK;
    if (is) {
        show(w, s, &d, &page->hits[page->n]);
        keep_item(w, &it);
        page->hits[page->n++].item = it;
    }
    s->last = d.no;
    return RC_OK;
}

/* ---- the walk ---- */

/* NULL: there is nothing to ask in this tier. */
static const char *match_of(struct work *w, const struct search *s, enum tier tier)
{
    const char *kind = s->in->filter.kind;
    bool faq = kind && !strcmp(kind, "faq");

    if (!s->has_query) /* the filter begins with " AND " */
        return tier == TITLE && *s->filter ? s->filter + 5 : NULL;
    if (s->in->newest)
        return tier == TEXT ? arena_printf(w->mem, "(%s)%s", s->q.match, s->filter) : NULL;
    if (kind && faq != (tier == FAQ))
        return NULL;
    return arena_printf(w->mem, "(%s)%s%s", s->q.match, s->filter,
                        kind          ? ""
                        : tier == FAQ ? " AND \":k:faq\""
                                      : " NOT \":k:faq\"");
}

static enum rc walk_tier(struct work *w, struct search *s, const char *match, bool *full)
{
    enum sql sql = s->tier == TITLE ? SQL_search_titles : SQL_search_texts;
    struct rows q;
    enum rc rc = db_query(w, sql, &q, "tiii", match, s->last < s->high ? s->last : s->high,
                          s->low, (int64_t)SEARCH_LOOK_MOST + 1);

    if (rc)
        return rc;
    while (!rc && !*full && !s->cut && rows_next(&q)) {
        if ((s->cut = s->looked == SEARCH_LOOK_MOST))
            break;
        s->looked++;
        work_part(w);
        rc = look_at(w, s, &q, full);
        work_part_done(w);
    }
    return row_finish(&q, rc);
}

static enum rc walk(struct work *w, struct search *s)
{
    bool full = false;
    enum rc rc = RC_OK;

    for (; s->tier < TIERS; s->tier++, s->last = INT64_MAX) {
        const char *match = match_of(w, s, s->tier);

        if (match && (rc = walk_tier(w, s, match, &full)))
            return rc;
        if (full || s->cut)
            break;
    }
    if (full || s->cut)
        snprintf(s->page.next, sizeof s->page.next, "%d-%" PRId64, (int)s->tier, s->last);
    return RC_OK;
}

static enum rc read_cursor(struct work *w, struct search *s)
{
    const char *c = s->in->after;
    char *end;

    s->tier = FAQ;
    s->last = INT64_MAX;
    if (!c)
        return RC_OK;
    if (c[0] < '0' || c[0] >= '0' + TIERS || c[1] != '-' || c[2] < '0' || c[2] > '9' ||
        strlen(c) >= SEARCH_CURSOR)
        return err_field(&w->err, "after", "this cursor was not made by us");
    s->tier = (enum tier)(c[0] - '0');
    s->last = strtoll(c + 2, &end, 10);
    if (*end)
        return err_field(&w->err, "after", "this cursor was not made by us");
    return RC_OK;
}

/* Something that FTS5 does not understand would be our mistake, and is told as one. */
enum rc search_find(struct work *w, const struct search_ask *in, struct search_page *out)
{
    struct search s = { .in = in, .has_query = in->q };
    enum rc rc;

    if (in->limit < 1 || in->limit > SEARCH_PAGE_MAX)
        return err_field(&w->err, "n", "a page has 1 to %d items", SEARCH_PAGE_MAX);
    if ((in->q && (rc = query_parse(&w->err, w->mem, in->q, in->q_n, false, &s.q))) ||
        (rc = read_cursor(w, &s)) || (rc = make_filter(w, &s)) || (rc = derived_read(w)))
        return rc;
    s.page.hits = arena_alloc(w->mem, (size_t)in->limit * sizeof *s.page.hits);
    if ((rc = walk(w, &s)))
        return rc;
    *out = s.page;
    return RC_OK;
}

/* ---- while typing ---- */

static bool is_shown(const struct search_titles *t, const char *title)
{
    for (int i = 0; i < t->n; i++)
        if (!strcmp(t->hits[i].item.title, title))
            return true;
    return false;
}

static enum rc suggest_from(struct work *w, struct search *s, const char *match,
                            struct search_titles *out)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_search_titles, &q, "tiii", match, INT64_MAX, (int64_t)0,
                          (int64_t)SEARCH_LOOK_MOST);

    if (rc)
        return rc;
    s->tier = TITLE;
    while (!rc && out->n < SEARCH_SUGGESTIONS && rows_next(&q)) {
        struct doc d;
        struct item it;
        bool is = false;

        if (!read_doc(w, &q, &d) || is_shown(out, d.title) || !holds(w, s, &d, TITLE) ||
            (rc = is_live(w, s, &d, &it, &is)) || !is)
            continue;
        out->hits[out->n].item = it;
        show(w, s, &d, &out->hits[out->n++]);
    }
    return row_finish(&q, rc);
}

enum rc search_suggest(struct work *w, const char *text, size_t n, struct search_titles *out)
{
    static const struct search_ask none = { .limit = 1 };
    struct search s = { .in = &none, .has_query = true };
    enum rc rc;

    out->n = 0;
    if ((rc = query_parse(&w->err, w->mem, text, n, true, &s.q)) || (rc = derived_read(w)))
        return rc;
    s.q.looks = s.q.looks || s.q.v[s.q.n - 1].prefix;
    if ((rc = suggest_from(w, &s, arena_printf(w->mem, "(%s) AND \":k:faq\"", s.q.match), out)))
        return rc;
    return suggest_from(w, &s, s.q.match, out);
}
