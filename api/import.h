/*
 * import.h - records from elsewhere, over the network: a chunk of NDJSON lines at a time.
 */
#ifndef API_IMPORT_H
#define API_IMPORT_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum { IMPORT_BODY_MAX = 256 * 1024 };

enum rc prepare_import(struct work *w, struct request *rq); /* on a worker: parses and checks */
enum rc post_import(struct work *w, const struct request *rq, struct reply *rp);

#endif
