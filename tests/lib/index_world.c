#include "tests/lib/index_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/catchup.h"
#include "sync/index.h"
#include "sync/object.h"

void index_world_build(struct sync_world *t)
{
    struct err e = { 0 };

    if (index_build(t->live, &e, t->w.db))
        fail_msg("%s", e.text);
}

const char *index_world_object(struct sync_world *t, const uint8_t hash[HASH_BYTES],
                               enum wire_encoding encoding, size_t *n)
{
    const char *p;
    uint8_t found[HASH_BYTES];

    if (object_read(&t->w, t->dir, hash, encoding, &p, n))
        fail_msg("%s", t->w.err.text);
    p = sync_world_decode(t, encoding, p, *n, n);
    sha256(p, *n, found);
    assert_memory_equal(found, hash, HASH_BYTES);
    return p;
}

struct index_list index_world_list(struct sync_world *t, const struct wire_head *h)
{
    struct index_list list = { 0 };
    struct wire_lines lines;
    struct sync_err e = { 0 };
    bool more = true;
    size_t n;
    const char *text;

    assert_true(h->has_index);
    text = index_world_object(t, h->index, WIRE_IDENTITY, &n);
    assert_int_equal(wire_index_begin(&e, text, n, &lines), SYNC_OK);
    while (more) {
        assert_true(list.n < OBJECTS_MAX);
        assert_int_equal(wire_index_next(&e, &lines, &list.object[list.n], &more), SYNC_OK);
        list.n += more;
    }
    list.seq = lines.seq;
    return list;
}

uint64_t index_world_follow(struct sync_world *t, const struct wire_head *h, uint64_t cursor,
                            int encodings, struct state *out)
{
    struct index_list list = index_world_list(t, h);
    uint64_t base = cursor > list.seq ? cursor : list.seq, bytes = 0;
    struct wire_url u = { .kind = WIRE_URL_LOG,
                          .epoch = h->epoch,
                          .cut = h->cut,
                          .from = wire_catchup_from(base, h->seq),
                          .to = h->seq };
    const char *p;
    size_t n;

    sync_world_state(t, cursor, out);
    for (size_t i = 0; i < list.n; i++)
        if (list.object[i].highest_seq > cursor) {
            p = index_world_object(t, list.object[i].hash,
                                   (enum wire_encoding)((int)i % encodings), &n);
            assert_int_equal(n, list.object[i].bytes);
            state_apply(out, p, n);
            bytes += n;
        }
    if (base < h->seq) {
        assert_int_equal(catchup_make(&t->w, t->live, &u, &p, &n), RC_OK);
        state_apply(out, p, n);
    }
    return bytes;
}

void assert_index_takes_there(struct sync_world *t, const struct wire_head *h, uint64_t cursor)
{
    struct state held, want;

    index_world_follow(t, h, cursor, 3, &held);
    sync_world_state(t, h->seq, &want);
    assert_true(state_equal(&held, &want));
}

void index_world_fill(struct sync_world *t, uint64_t items, size_t bytes)
{
    while (t->items < items)
        sync_world_put(t, t->items, bytes);
}

enum rc index_world_ask(struct sync_world *t, const uint8_t hash[HASH_BYTES])
{
    const char *p;
    size_t n;

    return object_read(&t->w, t->dir, hash, WIRE_ZSTD, &p, &n);
}
