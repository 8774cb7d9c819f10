/*
 * server.h - the event loops: sockets, TLS, HTTP/2 and HTTP/1.1, and an orderly end.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "server/http/crowd.h"
#include "server/http/proxy.h"
#include "server/http/sockets.h"

struct server;

struct server_conf {
    const struct sockets
        *sockets; /* whose descriptors are the server's from then on; NULL: none */
    const char
        *admin; /* path of the admin socket: whoever can open it is the operator; NULL: none */
    const char *tls_cert, *tls_key; /* PEM files; both "": self-signed */
    const char *keys_dir; /* where the self-signed one stands, or a copy of the other */
    bool again;      /* one served before and died: if the pair is no good, the copy serves */
    size_t body_max; /* the largest body_max of any route; what is much longer is cut off by the
                        connection */
    struct crowd_conf crowd; /* no more connections than open files allow, whatever it says */
    struct networks trusted; /* proxies that are believed who their client is */
};

/*
 * One loop for each socket of a URL. After edge_init() (edge.h); nothing is accepted before server_run().
 * RC_CONFLICT: another server has the admin socket.
 */
enum rc server_open(struct err *e, const struct server_conf *conf, struct server **out);
/* Starts the loops, whose threads take no signals. Ignores SIGPIPE. Once. */
void server_run(struct server *s);
/* Reads the certificate and its key again, for connections to come. On an error the old ones stay. */
enum rc server_reload_tls(struct server *s, struct err *e);
/* Whether it began with the copy. */
bool server_tls_is_kept(const struct server *s);
/* When the certificate that is shown ends, and 0 if none is; of any thread. */
int64_t server_tls_end(const struct server *s);
/* How to reach it, in the order of the sockets. */
struct conf_list server_urls(const struct server *s);
/*
 * Accepts nothing any more, closes idle connections, finishes requests under way; what is still
 * open after the deadline is cut. False: a loop hangs, and the process had better end with
 * _exit(). Call it while the pool and the writer still run.
 */
bool server_stop(struct server *s, int64_t deadline_ms);
/* After server_stop() was true and the pool and the writer have ended; accepts NULL. */
void server_free(struct server *s);

#endif
