/*
 * refusal.c - kinds and their counts, under one lock.
 *
 *     first --> a job of its own, window 1 min --(more)--> counted --> a row at its end, window * 2
 *                                            \--(none)--> forgotten
 *
 * A job that the writer has no room for leaves its refusal in the count.
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
    char client[64]; /* who was the last */
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
    w->client = k->client;
    if (k->method)
        work_fact_word(w, "method", k->method);
    work_fact(w, "count", k->count);
    work_fact(w, "seconds", k->window_us / 1000000);
    rc =
        audit_add(w, k->result == RC_FORBIDDEN ? AUDIT_right_refused : AUDIT_credential_refused,
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

static void first_done(struct writer_job *job)
{
    struct first *f = (struct first *)job;

    if (job->rc)
        LOG(LOG_ERROR, "refusal_not_written", L_STR("why", f->w.err.text));
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

static struct kind *find(const char *method, const char *path, const char *actor,
                         enum rc result)
{
    for (int i = 0; i < table.n; i++) {
        struct kind *k = &table.kinds[i];

        if (k->path == path && k->method == method && k->result == result &&
            !strcmp(k->actor, actor))
            return k;
    }
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

static void open_window(struct kind *k)
{
    k->window_us = k->window_us ? 2 * k->window_us : MINUTE_US;
    k->window_us = k->window_us > 60 * MINUTE_US ? 60 * MINUTE_US : k->window_us;
    k->ends_us = clock_mono_us() + k->window_us;
    if (table.n == 1 || k->ends_us < table.soonest_us)
        table.soonest_us = k->ends_us;
}

void refusal_note(const char *method, const char *path, const char *actor, const char *client,
                  enum rc result)
{
    struct kind first, *k;
    bool fresh;

    pthread_mutex_lock(&table.lock);
    k = find(method, path, actor, result);
    if (!k)
        k = make(method, path, actor, result);
    snprintf(k->client, sizeof k->client, "%s", client);
    fresh = !k->window_us;
    if (fresh)
        open_window(k);
    k->count += !fresh;
    first = *k;
    pthread_mutex_unlock(&table.lock);
    if (!fresh || submit_first(&first))
        return;
    pthread_mutex_lock(&table.lock);
    if ((k = find(first.method, first.path, first.actor, first.result)))
        k->count++;
    pthread_mutex_unlock(&table.lock);
}

bool refusal_is_due(bool all)
{
    bool due;

    pthread_mutex_lock(&table.lock);
    due = table.n && (all || table.soonest_us <= clock_mono_us());
    pthread_mutex_unlock(&table.lock);
    return due;
}

/* Takes the kinds whose window is over out of the table; those that came again begin another one. */
static int take_due(struct kind *out, bool all)
{
    int64_t now = clock_mono_us();
    int n = 0, kept = 0, had;

    pthread_mutex_lock(&table.lock);
    had = table.n;
    table.n = 0;
    table.soonest_us = INT64_MAX;
    for (int i = 0; i < had; i++) {
        struct kind k = table.kinds[i];
        bool over = all || k.ends_us <= now;

        if (over && k.count)
            out[n++] = k;
        if (over && (!k.count || all))
            continue;
        table.kinds[kept] = k;
        table.n = ++kept;
        if (over) {
            table.kinds[kept - 1].count = 0;
            open_window(&table.kinds[kept - 1]);
        }
        if (table.kinds[kept - 1].ends_us < table.soonest_us)
            table.soonest_us = table.kinds[kept - 1].ends_us;
    }
    pthread_mutex_unlock(&table.lock);
    return n;
}

enum rc refusal_write(struct work *w, bool all)
{
    struct kind *due = arena_alloc(w->mem, sizeof table.kinds);
    int n = take_due(due, all);
    enum rc rc = RC_OK;

    for (int i = 0; i < n && !rc; i++)
        rc = write_row(w, &due[i]);
    return rc;
}
