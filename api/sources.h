/*
 * sources.h - where this server asks by itself for what others publish, for staff (docs/ingest.md).
 */
#ifndef API_SOURCES_H
#define API_SOURCES_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_sources(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_source(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_source(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_source_pull(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_source(struct work *w, const struct request *rq, struct reply *rp);

#endif
