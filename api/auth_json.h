/*
 * auth_json.h - what several routes of accounts read and write in the same way.
 */
#ifndef API_AUTH_JSON_H
#define API_AUTH_JSON_H

#include <jansson.h>

#include "server/base/jx.h"
#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/identity/sign_in.h"

/* The body, checked. */
enum rc auth_read_body(struct work *w, const struct request *rq, const struct jx_field *fields,
                       json_t **out);
/* Bytes in base64url; absent: p NULL. RC_INVALID names "/WITHIN/NAME". */
enum rc auth_read_bytes(struct work *w, const json_t *o, const char *within, const char *name,
                        struct passkey_bytes *out);
/*
 * What a browser's PublicKeyCredential.toJSON() gives, under the member `name`: of a sign-in, or of a registration. Absent: p NULL.
 */
enum rc auth_read_signed(struct work *w, const json_t *body, const char *name,
                         struct factor_signed *out);
enum rc auth_read_attestation(struct work *w, const json_t *body, const char *name,
                              struct factor_proof *out);
/* 1 to 80 bytes on one line; "未命名的设备" if there is none. */
enum rc auth_read_device(struct work *w, const json_t *body, const char **out);

/* "challenge":"…" and what else navigator.credentials.get() wants. `account` 0: any passkey. */
enum rc auth_put_request(struct work *w, struct buf *b, const struct slip *s, int64_t account);
/* {"step":…}: what is to come, or the tokens. */
enum rc auth_put_step(struct work *w, struct buf *b, const struct sign_in_result *r);
/*
 * A refusal that must be committed: the answer to it, as problem+json, noted for the audit log. `route`: a literal; `account`: whose it
 * was claimed to be, 0 if it is nobody's. Returns RC_OK.
 */
enum rc auth_refuse(struct work *w, const char *route, const struct sign_in_result *r,
                    struct reply *rp);
void auth_retry_after(struct work *w, struct reply *rp, int64_t seconds);
/* `who` signed in so lately that he may change what he signs in with: RC_UNAUTHORIZED, and the header that says so (RFC 9470). */
enum rc auth_need_fresh(struct work *w, struct reply *rp);

#endif
