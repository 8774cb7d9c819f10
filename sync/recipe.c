/*
 * recipe.c - from the log to the records of one object, and the rows that say how.
 *
 * A layer touches few items of a long log, or many of a short one. So its spans are read in two
 * ways: those that reach far back by born, the others together by seq, divided where that reads
 * the fewest rows. What was superseded is dropped after sorting, which is cheaper than asking
 * the log for each row whether a newer one exists.
 *
 * Spans in the database: 32 bytes each, four big-endian numbers.
 */
#include "sync/recipe.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SPAN_BYTES = 32 };

/* ---- rows ---- */

static uint64_t get64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return be64toh(v);
}

static void put64(uint8_t *p, uint64_t v)
{
    v = htobe64(v);
    memcpy(p, &v, sizeof v);
}

static void spans_read(struct arena *mem, const uint8_t *p, size_t n, struct part *out)
{
    out->spans = n / SPAN_BYTES;
    out->span = arena_alloc(mem, (out->spans + 1) * sizeof *out->span);
    for (size_t i = 0; i < out->spans; i++, p += SPAN_BYTES)
        out->span[i] = (struct span){ get64(p), get64(p + 8), get64(p + 16), get64(p + 24) };
}

static enum rc part_of_row(struct work *w, const struct rows *q, struct part *out)
{
    size_t spans_n = 0, hash_n = 0;
    const void *spans = rows_blob(q, 7, &spans_n), *hash = rows_blob(q, 13, &hash_n);

    if (!hash || hash_n != HASH_BYTES || spans_n % SPAN_BYTES)
        return err_set(&w->err, RC_CORRUPT, "a row of index_object is damaged");
    *out = (struct part){
        .o = { .kind = rows_int(q, 0) ? WIRE_LAYER : WIRE_BASE,
               .first_born = (uint64_t)rows_int(q, 1),
               .last_born = (uint64_t)rows_int(q, 2),
               .lowest_seq = (uint64_t)rows_int(q, 3),
               .highest_seq = (uint64_t)rows_int(q, 4),
               .bytes = (uint64_t)rows_int(q, 9),
               .gzip_bytes = (uint64_t)rows_int(q, 10),
               .zstd_bytes = (uint64_t)rows_int(q, 11) },
        .as_of = (uint64_t)rows_int(q, 5),
        .upto = (uint64_t)rows_int(q, 6),
        .level = (int)rows_int(q, 8),
        .live = (uint64_t)rows_int(q, 12),
        .gone = rows_int(q, 14) != 0,
    };
    memcpy(out->o.hash, hash, HASH_BYTES);
    spans_read(w->mem, spans, spans_n, out);
    return RC_OK;
}

enum rc part_find(struct work *w, int64_t stream, const uint8_t hash[HASH_BYTES],
                  struct part *out)
{
    struct rows q;
    enum rc rc, end;

    rc = db_one(w, SQL_index_object_of, &q, "bi", hash, (size_t)HASH_BYTES, stream);
    if (!rc)
        rc = part_of_row(w, &q, out);
    end = rows_done(&q);
    return rc ? rc : end;
}

static void free_buf(void *b)
{
    buf_done(b);
}

/* A heap buffer that goes with the arena: growing inside of it would keep every smaller one. */
static struct buf *buf_with(struct arena *mem)
{
    struct buf *b = arena_zalloc(mem, sizeof *b);

    arena_defer(mem, free_buf, b);
    return b;
}

enum rc part_list(struct work *w, int64_t stream, struct part **out, size_t *n)
{
    struct buf *list = buf_with(w->mem);
    struct rows q;
    enum rc rc, end;

    if ((rc = db_query(w, SQL_index_object_list, &q, "i", stream)))
        return rc;
    while (!rc && rows_next(&q)) {
        struct part p;

        if (!(rc = part_of_row(w, &q, &p)))
            buf_add(list, &p, sizeof p);
    }
    end = rows_done(&q);
    *out = (struct part *)(void *)list->p;
    *n = list->n / sizeof **out;
    return rc ? rc : end;
}

enum rc part_store(struct work *w, int64_t stream, const struct part *p)
{
    const struct wire_object *o = &p->o;
    uint8_t *spans = arena_alloc(w->mem, p->spans * SPAN_BYTES + 1);

    for (size_t i = 0; i < p->spans; i++) {
        put64(spans + i * SPAN_BYTES, p->span[i].first);
        put64(spans + i * SPAN_BYTES + 8, p->span[i].last);
        put64(spans + i * SPAN_BYTES + 16, p->span[i].after);
        put64(spans + i * SPAN_BYTES + 24, p->span[i].bytes);
    }
    return db_run(w, SQL_index_object_add, "ibiiiiiiibiiiii", stream, o->hash,
                  (size_t)HASH_BYTES, (int64_t)(o->kind == WIRE_LAYER), (int64_t)o->first_born,
                  (int64_t)o->last_born, (int64_t)o->lowest_seq, (int64_t)o->highest_seq,
                  (int64_t)p->as_of, (int64_t)p->upto, spans, p->spans * SPAN_BYTES,
                  (int64_t)p->level, (int64_t)o->bytes, (int64_t)o->gzip_bytes,
                  (int64_t)o->zstd_bytes, (int64_t)p->live);
}

/* ---- entries ---- */

long span_of(const struct span *span, size_t n, uint64_t born)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (span[mid].last < born)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && span[low].first <= born ? (long)low : -1;
}

static int by_after(const void *a, const void *b)
{
    const struct span *const *x = a, *const *y = b;

    return (*x)->after < (*y)->after ? -1 : (*x)->after > (*y)->after;
}

/*
 * Which spans are read by born: *n of `order`, the oldest. The rest is read by seq, together.
 */
static void divide(const struct part *p, const struct span **order, size_t *n)
{
    uint64_t wide = 0, least = UINT64_MAX;

    for (size_t i = 0; i < p->spans; i++)
        order[i] = &p->span[i];
    if (p->spans)
        qsort(order, p->spans, sizeof *order, by_after);
    for (size_t i = 0; i <= p->spans; i++) {
        uint64_t rows = wide + (i < p->spans ? p->as_of - order[i]->after : 0);

        if (rows < least) {
            least = rows;
            *n = i;
        }
        if (i < p->spans)
            wide += order[i]->last - order[i]->first + 1;
    }
}

struct collecting {
    const struct part *part;
    const bool *by_born; /* spans that have had their turn */
    struct buf *list;
};

static enum rc take_rows(struct rows *q, struct collecting *c, bool by_seq)
{
    while (rows_next(q)) {
        uint64_t born = (uint64_t)rows_int(q, 1);
        long at = span_of(c->part->span, c->part->spans, born);
        const char *title = rows_text(q, 3);
        struct entry e;

        if (at < 0 || (by_seq && c->by_born[at]))
            continue;
        e = (struct entry){ .born = born,
                            .seq = (uint64_t)rows_int(q, 0),
                            .bytes = (uint32_t)(WIRE_FRAME_FIXED + (title ? strlen(title) : 0) +
                                                (size_t)rows_int(q, 2)),
                            .span = (uint32_t)at };
        buf_add(c->list, &e, sizeof e);
    }
    return rows_done(q);
}

static enum rc collect(struct work *w, int64_t stream, const struct part *p, struct buf *list)
{
    const struct span **order = arena_alloc(w->mem, (p->spans + 1) * sizeof *order);
    bool *by_born = arena_zalloc(w->mem, p->spans + 1);
    struct collecting c = { p, by_born, list };
    struct rows q;
    size_t n = 0;
    enum rc rc = RC_OK;

    divide(p, order, &n);
    for (size_t i = 0; i < n && !rc; i++) {
        by_born[order[i] - p->span] = true;
        if (!(rc = db_query(w, SQL_object_between, &q, "iiiii", stream,
                            (int64_t)order[i]->first, (int64_t)order[i]->last,
                            (int64_t)order[i]->after, (int64_t)p->as_of)))
            rc = take_rows(&q, &c, false);
    }
    if (rc || n == p->spans)
        return rc;
    if ((rc = db_query(w, SQL_object_since, &q, "iii", stream, (int64_t)order[n]->after,
                       (int64_t)p->as_of)))
        return rc;
    return take_rows(&q, &c, true);
}

static int by_born_and_seq(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->born != y->born)
        return x->born < y->born ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

enum rc recipe_entries(struct work *w, int64_t stream, const struct part *p, struct entry **out,
                       size_t *n)
{
    struct buf *list = buf_with(w->mem);
    enum rc rc = collect(w, stream, p, list);
    struct entry *e = (struct entry *)(void *)list->p;
    size_t all = list->n / sizeof *e, kept = 0;

    if (rc)
        return rc;
    if (all)
        qsort(e, all, sizeof *e, by_born_and_seq);
    for (size_t i = 0; i < all; i++)
        if ((i + 1 == all || e[i + 1].born != e[i].born) && e[i].seq <= p->upto &&
            e[i].seq > p->span[e[i].span].after)
            e[kept++] = e[i];
    *out = e;
    *n = kept;
    return RC_OK;
}

/* ---- records ---- */

enum rc recipe_add(struct work *w, int64_t stream, struct pack *p, const struct rows *q,
                   bool *left_out)
{
    enum rc rc = pack_add(&w->err, p, q);
    struct rows purge;

    *left_out = rc == RC_GONE;
    if (rc != RC_GONE)
        return rc;
    if (db_one(w, SQL_object_purged, &purge, "iii", stream, pack_born(q), pack_seq(q)))
        *left_out = false;
    if ((rc = rows_done(&purge)) == RC_NOT_FOUND)
        return err_set(&w->err, RC_CORRUPT, "the bytes of change %" PRId64 " are missing",
                       pack_seq(q));
    return rc;
}

enum rc recipe_fill(struct work *w, int64_t stream, const struct entry *entry, size_t n,
                    struct pack *out)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < n && !rc; i++) {
        struct rows q;
        bool left_out;
        enum rc end;

        rc = db_one(w, SQL_object_record, &q, "ii", stream, (int64_t)entry[i].seq);
        if (!rc)
            rc = recipe_add(w, stream, out, &q, &left_out);
        end = rows_done(&q);
        rc = rc ? rc : end;
    }
    return rc;
}

/* A base: its records come as one query. */
static enum rc make_base(struct work *w, int64_t stream, const struct part *p, struct pack *out)
{
    struct rows q;
    bool left_out;
    enum rc rc, end;

    if ((rc = db_query(w, SQL_sync_records, &q, "iiii", stream, (int64_t)p->o.first_born,
                       (int64_t)p->o.last_born, (int64_t)p->as_of)))
        return rc;
    while (!rc && rows_next(&q))
        rc = recipe_add(w, stream, out, &q, &left_out);
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc recipe_make(struct work *w, int64_t stream, const struct part *p, struct pack *out)
{
    struct entry *entry;
    size_t n;
    enum rc rc;

    if (p->o.kind == WIRE_BASE)
        rc = make_base(w, stream, p, out);
    else if (!(rc = recipe_entries(w, stream, p, &entry, &n)))
        rc = recipe_fill(w, stream, entry, n, out);
    if (!rc)
        pack_end(out);
    return rc;
}
