#include "tests/lib/socket_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/http/edge.h"

enum { LOOPS = 2 };

atomic_int socket_world_held, socket_world_calls;

static enum rc hello(struct work *w, const struct request *rq, struct reply *rp)
{
    reply_body(rp, TYPE_TEXT, rq->tls ? "tls" : w->who.name, rq->tls ? 3 : strlen(w->who.name));
    return RC_OK;
}

static enum rc slow(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w, (void)rq;
    socket_world_calls++;
    while (socket_world_held)
        usleep(1000);
    reply_body(rp, TYPE_TEXT, "slow", 4);
    return RC_OK;
}

static enum rc large(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    reply_body(rp, TYPE_BYTES, arena_zalloc(w->mem, 3 << 20), 3 << 20);
    return RC_OK;
}

static const struct route table[] = {
    { GET, "/hello", RIGHT_READ, ON_LOOP, 0, NULL, 0, hello, NULL, "", "", NULL },
    { GET, "/cached", RIGHT_READ, ON_WORKER, R_CACHED, NULL, 0, hello, NULL, "", "", NULL },
    { GET, "/large", RIGHT_READ, ON_WORKER, R_CACHED, NULL, 0, large, NULL, "", "", NULL },
    { GET, "/slow", RIGHT_READ, ON_WORKER, 0, NULL, 0, slow, NULL, "", "", NULL },
    { POST, "/hello", RIGHT_READ, ON_WORKER, 0, NULL, 1000, hello, NULL, "", "", NULL },
    { 0 },
};

void socket_world_open(struct sockets *out)
{
    static const struct conf_list urls = {
        3, { "https://127.0.0.1:0", "http://127.0.0.1:0", "https://[::]:0" }
    };
    struct err e = { 0 };

    if (sockets_open(&e, &urls, LOOPS, NULL, out))
        fail_msg("%s", e.text);
}

struct server_conf socket_world_conf(const struct socket_world *b)
{
    return (struct server_conf){ .sockets = &b->sockets,
                                 .admin = b->admin,
                                 .tls_cert = "",
                                 .tls_key = "",
                                 .keys_dir = b->keys,
                                 .body_max = 1 << 20 };
}

int socket_world_set_up(void **state)
{
    struct socket_world *b = calloc(1, sizeof *b);
    struct err e = { 0 };
    struct server_conf conf;

    socket_world_held = socket_world_calls = 0;
    if (!getenv("TJZW_TEST_LOG"))
        log_set_fd(-1);
    snprintf(b->dir, sizeof b->dir, "/tmp/tjzw-socket-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    snprintf(b->admin, sizeof b->admin, "%s/admin.sock", b->dir);
    snprintf(b->keys, sizeof b->keys, "%s/keys", b->dir);
    snprintf(b->ca, sizeof b->ca, "%s/tls-cert.pem", b->keys);
    assert_int_equal(pool_new(&e, 2, SOCKET_WORLD_QUEUE, NULL, NULL, &b->pool), RC_OK);
    routes_set(table);
    edge_init(&(struct edge_conf){ .pool = b->pool, .cache_size = 16 << 20 });
    socket_world_open(&b->sockets);
    conf = socket_world_conf(b);
    if (server_open(&e, &conf, &b->server))
        fail_msg("%s", e.text);
    server_run(b->server);
    *state = b;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

int socket_world_tear_down(void **state)
{
    struct socket_world *b = *state;

    socket_world_held = 0;
    if (b->server)
        assert_true(server_stop(b->server, 20000));
    pool_free(b->pool);
    server_free(b->server);
    assert_int_equal(metric_get(METRIC_connections), 0);
    nftw(b->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(b);
    return 0;
}
