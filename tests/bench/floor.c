/*
 * floor.c - the least that an answer over TLS and HTTP/2 costs with libh2o: the floor that the
 * server's own numbers are held against.
 *
 *     floor PORT CERT KEY [LOOPS]        answers every request on 127.0.0.1:PORT with the same
 * 700 bytes, until it is killed
 *
 * Compiled with the server's flags and set up as the server sets up its loops: one context and
 * one listening socket a loop, made in the loop's own thread. No router, no guard, no cache, no
 * log.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>

enum { ANSWER = 700, ACCEPT_AT_ONCE = 16, LOOPS_MAX = 64 };

static char answer[ANSWER];
static h2o_globalconf_t global;
static SSL_CTX *tls;
static uint16_t port;

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    static h2o_generator_t whole;
    h2o_iovec_t body = h2o_iovec_init(answer, sizeof answer);

    (void)self;
    req->res.status = 200;
    req->res.reason = "OK";
    req->res.content_length = sizeof answer;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("text/plain"));
    h2o_start_response(req, &whole);
    h2o_send(req, &body, 1, H2O_SEND_STATE_FINAL);
    return 0;
}

static void on_accept(h2o_socket_t *listener, const char *error)
{
    h2o_accept_ctx_t *accept_ctx = listener->data;
    h2o_socket_t *s;

    if (error)
        return;
    for (int i = 0; i < ACCEPT_AT_ONCE && (s = h2o_evloop_socket_accept(listener)); i++)
        h2o_accept(accept_ctx, s);
}

static int listen_here(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, SOMAXCONN))
        err(1, "127.0.0.1:%d", port);
    return fd;
}

static void *run_loop(void *unused)
{
    h2o_context_t *ctx = calloc(1, sizeof *ctx);
    h2o_accept_ctx_t accept_ctx = { .ctx = ctx, .hosts = global.hosts, .ssl_ctx = tls };
    h2o_socket_t *listener;

    h2o_context_init(ctx, h2o_evloop_create(), &global);
    listener = h2o_evloop_socket_create(ctx->loop, listen_here(), H2O_SOCKET_FLAG_DONT_READ);
    listener->data = &accept_ctx;
    h2o_socket_read_start(listener, on_accept);
    for (;;)
        h2o_evloop_run(ctx->loop, INT32_MAX);
    return unused;
}

static void open_tls(const char *cert, const char *key)
{
    tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_use_certificate_chain_file(tls, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
        errx(1, "cannot use %s and %s", cert, key);
    h2o_ssl_register_alpn_protocols(tls, h2o_http2_alpn_protocols);
}

int main(int argc, char **argv)
{
    int loops = argc > 4 ? atoi(argv[4]) : 1;
    h2o_hostconf_t *host;
    h2o_handler_t *handler;
    pthread_t thread;

    if (argc < 4 || loops < 1 || loops > LOOPS_MAX)
        errx(2, "usage: floor PORT CERT KEY [LOOPS]");
    port = (uint16_t)atoi(argv[1]);
    memset(answer, 'x', sizeof answer);
    open_tls(argv[2], argv[3]);
    h2o_config_init(&global);
    host = h2o_config_register_host(&global, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    handler = h2o_create_handler(h2o_config_register_path(host, "/", 0), sizeof *handler);
    handler->on_req = on_request;
    for (int i = 1; i < loops; i++)
        if (pthread_create(&thread, NULL, run_loop, NULL))
            err(1, "thread");
    run_loop(NULL);
}
