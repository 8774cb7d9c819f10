/*
 * refusal.c - kinds and their counts, under one lock.
 *
 *     first --> a job of its own, window 1 min --(more)--> counted --> a row at its end, window * 2
 *                                            \--(none)--> forgotten
 *
 * A count goes down when the row that tells it is committed, and a refusal that could not be written, for want of room at the writer or on the
 * disk, is counted: so nothing is forgotten that was told nowhere.
 */
#include "server/identity/refusal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/identity/audit.h"
#include "server/store/writer.h"

#define MINUTE_US INT64_C(60000000)

struct kind {
    const char *method, *path; /* NULL: all others */
    enum rc result;
    char actor[sizeof((struct actor *)0)->name];
    char client[64]; /* who was the last … */
    int64_t session; /* … and by which device */
    int64_t count;   /* since the last row */
    int64_t window_us, ends_us;
};

static struct {
    pthread_mutex_t lock;
    struct kind kinds[REFUSAL_KINDS + 2]; /* the last two places are for all others */
    int n;
    int64_t soonest_us;
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- a row ---- */

static enum rc write_row(struct work *w, const struct kind *k)
{
    enum rc rc;

    snprintf(w->who.name, sizeof w->who.name, "%s", k->actor);
    w->who.session = k->session;
    w->client = k->client;
    if (k->method)
        work_fact_word(w, "method", k->method);
    work_fact(w, "count", k->count);
    work_fact(w, "seconds", k->window_us / 1000000);
    rc = audit_add(
        w, k->result == RC_UNAUTHORIZED ? AUDIT_credential_refused : AUDIT_right_refused,
        k->path, k->result);
    work_forget_facts(w);
    return rc;
}

struct first {
    struct writer_job job; /* the first member: done() casts back */
    struct arena *mem;
    struct work w;
    struct kind kind;
};

static enum rc run_first(struct work *w, void *arg)
{
    const struct first *f = arg;

    return write_row(w, &f->kind);
}

static void count_again(const struct kind *first);

static void first_done(struct writer_job *job)
{
    struct first *f = (struct first *)job;

    if (job->rc) {
        LOG(LOG_ERROR, "refusal_not_written", L_STR("why", f->w.err.text));
        count_again(&f->kind);
    }
    arena_free(f->mem);
}

static bool submit_first(const struct kind *k)
{
    struct arena *mem = arena_new();
    struct first *f = arena_zalloc(mem, sizeof *f);

    f->mem = mem;
    f->kind = *k;
    f->kind.count = 1;
    f->kind.window_us = 0;
    work_init(&f->w, mem, NULL, k->actor, 0);
    f->job = (struct writer_job){ .w = &f->w, .run = run_first, .done = first_done, .arg = f };
    if (writer_submit(&f->job))
        return true;
    arena_free(mem);
    return false;
}

/* ---- kinds ---- */

static bool is_kind(const struct kind *k, const char *method, const char *path,
                    const char *actor, enum rc result)
{
    return k->path == path && k->method == method && k->result == result &&
           !strcmp(k->actor, actor);
}

static struct kind *find(const char *method, const char *path, const char *actor,
                         enum rc result)
{
    for (int i = 0; i < table.n; i++)
        if (is_kind(&table.kinds[i], method, path, actor, result))
            return &table.kinds[i];
    return NULL;
}

static struct kind *make(const char *method, const char *path, const char *actor,
                         enum rc result)
{
    struct kind *k;

    if (table.n >= REFUSAL_KINDS) {
        method = path = NULL;
        actor = "various";
        if ((k = find(NULL, NULL, actor, result)))
            return k;
    }
    k = &table.kinds[table.n++];
    *k = (struct kind){ .method = method, .path = path, .result = result };
    snprintf(k->actor, sizeof k->actor, "%s", actor);
    return k;
}

static void count_again(const struct kind *first)
{
    struct kind *k;

    pthread_mutex_lock(&table.lock);
    if ((k = find(first->method, first->path, first->actor, first->result)))
        k->count++;
    pthread_mutex_unlock(&table.lock);
}

static void open_window(struct kind *k)
{
    k->window_us = k->window_us ? 2 * k->window_us : MINUTE_US;
    k->window_us = k->window_us > 60 * MINUTE_US ? 60 * MINUTE_US : k->window_us;
    k->ends_us = clock_mono_us() + k->window_us;
    if (table.n == 1 || k->ends_us < table.soonest_us)
        table.soonest_us = k->ends_us;
}

void refusal_note(const char *method, const char *path, const struct actor *who,
                  const char *client, enum rc result)
{
    struct kind first, *k;
    bool fresh;

    pthread_mutex_lock(&table.lock);
    k = find(method, path, who->name, result);
    if (!k)
        k = make(method, path, who->name, result);
    snprintf(k->client, sizeof k->client, "%s", client);
    k->session = who->session;
    fresh = !k->window_us;
    if (fresh)
        open_window(k);
    k->count += !fresh;
    first = *k;
    pthread_mutex_unlock(&table.lock);
    if (fresh && !submit_first(&first))
        count_again(&first);
}

bool refusal_is_due(bool all)
{
    bool due;

    pthread_mutex_lock(&table.lock);
    due = table.n && (all || table.soonest_us <= clock_mono_us());
    pthread_mutex_unlock(&table.lock);
    return due;
}

/* Those whose window is over, as they are now. */
struct told {
    bool all;
    int n;
    struct kind kinds[REFUSAL_KINDS + 2];
};

static void find_due(bool all, struct told *out)
{
    int64_t now = clock_mono_us();

    out->all = all;
    out->n = 0;
    pthread_mutex_lock(&table.lock);
    for (int i = 0; i < table.n; i++)
        if (all || table.kinds[i].ends_us <= now)
            out->kinds[out->n++] = table.kinds[i];
    pthread_mutex_unlock(&table.lock);
}

static const struct kind *find_told(const struct told *t, const struct kind *k)
{
    for (int i = 0; i < t->n; i++)
        if (is_kind(&t->kinds[i], k->method, k->path, k->actor, k->result))
            return &t->kinds[i];
    return NULL;
}

/* False: it is forgotten, for it did not come again. */
static bool go_on(struct kind *k, const struct kind *told, bool all)
{
    k->count -= told->count;
    if (!k->count && (all || !told->count))
        return false;
    open_window(k);
    return true;
}

/* After the COMMIT. What came since it was looked is counted on. */
static void settle(void *arg)
{
    const struct told *t = arg;
    int had, kept = 0;

    pthread_mutex_lock(&table.lock);
    had = table.n;
    table.soonest_us = INT64_MAX;
    for (int i = 0; i < had; i++) {
        struct kind k = table.kinds[i];
        const struct kind *told = find_told(t, &k);

        if (told && !go_on(&k, told, t->all))
            continue;
        table.kinds[kept++] = k;
        if (k.ends_us < table.soonest_us)
            table.soonest_us = k.ends_us;
    }
    table.n = kept;
    pthread_mutex_unlock(&table.lock);
}

enum rc refusal_write(struct work *w, bool all)
{
    struct told *t = arena_alloc(w->mem, sizeof *t);
    enum rc rc = RC_OK;

    find_due(all, t);
    for (int i = 0; i < t->n && !rc; i++)
        if (t->kinds[i].count)
            rc = write_row(w, &t->kinds[i]);
    if (!rc)
        work_after_commit(w, settle, t);
    return rc;
}
