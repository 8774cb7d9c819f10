/*
 * world.c - the loopback connection is after libh2o's own unit tests: a request is filled in by
 * hand, processed, and its output collected by the last of the output streams.
 */
#include "tests/lib/world.h"

#include <arpa/inet.h>
#include <err.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/store/db.h"
#include "server/store/writer.h"

enum { WORKERS = 2, TURN_MS = 10, PATIENCE = 3000 /* turns: half a minute */ };

struct world {
    char dir[64], db_path[96];
    bool stays;     /* the directory */
    bool edge_only; /* the store is somebody else's */
    struct arena *mem;
    struct pool *pool;
    h2o_globalconf_t global;
    h2o_hostconf_t *hosts[ORIGIN_COUNT];
    h2o_context_t ctx;
    struct edge_loop edge;
    world_check *check;
};

static const char *pool_db_path;

/* ---- the world ---- */

static enum rc open_reader(struct err *e, struct db **out)
{
    return db_open(e, pool_db_path, DB_READ, out);
}

static void must(enum rc rc, const struct err *e)
{
    if (rc)
        errx(1, "world: %s", e->text);
}

struct world *world_open(const struct route *routes)
{
    return world_open_with(routes, &(struct world_conf){ 0 });
}

static void open_store(struct world *t, const struct world_conf *conf)
{
    struct err e = { 0 };

    if (!getenv("TJZW_TEST_LOG"))
        log_set_fd(-1);
    clock_set(WORLD_NOW);
    snprintf(t->dir, sizeof t->dir, "%s", conf->dir ? conf->dir : "/tmp/tjzw-world-XXXXXX");
    t->stays = conf->dir;
    if (!t->stays && !mkdtemp(t->dir))
        err(1, "mkdtemp");
    snprintf(t->db_path, sizeof t->db_path, "%s/tjzw.db", t->dir);
    if (conf->before_writer)
        conf->before_writer();
    must(writer_start(&e, t->db_path, conf->queue_max ? conf->queue_max : 100), &e);
    pool_db_path = t->db_path;
    must(pool_new(&e, WORKERS, conf->queue_max ? conf->queue_max : 100, open_reader, db_close,
                  &t->pool),
         &e);
}

struct world *world_open_with(const struct route *routes, const struct world_conf *conf)
{
    struct world *t = calloc(1, sizeof *t);
    struct edge_conf edge = { .cache_size = conf->cache_size ? conf->cache_size : 16 << 20,
                              .rate_limit = conf->rate_limit,
                              .cors = conf->cors,
                              .edge_of = conf->edge_of };
    const struct conf_list trusted = { conf->trusted_proxies != NULL,
                                       { conf->trusted_proxies } };
    struct err e = { 0 };

    if (networks_parse(&e, "trusted_proxies", &trusted, &edge.trusted))
        errx(1, "%s", e.text);
    t->mem = arena_new();
    t->pool = conf->pool;
    if (!(t->edge_only = conf->pool))
        open_store(t, conf);
    edge.pool = t->pool;
    routes_set(routes);
    edge_init(&edge);
    h2o_config_init(&t->global);
    edge_install(&t->global, t->hosts);
    h2o_context_init(&t->ctx, h2o_evloop_create(), &t->global);
    edge_loop_init(&t->edge, &t->ctx);
    return t;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void close_store(struct world *t)
{
    pool_free(t->pool);
    writer_stop();
    clock_unset();
}

void world_close(struct world *t)
{
    world_settle(t);
    if (!t->edge_only)
        close_store(t);
    edge_loop_done(&t->edge);
    h2o_context_dispose(&t->ctx);
    h2o_evloop_destroy(t->ctx.loop);
    h2o_config_dispose(&t->global);
    if (!t->stays && !t->edge_only)
        nftw(t->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(t->mem);
    free(t);
}

const char *world_dir(const struct world *t)
{
    return t->dir;
}

struct arena *world_mem(struct world *t)
{
    return t->mem;
}

struct pool *world_pool(struct world *t)
{
    return t->pool;
}

void world_turn(struct world *t)
{
    h2o_evloop_run(t->ctx.loop, TURN_MS);
}

void world_settle(struct world *t)
{
    for (int i = 0; t->edge.away; i++) {
        if (i == PATIENCE)
            errx(1, "world: %d requests never came home", t->edge.away);
        world_turn(t);
    }
}

/* ---- one request ---- */

struct asking {
    h2o_conn_t super;
    h2o_hostconf_t *hosts[2];
    h2o_ostream_t collector;
    struct sockaddr_in peer;
    struct buf body;
    bool done;
    bool stalled, held; /* it takes nothing; something waits to be taken */
    h2o_req_t req;
};

static socklen_t no_address(h2o_conn_t *conn, struct sockaddr *sa)
{
    (void)conn, (void)sa;
    return 0;
}

static socklen_t peer_address(h2o_conn_t *conn, struct sockaddr *sa)
{
    struct asking *a = (struct asking *)conn;

    memcpy(sa, &a->peer, sizeof a->peer);
    return sizeof a->peer;
}

static void collect(h2o_ostream_t *self, h2o_req_t *req, h2o_iovec_t *bufs, size_t n,
                    h2o_send_state_t state)
{
    struct asking *a = H2O_STRUCT_FROM_MEMBER(struct asking, collector, self);

    (void)req;
    for (size_t i = 0; i < n; i++)
        buf_add(&a->body, bufs[i].base, bufs[i].len);
    a->done = !h2o_send_state_is_in_progress(state);
    a->held = a->stalled;
    if (!a->done && !a->held)
        h2o_proceed_response(&a->req);
}

void ask_stall(struct asking *a, bool stalled)
{
    bool held = a->held && !stalled;

    a->stalled = stalled;
    if (!held)
        return;
    a->held = false;
    h2o_proceed_response(&a->req);
}

static void add_headers(struct world *t, h2o_req_t *req, const char *lines)
{
    char *copy = arena_strdup(t->mem, lines ? lines : ""), *line;

    while ((line = strsep(&copy, "\n"))) {
        char *colon = strstr(line, ": ");

        if (!colon)
            continue;
        h2o_add_header_by_str(&req->pool, &req->headers, line, (size_t)(colon - line), 1, NULL,
                              colon + 2, strlen(colon + 2));
    }
}

struct asking *ask_begin(struct world *t, enum method m, const char *target,
                         const struct ask *how)
{
    static const h2o_conn_callbacks_t callbacks = { .get_sockname = no_address,
                                                    .get_peername = peer_address };
    const struct ask none = { 0 };
    struct asking *a;
    struct timeval now = { .tv_sec = WORLD_NOW };
    const char *method;

    how = how ? how : &none;
    method = how->method ? how->method : method_name(m);
    a = (struct asking *)h2o_create_connection(sizeof *a, &t->ctx, NULL, now, &callbacks);
    memset((char *)a + sizeof a->super, 0, offsetof(struct asking, req) - sizeof a->super);
    a->hosts[0] = t->hosts[how->origin];
    a->super.hosts = a->hosts;
    a->peer = (struct sockaddr_in){ .sin_family = AF_INET };
    inet_pton(AF_INET, how->client ? how->client : "127.0.0.1", &a->peer.sin_addr);
    h2o_init_request(&a->req, &a->super, NULL);
    a->collector.do_send = collect;
    a->req._ostr_top = &a->collector;
    a->req.version = 0x200;
    a->req.input.scheme =
        how->origin == ORIGIN_TLS ? &H2O_URL_SCHEME_HTTPS : &H2O_URL_SCHEME_HTTP;
    a->req.input.authority = h2o_strdup(&a->req.pool, "example.cn", SIZE_MAX);
    a->req.input.method = h2o_strdup(&a->req.pool, method, SIZE_MAX);
    a->req.input.path = h2o_strdup(&a->req.pool, target, SIZE_MAX);
    add_headers(t, &a->req, how->headers);
    if (how->body)
        a->req.entity = h2o_strdup(&a->req.pool, how->body,
                                   how->body_len ? how->body_len : strlen(how->body));
    h2o_process_request(&a->req);
    return a;
}

static void free_asking(struct asking *a)
{
    h2o_dispose_request(&a->req);
    buf_done(&a->body);
    free(a);
}

void ask_hang_up(struct world *t, struct asking *a)
{
    (void)t;
    free_asking(a);
}

static const char *copy_headers(struct world *t, const h2o_res_t *res)
{
    struct buf b = BUF_IN(t->mem);

    for (size_t i = 0; i < res->headers.size; i++)
        buf_printf(&b, "%.*s: %.*s\n", (int)res->headers.entries[i].name->len,
                   res->headers.entries[i].name->base, (int)res->headers.entries[i].value.len,
                   res->headers.entries[i].value.base);
    if (res->content_length != SIZE_MAX)
        buf_printf(&b, "content-length: %zu\n", res->content_length);
    return b.p ? b.p : "";
}

struct answer ask_so_far(struct world *t, struct asking *a)
{
    return (struct answer){ .status = a->req.res.status,
                            .headers = copy_headers(t, &a->req.res),
                            .len = a->body.n,
                            .body = arena_strndup(t->mem, a->body.p, a->body.n) };
}

bool ask_is_over(const struct asking *a)
{
    return a->done;
}

struct answer ask_end(struct world *t, struct asking *a)
{
    struct answer out;

    for (int i = 0; !a->done; i++) {
        if (i == PATIENCE)
            errx(1, "world: no answer");
        world_turn(t);
    }
    out = ask_so_far(t, a);
    free_asking(a);
    return out;
}

struct answer ask(struct world *t, enum method m, const char *target, const struct ask *how)
{
    struct answer a = ask_end(t, ask_begin(t, m, target, how));

    if (t->check && !(how && how->method))
        t->check(t, m, target, &a);
    return a;
}

void world_check_answers(struct world *t, world_check *check)
{
    t->check = check;
}

const char *answer_header(struct world *t, const struct answer *a, const char *name)
{
    char *copy = arena_strdup(t->mem, a->headers), *line;
    size_t n = strlen(name);

    while ((line = strsep(&copy, "\n")))
        if (!strncmp(line, name, n) && line[n] == ':')
            return line + n + 2;
    return "";
}

static enum rc know_editor(struct err *e, struct arena *mem, const char *credential,
                           bool cookie, struct actor *out)
{
    (void)mem;
    if (strcmp(credential, "editor") || cookie)
        return err_set(e, RC_UNAUTHORIZED, "unknown token");
    *out =
        (struct actor){ .name = "party:editor", .rights = RIGHT_READ | RIGHT_EDIT, .party = 1 };
    return RC_OK;
}

const struct gate_source world_editor = { .know = know_editor };
