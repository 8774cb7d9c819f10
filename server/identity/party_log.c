/*
 * party_log.c - a ring a party in memory, for the seconds until the writer takes it; a ring a party in the table.
 *
 *     loops --note--> ring of 1,000 --tick--> party_request, slot = number modulo 1,000
 *
 * A party that asks more often than that between two ticks loses its oldest ones, which would be overwritten anyway. A crash loses what was
 * asked in the last seconds.
 */
#include "server/identity/party_log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/identity/party_table.h"
#include "server/store/db.h"
#include "server/store/writer.h"

struct ring {
    struct ring *next;
    int64_t party;
    int n; /* noted since it was taken; the oldest ones are gone if there are more than fit */
    struct party_request list[PARTY_LOG_MAX];
};

static struct {
    pthread_mutex_t lock;
    struct ring *rings;
} noted = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct ring *ring_of(int64_t party)
{
    struct ring *r = noted.rings;

    while (r && r->party != party)
        r = r->next;
    if (r)
        return r;
    if (!(r = calloc(1, sizeof *r)))
        memory_end();
    r->party = party;
    r->next = noted.rings;
    noted.rings = r;
    return r;
}

void party_log_note(int64_t party, const struct party_request *request)
{
    struct ring *r;

    pthread_mutex_lock(&noted.lock);
    r = ring_of(party);
    r->list[r->n++ % PARTY_LOG_MAX] = *request;
    if (r->n == 2 * PARTY_LOG_MAX)
        r->n = PARTY_LOG_MAX;
    pthread_mutex_unlock(&noted.lock);
}

/* ---- into the table ---- */

static struct ring *take_all(void)
{
    struct ring *taken;

    pthread_mutex_lock(&noted.lock);
    taken = noted.rings;
    noted.rings = NULL;
    pthread_mutex_unlock(&noted.lock);
    return taken;
}

static enum rc last_number(struct work *w, int64_t party, int64_t *no)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_party_request_last, &q, "i", party), end;

    if (!rc)
        *no = rows_int(&q, 0);
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc write_ring(struct work *w, const struct ring *r)
{
    int first = r->n > PARTY_LOG_MAX ? r->n - PARTY_LOG_MAX : 0;
    int64_t no = 0;
    enum rc rc = last_number(w, r->party, &no);

    for (int i = first; i < r->n && !rc; i++) {
        const struct party_request *p = &r->list[i % PARTY_LOG_MAX];

        no++;
        rc = db_run(w, SQL_party_request_put, "iiiiittii", r->party, no % PARTY_LOG_MAX, no,
                    p->at_ms, p->key, p->method, p->route, (int64_t)p->status, p->ms);
    }
    return rc;
}

static void add_use(void *list, const struct party_pass *key)
{
    buf_add(list, key, sizeof *key);
}

static enum rc write_uses(struct work *w)
{
    struct buf list = BUF_IN(w->mem);
    const struct party_pass *k;
    enum rc rc = RC_OK;

    party_table_uses(add_use, &list);
    k = (const struct party_pass *)(const void *)list.p;
    for (size_t i = 0; i < list.n / sizeof *k && !rc; i++)
        rc = db_run(w, SQL_party_key_used, "iiii", k[i].no, k[i].used, k[i].day, k[i].spent);
    return rc;
}

/* What cannot be written is lost: it is a help, and no evidence. */
static enum rc write_all(struct work *w, void *rings)
{
    enum rc rc = write_uses(w);

    for (const struct ring *r = rings; r && !rc; r = r->next)
        rc = write_ring(w, r);
    return rc;
}

static void free_all(struct ring *r)
{
    for (struct ring *next; r; r = next) {
        next = r->next;
        free(r);
    }
}

static enum rc write_in_transaction(struct work *w, struct ring *rings)
{
    enum rc rc;

    if ((rc = db_begin(w)))
        return rc;
    if ((rc = write_all(w, rings)) || (rc = db_commit(w)))
        db_rollback(w->db);
    return rc;
}

void party_log_tick(struct db *db, void *unused)
{
    struct ring *rings = take_all();
    struct arena *mem;
    struct work w;

    (void)unused;
    if (!rings) /* nobody used a key, either */
        return;
    mem = arena_new();
    work_init(&w, mem, db, "clock", RIGHT_READ);
    if (write_in_transaction(&w, rings))
        LOG(LOG_ERROR, "party_log_failed", L_STR("why", w.err.text));
    arena_free(mem);
    free_all(rings);
}

void party_log_finish(void)
{
    struct ring *rings = take_all();
    struct arena *mem = arena_new();
    struct work w;

    work_init(&w, mem, NULL, "system", RIGHT_READ);
    if (rings && writer_call(&w, write_all, rings))
        LOG(LOG_ERROR, "party_log_failed", L_STR("why", w.err.text));
    arena_free(mem);
    free_all(rings);
}

/* ---- and out of it ---- */

enum rc party_log_list(struct work *w, int64_t party, int most, struct party_request **out,
                       int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_party_request_list, &q, "ii", party, (int64_t)most)))
        return rc;
    while (rows_next(&q)) {
        struct party_request r = { .at_ms = rows_int(&q, 0),
                                   .key = rows_int(&q, 1),
                                   .method = rows_dup_text(w, &q, 2),
                                   .route = rows_dup_text(w, &q, 3),
                                   .status = (int)rows_int(&q, 4),
                                   .ms = rows_int(&q, 5) };

        buf_add(&list, &r, sizeof r);
    }
    *out = (struct party_request *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}
