/*
 * auth.h - signing in by JSON: docs/protocol/auth.md.
 */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum { AUTH_BODY_MAX = 16 * 1024 }; /* a passkey's attestation has some KB */

enum rc post_auth_code(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_auth_passkey(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_sign_in(struct work *w, struct request *rq);
enum rc post_sign_in(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_refresh(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_sign_out(struct work *w, const struct request *rq, struct reply *rp);

#endif
