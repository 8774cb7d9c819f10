/*
 * factor_page.h - one's second factors as pages: an app with six digits, a passkey.
 */
#ifndef API_FACTOR_PAGE_H
#define API_FACTOR_PAGE_H

#include "api/sheet.h"
#include "server/http/route.h"
#include "server/identity/factor.h"

enum rc get_account_factors(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_factor_app(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_factor_passkey(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_factor_page(struct work *w, struct request *rq);
enum rc post_factor_page(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_factor_remove(struct work *w, const struct request *rq, struct reply *rp);

/* ---- for who is not an account yet, too (set_up_page.c) ---- */

/* Inside a form: the square to scan, the letters to type, the field for the first code. `name`: what the app calls it. */
enum rc factor_put_app(struct sheet *s, const struct slip *slip, const char *name,
                       const char *error);

#define FACTOR_WRONG_CODE                                                                                                         \
    "不是应用现在显示的数字。请确认扫的是这一页上的图，手机的时间是准的，再输入最新的 6 " \
    "位数字"

#endif
