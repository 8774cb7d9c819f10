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
    const char *public_url; /* "https://example.cn", no slash at the end; "": taken from the
                               request's Host */
    const char *dir;        /* the data directory */
    struct preview_key preview;
    bool demo;           /* the pages say so */
    bool (*ready)(void); /* for /readyz; NULL: always */
};

void instance_set(
    const struct instance *in); /* copies the struct; what it points at must stay */
const struct instance *instance(void);

/* Appends "https://example.cn": how whoever asks reaches us. Not for R_CACHED answers, which
 * must not depend on Host. */
void instance_origin(struct buf *out, const struct request *rq);
/* For R_CACHED answers: the public URL before `path`, or `path` alone when none is set. */
void instance_url(struct buf *out, const char *path);

#endif
