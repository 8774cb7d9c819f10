/*
 * factors.h - one's own second factors: docs/protocol/auth.md.
 */
#ifndef API_FACTORS_H
#define API_FACTORS_H

#include <jansson.h>

#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/identity/factor.h"

struct buf;
/* What a new factor is made of: a TOTP secret, or what navigator.credentials.create() wants. `subject`: the passkey's user. */
enum rc factors_put_offer(struct work *w, struct buf *b, const struct slip *s, const char *name,
                          const uint8_t *subject, size_t subject_n);
/* {"ticket":…,"name":…,"code":…} or "passkey" instead of "code". `at`: where it stands in the body, "" for the body itself. */
enum rc factors_read_proof(struct work *w, const json_t *o, const char *at,
                           struct factor_proof *out);
/* The member "kind". */
enum rc factors_read_kind(struct work *w, const json_t *body, enum factor_kind *out);

enum rc get_my_factors(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_my_factor_offer(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_my_factor(struct work *w, struct request *rq);
enum rc post_my_factor(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_my_factor(struct work *w, const struct request *rq, struct reply *rp);

#endif
