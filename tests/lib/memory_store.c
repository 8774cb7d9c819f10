/*
 * memory_store.c - see memory_store.h. What the engine must never do is asserted: a gap in a part,
 * a transaction within another, content changed outside of one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/memory_store.h"

/* ---- content ---- */

static void *copied(const void *at, size_t n)
{
    void *copy = malloc(n + 1);

    if (n)
        memcpy(copy, at, n);
    return copy;
}

static struct memory_content *content_copy(const struct memory_content *c)
{
    struct memory_content *copy = copied(c, sizeof *c);

    copy->items = copied(c->items, c->nitems * sizeof *c->items);
    for (size_t i = 0; i < c->nitems; i++) {
        copy->items[i].touched = false;
        if (c->items[i].record)
            c->items[i].record->refs++;
    }
    for (size_t i = 0; i < MEMORY_LEVELS; i++)
        copy->tiles[i] = copied(c->tiles[i], c->ntiles[i] * sizeof *c->tiles[i]);
    for (size_t i = 0; i < FOLLOW_VALUES; i++)
        copy->values[i].at = copied(c->values[i].at, c->values[i].n);
    return copy;
}

static void item_drop(struct memory_item *it)
{
    if (it->record && --it->record->refs == 0)
        free(it->record);
    *it = (struct memory_item){ 0 };
}

static void content_free(struct memory_content *c)
{
    for (size_t i = 0; i < c->nitems; i++)
        item_drop(&c->items[i]);
    free(c->items);
    for (size_t i = 0; i < MEMORY_LEVELS; i++)
        free(c->tiles[i]);
    for (size_t i = 0; i < FOLLOW_VALUES; i++)
        free(c->values[i].at);
    free(c);
}

/* What a callback sees: the open transaction, else what is committed. */
static struct memory_content *seen(const struct memory_store *s)
{
    return s->open ? s->open : s->now;
}

const struct memory_record *memory_record_at(const struct memory_content *c, uint64_t born)
{
    return born < c->nitems ? c->items[born].record : NULL;
}

uint64_t memory_horizon(const struct memory_content *c)
{
    const struct memory_value *v = &c->values[FOLLOW_BELOW];
    uint64_t h = 0;

    for (size_t i = 0; v->n >= 8 && i < 8; i++)
        h = h << 8 | (uint8_t)v->at[i];
    return h;
}

/* Every call inside a transaction passes here: a power cut may be due. */
static enum sync_rc step(struct memory_store *s, struct sync_err *e)
{
    assert_non_null(s->open);
    if (s->crash_in && --s->crash_in == 0)
        return sync_err_set(e, SYNC_STORE, "the power went");
    return SYNC_OK;
}

/* ---- values and parts ---- */

static enum sync_rc store_get(void *ctx, struct sync_err *e, enum follow_value which, void *out,
                              size_t room, size_t *n)
{
    const struct memory_value *v = &seen(ctx)->values[which];

    (void)e;
    assert_true(v->n <= room);
    *n = v->n;
    if (*n)
        memcpy(out, v->at, *n);
    return SYNC_OK;
}

static size_t part_slot(struct memory_store *s, const char *path)
{
    size_t unused = MEMORY_PARTS;

    for (size_t i = 0; i < MEMORY_PARTS; i++) {
        if (strcmp(s->parts[i].path, path) == 0)
            return i;
        if (!s->parts[i].path[0])
            unused = i;
    }
    assert_true(unused < MEMORY_PARTS);
    return unused;
}

static enum sync_rc part_find(void *ctx, struct sync_err *e, const char *path,
                              struct follow_part *out)
{
    struct memory_store *s = ctx;
    size_t i = part_slot(s, path);

    (void)e;
    *out = s->parts[i].path[0] ? s->parts[i].as : (struct follow_part){ 0 };
    return SYNC_OK;
}

static enum sync_rc part_write(void *ctx, struct sync_err *e, const char *path, uint64_t at,
                               const void *bytes, size_t n, const char *etag, bool whole)
{
    struct memory_store *s = ctx;
    size_t i = part_slot(s, path), all = 0;

    (void)e;
    assert_null(s->open);
    snprintf(s->parts[i].path, sizeof s->parts[i].path, "%s", path);
    assert_true(at == 0 || at == s->parts[i].as.bytes);
    s->parts[i].bytes = realloc(s->parts[i].bytes, at + n + 1);
    memcpy(s->parts[i].bytes + at, bytes, n);
    s->parts[i].as.bytes = at + n;
    s->parts[i].as.whole = whole;
    snprintf(s->parts[i].as.etag, FOLLOW_ETAG_MAX, "%s", etag);
    for (size_t k = 0; k < MEMORY_PARTS; k++)
        all += s->parts[k].as.bytes;
    s->parts_most = all > s->parts_most ? all : s->parts_most;
    return SYNC_OK;
}

static enum sync_rc part_read(void *ctx, struct sync_err *e, const char *path, uint64_t at,
                              void *out, size_t room, size_t *n)
{
    struct memory_store *s = ctx;
    size_t i = part_slot(s, path), left;

    (void)e;
    assert_string_equal(s->parts[i].path, path);
    left = s->parts[i].as.bytes - at;
    *n = left < room ? left : room;
    memcpy(out, s->parts[i].bytes + at, *n);
    return SYNC_OK;
}

static enum sync_rc part_keep(void *ctx, struct sync_err *e, const char *const *paths, size_t n)
{
    struct memory_store *s = ctx;

    (void)e;
    assert_null(s->open);
    for (size_t i = 0; i < MEMORY_PARTS; i++) {
        bool keep = false;

        for (size_t k = 0; k < n; k++)
            keep |= strcmp(paths[k], s->parts[i].path) == 0;
        if (keep)
            continue;
        free(s->parts[i].bytes);
        memset(&s->parts[i], 0, sizeof s->parts[i]);
    }
    return SYNC_OK;
}

/* ---- the transaction ---- */

static enum sync_rc transact(void *ctx, struct sync_err *e,
                             enum sync_rc (*fn)(void *fn_ctx, struct sync_err *e), void *fn_ctx)
{
    struct memory_store *s = ctx;
    enum sync_rc rc;

    assert_null(s->open);
    s->transactions++;
    s->open = content_copy(s->now);
    rc = fn(fn_ctx, e);
    if (!rc && s->full)
        rc = sync_err_set(e, SYNC_FULL, "no room");
    content_free(rc ? s->open : s->now);
    if (!rc)
        s->now = s->open;
    s->open = NULL;
    if (!rc && s->crash_in && s->crash_committed) {
        s->crash_in = 0;
        return sync_err_set(e, SYNC_STORE, "the power went, and all was written");
    }
    return rc;
}

static enum sync_rc put(void *ctx, struct sync_err *e, enum follow_value which,
                        const void *bytes, size_t n)
{
    struct memory_store *s = ctx;
    enum sync_rc rc = step(s, e);

    if (rc)
        return rc;
    free(s->open->values[which].at);
    s->open->values[which] = (struct memory_value){ copied(bytes, n), n };
    return SYNC_OK;
}

static enum sync_rc held(void *ctx, struct sync_err *e, uint64_t born, uint64_t *seq)
{
    struct memory_store *s = ctx;
    const struct memory_record *r = memory_record_at(s->open, born);

    *seq = r ? r->frame.seq : 0;
    return step(s, e);
}

static struct memory_item *item_room(struct memory_content *c, uint64_t born)
{
    if (born >= c->nitems) {
        size_t n = born + born / 2 + 64;

        c->items = realloc(c->items, n * sizeof *c->items);
        memset(c->items + c->nitems, 0, (n - c->nitems) * sizeof *c->items);
        c->nitems = n;
    }
    return &c->items[born];
}

static enum sync_rc apply(void *ctx, struct sync_err *e, const struct wire_frame *f,
                          const uint8_t *frame, const uint8_t *bytes,
                          const uint8_t leaf[WIRE_HASH])
{
    struct memory_store *s = ctx;
    struct memory_item *it = item_room(s->open, f->born);
    size_t frame_n = wire_frame_size(f);
    uint8_t own[WIRE_HASH];

    verify_record(frame, frame_n, bytes, f->length, own);
    assert_memory_equal(leaf, own, WIRE_HASH);
    item_drop(it);
    it->record = malloc(sizeof *it->record + frame_n + f->length);
    *it->record = (struct memory_record){
        .refs = 1, .frame = *f, .frame_n = frame_n, .n = frame_n + f->length
    };
    it->record->frame.title = NULL;
    memcpy(it->record->at, frame, frame_n);
    memcpy(it->record->at + frame_n, bytes, f->length);
    it->touched = true;
    return step(s, e);
}

static void leaf_of(const struct memory_record *r, uint8_t leaf[WIRE_HASH])
{
    verify_record(r->at, r->frame_n, r->at + r->frame_n, r->n - r->frame_n, leaf);
}

static enum sync_rc changed(void *ctx, struct sync_err *e, follow_leaf_fn *fn, void *fn_ctx)
{
    struct memory_store *s = ctx;
    enum sync_rc rc = step(s, e);
    uint8_t leaf[WIRE_HASH];

    for (size_t i = 0; i < s->open->nitems && !rc; i++) {
        if (!s->open->items[i].touched || !s->open->items[i].record)
            continue;
        leaf_of(s->open->items[i].record, leaf);
        rc = fn(fn_ctx, e, i, leaf);
    }
    return rc;
}

static enum sync_rc forget(void *ctx, struct sync_err *e, uint64_t first, uint64_t last)
{
    struct memory_store *s = ctx;

    assert_true(first <= last);
    for (uint64_t i = first; i < s->open->nitems && i <= last; i++)
        item_drop(&s->open->items[i]);
    return step(s, e);
}

/* ---- below the horizon ---- */

/* Which root covers an item: section 11, in our own words. */
static const uint8_t *root_over(const struct merkle_below *below, uint64_t born)
{
    uint64_t tops = below->horizon / 65536;

    return below
        ->roots[born < tops * 65536 ? born / 65536 : tops + (born - tops * 65536) / 1024];
}

static enum sync_rc narrow(void *ctx, struct sync_err *e, const struct merkle_below *below)
{
    struct memory_store *s = ctx;
    uint64_t before = memory_horizon(s->open);

    for (uint64_t i = before; i < below->horizon && i < s->open->nitems; i++) {
        struct memory_item *it = &s->open->items[i];

        if (i >= s->nkeeps || !s->keeps[i])
            item_drop(it);
        it->is_proved = it->record;
        memcpy(it->root, root_over(below, i), WIRE_HASH);
    }
    return step(s, e);
}

static enum sync_rc proved(void *ctx, struct sync_err *e, uint64_t born,
                           const uint8_t root[WIRE_HASH])
{
    struct memory_store *s = ctx;

    assert_non_null(memory_record_at(s->open, born));
    s->open->items[born].is_proved = root;
    if (root)
        memcpy(s->open->items[born].root, root, WIRE_HASH);
    return step(s, e);
}

static enum sync_rc walk(const struct memory_content *c, struct sync_err *e, uint64_t from,
                         uint64_t to, bool roots, follow_item_fn *fn, void *fn_ctx)
{
    enum sync_rc rc = SYNC_OK;

    for (uint64_t i = from; i < c->nitems && i < to && !rc; i++) {
        struct follow_item it = { .born = i };

        if (!c->items[i].record)
            continue;
        it.seq = c->items[i].record->frame.seq;
        it.root = roots && c->items[i].is_proved ? c->items[i].root : NULL;
        leaf_of(c->items[i].record, it.leaf);
        rc = fn(fn_ctx, e, &it);
    }
    return rc;
}

static enum sync_rc each(void *ctx, struct sync_err *e, follow_item_fn *fn, void *fn_ctx)
{
    const struct memory_content *c = seen(ctx);

    return walk(c, e, memory_horizon(c), UINT64_MAX, false, fn, fn_ctx);
}

static enum sync_rc each_kept(void *ctx, struct sync_err *e, follow_item_fn *fn, void *fn_ctx)
{
    const struct memory_content *c = seen(ctx);

    return walk(c, e, 0, memory_horizon(c), true, fn, fn_ctx);
}

static enum sync_rc record_of(void *ctx, struct sync_err *e, uint64_t born, uint8_t *out,
                              size_t *n, uint64_t *seq)
{
    const struct memory_record *r = memory_record_at(seen(ctx), born);

    (void)e;
    *seq = r ? r->frame.seq : 0;
    *n = r ? r->n : 0;
    if (r)
        memcpy(out, r->at, *n);
    return SYNC_OK;
}

/* ---- tiles ---- */

static enum sync_rc untile(void *ctx, struct sync_err *e)
{
    struct memory_store *s = ctx;

    memset(s->open->ntiles, 0, sizeof s->open->ntiles);
    return step(s, e);
}

static enum sync_rc tile_read(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                              unsigned count, uint8_t *nodes)
{
    struct memory_store *s = ctx;
    const struct memory_content *c = seen(s);

    assert_true(level < MEMORY_LEVELS);
    if (index >= c->ntiles[level] || c->tiles[level][index].count == 0)
        return sync_err_set(e, SYNC_NOT_HELD, "no such tile");
    if (c->tiles[level][index].count != count)
        return sync_err_set(e, SYNC_STORE, "a tile of another size");
    memcpy(nodes, c->tiles[level][index].nodes, (size_t)count * WIRE_HASH);
    return SYNC_OK;
}

static enum sync_rc tile_write(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                               unsigned count, const uint8_t *nodes)
{
    struct memory_store *s = ctx;
    struct memory_content *c = s->open;

    assert_true(level < MEMORY_LEVELS);
    if (index >= c->ntiles[level]) {
        size_t n = index + index / 2 + 4;

        c->tiles[level] = realloc(c->tiles[level], n * sizeof *c->tiles[level]);
        for (size_t i = c->ntiles[level]; i < n; i++)
            c->tiles[level][i].count = 0;
        c->ntiles[level] = n;
    }
    c->tiles[level][index].count = count;
    memcpy(c->tiles[level][index].nodes, nodes, (size_t)count * WIRE_HASH);
    return step(s, e);
}

/* ---- making ---- */

struct memory_store *memory_store_new(void)
{
    struct memory_store *s = calloc(1, sizeof *s);

    s->now = calloc(1, sizeof *s->now);
    return s;
}

void memory_store_free(struct memory_store *s)
{
    struct sync_err e;

    assert_int_equal(part_keep(s, &e, NULL, 0), SYNC_OK);
    content_free(s->now);
    free(s->keeps);
    free(s);
}

void memory_store_keep(struct memory_store *s, uint64_t born)
{
    if (born >= s->nkeeps) {
        s->keeps = realloc(s->keeps, (born + 1) * sizeof *s->keeps);
        memset(s->keeps + s->nkeeps, 0, (born + 1 - s->nkeeps) * sizeof *s->keeps);
        s->nkeeps = born + 1;
    }
    s->keeps[born] = true;
}

struct follow_store memory_store_callbacks(struct memory_store *s)
{
    return (struct follow_store){
        .ctx = s,
        .get = store_get,
        .parts = { s, part_find, part_write, part_read, part_keep },
        .transact = transact,
        .put = put,
        .held = held,
        .apply = apply,
        .changed = changed,
        .forget = forget,
        .narrow = narrow,
        .proved = proved,
        .untile = untile,
        .tiles = { s, tile_read, tile_write },
        .each = each,
        .each_kept = each_kept,
        .record = record_of,
    };
}
