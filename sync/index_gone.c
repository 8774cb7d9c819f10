/*
 * index_gone.c - from a purge to the objects that hold what it withdrew.
 *
 * An object's recipe says exactly which version of an item it holds: the newest up to its
 * `as_of`, if that lies within its bounds. So nothing is opened, and what does not hold the
 * text stays. Superseded objects that are still kept are looked at like those in use.
 */
#include "sync/index_gone.h"

#include "server/library/purge_url.h"
#include "server/library/stream.h"
#include "server/store/db.h"
#include "sync/object.h"
#include "sync/recipe.h"

enum rc gone_since(struct work *w, int64_t stream, uint64_t seq, struct buf *out)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_object_purges, &q, "ii", stream, (int64_t)seq);

    if (rc)
        return rc;
    while (rows_next(&q)) {
        struct purge p = { (uint64_t)rows_int(&q, 0), (uint64_t)rows_int(&q, 1) };

        buf_add(out, &p, sizeof p);
    }
    return rows_done(&q);
}

/* Seqs of an item's changes before a purge, newest first. */
struct versions {
    bool read;
    uint64_t *seq;
    size_t n;
};

static enum rc read_versions(struct work *w, int64_t stream, const struct purge *p,
                             struct versions *out)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if (out->read)
        return RC_OK;
    if ((rc = db_query(w, SQL_object_versions, &q, "iii", stream, (int64_t)p->born,
                       (int64_t)p->seq)))
        return rc;
    while (rows_next(&q)) {
        uint64_t seq = (uint64_t)rows_int(&q, 0);

        buf_add(&list, &seq, sizeof seq);
    }
    out->seq = (uint64_t *)(void *)list.p;
    out->n = list.n / sizeof *out->seq;
    out->read = true;
    return rows_done(&q);
}

static bool holds(const struct part *p, const struct purge *purge, const struct versions *v)
{
    long at = span_of(p->span, p->spans, purge->born);

    for (size_t i = 0; at >= 0 && i < v->n; i++)
        if (v->seq[i] <= p->as_of)
            return v->seq[i] <= p->upto && v->seq[i] > p->span[at].after;
    return false;
}

/* 410 from the COMMIT on, and the caches in front of us are told: they may keep it for a year. */
static enum rc mark_part(struct work *w, const struct stream *s, const struct part *p)
{
    char hex[HASH_TEXT];
    enum rc rc = object_gone(w, s->no, p->o.hash);

    return rc ? rc
              : purge_url_add(w, "/v1/sync/%s/object/%s*", s->name,
                              hex_text(p->o.hash, sizeof p->o.hash, hex));
}

static enum rc mark_one(struct work *w, const struct stream *s, const struct purge *purge,
                        struct part *part, size_t n, struct buf *died)
{
    struct versions v = { 0 };
    enum rc rc = RC_OK;

    for (size_t i = 0; i < n && !rc; i++) {
        struct part *p = &part[i];

        if (p->gone || p->as_of >= purge->seq || span_of(p->span, p->spans, purge->born) < 0 ||
            (rc = read_versions(w, s->no, purge, &v)) || !holds(p, purge, &v))
            continue;
        p->gone = true;
        buf_add(died, p->o.hash, sizeof p->o.hash);
        rc = mark_part(w, s, p);
    }
    return rc;
}

enum rc gone_mark(struct work *w, int64_t stream, const struct purge *purge, size_t n,
                  struct buf *died)
{
    struct stream s;
    struct part *part;
    size_t parts;
    enum rc rc;

    if (!n)
        return RC_OK;
    if (!(rc = stream_by_no(w, stream, &s)))
        rc = part_list(w, stream, &part, &parts);
    for (size_t i = 0; i < n && !rc; i++)
        rc = mark_one(w, &s, &purge[i], part, parts, died);
    return rc;
}
