/*
 * parties.h - programs of others: kept by a security administrator; their keys and their last requests, by their owners too.
 */
#ifndef API_PARTIES_H
#define API_PARTIES_H

#include "server/http/route.h"

enum { PARTY_BODY_MAX = 32 * 1024 };

extern const struct param party_params[], party_key_params[], party_request_params[];

enum rc get_parties(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_party(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_party(struct work *w, const struct request *rq, struct reply *rp);
enum rc patch_party(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_party_keys(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_party_key(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_party_key_rotate(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_party_key(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_party_requests(struct work *w, const struct request *rq, struct reply *rp);

#endif
