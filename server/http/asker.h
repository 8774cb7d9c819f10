/*
 * asker.h - who asks: the client behind whatever stands before us, and what his request says that is his own.
 */
#ifndef HTTP_ASKER_H
#define HTTP_ASKER_H

#include <stdbool.h>
#include <sys/socket.h>

#include <h2o.h>

#include "server/base/arena.h"
#include "server/http/proxy.h"
#include "server/http/request.h"

struct asker {
    struct sockaddr_storage client;
    bool proxied; /* the connection is a trusted proxy's */
};

struct asker asker_find(const h2o_req_t *req, struct arena *mem,
                        const struct networks *trusted);
/* "203.0.113.9", "2001:db8::1"; "local" on the admin socket. */
const char *asker_text(const struct asker *who, struct arena *mem);
/* Fills what a handler sees of him. `tls`: he came to us over TLS. */
void asker_tell(const struct asker *who, const h2o_req_t *req, bool tls, struct arena *mem,
                struct request *rq);
/* A header field, the first of its name; its base is NULL if there is none. */
h2o_iovec_t asker_header(const h2o_req_t *req, const char *name);

#endif
