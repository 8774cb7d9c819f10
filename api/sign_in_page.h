/*
 * sign_in_page.h - signing in and out, a question a page.
 */
#ifndef API_SIGN_IN_PAGE_H
#define API_SIGN_IN_PAGE_H

#include "api/sheet.h"
#include "server/http/route.h"
#include "server/identity/sign_in.h"

/* What a sign-in is entered with: read, and begun, on a worker. */
enum rc prepare_sign_in_page(struct work *w, struct request *rq);

enum rc get_sign_in_page(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_sign_in_page(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_sign_in_phone(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_sign_in_code(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_sign_in_password(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_sign_in_factor(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_sign_in_passkey(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_sign_in_step(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_sign_in_done(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_sign_out_page(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_sign_out_page(struct work *w, const struct request *rq, struct reply *rp);

/*
 * On to what comes next, or in. `before`: who the browser was until now; `who`: the phone or the name that was entered, "" if neither. Not for REFUSED and
 * CODE.
 */
enum rc sign_in_page_go(struct sheet *s, const struct actor *before, const char *who,
                        const struct sign_in_result *r);

#endif
