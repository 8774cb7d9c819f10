/*
 * index_plan.c - the least that must be made again.
 *
 *     bases of the index before     | clean | dirty | dirty | clean | small | small | last |
 * new items regions                                 ^^^^^^^^^^^^^
 * ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
 *
 * A base is dirty if something in its range changed since the index before. Small neighbours
 * count as dirty when joining them makes fewer objects, unless there is a hurry. New items join
 * the last base while it has room. Runs of dirty bases are regions, which index.c cuts into
 * objects: into equal ones, or, at the open end of the log, into full ones and a rest.
 *
 * An index that cannot be built on - a layer in it, a gap, a file that is missing - counts as
 * none: then all is made again.
 */
#include "sync/index_plan.h"

#include <string.h>

#include "server/store/db.h"
#include "sync/live_state.h"
#include "sync/object.h"

enum {
    FULL = WIRE_PACK_MAX,
    SMALL = FULL / 2,
    HURRY_BEHIND = WIRE_CATCHUP_MAX * 3 / 4, /* changes */
};

static void *grow(struct arena *mem, void *old, size_t n, size_t *room, size_t size)
{
    void *p;

    if (n < *room)
        return old;
    *room = *room ? *room * 2 : 64;
    p = arena_alloc(mem, *room * size);
    if (n)
        memcpy(p, old, n * size);
    return p;
}

void build_keep(struct build *b, const struct wire_object *o)
{
    b->object = grow(b->mem, b->object, b->objects, &b->object_room, sizeof *o);
    b->object[b->objects++] = *o;
}

struct old_index {
    uint64_t seq;
    struct wire_object *object; /* bases, ascending, without a gap from born 0 */
    bool *dirty;                /* must be made again */
    size_t n;
};

/* Reads the lines; false if it is not an unbroken row of bases whose files are all there. */
static bool old_lines(struct arena *mem, const char *data, const char *text, size_t n,
                      struct old_index *out)
{
    struct wire_lines lines;
    struct sync_err se;
    uint64_t next = 0;
    size_t room = 0;
    bool more;

    if (wire_index_begin(&se, text, n, &lines))
        return false;
    out->seq = lines.seq;
    for (;;) {
        struct wire_object o;

        if (wire_index_next(&se, &lines, &o, &more))
            return false;
        if (!more)
            return true;
        if (o.kind != WIRE_BASE || o.first_born != next || !object_exists(mem, data, o.hash))
            return false;
        out->object = grow(mem, out->object, out->n, &room, sizeof o);
        out->object[out->n++] = o;
        next = o.last_born + 1;
    }
}

/* The stored index, empty if there is none that can be built on. */
static enum rc old_read(struct work *w, struct live *l, const void *hash, size_t hash_n,
                        struct old_index *out)
{
    struct rows q;
    const void *text;
    size_t n;
    enum rc rc;

    *out = (struct old_index){ 0 };
    if (hash_n != HASH_BYTES)
        return RC_OK;
    if ((rc = db_query(w, SQL_sync_object, &q, "b", hash, hash_n)))
        return rc;
    if (rows_next(&q) && (text = rows_blob(&q, 0, &n)) &&
        !old_lines(w->mem, l->data, text, n, out))
        *out = (struct old_index){ 0 };
    out->dirty = arena_zalloc(w->mem, out->n + 1);
    return rows_done(&q);
}

/* Marks the bases in which something changed since. */
static enum rc mark_dirty(struct work *w, int64_t stream, uint64_t seq, struct old_index *old)
{
    struct rows q;
    size_t i = 0;
    enum rc rc;

    if (!old->n)
        return RC_OK;
    if ((rc =
             db_query(w, SQL_sync_changed, &q, "iii", stream, (int64_t)old->seq, (int64_t)seq)))
        return rc;
    while (rows_next(&q)) {
        uint64_t born = (uint64_t)rows_int(&q, 0);

        while (i < old->n && old->object[i].last_born < born)
            i++;
        if (i < old->n)
            old->dirty[i] = true;
    }
    return rows_done(&q);
}

static bool is_small(const struct wire_object *o)
{
    return o->bytes < SMALL;
}

/* Whether the clean bases from..to-1, all small, would be fewer objects if they were joined. */
static bool worth_joining(const struct wire_object *o, size_t n)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += o[i].bytes;
    return (bytes + FULL - 1) / FULL < n;
}

/* Marks runs of small neighbours that are better joined; tells whether there are any. */
static bool mark_small(struct old_index *old, bool mark)
{
    bool any = false;

    for (size_t i = 0, j; i < old->n; i = j + 1) {
        for (j = i; j < old->n && (is_small(&old->object[j]) || old->dirty[j]);)
            j++;
        if (j - i < 2 || !worth_joining(old->object + i, j - i))
            continue;
        any = true;
        if (mark)
            memset(old->dirty + i, true, j - i);
    }
    return any;
}

/* Equal parts; at the open end of the log full ones and a rest. */
static enum rc region_target(struct work *w, struct live *l, bool hurry, bool open,
                             struct region *r)
{
    uint64_t most = hurry ? SMALL * 7 / 8 : FULL, bytes;
    struct rows q;
    enum rc rc = db_one(w, SQL_sync_records_bytes, &q, "iii", l->no, (int64_t)r->first,
                        (int64_t)r->last);

    bytes = rc ? 0 : (uint64_t)rows_int(&q, 0);
    r->target = open ? most : bytes / ((bytes + most - 1) / most + !bytes);
    return rows_done(&q);
}

static void add_region(struct build *b, uint64_t first, uint64_t last)
{
    b->region[b->regions++] = (struct region){ .first = first, .last = last };
}

/* Regions are runs of dirty bases; what follows the last base is open, and so is a last base
 * that is not full. */
static void make_regions(struct build *b, const struct old_index *old, uint64_t items)
{
    uint64_t end = old->n ? old->object[old->n - 1].last_born + 1 : 0;
    size_t i = 0;

    b->region = arena_zalloc(b->mem, (old->n + 2) * sizeof *b->region);
    while (i < old->n) {
        size_t first = i;

        while (i < old->n && old->dirty[i])
            i++;
        if (i > first)
            add_region(b, old->object[first].first_born, old->object[i - 1].last_born);
        for (; i < old->n && !old->dirty[i]; i++)
            build_keep(b, &old->object[i]);
    }
    if (end == items)
        return;
    if (b->regions && b->region[b->regions - 1].last + 1 == end)
        b->region[b->regions - 1].last = items - 1;
    else
        add_region(b, end, items - 1);
}

enum rc plan_stream(struct work *w, struct live *l, struct stream_now *out)
{
    struct rows q;
    const void *p;
    enum rc rc = db_one(w, SQL_sync_stream, &q, "t", l->name);

    *out = (struct stream_now){ 0 };
    if (!rc) {
        out->seq = (uint64_t)rows_int(&q, 2);
        out->born = (uint64_t)rows_int(&q, 3);
        out->index_seq = (uint64_t)rows_int(&q, 6);
        p = rows_blob(&q, 7, &out->index_n);
        if (p && out->index_n == HASH_BYTES)
            memcpy(out->index, p, HASH_BYTES);
    }
    return rows_done(&q);
}

bool plan_in_hurry(const struct stream_now *now)
{
    return now->seq - now->index_seq > HURRY_BEHIND;
}

enum rc plan_make(struct work *w, struct live *l, struct build *b)
{
    struct stream_now now;
    struct old_index old;
    enum rc rc;

    if ((rc = plan_stream(w, l, &now)) || (rc = old_read(w, l, now.index, now.index_n, &old)) ||
        (rc = mark_dirty(w, l->no, now.seq, &old)))
        return rc;
    b->seq = now.seq;
    b->hurry = plan_in_hurry(&now);
    if (!b->hurry)
        mark_small(&old, true);
    /* New items join the last base while it has room. */
    if (old.n && old.object[old.n - 1].last_born + 1 < now.born &&
        old.object[old.n - 1].bytes < (b->hurry ? SMALL : FULL) * 3 / 4)
        old.dirty[old.n - 1] = true;
    make_regions(b, &old, now.born);
    for (size_t i = 0; i < b->regions; i++)
        if ((rc = region_target(w, l, b->hurry, b->region[i].last + 1 == now.born,
                                &b->region[i])))
            return rc;
    return RC_OK;
}

bool plan_untidy(const struct build *b)
{
    struct old_index list = { .object = b->object, .n = b->objects };

    list.dirty = arena_zalloc(b->mem, b->objects + 1);
    return mark_small(&list, false);
}
