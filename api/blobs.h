/*
 * blobs.h - pictures and attachments by the hash of their bytes: everybody reads, importers
 * write.
 */
#ifndef API_BLOBS_H
#define API_BLOBS_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_blob(struct work *w, const struct request *rq, struct reply *rp);
enum rc put_blob(struct work *w, const struct request *rq, struct reply *rp);

/* Which piece the body is (Content-Range); without the field the whole. RC_INVALID. */
enum rc blobs_range(struct work *w, const struct request *rq, int64_t *offset, int64_t *size);

#endif
