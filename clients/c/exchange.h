/*
 * exchange.h - docs/protocol/state.md section 2 from the phone's side. Inside libtjzw only.
 */
#ifndef TJZW_EXCHANGE_H
#define TJZW_EXCHANGE_H

#include "clients/c/call.h"

/* Whether there is somebody to exchange for, or something to tell the server. */
bool exchange_wanted(struct tjzw *t);
/* When the next one of tjzw_background is due, by this device's clock; INT64_MAX: nobody is here. */
int64_t exchange_due(struct tjzw *t, int64_t now);
/* All of it, on a link that holds the lock. Adds to `out`; notes when it was and how it went. */
enum tjzw_code exchange_run(struct link *l, struct tjzw_sync_result *out, struct tjzw_error *e);

/* letter.c: the server's key of receipts, if there is one to verify and the key is not here. */
enum tjzw_code letter_fetch_key(struct link *l, const struct person *p, struct tjzw_error *e);
/* attach.c: uploads what waiting letters name. *any: some of them are ready now, or were given up. */
enum tjzw_code attach_upload(struct link *l, struct person *p, bool *any,
                             struct tjzw_sync_result *out, struct tjzw_error *e);

#endif
