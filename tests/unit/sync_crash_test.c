/*
 * sync_crash_test.c - kill -9 at any instant: what was shown stays true, and everything is readable again.
 *
 * Each round forks a server that publishes, signs and builds objects as fast as it can and tells of every head it shows; it is killed after a
 * random time. Then another process opens the directory, and an independent reading of the tables says what the answers should be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/conf.h"
#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/base/pool.h"
#include "server/library/change.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "sync/catchup.h"
#include "sync/head.h"
#include "sync/index.h"
#include "sync/object.h"
#include "sync/verify.h"

enum { ITEMS = 2000, ROUNDS = 6, ROUNDS_FULL = 60 /* with TJZW_FULL: ./dev test --full */ };

static char dir[64], db_path[96];

/* In a forked process there is no cmocka: what does not hold ends it. */
static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "# %s\n", what);
    _exit(1);
}

static enum rc open_reader(struct err *e, struct db **out)
{
    return db_open(e, db_path, DB_READ, out);
}

static void start(struct pool **workers)
{
    static struct conf conf;
    struct err e = { 0 };

    log_set_fd(-1);
    must(!conf_load(&e, NULL, NULL, &conf) && !conf_set(&e, &conf, "data", dir), "conf");
    conf.index_changes = 50;
    conf.head_debounce = 5;
    sync_watch();
    must(!writer_start(&e, db_path, 1000), e.text);
    must(!pool_new(&e, 2, 100, open_reader, db_close, workers), e.text);
    must(!sync_start(&e, &conf, *workers, *workers), e.text);
}

static void stop(struct pool *workers)
{
    sync_stop();
    pool_free(workers);
    writer_stop();
    sync_done();
}

static enum rc write_some(struct work *w, void *arg)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char bytes[30000];
    struct rows q;
    int64_t born;
    enum rc rc;

    (void)arg;
    rc = db_one(w, SQL_sync_stream, &q, "t", "main");
    born = rc ? 0 : rows_int(&q, 3);
    if ((rc = rows_done(&q)))
        return rc;
    for (int i = 0; i < 20 && !rc; i++) {
        int64_t item = random() % 3 && born < ITEMS ? born : random() % (born + (born < ITEMS));
        struct change c = { .stream = live_no(live_own()),
                            .born = item == born ? -1 : item,
                            .op = CHANGE_PUT,
                            .site = 1,
                            .col = 1,
                            .title = "通知",
                            .bytes = bytes,
                            .n = (size_t)random() % sizeof bytes };

        if (item < born && random() % 200 == 0) {
            c.op = CHANGE_GONE;
            c.flags = CHANGE_PURGE;
            c.title = "";
            c.n = 40;
        }

        for (size_t k = 0; k < c.n; k++)
            bytes[k] = text[(k / 64 + (size_t)(k < 64 ? random() : item)) % 36];
        memcpy(c.item.b, &item, sizeof item);
        born += item == born;
        rc = change_write(w, &c);
    }
    return rc;
}

/* Publishes until it is killed, and tells of every head that it shows. */
static void publish(int out, unsigned seed)
{
    struct wire_head h, told = { 0 };
    struct pool *workers;

    srandom(seed);
    start(&workers);
    for (;;) {
        struct work w;

        work_init(&w, arena_new(), NULL, "operator", RIGHT_ALL);
        must(!writer_call(&w, write_some, NULL), w.err.text);
        arena_free(w.mem);
        if (head_values(live_own(), &h) && (h.seq != told.seq || h.sign != told.sign)) {
            must(write(out, &h, sizeof h) == sizeof h, "tell");
            told = h;
        }
    }
}

/* ---- afterwards ---- */

struct held {
    uint64_t seq;
    uint8_t leaf[HASH_BYTES];
};

static enum sync_rc apply(void *ctx, struct sync_err *e, const struct wire_frame *f,
                          const uint8_t *frame, const uint8_t *bytes)
{
    struct held *held = ctx;

    (void)e;
    must(f->born <= ITEMS, "born");
    if (f->seq <= held[f->born].seq)
        return SYNC_OK;
    held[f->born].seq = f->seq;
    verify_record(frame, wire_frame_size(f), bytes, f->length, held[f->born].leaf);
    return SYNC_OK;
}

static void apply_pack(struct held *held, const char *p, size_t n)
{
    uint8_t *room = malloc(WIRE_RECORD_MAX);
    struct wire_pack pack;
    struct sync_err e = { 0 };

    wire_pack_init(&pack, room);
    must(!wire_pack_feed(&e, &pack, (const uint8_t *)p, n, apply, held) &&
             !wire_pack_end(&e, &pack),
         e.text);
    free(room);
}

static uint64_t purged[ITEMS + 1]; /* by born: versions before this seq are withdrawn */

static enum sync_rc withdrawn(void *ctx, struct sync_err *e, const struct wire_frame *f,
                              const uint8_t *frame, const uint8_t *bytes)
{
    (void)ctx, (void)e, (void)frame, (void)bytes;
    must(f->born <= ITEMS && f->seq >= purged[f->born], "an object holds what was purged");
    return SYNC_OK;
}

/* Every object that is served, also those of older indexes. */
static void assert_nothing_withdrawn(struct work *w)
{
    uint8_t *room = malloc(WIRE_RECORD_MAX);
    struct part *part = NULL;
    struct rows q;
    size_t n = 0;

    must(!db_query(w, SQL_object_purges, &q, "ii", live_no(live_own()), (int64_t)0), "purges");
    while (rows_next(&q))
        purged[rows_int(&q, 0)] = (uint64_t)rows_int(&q, 1);
    must(!rows_done(&q) && !part_list(w, live_no(live_own()), &part, &n), w->err.text);
    for (size_t i = 0; i < n; i++) {
        struct wire_pack pack;
        struct sync_err e = { 0 };
        const char *p;
        size_t size;

        if (object_read(w, dir, part[i].o.hash, WIRE_IDENTITY, &p, &size))
            continue; /* gone */
        wire_pack_init(&pack, room);
        must(!wire_pack_feed(&e, &pack, (const uint8_t *)p, size, withdrawn, NULL), e.text);
    }
    free(room);
}

/* The objects of the head's index; the index's seq. */
static uint64_t apply_index(struct work *w, const struct wire_head *h, struct held *held)
{
    struct wire_lines lines;
    struct wire_object o;
    struct sync_err e = { 0 };
    bool more = true;
    const char *p;
    size_t n;

    if (!h->has_index)
        return 0;
    must(!object_read(w, dir, h->index, WIRE_IDENTITY, &p, &n), "the index is missing");
    must(!wire_index_begin(&e, p, n, &lines), e.text);
    while (!wire_index_next(&e, &lines, &o, &more) && more) {
        uint8_t hash[HASH_BYTES];
        const char *pack;
        size_t pack_n = 0;

        must(object_exists(w->mem, dir, &o) &&
                 !object_read(w, dir, o.hash, WIRE_IDENTITY, &pack, &pack_n),
             "an object that the index names is missing");
        sha256(pack, pack_n, hash);
        must(!memcmp(hash, o.hash, HASH_BYTES), "an object is not what its name says");
        apply_pack(held, pack, pack_n);
    }
    return lines.seq;
}

static void assert_readable(struct work *w, const struct wire_head *h)
{
    struct held *held = calloc(ITEMS + 1, sizeof *held);
    struct wire_url u = { .epoch = h->epoch, .cut = h->cut, .to = h->seq };
    struct merkle_stack stack = { 0 };
    uint8_t root[HASH_BYTES];
    uint64_t base = apply_index(w, h, held);
    const char *p;
    size_t n;

    u.from = wire_catchup_from(base, h->seq);
    if (base < h->seq) {
        must(!catchup_make(w, live_own(), &u, &p, &n), w->err.text);
        apply_pack(held, p, n);
    }
    for (uint64_t i = 0; i < h->size; i++)
        merkle_stack_add(&stack, held[i].leaf);
    merkle_stack_root(&stack, root);
    must(!memcmp(root, h->root, HASH_BYTES), "what is read is not what was signed");
    free(held);
}

/* Every head that was ever shown is still there, and the newest is not lower. */
static void examine(const struct wire_head *shown, size_t n)
{
    struct wire_head h;
    struct pool *workers;
    struct work w;
    const char *note;
    size_t note_n;
    enum verify_step step;
    struct sync_err e = { 0 };
    struct err err;

    start(&workers);
    work_init(&w, arena_new(), NULL, "public", RIGHT_READ);
    must(!open_reader(&err, &w.db), "open");
    assert_nothing_withdrawn(&w);
    must(!sync_settle(&err, false, 30000), err.text);
    assert_nothing_withdrawn(&w);
    must(head_values(live_own(), &h), "no head");
    must(h.epoch == (n ? shown[0].epoch : h.epoch), "a crash is no restore");
    must(!n || !verify_head(&e, &shown[n - 1], &h, &step), e.text);
    for (size_t i = 0; i < n; i++)
        must(!head_twin(&w, live_own(), shown[i].epoch, shown[i].seq, shown[i].sign, &note,
                        &note_n),
             "a head that was shown was never stored");
    assert_readable(&w, &h);
    db_close(w.db);
    arena_free(w.mem);
    stop(workers);
}

static pid_t publisher(int *from, unsigned seed)
{
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (!pid) {
        close(ends[0]);
        publish(ends[1], seed);
    }
    close(ends[1]);
    *from = ends[0];
    return pid;
}

static struct wire_head shown[100000];

static void nothing_shown_is_lost_when_the_server_is_killed(void **state)
{
    unsigned rounds = getenv("TJZW_FULL") ? ROUNDS_FULL : ROUNDS;
    size_t n = 0;

    (void)state;
    srandom(20251121);
    for (unsigned round = 0; round < rounds; round++) {
        int from, status;
        pid_t pid = publisher(&from, round);

        usleep((useconds_t)(50000 + random() % 700000));
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        while (n < sizeof shown / sizeof *shown &&
               read(from, &shown[n], sizeof *shown) == sizeof *shown)
            n++;
        close(from);
        pid = fork();
        if (!pid) {
            examine(shown, n);
            _exit(0);
        }
        waitpid(pid, &status, 0);
        if (status)
            fail_msg("round %u", round);
    }
    assert_true(n > rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_shown_is_lost_when_the_server_is_killed),
    };
    char command[128];
    int failed;

    strcpy(dir, "/tmp/tjzw-crash-XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(db_path, sizeof db_path, "%s/test.db", dir);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) || failed;
}
