/*
 * derived.c - takes the log in, batch by batch, and begins anew where the log is another one.
 *
 *     taken (stream, epoch, seq, chain)      a row a stream: what the projections' rows are made of
 *
 * Before each batch the place is compared with the log: one of our own streams must have that chain at that seq, which says that all before it
 * is the same too; after a restore, or with another directory's file, it has not. A mirrored stream keeps no chain (mirror_store.c): there the epoch
 * and the name must be the same, and nothing of it is taken before a head says that it is whole. If a place is not in the log, or a projection has another version,
 * or the file is damaged, the file is removed and everything taken again; who reads notices that the file is another one (reader.c).
 *
 * A batch is read first and taken afterwards, so that no snapshot of the library is held while rows are written, which would keep its
 * write-ahead log from being emptied after a takedown.
 */
#include "server/derived/derived.h"

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/generation.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/derived/state.h"
#include "server/library/row.h"
#include "server/library/stream.h"
#include "server/store/disk.h"

enum {
    BATCH_CHANGES = 64,
    BATCH_BYTES = 256 << 10, /* some ten times as much memory is at work for it */
    BATCH_US = 400000        /* a stop waits no longer for a batch */
};

struct derived_state derived;

struct batch {
    struct derived_change *v;
    uint8_t (*chain)[HASH_BYTES];
    size_t *chain_n;
    int n;
};

/* ---- the file ---- */

static void with_derived(struct work *w, struct work *out)
{
    *out = *w;
    out->db = derived.db;
}

/* A transaction of derived.db. What went wrong stands in w->err. */
enum rc derived_begin(struct work *w)
{
    struct work on;
    enum rc rc;

    with_derived(w, &on);
    if ((rc = db_begin(&on)))
        w->err = on.err;
    return rc;
}

enum rc derived_commit(struct work *w, enum rc rc)
{
    struct work on;

    with_derived(w, &on);
    if (!rc && (rc = db_commit(&on)))
        w->err = on.err;
    if (rc)
        db_rollback(derived.db);
    return rc;
}

static enum rc read_versions(struct work *w, bool *same, bool *none)
{
    int known = 0, rows = 0, all = 0;
    struct rows q;
    enum rc rc = db_query(w, SQL_projection_all, &q, "");

    if (rc)
        return rc;
    while (rows_next(&q)) {
        const char *name = rows_text(&q, 0);

        rows++;
        for (const struct projection *const *p = derived.all; *p; p++)
            known += name && !strcmp((*p)->name, name) && (*p)->version == rows_int(&q, 1);
    }
    for (const struct projection *const *p = derived.all; *p; p++)
        all++;
    *none = !rows;
    *same = known == rows && rows == all;
    return rows_done(&q);
}

static enum rc write_versions(struct work *w)
{
    enum rc rc = derived_begin(w);

    if (rc)
        return rc;
    for (const struct projection *const *p = derived.all; !rc && *p; p++)
        rc = db_run(w, SQL_projection_add, "ti", (*p)->name, (int64_t)(*p)->version);
    return derived_commit(w, rc);
}

/* RC_CONFLICT: it was made by other projections. */
static enum rc check_versions(struct err *e)
{
    struct work w;
    bool same, none;
    enum rc rc;

    work_init(&w, arena_new(), NULL, "derived", RIGHT_ALL);
    w.derived = derived.db;
    if (!(rc = read_versions(&w, &same, &none))) {
        if (none)
            rc = write_versions(&w);
        else if (!same)
            rc = err_set(&w.err, RC_CONFLICT, "other projections made it");
    }
    *e = w.err;
    arena_free(w.mem);
    return rc;
}

static enum rc open_checked(struct err *e)
{
    enum rc rc = db_open_derived(e, derived.path, DB_WRITE, &derived.db);

    if (!rc && !(rc = check_versions(e)))
        return RC_OK;
    db_close(derived.db);
    derived.db = NULL;
    return rc;
}

/* Nobody reads what could not be opened for writing: it may be of other projections. */
static enum rc open_file(struct err *e)
{
    enum rc rc = open_checked(e);

    atomic_store(&derived.open, !rc);
    return rc;
}

/* Who reads has the old file in his hands until he asks again. */
static enum rc make_anew(struct err *e, const char *why)
{
    enum rc rc;

    LOG(LOG_INFO, "derived_made_anew", L_STR("why", why));
    metric_add(METRIC_derived_rebuilds, 1);
    atomic_store(&derived.open, false);
    db_close(derived.db);
    derived.db = NULL;
    if ((rc = db_remove(e, derived.path)))
        return rc;
    atomic_fetch_add(&derived.edition, 1);
    return open_file(e);
}

static enum rc open_or_make(struct err *e)
{
    enum rc rc = open_file(e);
    char why[sizeof e->text];

    if (rc != RC_CONFLICT && rc != RC_CORRUPT)
        return rc;
    snprintf(why, sizeof why, "%s", e->text);
    return make_anew(e, why);
}

enum rc derived_open(struct err *e, const char *data, const struct projection *const *all)
{
    if (snprintf(derived.path, sizeof derived.path, "%s/" DB_DERIVED_NAME, data) >=
        (int)sizeof derived.path)
        return err_set(e, RC_INVALID, "the data directory's path is too long");
    derived.all = all;
    atomic_store(&derived.stop, false);
    atomic_store(&derived.behind, 0);
    atomic_store(&derived.oldest, 0);
    atomic_fetch_add(&derived.edition, 1);
    atomic_store(&derived.missing, false);
    if (open_or_make(e))
        LOG(LOG_ERROR, "derived_not_open", L_STR("why", e->text));
    return RC_OK;
}

void derived_close(void)
{
    db_close(derived.db);
    derived.db = NULL;
    *derived.path = '\0';
    atomic_store(&derived.open, false);
    atomic_store(&derived.missing, false);
    atomic_store(&derived.behind, 0);
}

/* ---- where it stands ---- */

enum rc derived_places(struct work *w, struct place *out, int *n)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_taken_all, &q, "");

    *n = 0;
    if (rc)
        return rc;
    while (*n < STREAMS_MAX && rows_next(&q)) {
        struct place *p = &out[(*n)++];
        const void *chain;

        *p = (struct place){ .stream = rows_int(&q, 0),
                             .epoch = rows_int(&q, 2),
                             .seq = rows_int(&q, 3) };
        snprintf(p->name, sizeof p->name, "%s", rows_text(&q, 1));
        chain = rows_blob(&q, 4, &p->chain_n);
        if (chain && p->chain_n <= sizeof p->chain)
            memcpy(p->chain, chain, p->chain_n);
    }
    return rows_done(&q);
}

/* Whether the log holds what was taken. */
static enum rc in_log(struct work *w, const struct place *p, const struct stream *s, bool *is)
{
    struct rows q;
    enum rc rc;

    *is =
        !strcmp(p->name, s->name) && p->seq <= s->seq && (!s->mirrored || p->epoch == s->epoch);
    if (!*is || s->mirrored || !p->seq)
        return RC_OK;
    *is = false;
    if ((rc = db_query(w, SQL_change_chain, &q, "ii", s->no, p->seq)))
        return rc;
    if (rows_next(&q)) {
        size_t n;
        const void *chain = rows_blob(&q, 0, &n);

        *is = chain && n == p->chain_n && !memcmp(chain, p->chain, n);
    }
    return rows_done(&q);
}

static const struct stream *stream_of(const struct stream *s, int n, int64_t no)
{
    for (int i = 0; i < n; i++)
        if (s[i].no == no)
            return &s[i];
    return NULL;
}

struct place *place_of(struct place *p, int n, int64_t stream)
{
    for (int i = 0; i < n; i++)
        if (p[i].stream == stream)
            return &p[i];
    return NULL;
}

/* *lost: the stream that is not what was taken; NULL: all are. */
static enum rc compare(struct work *w, const struct stream *s, int n, const struct place *p,
                       int np, const char **lost)
{
    *lost = NULL;
    for (int i = 0; i < np; i++) {
        const struct stream *of = stream_of(s, n, p[i].stream);
        bool is = false;
        enum rc rc = of ? in_log(w, &p[i], of, &is) : RC_OK;

        if (rc)
            return rc;
        if (!is) {
            *lost = p[i].name;
            return RC_OK;
        }
    }
    return RC_OK;
}

/* ---- a batch ---- */

static void read_change(struct work *w, struct rows *q, int64_t stream, struct batch *b)
{
    struct derived_change *c = &b->v[b->n];
    const void *p;
    size_t n;

    *c = (struct derived_change){ .stream = stream,
                                  .seq = rows_int(q, 0),
                                  .born = rows_int(q, 1),
                                  .rev = rows_int(q, 3),
                                  .op = (enum change_op)rows_int(q, 4),
                                  .flags = (unsigned)rows_int(q, 5),
                                  .site = rows_int(q, 6),
                                  .column = rows_int(q, 7),
                                  .date = rows_int(q, 8),
                                  .title = rows_dup_text(w, q, 9),
                                  .at = rows_int(q, 11),
                                  .newest = rows_int(q, 13) == rows_int(q, 0) };
    if ((p = rows_blob(q, 2, &n)) && n == sizeof c->item.b)
        memcpy(c->item.b, p, n);
    if ((p = rows_blob(q, 10, &n)) && n <= HASH_BYTES)
        memcpy(b->chain[b->n], p, b->chain_n[b->n] = n);
    c->bytes = rows_dup_blob(w, q, 12, &c->n);
    b->n++;
}

static enum rc read_batch(struct work *w, const struct stream *s, int64_t after,
                          struct batch *out)
{
    size_t bytes = 0;
    struct rows q;
    enum rc rc;

    *out = (struct batch){
        .v = arena_alloc(w->mem, BATCH_CHANGES * sizeof *out->v),
        .chain = arena_zalloc(w->mem, BATCH_CHANGES * sizeof *out->chain),
        .chain_n = arena_zalloc(w->mem, BATCH_CHANGES * sizeof *out->chain_n),
    };
    if ((rc = db_query(w, SQL_change_after, &q, "iiii", s->no, after, s->seq,
                       (int64_t)BATCH_CHANGES)))
        return rc;
    while (out->n < BATCH_CHANGES && bytes < BATCH_BYTES && rows_next(&q)) {
        read_change(w, &q, s->no, out);
        bytes += out->v[out->n - 1].n;
    }
    return rows_done(&q);
}

/* Changes of a batch of which some projection could make nothing. */
struct passed {
    int n;
    int64_t seq; /* of the first */
    const char *name;
    struct err why;
};

/* Of the database, not of what a change says: it may go away, and then nothing was missed. */
static bool is_of_store(const struct err *e, enum rc rc)
{
    static const enum rc kinds[] = { RC_IO, RC_FULL, RC_UNWRITABLE, RC_BUSY, RC_FORBIDDEN };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (rc == kinds[i])
            return true;
    return (rc == RC_CORRUPT || rc == RC_INTERNAL) && e->inside;
}

static void pass_over(struct passed *p, const struct projection *of,
                      const struct derived_change *c, const struct err *why)
{
    if (p->n++)
        return;
    p->seq = c->seq;
    p->name = of->name;
    p->why = *why;
}

static enum rc take_with(struct work *w, const struct projection *p,
                         const struct derived_change *c, bool *shown, struct passed *passed)
{
    struct work on;
    bool moves = false;
    enum rc rc;

    with_derived(w, &on);
    if ((rc = db_savepoint(&on))) {
        w->err = on.err;
        return rc;
    }
    w->err = (struct err){ 0 };
    if ((rc = p->take(w, c, &moves))) {
        if (is_of_store(&w->err, rc))
            return rc;
        pass_over(passed, p, c, &w->err);
        moves = false;
    }
    if ((rc = rc ? db_back(&on) : db_release(&on)))
        w->err = on.err;
    *shown = *shown || moves;
    return rc;
}

static enum rc take_one(struct work *w, struct derived_change *c, bool *shown,
                        struct passed *passed)
{
    enum rc rc = RC_OK;
    struct err ignored;
    json_t *record;

    work_part(w);
    if (c->bytes && !jx_object(&ignored, w->mem, c->bytes, c->n, &record))
        c->record = record;
    for (const struct projection *const *p = derived.all; !rc && *p; p++)
        rc = take_with(w, *p, c, shown, passed);
    c->record = NULL;
    if (!rc && (c->op != CHANGE_PUT || c->flags & CHANGE_PURGE))
        rc = db_run(w, SQL_wipe_want, "i", clock_now());
    work_part_done(w);
    return rc;
}

static void begin_all(struct work *w)
{
    for (const struct projection *const *p = derived.all; *p; p++)
        if ((*p)->begin)
            (*p)->begin(w);
}

static enum rc settle_all(struct work *w)
{
    enum rc rc = RC_OK;

    for (const struct projection *const *p = derived.all; !rc && *p; p++)
        if ((*p)->settle)
            rc = (*p)->settle(w);
    return rc;
}

/* After the COMMIT, so each is told once. */
static void tell_passed(const struct stream *s, const struct passed *p)
{
    if (!p->n)
        return;
    metric_add(METRIC_derived_passed_over, p->n);
    LOG(LOG_WARN, "derived_passed_over", L_STR("stream", s->name), L_INT("seq", p->seq),
        L_STR("projection", p->name), L_STR("why", p->why.text), L_INT("in_batch", p->n));
}

/* As many as there is time for, at least one; *taken: so many. */
static enum rc take_batch(struct work *w, const struct stream *s, struct batch *b, int *taken)
{
    int64_t until = clock_mono_us() + BATCH_US;
    struct passed passed = { 0 };
    bool shown = false;
    enum rc rc = derived_begin(w);
    int i = 0;

    if (rc)
        return rc;
    begin_all(w);
    do
        rc = take_one(w, &b->v[i], &shown, &passed);
    while (!rc && ++i < b->n && clock_mono_us() < until && !atomic_load(&derived.stop));
    if (!rc && !(rc = settle_all(w)))
        rc = db_run(w, SQL_taken_set, "itiib", s->no, s->name, s->epoch, b->v[i - 1].seq,
                    b->chain[i - 1], s->mirrored ? (size_t)1 : b->chain_n[i - 1]);
    if ((rc = derived_commit(w, rc)))
        return rc;
    *taken = i;
    metric_add(METRIC_derived_changes, i);
    tell_passed(s, &passed);
    if (shown)
        generation_next();
    return RC_OK;
}

static void note_oldest(int64_t at)
{
    int64_t oldest = atomic_load(&derived.oldest);

    if (!oldest || at < oldest)
        atomic_store(&derived.oldest, at);
}

/* Nothing is built from the beginning on a disk that takes no changes; what goes away always is taken. */
static bool may_grow(const struct place *p)
{
    return p->seq || !disk_state();
}

static enum rc take_stream(struct work *w, const struct stream *s, struct place *p, bool *more)
{
    struct batch b;
    int taken = 0;
    enum rc rc;

    if (s->seq <= p->seq)
        return RC_OK;
    if (!may_grow(p))
        return err_set(&w->err, RC_FULL, "the disk takes no changes: stream %s waits", s->name);
    if ((rc = read_batch(w, s, p->seq, &b)) || !b.n)
        return rc;
    note_oldest(b.v[0].at);
    if ((rc = take_batch(w, s, &b, &taken)))
        return rc;
    *more = *more || taken < b.n || b.v[b.n - 1].seq < s->seq;
    return RC_OK;
}

/* In an arena of its own: a batch, and within it the changes. What fails takes nothing from the streams behind it, which go on. */
static void take_apart(struct work *w, const struct stream *s, struct place *p, bool *more,
                       enum rc *first)
{
    struct work mine = *w;
    enum rc rc;

    mine.mem = arena_new();
    rc = take_stream(&mine, s, p, more);
    arena_free(mine.mem);
    if (!rc || (*first && rc != RC_CORRUPT))
        return;
    *first = rc;
    w->err = mine.err;
}

static enum rc turn(struct work *w, bool *more, const char **lost)
{
    struct place *places = arena_zalloc(w->mem, STREAMS_MAX * sizeof *places), none;
    struct stream *s;
    int n, np;
    enum rc rc;

    atomic_store(&derived.oldest, 0);
    if ((rc = derived_places(w, places, &np)) || (rc = stream_list(w, &s, &n)) ||
        (rc = compare(w, s, n, places, np, lost)) || *lost)
        return rc;
    for (int i = 0; rc != RC_CORRUPT && i < n; i++) {
        struct place *p = place_of(places, np, s[i].no);

        none = (struct place){ .stream = s[i].no };
        take_apart(w, &s[i], p ? p : &none, more, &rc);
    }
    atomic_store(&derived.missing, rc == RC_FULL && !np);
    return rc;
}

enum rc derived_turn(struct work *w, bool *more)
{
    const char *lost = NULL;
    struct work mine;
    enum rc rc;

    *more = false;
    if (!derived.db &&
        (rc = open_or_make(&w->err))) /* it could not be made anew the last time */
        return rc;
    work_init(&mine, arena_new(), w->db, "derived", RIGHT_ALL);
    mine.derived = derived.db;
    rc = turn(&mine, more, &lost);
    if (rc)
        w->err = mine.err;
    db_end_read(w->db);
    if (lost) {
        rc = make_anew(&w->err, lost);
        *more = !rc;
    } else if (rc == RC_CORRUPT) {
        /* It fails all the same, so that it is not tried again at once: what is damaged may be the library. */
        struct err ignored;

        *more = false;
        (void)make_anew(&ignored, mine.err.text);
    }
    arena_free(mine.mem);
    return rc;
}

enum rc derived_catch_up(struct work *w)
{
    bool more = true;
    enum rc rc = RC_OK;

    while (more && !rc)
        rc = derived_turn(w, &more);
    for (more = true; more && !rc;)
        rc = derived_wipe(w, true, &more);
    return rc;
}

enum rc derived_taken(struct work *w, int64_t stream, int64_t *seq)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_taken_of, &q, "i", stream);

    *seq = rc ? 0 : rows_int(&q, 0);
    rc = row_finish(&q, rc);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}
