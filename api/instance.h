/*
 * instance.h - what the handlers must know of the server they run in. Set once, before the
 * first request; read by every thread.
 */
#ifndef API_INSTANCE_H
#define API_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/buf.h"
#include "server/http/request.h"
#include "server/library/preview.h"

struct instance {
    int64_t stream;         /* number of this server's own stream */
    const char *name;       /* what citizens call this service; NULL: 天津政务 */
    const char *public_url; /* as configured: "https://example.cn"; "": not said */
    const char *origin; /* what stands before a path: the public URL, else where we listen */
    const char *dir;    /* the data directory */
    struct preview_key preview;
    bool demo;           /* the pages say so */
    bool (*ready)(void); /* for /readyz; NULL: always */
};

void instance_set(
    const struct instance *in); /* copies the struct; what it points at must stay */
const struct instance *instance(void);
/* The stream that examples and the home page speak of: our own, on an edge the first that is mirrored; without any, one
 * called "main" at seq 0. */
struct stream;
enum rc instance_stream(struct work *w, struct stream *out);

/* Appends the absolute URL of `path`. It is the same for everybody who asks: what is kept for
 * others, or sent to them, must not depend on a Host that anybody can make up. */
void instance_url(struct buf *out, const char *path);
/* Appends "https://example.cn" as whoever asks reaches us: without a public URL, by their Host.
 * Only for what nobody else gets. */
void instance_asked(struct buf *out, const struct request *rq);

#endif
