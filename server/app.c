/*
 * app.c - the process, built in order and torn down in reverse.
 *
 *     lock --> service.c --> (demo) --> derived.db --> outbound client --> answer cache, routes, sockets --> purge hook --> mirrors --> alerts, scanner, push --> loops
 *
 * Whoever fails leaves what stood before it, and app_stop() takes down just that.
 */
#include "server/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/hub.h"
#include "push/push_thread.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/channel/channel_thread.h"
#include "server/channel/mirror_thread.h"
#include "server/channel/purge_hook.h"
#include "server/citizen/letter_scan.h"
#include "server/demo/demo.h"
#include "server/demo/demo_accounts.h"
#include "server/derived/derived.h"
#include "server/health/alert_thread.h"
#include "server/http/client.h"
#include "server/http/edge.h"
#include "server/http/listen.h"
#include "server/http/server.h"
#include "server/lock.h"
#include "server/projections.h"
#include "server/service.h"
#include "server/source/fetch.h"
#include "server/supervise.h"
#include "server/websub/websub_hub.h"
#include "sync/head.h"
#include "sync/live.h"

enum { OUTBOUND_MAX = 1000, FIRST_HEAD_MS = 5000 };

struct app {
    int lock;
    struct service service;
    struct server *server;
    char origin[LISTEN_URL]; /* the first URL we listen on, without the slash at its end */
    bool demo;               /* the library holds the demo articles, and pages say so */
};

/* Where the server is for those who cannot ask: what it listens on, or would. */
static const char *find_origin(struct app *a, const struct conf *c)
{
    struct conf_list urls = a->server ? server_urls(a->server) : (struct conf_list){ 0 };
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

static enum rc open_edge(struct app *a, struct err *e, const struct conf *c,
                         const struct sockets *sockets, bool again)
{
    struct edge_conf edge = { .pool = a->service.workers,
                              .cache_size = (size_t)c->cache_size,
                              .rate_limit = c->rate_limit,
                              .cors = c->cors_origins,
                              .log_requests = c->log_requests,
                              .edge_of = c->edge_of };
    struct server_conf server = { .sockets = sockets,
                                  .tls_cert = c->tls_cert,
                                  .tls_key = c->tls_key,
                                  .again = again,
                                  .body_max = (size_t)c->body_max,
                                  .crowd = { .connections_max = c->connections_max,
                                             .per_client = c->connections_per_client,
                                             .credits = c->credits_per_client,
                                             .unread = c->unread_per_client } };
    char admin[4096], keys[4096];
    enum rc rc;

    if ((rc = networks_parse(e, "trusted_proxies", &c->trusted_proxies, &edge.trusted)) ||
        (rc = service_route(e, &a->service)))
        return rc;
    server.trusted = edge.trusted;
    snprintf(admin, sizeof admin, "%s/admin.sock", c->data);
    snprintf(keys, sizeof keys, "%s/keys", c->data);
    server.admin = admin;
    server.keys_dir = keys;
    edge_init(&edge);
    if ((rc = server_open(e, &server, &a->server)))
        return rc;
    if (server_tls_is_kept(a->server))
        judge_reloaded(false);
    return RC_OK;
}

static enum rc look_after(const struct app *a, struct err *e, const struct conf *c)
{
    struct alert_thread t = { .c = c,
                              .db_path = a->service.db_path,
                              .instance = *c->public_url ? c->public_url : a->origin,
                              .workers = a->service.workers,
                              .server = a->server,
                              .deaths = supervise_deaths };

    return alert_thread_start(e, &t);
}

static enum rc start_hub(struct err *e, const struct conf *c, const char *db_path)
{
    const struct websub_conf hub = { .db_path = db_path,
                                     .feeds = &hub_feeds,
                                     .private_net = c->websub_private };

    hub_open(c->websub_private);
    return websub_start(e, &hub);
}

static enum rc start_channels(struct err *e, const struct conf *c, const char *db_path)
{
    const struct channel_conf channels = { .db_path = db_path,
                                           .wechat = c->channel_wechat,
                                           .weibo = c->channel_weibo,
                                           .private_net = c->channel_private };

    return channel_start(e, &channels);
}

/* Nobody looks in a child that cannot start, and yet somebody must hear that the server is gone. */
static void say_last_words(struct app *a, const struct conf *c)
{
    struct alert_thread t = { .c = c,
                              .instance = *c->public_url ? c->public_url : find_origin(a, c),
                              .deaths = supervise_deaths };

    client_stop();
    alert_thread_stop();
    alert_last_words(&t);
}

static enum rc start_fetch(struct err *e, const struct conf *c, const char *db_path)
{
    const struct fetch_conf fetch = { .db_path = db_path,
                                      .data = c->data,
                                      .private_net = c->sources_private };

    return fetch_start(e, &fetch);
}

static enum rc start_push(struct err *e, const struct conf *c, const char *db_path)
{
    struct sender *sender;
    enum rc rc;

    rc = sender_open(e, c, c->data, &sender);
    return rc ? rc : push_thread_start(e, db_path, sender);
}

static enum rc build(struct app *a, struct err *e, const struct conf *c,
                     const struct sockets *sockets, bool demo, bool again)
{
    enum rc rc;

    if ((rc = lock_take(e, c->data, &a->lock)) ||
        (rc = service_open(e, c, sockets != NULL, &a->service)))
        return rc;
    /* The head is signed at once: whoever is quick must not be shown an empty library. */
    if (demo && ((rc = demo_fill(e, live_no(live_own()), &a->demo)) ||
                 (rc = head_flush(live_own(), e)) ||
                 (a->demo && (rc = demo_accounts_make(e, c->data)))))
        return rc;
    if (sockets) /* after a restore there is no head of the new epoch yet */
        sync_show(FIRST_HEAD_MS);
    if (sockets && ((rc = derived_open(e, c->data, projections)) ||
                    (rc = derived_start(e, a->service.db_path))))
        return rc;
    if (sockets && (rc = client_start(e, OUTBOUND_MAX)))
        return rc;
    if ((rc = open_edge(a, e, c, sockets, again)) ||
        (rc = service_describe(e, &a->service, find_origin(a, c), a->demo)))
        return rc;
    if (sockets &&
        (rc = purge_hook_start(e, c->purge_hook, *c->public_url ? c->public_url : a->origin)))
        return rc;
    if (sockets && (rc = mirror_thread_start(e, c, a->service.db_path)))
        return rc;
    if (sockets &&
        ((rc = look_after(a, e, c)) || (rc = letter_scan_start(e, a->service.db_path)) ||
         (rc = start_push(e, c, a->service.db_path)) ||
         (rc = start_hub(e, c, a->service.db_path)) ||
         (rc = start_fetch(e, c, a->service.db_path)) ||
         (rc = start_channels(e, c, a->service.db_path))))
        return rc;
    server_run(a->server);
    return RC_OK;
}

enum rc app_start(struct err *e, const struct conf *c, const struct sockets *sockets, bool demo,
                  bool again, struct app **out)
{
    struct app *a = calloc(1, sizeof *a);
    enum rc rc;

    if (!a)
        memory_end();
    a->lock = -1;
    if ((rc = build(a, e, c, sockets, demo, again))) {
        if (again && a->lock >= 0)
            say_last_words(a, c);
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

/* All is written. Objects are half made, as after a kill: the next start goes on with them. */
static void leave_the_builder(void)
{
    LOG(LOG_INFO, "builder_left");
    _exit(0);
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
    letter_scan_stop();
    push_thread_stop();
    websub_stop();
    fetch_stop();
    channel_stop();
    derived_stop();
    if (!service_stop(&a->service))
        leave_the_builder();
    derived_close();
    server_free(a->server);
    service_done();
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
