/*
 * reseal.c - one table after the other, some pages a tick.
 *
 *     page --> of each value that another key sealed, or another suite: open, close, put in its place --> COMMIT --> the next page
 *
 * Where a page ends, the next begins with its last row once more: of one owner there may be several. A value is put only in the place of the
 * one that was read, which nobody else changes meanwhile: the writer does all of it. One that does not open (it was tampered with, or its key is
 * lost) stays as it is, is logged, and keeps its key.
 */
#include "server/identity/reseal.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/store/db.h"

enum {
    PAGE = 200,
    TURN_US = 20000
}; /* a page takes a few milliseconds; a tick at most this and one more */

static const struct place {
    const char *column;
    enum sql page, set, needs;
} places[] = {
#define RESEAL(table, column)                                                                 \
    { #table "." #column, SQL_reseal_##table##_##column, SQL_reseal_##table##_##column##_set, \
      SQL_reseal_##table##_##column##_needs },
#include "server/identity/reseal.def"
#undef RESEAL
};

enum { PLACES = sizeof places / sizeof *places };

static struct { /* the writer's thread only */
    int place;
    int64_t a, b; /* where the next page begins */
} here;

static atomic_bool running;
static _Atomic int64_t done, failed;

static void begin(void *unused)
{
    (void)unused;
    here.place = 0;
    here.a = here.b = INT64_MIN;
    atomic_store(&done, 0);
    atomic_store(&failed, 0);
    atomic_store(&running, true);
}

void reseal_begin(struct work *w)
{
    work_after_commit(w, begin, NULL);
}

struct reseal_state reseal_state(void)
{
    return (struct reseal_state){ atomic_load(&running), atomic_load(&done),
                                  atomic_load(&failed) };
}

/* ---- a page ---- */

struct value {
    int64_t a, b, owner;
    const uint8_t *sealed;
    size_t n;
};

static enum rc read_page(struct work *w, const struct place *p, struct value out[PAGE], int *n)
{
    struct rows q;
    enum rc rc;

    *n = 0;
    if ((rc = db_query(w, p->page, &q, "iii", here.a, here.b, (int64_t)PAGE)))
        return rc;
    while (*n < PAGE && rows_next(&q)) {
        struct value *v = &out[(*n)++];

        *v = (struct value){ rows_int(&q, 0), rows_int(&q, 1), rows_int(&q, 2), NULL, 0 };
        v->sealed = rows_dup_blob(w, &q, 3, &v->n);
    }
    return rows_done(&q);
}

static enum rc seal_anew(struct work *w, const struct place *p, const struct value *v)
{
    const struct seal_place at = { p->column, v->owner };
    uint8_t *sealed;
    char *plain;
    size_t n, plain_n;
    enum rc rc;

    if (!v->sealed || seal_is_newest(v->sealed, v->n))
        return RC_OK;
    if (seal_open(w, at, v->sealed, v->n, &plain, &plain_n)) {
        LOG(LOG_ERROR, "not_resealed", L_STR("why", w->err.text));
        atomic_fetch_add(&failed, 1);
        return RC_OK;
    }
    if ((rc = seal_close(w, at, plain, plain_n, &sealed, &n)) ||
        (rc = db_run(w, p->set, "iibb", v->a, v->b, v->sealed, v->n, sealed, n)))
        return rc;
    atomic_fetch_add(&done, 1);
    return RC_OK;
}

/* Behind the last row, which is read again if there may be others of its owner. */
static void go_on(const struct value *page, int n)
{
    const struct value *last = &page[n - 1];
    bool stands = last->a == here.a && last->b - 1 <= here.b;

    here.a = last->a;
    here.b = last->b - !stands;
}

static enum rc next_page(struct work *w)
{
    struct value *page = arena_alloc(w->mem, PAGE * sizeof *page);
    const struct place *p = &places[here.place];
    enum rc rc;
    int n;

    if ((rc = db_begin(w)))
        return rc;
    rc = read_page(w, p, page, &n);
    for (int i = 0; i < n && !rc; i++)
        rc = seal_anew(w, p, &page[i]);
    if (rc || (rc = db_commit(w))) {
        db_rollback(w->db);
        return rc;
    }
    if (n == PAGE) {
        go_on(page, n);
        return RC_OK;
    }
    here.place++;
    here.a = here.b = INT64_MIN;
    return RC_OK;
}

static void run_page(struct db *db)
{
    struct work w;

    work_init(&w, arena_new(), db, "clock", RIGHT_READ);
    if (next_page(&w)) { /* a full disk, say: whoever wanted it sees that it stopped */
        LOG(LOG_ERROR, "not_resealed", L_STR("why", w.err.text));
        atomic_fetch_add(&failed, 1);
        here.place = PLACES;
    }
    arena_free(w.mem);
}

void reseal_tick(struct db *db, void *unused)
{
    int64_t until = clock_mono_us() + TURN_US;

    (void)unused;
    if (!atomic_load(&running))
        return;
    while (here.place < PLACES && clock_mono_us() < until)
        run_page(db);
    if (here.place < PLACES)
        return;
    LOG(LOG_INFO, "resealed", L_INT("values", atomic_load(&done)),
        L_INT("failed", atomic_load(&failed)));
    atomic_store(&running, false);
}

/* ---- who needs which key ---- */

static enum rc add_needs(struct work *w, enum sql sql, struct reseal_needs *out, bool audit)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, sql, &q, "")))
        return rc;
    while (rows_next(&q)) {
        size_t n;
        const uint8_t *no = rows_blob(&q, 0, &n);
        int key = no && n == 2 ? no[0] << 8 | no[1] : 0;

        if (key > 0 && key <= SEAL_KEYS_MAX)
            *(audit ? &out[key].audit : &out[key].values) += rows_int(&q, 1);
    }
    return rows_done(&q);
}

enum rc reseal_needs(struct work *w, struct reseal_needs out[SEAL_KEYS_MAX + 1])
{
    enum rc rc = RC_OK;

    memset(out, 0, (SEAL_KEYS_MAX + 1) * sizeof *out);
    for (int i = 0; i < PLACES && !rc; i++)
        rc = add_needs(w, places[i].needs, out, false);
    return rc ? rc : add_needs(w, SQL_reseal_audit_needs, out, true);
}

static void remove_file(void *path)
{
    if (unlink(path))
        LOG(LOG_ERROR, "key_not_removed", L_STR("path", path));
}

enum rc reseal_retire(struct work *w, const char *dir, const char *name)
{
    struct reseal_needs needs[SEAL_KEYS_MAX + 1];
    int no = 0, end = 0;
    enum rc rc;

    if (sscanf(name, "seal.%2d%n", &no, &end) != 1 || name[end] || no < 1 || no > seal_newest())
        return err_set(&w->err, RC_NOT_FOUND, "there is no key \"%.40s\" of personal fields",
                       name);
    if (no == seal_newest())
        return err_set(&w->err, RC_CONFLICT, "%s is the key that seals", name);
    if ((rc = reseal_needs(w, needs)))
        return rc;
    if (needs[no].values || needs[no].audit)
        return err_set(&w->err, RC_CONFLICT,
                       "%" PRId64 " values and %" PRId64 " rows of the audit log need %s",
                       needs[no].values, needs[no].audit, name);
    if ((rc = db_change(w, SQL_key_file_drop, "t", name)))
        return rc == RC_NOT_FOUND ? err_set(&w->err, rc, "%s is gone already", name) : rc;
    work_fact(w, "key", no);
    work_after_commit(w, remove_file, arena_printf(w->mem, "%s/%s", dir, name));
    return RC_OK;
}
