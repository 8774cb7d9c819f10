/*
 * crash_world.c - see the header. Nothing here is cmocka's: it does not know of forked processes.
 */
#include "tests/lib/crash_world.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

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

enum { ITEMS = 2000, SHOWN = 100000 };

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

/* ---- who publishes ---- */

struct job {
    const struct crash_load *load;
    unsigned no; /* from 1 */
};

static bool takes_down(const struct job *j, int i)
{
    if (j->load->takedown)
        return i == 0 && j->no % j->load->takedown == 0;
    return random() % 200 == 0;
}

static enum rc write_one(struct work *w, const struct job *j, int i, int64_t *born)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char bytes[CRASH_BYTES];
    bool gone = *born && takes_down(j, i), fresh = !gone && *born < ITEMS;
    int64_t item = fresh && random() % 3 ? *born : random() % (*born + fresh);
    struct change c = { .stream = live_no(live_own()),
                        .born = item == *born ? -1 : item,
                        .op = gone ? CHANGE_GONE : CHANGE_PUT,
                        .flags = gone ? CHANGE_PURGE : 0,
                        .site = 1,
                        .col = 1,
                        .title = gone ? "" : "通知",
                        .bytes = bytes,
                        .n = gone ? 40 : (size_t)random() % j->load->bytes };

    for (size_t k = 0; k < c.n; k++)
        bytes[k] = text[(k / 64 + (size_t)(k < 64 ? random() : item)) % 36];
    memcpy(c.item.b, &item, sizeof item);
    *born += item == *born;
    return change_write(w, &c);
}

static enum rc write_some(struct work *w, void *arg)
{
    struct rows q;
    int64_t born;
    enum rc rc;

    rc = db_one(w, SQL_sync_stream, &q, "t", "main");
    born = rc ? 0 : rows_int(&q, 3);
    if ((rc = rows_done(&q)))
        return rc;
    for (int i = 0; i < 20 && !rc; i++)
        rc = write_one(w, arg, i, &born);
    return rc;
}

/* Publishes, and tells of every head that it shows. */
static void publish(int out, const struct crash_load *load)
{
    struct wire_head h, told = { 0 };
    struct job j = { load };
    struct pool *workers;
    struct err e;

    srandom(load->seed);
    start(&workers);
    while (!load->jobs || j.no < load->jobs) {
        struct work w;

        j.no++;
        work_init(&w, arena_new(), NULL, "operator", RIGHT_ALL);
        must(!writer_call(&w, write_some, &j), w.err.text);
        arena_free(w.mem);
        if (load->jobs) /* few jobs: each gets its head, and its objects */
            must(!sync_settle(&e, false, 30000), e.text);
        if (head_values(live_own(), &h) && (h.seq != told.seq || h.sign != told.sign)) {
            must(write(out, &h, sizeof h) == sizeof h, "tell");
            told = h;
        }
    }
    stop(workers);
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

static bool decode(enum wire_encoding encoding, const char *p, size_t n, char *out, size_t room,
                   size_t *out_n)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)p,
                   .avail_in = (uInt)n,
                   .next_out = (Bytef *)out,
                   .avail_out = (uInt)room };
    bool ok = n <= room;

    if (encoding == WIRE_ZSTD) {
        *out_n = ZSTD_decompress(out, room, p, n);
        return !ZSTD_isError(*out_n);
    }
    if (encoding == WIRE_IDENTITY) {
        memcpy(out, p, ok ? n : 0);
        *out_n = n;
        return ok;
    }
    ok = inflateInit2(&z, 15 + 16) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END &&
         !z.avail_in;
    *out_n = z.total_out;
    inflateEnd(&z);
    return ok;
}

static void assert_file(struct work *w, const char *name)
{
    static const char *const suffix[] = { "", ".gz", ".zst" };
    static char room[16 << 20];
    uint8_t hash[HASH_BYTES], found[HASH_BYTES];
    const char *p;
    size_t n, i = 0;

    if (strlen(name) < 2 * HASH_BYTES || !hex_parse(name, 2 * HASH_BYTES, hash, sizeof hash))
        return;
    while (i <= WIRE_ZSTD && strcmp(name + 2 * HASH_BYTES, suffix[i]))
        i++;
    if (i > WIRE_ZSTD || object_read(w, dir, hash, i, &p, &n))
        return; /* half-made, or gone */
    must(decode(i, p, n, room, sizeof room, &n), "a file is not whole");
    sha256(room, n, found);
    must(!memcmp(hash, found, HASH_BYTES), "a file is not what its name says");
}

/* Whatever could be asked for by its name, named by an index or not. */
static void assert_files(struct work *w)
{
    char pattern[128];
    glob_t g;
    int rc;

    snprintf(pattern, sizeof pattern, "%s/objects/[0-9a-f]*/*", dir);
    rc = glob(pattern, 0, NULL, &g);
    must(!rc || rc == GLOB_NOMATCH, "glob");
    for (size_t i = 0; !rc && i < g.gl_pathc; i++)
        assert_file(w, strrchr(g.gl_pathv[i], '/') + 1);
    globfree(&g);
}

/* ---- all of it ---- */

static struct wire_head shown[SHOWN];
static size_t n_shown;

static void assert_shown(struct work *w, const struct wire_head *h)
{
    const char *note;
    size_t note_n;
    enum verify_step step;
    struct sync_err e = { 0 };

    if (!n_shown)
        return;
    must(h->epoch == shown[0].epoch, "a crash is no restore");
    must(!verify_head(&e, &shown[n_shown - 1], h, &step), e.text);
    for (size_t i = 0; i < n_shown; i++)
        must(!head_twin(w, live_own(), shown[i].epoch, shown[i].seq, shown[i].sign, &note,
                        &note_n),
             "a head that was shown was never stored");
}

static void examine(void)
{
    struct wire_head h;
    struct pool *workers;
    struct work w;
    struct err err = { 0 };

    start(&workers);
    work_init(&w, arena_new(), NULL, "public", RIGHT_READ);
    must(!open_reader(&err, &w.db), "open");
    assert_files(&w);
    assert_nothing_withdrawn(&w);
    must(!sync_settle(&err, false, 30000), err.text);
    assert_files(&w);
    assert_nothing_withdrawn(&w);
    must(head_values(live_own(), &h), "no head");
    assert_shown(&w, &h);
    assert_readable(&w, &h);
    db_close(w.db);
    arena_free(w.mem);
    stop(workers);
}

/* ---- processes ---- */

static int from = -1; /* what the publisher tells */

int crash_world_publish(const struct crash_load *load)
{
    int ends[2], pid;

    if (pipe(ends) || (pid = fork()) < 0)
        abort();
    if (!pid) {
        close(ends[0]);
        if (load->begin)
            load->begin(load->arg);
        publish(ends[1], load);
        if (load->end)
            load->end(load->arg);
        _exit(0);
    }
    close(ends[1]);
    from = ends[0];
    return pid;
}

int crash_world_reap(int pid)
{
    int status;

    waitpid(pid, &status, 0);
    while (n_shown < SHOWN && read(from, &shown[n_shown], sizeof *shown) == sizeof *shown)
        n_shown++;
    close(from);
    return status;
}

size_t crash_world_shown(void)
{
    return n_shown;
}

bool crash_world_holds(void)
{
    int status, pid = fork();

    if (!pid) {
        examine();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return !status;
}

/* ---- directories ---- */

void crash_world_done(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (*dir && system(command))
        abort();
    *dir = '\0';
}

void crash_world_fresh(const char *below)
{
    crash_world_done();
    snprintf(dir, sizeof dir, "%s/tjzw-crash-XXXXXX", below);
    if (!mkdtemp(dir))
        abort();
    snprintf(db_path, sizeof db_path, "%s/test.db", dir);
    n_shown = 0;
}
