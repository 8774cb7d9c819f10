/*
 * memory_store.c - see memory_store.h. What the engine must never do is asserted: a gap in a part, a transaction within another.
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

static struct memory_content *content_copy(const struct memory_content *c)
{
    struct memory_content *copy = malloc(sizeof *copy);

    *copy = *c;
    for (size_t i = 0; i < MEMORY_ITEMS; i++) {
        copy->items[i].touched = false;
        if (c->items[i].bytes) {
            copy->items[i].bytes = malloc(c->items[i].length + 1);
            memcpy(copy->items[i].bytes, c->items[i].bytes, c->items[i].length);
        }
    }
    for (size_t i = 0; i < FOLLOW_VALUES; i++)
        if (c->values[i].at) {
            copy->values[i].at = malloc(c->values[i].n + 1);
            memcpy(copy->values[i].at, c->values[i].at, c->values[i].n);
        }
    return copy;
}

static void content_free(struct memory_content *c)
{
    for (size_t i = 0; i < MEMORY_ITEMS; i++)
        free(c->items[i].bytes);
    for (size_t i = 0; i < FOLLOW_VALUES; i++)
        free(c->values[i].at);
    free(c);
}

static enum sync_rc store_get(void *ctx, struct sync_err *e, enum follow_value which, void *out,
                              size_t room, size_t *n)
{
    struct memory_store *s = ctx;
    struct memory_content *c = s->open ? s->open : s->now;

    (void)e;
    assert_true(c->values[which].n <= room);
    *n = c->values[which].n;
    if (*n)
        memcpy(out, c->values[which].at, *n);
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
    size_t i = part_slot(s, path);

    (void)e;
    snprintf(s->parts[i].path, sizeof s->parts[i].path, "%s", path);
    assert_true(at == 0 || at == s->parts[i].as.bytes);
    s->parts[i].bytes = realloc(s->parts[i].bytes, at + n + 1);
    memcpy(s->parts[i].bytes + at, bytes, n);
    s->parts[i].as.bytes = at + n;
    s->parts[i].as.whole = whole;
    snprintf(s->parts[i].as.etag, FOLLOW_ETAG_MAX, "%s", etag);
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

static enum sync_rc begin(void *ctx, struct sync_err *e)
{
    struct memory_store *s = ctx;

    (void)e;
    assert_null(s->open);
    s->open = content_copy(s->now);
    return SYNC_OK;
}

static enum sync_rc put(void *ctx, struct sync_err *e, enum follow_value which,
                        const void *bytes, size_t n)
{
    struct memory_store *s = ctx;

    (void)e;
    free(s->open->values[which].at);
    s->open->values[which] = (struct memory_value){ malloc(n + 1), n };
    memcpy(s->open->values[which].at, bytes, n);
    return SYNC_OK;
}

static enum sync_rc held(void *ctx, struct sync_err *e, uint64_t born, uint64_t *seq)
{
    struct memory_store *s = ctx;

    (void)e;
    *seq = s->open->items[born].seq;
    return SYNC_OK;
}

static enum sync_rc apply(void *ctx, struct sync_err *e, const struct wire_frame *f,
                          const uint8_t *frame, const uint8_t *bytes,
                          const uint8_t leaf[WIRE_HASH])
{
    struct memory_store *s = ctx;
    struct memory_item *it = &s->open->items[f->born];

    (void)e;
    (void)frame;
    free(it->bytes);
    *it = (struct memory_item){ .seq = f->seq,
                                .op = f->op,
                                .bytes = malloc(f->length + 1),
                                .length = f->length,
                                .touched = true };
    memcpy(it->bytes, bytes, f->length);
    memcpy(it->leaf, leaf, WIRE_HASH);
    return SYNC_OK;
}

static enum sync_rc changed(void *ctx, struct sync_err *e, follow_leaf_fn *fn, void *fn_ctx)
{
    struct memory_store *s = ctx;
    enum sync_rc rc = SYNC_OK;

    for (size_t i = 0; i < MEMORY_ITEMS && !rc; i++)
        if (s->open->items[i].touched)
            rc = fn(fn_ctx, e, i, s->open->items[i].leaf);
    return rc;
}

static enum sync_rc wipe(void *ctx, struct sync_err *e)
{
    struct memory_store *s = ctx;

    (void)e;
    for (size_t i = 0; i < MEMORY_ITEMS; i++) {
        free(s->open->items[i].bytes);
        s->open->items[i] = (struct memory_item){ 0 };
    }
    memset(s->open->counts, 0, sizeof s->open->counts);
    return SYNC_OK;
}

static enum sync_rc commit(void *ctx, struct sync_err *e)
{
    struct memory_store *s = ctx;

    if (s->full)
        return sync_err_set(e, SYNC_FULL, "no room");
    content_free(s->now);
    s->now = s->open;
    s->open = NULL;
    return SYNC_OK;
}

static void rollback(void *ctx)
{
    struct memory_store *s = ctx;

    content_free(s->open);
    s->open = NULL;
}

static enum sync_rc tile_read(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                              unsigned count, uint8_t *nodes)
{
    struct memory_store *s = ctx;

    if (level > 1 || index >= MEMORY_TILES || s->open->counts[level][index] != count)
        return sync_err_set(e, SYNC_STORE, "no such tile");
    memcpy(nodes, s->open->tiles[level][index], (size_t)count * WIRE_HASH);
    return SYNC_OK;
}

static enum sync_rc tile_write(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                               unsigned count, const uint8_t *nodes)
{
    struct memory_store *s = ctx;

    (void)e;
    assert_true(level < 2 && index < MEMORY_TILES);
    s->open->counts[level][index] = count;
    memcpy(s->open->tiles[level][index], nodes, (size_t)count * WIRE_HASH);
    return SYNC_OK;
}

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
    free(s);
}

struct follow_store memory_store_callbacks(struct memory_store *s)
{
    return (struct follow_store){ s,
                                  store_get,
                                  part_find,
                                  part_write,
                                  part_read,
                                  part_keep,
                                  begin,
                                  put,
                                  held,
                                  apply,
                                  changed,
                                  wipe,
                                  { s, tile_read, tile_write },
                                  commit,
                                  rollback };
}
