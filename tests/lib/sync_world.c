/*
 * sync_world.c - see the header. Changes are written to the log as the library does, without
 * the library's rules about items.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/library/change.h"
#include "server/library/site.h"
#include "server/store/writer.h"
#include "sync/verify.h"
#include "tests/lib/sync_world.h"

/* ---- life ---- */

enum rc sync_world_try_start(struct sync_world *t, struct err *e)
{
    const char *path = arena_printf(t->mem, "%s/test.db", t->dir);
    enum rc rc;

    sync_watch();
    if ((rc = writer_start(e, path, 1000)))
        return rc;
    if ((rc = sync_start(e, &t->conf, t->workers, t->urgent ? t->urgent : t->workers))) {
        pool_free(t->workers);
        pool_free(t->urgent);
        writer_stop();
        return rc;
    }
    t->live = live_own();
    return db_open(e, path, DB_READ, &t->w.db);
}

void sync_world_start(struct sync_world *t)
{
    struct err e = { 0 };

    if (sync_world_try_start(t, &e))
        fail_msg("%s", e.text);
}

void sync_world_stop(struct sync_world *t)
{
    sync_stop();
    pool_free(t->workers);
    pool_free(t->urgent);
    t->workers = t->urgent = NULL;
    db_close(t->w.db);
    t->w.db = NULL;
    writer_stop();
    sync_done();
}

static const char *reader_path;

static enum rc open_reader(struct err *e, struct db **out)
{
    return db_open(e, reader_path, DB_READ, out);
}

void sync_world_start_with_workers(struct sync_world *t)
{
    struct err e = { 0 };

    reader_path = arena_printf(t->mem, "%s/test.db", t->dir);
    assert_int_equal(pool_new(&e, 2, 100, open_reader, db_close, &t->workers), RC_OK);
    sync_world_start(t);
}

void sync_world_start_with_both(struct sync_world *t)
{
    struct err e = { 0 };

    reader_path = arena_printf(t->mem, "%s/test.db", t->dir);
    assert_int_equal(pool_new(&e, 2, 100, open_reader, db_close, &t->urgent), RC_OK);
    sync_world_start_with_workers(t);
}

static enum rc make_site(struct work *w, void *arg)
{
    struct sync_world *t = arg;
    struct site s = { .stream = live_no(t->live),
                      .code = "1200000000",
                      .name = "天津市人民政府" };
    enum rc rc = site_create(w, &s);

    t->site = s.no;
    return rc;
}

static enum rc call(struct sync_world *t, enum rc (*fn)(struct work *, void *), void *arg)
{
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), NULL, "operator", RIGHT_ALL);
    rc = writer_call(&w, fn, arg);
    arena_free(w.mem);
    (void)t;
    return rc;
}

int sync_world_set_up(void **state)
{
    struct sync_world *t = calloc(1, sizeof *t);
    struct err e;

    log_set_fd(-1);
    clock_set(SYNC_NOW);
    /* In memory where that is to be had: these tests commit thousands of times. */
    strcpy(t->dir,
           access("/dev/shm", W_OK) ? "/tmp/tjzw-sync-XXXXXX" : "/dev/shm/tjzw-sync-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    assert_int_equal(conf_load(&e, NULL, NULL, &t->conf), RC_OK);
    assert_int_equal(conf_set(&e, &t->conf, "data", t->dir), RC_OK);
    t->mem = arena_new();
    t->random = 88172645463325252u;
    work_init(&t->w, t->mem, NULL, "public", RIGHT_READ);
    sync_world_start(t);
    assert_int_equal(call(t, make_site, t), RC_OK);
    sync_world_settle(t);
    *state = t;
    return 0;
}

int sync_world_tear_down(void **state)
{
    struct sync_world *t = *state;
    char command[128];

    sync_world_stop(t);
    clock_unset();
    conf_done(&t->conf);
    arena_free(t->mem);
    snprintf(command, sizeof command, "rm -rf '%s'", t->dir);
    free(t);
    return system(command);
}

/* ---- changes ---- */

uint32_t sync_world_random(struct sync_world *t, uint32_t below)
{
    t->random ^= t->random << 13;
    t->random ^= t->random >> 7;
    t->random ^= t->random << 17;
    return (uint32_t)(t->random >> 33) % below;
}

static void remember(struct sync_world *t, const struct change *c)
{
    struct wire_frame f = { .op = (uint8_t)c->op,
                            .flags = (uint8_t)c->flags,
                            .title_len = (uint16_t)strlen(c->title),
                            .length = (uint32_t)c->n,
                            .born = (uint64_t)c->born,
                            .seq = (uint64_t)c->seq,
                            .site = (uint32_t)c->site,
                            .column = (uint32_t)c->col,
                            .date = c->date,
                            .title = c->title };
    uint8_t frame[WIRE_FRAME_MAX];
    struct sync_err e;
    size_t n;

    memcpy(f.id, c->item.b, WIRE_ID);
    assert_int_equal(wire_frame_encode(&e, &f, frame, &n), SYNC_OK);
    assert_int_equal(c->seq, ++t->seq);
    t->past[t->seq].born = f.born;
    verify_record(frame, n, (const uint8_t *)c->bytes, c->n, t->past[t->seq].leaf);
}

struct plan {
    uint64_t born; /* of an item there is, or the number of items */
    enum change_op op;
    size_t n;
    const char *bytes; /* NULL: any */
};

static enum rc change(struct work *w, struct sync_world *t, struct plan p)
{
    char *bytes = malloc(p.n + 1);
    struct change c = { .stream = live_no(t->live),
                        .born = -1,
                        .op = p.op,
                        .flags = p.op == CHANGE_GONE ? CHANGE_PURGE : 0,
                        .site = t->site,
                        .col = 1 + sync_world_random(t, 5),
                        .date = clock_now(),
                        .title = p.op == CHANGE_PUT ? "关于开展便民服务的通知" : "",
                        .n = p.n,
                        .bytes = bytes };
    enum rc rc;

    /* Large ones repeat themselves: the tests are about places, not about compression. */
    for (size_t i = 512; i < p.n; i += 512)
        memset(bytes + i, 'a' + (int)(i / 512) % 26, p.n - i < 512 ? p.n - i : 512);
    for (size_t i = 0; i < p.n && i < 512; i++)
        bytes[i] = "0123456789abcdef天津政务"[sync_world_random(t, 28)];
    if (p.bytes)
        memcpy(bytes, p.bytes, p.n);
    if (p.born == t->items)
        t->id[t->items++] = id_new();
    else
        c.born = (int64_t)p.born;
    c.item = t->id[p.born];
    if (!(rc = change_write(w, &c)))
        remember(t, &c);
    free(bytes);
    return rc;
}

static struct plan any(struct sync_world *t, size_t most)
{
    uint32_t dice = sync_world_random(t, 10);
    uint64_t old = t->items ? sync_world_random(t, (uint32_t)t->items) : 0;

    if (!t->items || (dice < 4 && t->items < SYNC_ITEMS))
        return (struct plan){ t->items, CHANGE_PUT, 1 + sync_world_random(t, (uint32_t)most) };
    if (dice < 8)
        return (struct plan){ old, CHANGE_PUT, sync_world_random(t, (uint32_t)most) };
    return (struct plan){ old, CHANGE_WITHDRAWN, 40 };
}

struct burst {
    struct sync_world *t;
    struct plan plan; /* op 0: anything */
    int n;
    size_t most;
};

static enum rc write_burst(struct work *w, void *arg)
{
    struct burst *b = arg;
    enum rc rc = RC_OK;

    for (int i = 0; i < b->n && !rc; i++)
        rc = change(w, b->t, b->plan.op ? b->plan : any(b->t, b->most));
    return rc;
}

static void write_all(struct burst b)
{
    assert_int_equal(call(b.t, write_burst, &b), RC_OK);
    sync_world_settle(b.t);
}

void sync_world_put(struct sync_world *t, uint64_t born, size_t n)
{
    write_all((struct burst){ t, { born, CHANGE_PUT, n }, 1, 0 });
}

void sync_world_put_bytes(struct sync_world *t, uint64_t born, const char *bytes, size_t n)
{
    write_all((struct burst){ t, { born, CHANGE_PUT, n, bytes }, 1, 0 });
}

void sync_world_put_often(struct sync_world *t, uint64_t born, int times)
{
    write_all((struct burst){ t, { born, CHANGE_PUT, 10 }, times, 0 });
}

void sync_world_withdraw(struct sync_world *t, uint64_t born)
{
    write_all((struct burst){ t, { born, CHANGE_WITHDRAWN, 40 }, 1, 0 });
}

void sync_world_take_down(struct sync_world *t, uint64_t born)
{
    write_all((struct burst){ t, { born, CHANGE_GONE, 40 }, 1, 0 });
}

static enum rc take_down_all(struct work *w, void *arg)
{
    struct burst *b = arg;
    enum rc rc = RC_OK;

    for (int i = 0; i < b->n && !rc; i++)
        rc = change(w, b->t, (struct plan){ (uint64_t)i, CHANGE_GONE, 40 });
    return rc;
}

void sync_world_take_down_all(struct sync_world *t, int n)
{
    struct burst b = { .t = t, .n = n };

    assert_int_equal(call(t, take_down_all, &b), RC_OK);
}

void sync_world_random_change(struct sync_world *t, size_t most)
{
    sync_world_burst(t, 1, most);
}

void sync_world_burst(struct sync_world *t, int n, size_t most)
{
    write_all((struct burst){ .t = t, .n = n, .most = most });
}

static enum rc nothing(struct work *w, void *arg)
{
    (void)w, (void)arg;
    return RC_OK;
}

void sync_world_settle(struct sync_world *t)
{
    assert_int_equal(call(t, nothing, NULL), RC_OK);
}

struct wire_head sync_world_head(struct sync_world *t)
{
    struct wire_head h;
    struct err e = { 0 };

    if (head_flush(t->live, &e))
        fail_msg("%s", e.text);
    assert_true(head_values(t->live, &h));
    return h;
}

struct wire_head sync_world_next_head(struct sync_world *t, const struct wire_head *old)
{
    struct wire_head h = *old;

    for (int i = 0; i < 6000; i++) {
        assert_true(head_values(t->live, &h));
        if (h.seq != old->seq || h.sign != old->sign || h.epoch != old->epoch)
            return h;
        usleep(10000);
    }
    fail_msg("no new head within a minute");
    return h;
}

/* ---- states ---- */

void sync_world_state(const struct sync_world *t, uint64_t seq, struct state *out)
{
    memset(out, 0, sizeof *out);
    for (uint64_t s = 1; s <= seq; s++) {
        const struct past *p = &t->past[s];

        out->seq[p->born] = s;
        memcpy(out->leaf[p->born], p->leaf, HASH_BYTES);
        if (p->born >= out->size)
            out->size = p->born + 1;
    }
}

static enum sync_rc apply(void *ctx, struct sync_err *e, const struct wire_frame *f,
                          const uint8_t *frame, const uint8_t *bytes)
{
    struct state *s = ctx;

    if (f->born >= SYNC_ITEMS)
        return sync_err_set(e, SYNC_INVALID, "born");
    if (f->seq <= s->seq[f->born])
        return SYNC_OK;
    s->seq[f->born] = f->seq;
    verify_record(frame, wire_frame_size(f), bytes, f->length, s->leaf[f->born]);
    if (f->born >= s->size)
        s->size = f->born + 1;
    return SYNC_OK;
}

void state_apply(struct state *s, const char *pack, size_t n)
{
    uint8_t *room = malloc(WIRE_RECORD_MAX);
    struct wire_pack p;
    struct sync_err e = { 0 };

    wire_pack_init(&p, room);
    if (wire_pack_feed(&e, &p, (const uint8_t *)pack, n, apply, s) || wire_pack_end(&e, &p))
        fail_msg("%s", e.text);
    free(room);
}

/* As the page says it, in the simplest words. */
static void root_of(const uint8_t (*leaf)[HASH_BYTES], uint64_t n, uint8_t out[HASH_BYTES])
{
    uint8_t node[1 + 2 * HASH_BYTES] = { 0x01 };
    uint64_t k = 1;

    if (n < 2) {
        if (n)
            memcpy(out, leaf[0], HASH_BYTES);
        else
            sha256("", 0, out);
        return;
    }
    while (k * 2 < n)
        k *= 2;
    root_of(leaf, k, node + 1);
    root_of(leaf + k, n - k, node + 1 + HASH_BYTES);
    sha256(node, sizeof node, out);
}

void state_root(const struct state *s, uint8_t out[HASH_BYTES])
{
    root_of(s->leaf, s->size, out);
}

bool state_equal(const struct state *a, const struct state *b)
{
    return a->size == b->size && !memcmp(a->seq, b->seq, sizeof a->seq) &&
           !memcmp(a->leaf, b->leaf, sizeof a->leaf);
}

static size_t gunzip(const char *p, size_t n, char *out, size_t room)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)p,
                   .avail_in = (uInt)n,
                   .next_out = (Bytef *)out,
                   .avail_out = (uInt)room };

    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    inflateEnd(&z);
    return z.total_out;
}

const char *sync_world_decode(struct sync_world *t, enum wire_encoding encoding, const char *p,
                              size_t n, size_t *out_n)
{
    static char room[32 << 20]; /* not from the heap: meson has that filled with a pattern */

    if (encoding == WIRE_IDENTITY) {
        *out_n = n;
        return p;
    }
    *out_n = encoding == WIRE_GZIP ? gunzip(p, n, room, sizeof room)
                                   : ZSTD_decompress(room, sizeof room, p, n);
    assert_false(ZSTD_isError(*out_n));
    return arena_dup(t->mem, room, *out_n);
}

/* ---- behind the program's back ---- */

static int first_number(void *out, int n, char **value, char **name)
{
    (void)name;
    if (n)
        *(int64_t *)out = value[0] ? atoll(value[0]) : 0;
    return 0;
}

int64_t sync_world_number(struct sync_world *t, const char *sql)
{
    sqlite3 *db;
    int64_t out = -1;

    assert_int_equal(sqlite3_open(arena_printf(t->mem, "%s/test.db", t->dir), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_exec(db, sql, first_number, &out, NULL), SQLITE_OK);
    sqlite3_close(db);
    return out;
}

void sync_world_sql(struct sync_world *t, const char *sql)
{
    sync_world_number(t, sql);
}

void sync_world_shell(struct sync_world *t, const char *command)
{
    assert_int_equal(system(arena_printf(t->mem, "cd '%s' && { %s; }", t->dir, command)), 0);
}

enum rc sync_world_on_writer(enum rc (*fn)(struct work *, void *), void *arg, struct err *e)
{
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), NULL, "test", RIGHT_ALL);
    rc = writer_call(&w, fn, arg);
    if (e)
        *e = w.err;
    arena_free(w.mem);
    return rc;
}
