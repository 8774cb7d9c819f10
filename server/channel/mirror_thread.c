/*
 * mirror_thread.c - when who is followed.
 *
 *     FOLLOWED --(due)--> run --ok--> due after mirror_poll
 *                          \--failed--> due after 1, 2, 4 … times that, half of it by chance (mirror_rest()); not before Retry-After
 *
 * Up to a fifth of mirror_poll is added by chance. One thread runs all of them, one after the other: a run that finds nothing
 * new is one small request, and a file is fetched while no stream is due. What is followed stands in the table `mirror`; the thread reads it anew when somebody has changed it.
 *
 * A kill at any moment loses what was in flight: parts are kept as files, and what was committed adds up.
 */
#include "server/channel/mirror_thread.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/metric.h"
#include "server/channel/mirror.h"
#include "server/channel/mirror_edge.h"
#include "server/channel/mirror_files.h"
#include "server/channel/mirror_net.h"
#include "server/channel/mirror_status.h"
#include "server/channel/mirror_store.h"
#include "server/store/blob.h"
#include "server/store/db.h"
#include "server/store/disk.h"
#include "server/store/writer.h"
#include "sync/object.h"

enum { REST_S = 10, SHARE = 20 };
enum { SWEEP_S = 3600, FILES_US = 10 * 1000 * 1000 };

struct follower {
    char name[WIRE_STREAM_MAX + 1], url[MIRROR_URL_MAX + 1], cacert[MIRROR_CACERT_MAX + 1];
    bool has_trust, seen;
    uint8_t trust[HASH_BYTES];
    struct mirror_store *store;
    int64_t no;
    int64_t due_us, swept_us, files_due_us;
    uint64_t swept_cut; /* of the head after which files of objects were swept */
    uint8_t swept_index[HASH_BYTES];
    unsigned failures;
};

static struct {
    pthread_t thread;
    bool running;
    atomic_bool stop;
    char db_path[4096];
    uint32_t poll; /* seconds */
    const struct conf *conf;

    /* The thread's. */
    struct db *db;
    struct mirror_net *net;
    struct follower *followers[WIRE_STREAMS_MAX];
    int n;
    int64_t edge_due_us;
    unsigned edge_failures;

    pthread_mutex_t lock;
    pthread_cond_t stirred;
    bool changed; /* the table is to be read again */
} mirror = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- one run ---- */

static void first_use(const struct follower *f, const struct follow_result *r)
{
    char hex[HASH_TEXT];

    LOG(LOG_WARN, "mirror_trusts", L_STR("stream", f->name), L_STR("url", f->url),
        L_STR("key", hex_text(r->trust, sizeof r->trust, hex)));
}

struct sweeping {
    int64_t stream, epoch;
};

static enum rc sweep(struct work *w, void *arg)
{
    const struct sweeping *s = arg;

    return mirror_store_sweep(w, s->stream, s->epoch);
}

static void sweep_now_and_then(struct follower *f, const struct follow_result *r)
{
    const struct live *l = live_find(f->name);
    struct sweeping s = { l ? live_no(l) : 0, (int64_t)r->head.epoch };
    struct work w;

    if (!l || clock_mono_us() < f->swept_us + SWEEP_S * INT64_C(1000000))
        return;
    f->swept_us = clock_mono_us();
    work_init(&w, arena_new(), NULL, "mirror", RIGHT_ALL);
    if (writer_call(&w, sweep, &s))
        LOG(LOG_ERROR, "mirror_not_swept", L_STR("stream", f->name),
            L_STR("reason", w.err.text));
    arena_free(w.mem);
}

/* Files of objects that the new head's index has superseded long enough, or that were purged: on an edge nobody builds, and no build sweeps. */
static void sweep_objects(struct follower *f, const struct wire_head *head)
{
    const struct live *l = live_find(f->name);
    struct work w;
    int removed;

    if (!l || (f->swept_cut == head->cut && !memcmp(f->swept_index, head->index, HASH_BYTES)))
        return;
    work_init(&w, arena_new(), mirror.db, "mirror", RIGHT_ALL);
    if (object_sweep(&w, live_data(l), 0, &removed)) {
        LOG(LOG_ERROR, "mirror_not_swept", L_STR("stream", f->name),
            L_STR("reason", w.err.text));
    } else {
        f->swept_cut = head->cut;
        memcpy(f->swept_index, head->index, HASH_BYTES);
    }
    arena_free(w.mem);
}

uint32_t mirror_rest(uint32_t poll, unsigned failures, int64_t took_us, uint32_t random)
{
    int64_t most = took_us / 1000000 * SHARE;
    uint32_t wait = follow_backoff(poll, failures, random);

    most = most > REST_S ? most : REST_S;
    return wait < most ? wait : (uint32_t)most;
}

/* Told when it begins and when it ends, not at every attempt. */
static void ended(struct follower *f, enum sync_rc rc, const struct sync_err *e,
                  const struct follow_result *r, int64_t took_us)
{
    uint32_t wait = mirror.poll, retry = mirror_net_retry(mirror.net);

    if (rc) {
        metric_add(METRIC_mirror_errors, 1);
        if (!f->failures++)
            LOG(LOG_WARN, "mirror_failed", L_STR("stream", f->name), L_STR("url", f->url),
                L_STR("reason", e->text));
        wait = mirror_rest(mirror.poll, f->failures, took_us, randombytes_random());
    } else {
        if (f->failures)
            LOG(LOG_INFO, "mirror_works_again", L_STR("stream", f->name));
        f->failures = 0;
        if (r->changed)
            f->files_due_us = 0;
        sweep_objects(f, &r->head);
        sweep_now_and_then(f, r);
    }
    wait = retry > wait ? retry : wait;
    f->due_us = clock_mono_us() + (int64_t)wait * 1000000 +
                randombytes_uniform(mirror.poll * 200000 + 1);
    mirror_status_tell(f->name, f->failures, rc ? e->text : "");
}

static void follow(struct follower *f)
{
    struct follow_store store = mirror_store_callbacks(f->store);
    struct follow_transport transport = mirror_net_transport(mirror.net);
    struct mirror_prepare prepare = { f->store, &transport };
    struct follow_options o = { .stream = f->name,
                                .trust = f->has_trust ? f->trust : NULL,
                                .encoding = WIRE_ZSTD,
                                .in_steps = true,
                                .prepare = mirror_prepare,
                                .prepare_ctx = &prepare };
    struct follow_result r = { 0 };
    struct sync_err e = { 0 };
    int64_t begun = clock_mono_us();
    enum sync_rc rc;

    mirror_net_to(mirror.net, f->url, f->cacert);
    rc = follow_run(&e, &store, &transport, &o, &r);
    if (rc == SYNC_CANCELLED)
        return;
    if (r.first_use && !rc)
        first_use(f, &r);
    ended(f, rc, &e, &r, clock_mono_us() - begun);
}

/* One picture or attachment, or a part of it. */
static void fetch_file(struct follower *f)
{
    struct follow_transport transport = mirror_net_transport(mirror.net);
    int64_t most = mirror.conf->mirror_blob_max;
    struct live *l = live_by_no(f->no);
    struct mirror_files files = { .stream = f->no,
                                  .data = l ? live_data(l) : NULL,
                                  .reader = mirror.db,
                                  .most_bytes = most > BLOB_MAX ? BLOB_MAX : most,
                                  .transport = &transport };
    struct sync_err e = { 0 };
    bool none;
    enum sync_rc rc;

    f->files_due_us = clock_mono_us() + FILES_US;
    if (!l)
        return;
    mirror_net_to(mirror.net, f->url, f->cacert);
    rc = mirror_files_step(&e, &files, &none);
    (void)mirror_net_retry(mirror.net);
    if (rc && rc != SYNC_CANCELLED)
        LOG(LOG_ERROR, "mirror_files_failed", L_STR("stream", f->name),
            L_STR("reason", e.text));
    if (!none && !rc)
        f->files_due_us = clock_mono_us();
}

/* ---- who is followed ---- */

static void follower_free(struct follower *f)
{
    mirror_store_free(f->store);
    free(f);
}

static struct follower *find(const char *name)
{
    for (int i = 0; i < mirror.n; i++)
        if (!strcmp(mirror.followers[i]->name, name))
            return mirror.followers[i];
    return NULL;
}

static void take_row(const struct rows *q)
{
    const char *name = rows_text(q, 1), *cacert = rows_text(q, 4);
    struct follower *f = find(name);
    struct live *l = live_find(name);
    size_t n;
    const void *trust = rows_blob(q, 3, &n);

    if (!l || (!f && mirror.n == WIRE_STREAMS_MAX))
        return;
    if (!f) {
        if (!(f = calloc(1, sizeof *f)))
            memory_end();
        snprintf(f->name, sizeof f->name, "%s", name);
        f->store = mirror_store_new(l, mirror.db);
        f->swept_us = clock_mono_us();
        mirror.followers[mirror.n++] = f;
    }
    snprintf(f->url, sizeof f->url, "%s", rows_text(q, 2));
    snprintf(f->cacert, sizeof f->cacert, "%s", cacert ? cacert : "");
    f->has_trust = trust && n == HASH_BYTES;
    if (f->has_trust)
        memcpy(f->trust, trust, n);
    f->no = rows_int(q, 0);
    f->due_us = f->files_due_us = 0;
    f->seen = true;
}

static void forget_unseen(void)
{
    int kept = 0;

    for (int i = 0; i < mirror.n; i++) {
        struct follower *f = mirror.followers[i];

        if (f->seen) {
            mirror.followers[kept++] = f;
        } else {
            mirror_status_forget(f->name);
            follower_free(f);
        }
    }
    mirror.n = kept;
}

static void read_table(void)
{
    struct work w;
    struct rows q;
    enum rc rc;

    work_init(&w, arena_new(), mirror.db, "mirror", RIGHT_ALL);
    for (int i = 0; i < mirror.n; i++)
        mirror.followers[i]->seen = false;
    if (!(rc = db_query(&w, SQL_mirror_all, &q, ""))) {
        while (rows_next(&q))
            take_row(&q);
        rc = rows_done(&q);
    }
    if (rc)
        LOG(LOG_ERROR, "mirrors_not_read", L_STR("reason", w.err.text));
    else
        forget_unseen();
    arena_free(w.mem);
}

/* ---- the thread ---- */

static struct follower *most_due(void)
{
    struct follower *f = NULL;

    for (int i = 0; i < mirror.n; i++)
        if (!f || mirror.followers[i]->due_us < f->due_us)
            f = mirror.followers[i];
    return f;
}

/* Files leave a full disk to what is new in the streams, which may take something from the public. */
static struct follower *most_due_files(void)
{
    struct follower *f = NULL;

    for (int i = 0; i < mirror.n && !disk_state(); i++)
        if (!f || mirror.followers[i]->files_due_us < f->files_due_us)
            f = mirror.followers[i];
    return f;
}

/* Until somebody changes the table, or the time has come. True: read it again. */
static bool sleep_until(int64_t due_us)
{
    bool changed;

    pthread_mutex_lock(&mirror.lock);
    while (!mirror.changed && !atomic_load(&mirror.stop) && clock_mono_us() < due_us) {
        struct timespec until = { due_us / 1000000, due_us % 1000000 * 1000 };

        pthread_cond_timedwait(&mirror.stirred, &mirror.lock, &until);
    }
    changed = mirror.changed;
    mirror.changed = false;
    pthread_mutex_unlock(&mirror.lock);
    return changed;
}

/* An edge looks at the list before it looks at the streams. */
static void follow_edge(void)
{
    struct follow_transport transport = mirror_net_transport(mirror.net);
    uint32_t wait = mirror.poll;
    struct sync_err e = { 0 };
    char why[MIRROR_STATUS_TEXT] = "";
    int64_t begun = clock_mono_us();
    bool changed = false;
    enum sync_rc rc;

    mirror_net_to(mirror.net, mirror.conf->edge_of, mirror.conf->edge_ca);
    rc = mirror_edge_run(&e, mirror.conf, mirror.db, &transport, &changed);
    if (rc == SYNC_CANCELLED)
        return;
    if (rc) {
        metric_add(METRIC_mirror_errors, 1);
        if (!mirror.edge_failures++)
            LOG(LOG_WARN, "edge_failed", L_STR("url", mirror.conf->edge_of),
                L_STR("reason", e.text));
        snprintf(why, sizeof why, "%.120s: %s", mirror.conf->edge_of, e.text);
        wait = mirror_rest(mirror.poll, mirror.edge_failures, clock_mono_us() - begun,
                           randombytes_random());
    } else {
        mirror.edge_failures = 0;
    }
    mirror_status_tell(MIRROR_STATUS_LIST, mirror.edge_failures, why);
    mirror.edge_due_us = clock_mono_us() + (int64_t)wait * 1000000;
    if (changed)
        read_table();
}

static void *loop(void *arg)
{
    bool edge = *mirror.conf->edge_of != '\0';

    (void)arg;
    while (!atomic_load(&mirror.stop)) {
        struct follower *f = most_due(), *g = most_due_files();
        int64_t due = f ? f->due_us : INT64_MAX / 2;

        due = edge && mirror.edge_due_us < due ? mirror.edge_due_us : due;
        if (sleep_until(g && g->files_due_us < due ? g->files_due_us : due))
            read_table();
        else if (g && due > clock_mono_us() && !atomic_load(&mirror.stop))
            fetch_file(g);
        else if (edge && mirror.edge_due_us <= clock_mono_us() && !atomic_load(&mirror.stop))
            follow_edge();
        else if (f && !atomic_load(&mirror.stop))
            follow(f);
    }
    return NULL;
}

void mirror_stir(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mirror.lock);
    mirror.changed = true;
    if (mirror.running)
        pthread_cond_signal(&mirror.stirred);
    pthread_mutex_unlock(&mirror.lock);
}

enum rc mirror_thread_start(struct err *e, const struct conf *c, const char *db_path)
{
    pthread_condattr_t attr;
    enum rc rc;

    snprintf(mirror.db_path, sizeof mirror.db_path, "%s", db_path);
    mirror.poll = c->mirror_poll < 1000 ? 1 : (uint32_t)(c->mirror_poll / 1000);
    mirror.conf = c;
    mirror.edge_due_us = 0;
    atomic_store(&mirror.stop, false);
    mirror.changed = true;
    if ((rc = db_open(e, mirror.db_path, DB_READ, &mirror.db)))
        return rc;
    if (*c->edge_of && (rc = mirror_edge_open(e, c, mirror.db))) {
        db_close(mirror.db);
        return rc;
    }
    mirror.net = mirror_net_new(mirror.conf, &mirror.stop);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&mirror.stirred, &attr);
    pthread_condattr_destroy(&attr);
    mirror.running = true;
    if (pthread_create(&mirror.thread, NULL, loop, NULL))
        abort();
    return RC_OK;
}

void mirror_thread_stop(void)
{
    if (!mirror.running)
        return;
    atomic_store(&mirror.stop, true);
    mirror_stir(NULL);
    pthread_join(mirror.thread, NULL);
    mirror.running = false;
    for (int i = 0; i < mirror.n; i++)
        follower_free(mirror.followers[i]);
    mirror.n = 0;
    mirror_status_forget_all();
    mirror_net_free(mirror.net);
    db_close(mirror.db);
    mirror.net = NULL;
    mirror.db = NULL;
    pthread_cond_destroy(&mirror.stirred);
}
