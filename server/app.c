/*
 * app.c - the process, built in order and torn down in reverse.
 *
 *     directory, lock --> writer --> workers, builder --> streams, heads --> (demo)
 *         --> outbound client --> answer cache, routes, sockets --> purge hook --> mirrors --> alerts --> loops
 *
 * Who hears of changes and of time passing says so before the writer starts (watch()). Whoever
 * fails leaves what stood before it, and app_stop() takes down just that.
 */
#include "server/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/events.h"
#include "api/instance.h"
#include "api/routes.h"
#include "api/witness.h"
#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/pool.h"
#include "server/channel/mirror_edge.h"
#include "server/channel/mirror_thread.h"
#include "server/channel/purge_hook.h"
#include "server/confine.h"
#include "server/demo/demo.h"
#include "server/health/alert_thread.h"
#include "server/http/cache.h"
#include "server/http/client.h"
#include "server/http/edge.h"
#include "server/http/idempotency.h"
#include "server/http/listen.h"
#include "server/http/server.h"
#include "server/identity/keyfile.h"
#include "server/identity/password.h"
#include "server/identity/seal.h"
#include "server/identity/token.h"
#include "server/identity/trail.h"
#include "server/library/publish.h"
#include "server/library/purge_url.h"
#include "server/library/takedown.h"
#include "server/lock.h"
#include "server/store/backup.h"
#include "server/store/db.h"
#include "server/store/disk.h"
#include "server/store/writer.h"
#include "server/supervise.h"
#include "sync/head.h"
#include "sync/live.h"

enum {
    EXPIRE_EVERY_MS = 10000,
    TAKEDOWN_EVERY_MS = 1000,
    PURGE_EVERY_MS = 500,
    CONFINE_EVERY_MS = 1000,
    BUILDS_MAX = 16,
    OUTBOUND_MAX = 1000,
    FIRST_HEAD_MS = 5000,
    BUILDER_NICENESS = 15
};

struct app {
    int lock;
    struct pool *workers; /* answer requests */
    struct pool
        *builder; /* one thread that compresses objects when nobody else needs the core */
    struct server *server;
    char origin[LISTEN_URL]; /* the first URL we listen on, without the slash at its end */
    struct passwords *passwords;
    bool writing;
    bool demo; /* the library holds the demo articles, and pages say so */
    char db_path[4096];
};

/* A restore that was cut short must not look like an empty library. */
static enum rc check_restored(struct err *e, const char *data)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/" RESTORE_STAGE, data);
    if (!fs_exists(path))
        return RC_OK;
    return err_set(e, RC_CONFLICT, "a restore into %s was cut short; run tjzw restore again",
                   data);
}

static enum rc make_directories(struct err *e, const char *data)
{
    static const char *const names[] = { "keys", "blobs", "objects" };
    char path[4096];
    enum rc rc;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", data, names[i]);
        if ((rc = fs_mkdirs(e, path, 0700)))
            return rc;
    }
    return RC_OK;
}

static enum rc check_keys(struct work *w, void *keys)
{
    return keyfile_check(w, keys);
}

static enum rc remember_keys(struct work *w, void *keys)
{
    return keyfile_remember(w, keys);
}

static enum rc with_keys(struct err *e, const struct conf *c,
                         enum rc (*run)(struct work *w, void *keys))
{
    struct arena *mem = arena_new();
    struct work w;
    enum rc rc;

    work_init(&w, mem, NULL, "system", RIGHT_ALL);
    if ((rc = writer_call(&w, run, arena_printf(mem, "%s/keys", c->data))))
        *e = w.err;
    arena_free(mem);
    return rc;
}

/* None that was lost is made anew in silence; what is made is remembered before it is used. */
static enum rc open_keys(struct err *e, const struct conf *c, bool serves)
{
    char keys[4096];
    enum rc rc;

    snprintf(keys, sizeof keys, "%s/keys", c->data);
    if ((rc = with_keys(e, c, check_keys)) || (rc = seal_load(e, keys, c->seal_suite)) ||
        (rc = trail_begin(e, c->data, c->sign_sm2, serves)))
        return rc;
    return with_keys(e, c, remember_keys);
}

/* Before the writer starts: who hears of changes, and of time passing. */
static void watch(const struct conf *c)
{
    sync_watch();
    sync_on_cut(cache_forget_all); /* what was taken down must not be answered from memory */
    idempotency_init();
    writer_tick(EXPIRE_EVERY_MS, publish_tick, NULL);
    events_open(c);
    writer_tick(TAKEDOWN_EVERY_MS, takedown_tick, NULL);
    writer_tick(PURGE_EVERY_MS, purge_hook_tick, NULL);
    writer_tick(CONFINE_EVERY_MS, confine_tick, NULL);
}

static const char *database; /* for the workers, who open it each for themselves */

static enum rc open_reader(struct err *e, struct db **out)
{
    return db_open(e, database, DB_READ, out);
}

static enum rc know_token(struct work *w, const char *bearer)
{
    return token_check(w, bearer, &w->who);
}

/* Where the server is for those who cannot ask: what it listens on, or would. */
static const char *find_origin(struct app *a, const struct conf *c)
{
    struct conf_list urls = server_urls(a->server);
    struct endpoint first;
    struct err ignored;

    if (urls.n)
        snprintf(a->origin, sizeof a->origin, "%s", urls.v[0]);
    else if (!c->listen.n || endpoint_parse(&ignored, c->listen.v[0], &first))
        return "";
    else
        endpoint_url(&first, a->origin);
    a->origin[strlen(a->origin) - 1] = '\0';
    return a->origin;
}

static enum rc describe(struct app *a, struct err *e, const struct conf *c)
{
    struct instance in = { .public_url = c->public_url,
                           .origin = find_origin(a, c),
                           .dir = c->data,
                           .demo = a->demo,
                           .stream = live_own() ? live_no(live_own()) : 0 };
    char keys[4096];
    enum rc rc;

    snprintf(keys, sizeof keys, "%s/keys", c->data);
    if ((rc = preview_key_load(e, keys, &in.preview)))
        return rc;
    instance_set(&in);
    return RC_OK;
}

static enum rc open_edge(struct app *a, struct err *e, const struct conf *c,
                         const struct sockets *sockets)
{
    struct edge_conf edge = { .pool = a->workers,
                              .cache_size = (size_t)c->cache_size,
                              .rate_limit = c->rate_limit,
                              .cors = c->cors_origins,
                              .log_requests = c->log_requests,
                              .edge_of = c->edge_of };
    struct server_conf server = { .sockets = sockets,
                                  .tls_cert = c->tls_cert,
                                  .tls_key = c->tls_key,
                                  .body_max = (size_t)c->body_max,
                                  .crowd = { .connections_max = c->connections_max,
                                             .per_client = c->connections_per_client,
                                             .credits = c->credits_per_client,
                                             .unread = c->unread_per_client } };
    char admin[4096], keys[4096];
    enum rc rc;

    if ((rc = networks_parse(e, &c->trusted_proxies, &edge.trusted)))
        return rc;
    server.trusted = edge.trusted;
    snprintf(admin, sizeof admin, "%s/admin.sock", c->data);
    snprintf(keys, sizeof keys, "%s/keys", c->data);
    server.admin = admin;
    server.keys_dir = keys;
    routes_set(routes_table);
    edge_set_auth(know_token);
    witness_set(&witness_audit);
    edge_init(&edge);
    return server_open(e, &server, &a->server);
}

static enum rc look_after(const struct app *a, struct err *e, const struct conf *c)
{
    struct alert_thread t = { .c = c,
                              .db_path = a->db_path,
                              .instance = *c->public_url ? c->public_url : a->origin,
                              .workers = a->workers,
                              .server = a->server,
                              .deaths = supervise_deaths };

    return alert_thread_start(e, &t);
}

static enum rc build(struct app *a, struct err *e, const struct conf *c,
                     const struct sockets *sockets, bool demo)
{
    enum rc rc;

    if ((rc = mirror_edge_check(e, c)) || (rc = lock_take(e, c->data, &a->lock)) ||
        (rc = check_restored(e, c->data)) || (rc = make_directories(e, c->data)) ||
        (rc = trail_open(e, c->audit_keep)) || (rc = takedown_open(e, c->data)))
        return rc;
    purge_url_watch(*c->purge_hook != '\0');
    watch(c);
    disk_watch(c->data, c->disk_reserve);
    database = a->db_path;
    if ((rc = writer_start(e, a->db_path, (int)c->queue_max)))
        return rc;
    a->writing = true;
    if ((rc = open_keys(e, c, sockets != NULL)))
        return rc;
    if ((rc = mirror_edge_settled(e, c, a->db_path)))
        return rc;
    if ((rc = pool_new(e, (int)c->workers, (int)c->queue_max, open_reader, db_close,
                       &a->workers)))
        return rc;
    if ((rc = pool_new(e, 1, BUILDS_MAX, open_reader, db_close, &a->builder)))
        return rc;
    if (sockets && (rc = passwords_open(e, (int)c->password_threads, &a->passwords)))
        return rc;
    if (sockets) /* a command has nobody to step back for */
        pool_lower(a->builder, BUILDER_NICENESS);
    if ((rc = sync_start(e, c, a->builder, a->workers)) ||
        (rc = with_keys(e, c, remember_keys)))
        return rc;
    /* The head is signed at once: whoever is quick must not be shown an empty library. */
    if (demo && ((rc = demo_fill(e, live_no(live_own()), &a->demo)) ||
                 (rc = head_flush(live_own(), e))))
        return rc;
    if (sockets) /* after a restore there is no head of the new epoch yet */
        sync_show(FIRST_HEAD_MS);
    if (sockets && (rc = client_start(e, OUTBOUND_MAX)))
        return rc;
    if ((rc = open_edge(a, e, c, sockets)) || (rc = describe(a, e, c)))
        return rc;
    if (sockets &&
        (rc = purge_hook_start(e, c->purge_hook, *c->public_url ? c->public_url : a->origin)))
        return rc;
    if (sockets && (rc = mirror_thread_start(e, c, a->db_path)))
        return rc;
    if (sockets && (rc = look_after(a, e, c)))
        return rc;
    server_run(a->server);
    return RC_OK;
}

enum rc app_start(struct err *e, const struct conf *c, const struct sockets *sockets, bool demo,
                  struct app **out)
{
    struct app *a = calloc(1, sizeof *a);
    enum rc rc;

    if (!a)
        memory_end();
    a->lock = -1;
    if (snprintf(a->db_path, sizeof a->db_path, "%s/tjzw.db", c->data) >=
        (int)sizeof a->db_path - 64)
        rc = err_set(e, RC_INVALID, "the data directory's path is too long");
    else
        rc = build(a, e, c, sockets, demo);
    if (rc) {
        app_stop(a, 0);
        return rc;
    }
    LOG(LOG_INFO, "started", L_STR("data", c->data), L_STR("version", TJZW_VERSION));
    *out = a;
    return RC_OK;
}

/* A hung loop cannot be joined: what was acknowledged is on the disk, so leaving at once loses
 * nothing. */
static void leave(void)
{
    LOG(LOG_ERROR, "loop_hangs");
    _exit(1);
}

void app_stop(struct app *a, int64_t deadline_ms)
{
    if (!a)
        return;
    if (a->server && !server_stop(a->server, deadline_ms))
        leave();
    client_stop();
    alert_thread_stop();
    mirror_thread_stop();
    sync_stop();
    passwords_close(a->passwords);
    pool_free(a->builder);
    pool_free(a->workers);
    trail_finish();
    if (a->writing)
        writer_stop();
    trail_close();
    disk_forget();
    purge_hook_stop();
    takedown_close();
    seal_forget();
    server_free(a->server);
    sync_done();
    events_close();
    lock_drop(a->lock);
    free(a);
}

enum rc app_reload(struct app *a, struct err *e)
{
    enum rc rc = server_reload_tls(a->server, e);

    judge_reloaded(!rc);
    return rc;
}

struct conf_list app_urls(const struct app *a)
{
    return server_urls(a->server);
}

bool app_is_demo(const struct app *a)
{
    return a->demo;
}
