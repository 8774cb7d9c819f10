/*
 * run_receipt.h - what vendors tell later of messages that they took: delivered, clicked, dropped.
 *
 * A message carries a mark of its run, which the vendor gives back: it is signed by us, for a run and a transport, so that nobody can tell us of a run but who was sent its messages. What is told
 * becomes notes beside the outcomes (RUN_DELIVERED …), bits as they are: told twice, it counts once. Whoever was not sent to has no receipt.
 */
#ifndef PUSH_RUN_RECEIPT_H
#define PUSH_RUN_RECEIPT_H

#include "push/vendor.h"
#include "server/base/work.h"

enum { RUN_MARK = 44 }; /* letters of a mark at most, and a NUL */

/* RUN "." 22 letters of base64url. The process has loaded its seal keys. */
const char *run_mark(enum transport by, int64_t run, char out[RUN_MARK]);

/* On any thread: the run of each whose mark is ours, of the others 0. RC_FORBIDDEN: some have marks, and no mark is ours. */
enum rc run_receipts_check(struct err *e, enum transport by, struct vendor_receipts *list);
/* On the writer: notes those that have a run. *taken of them were of devices that were sent to. */
enum rc run_receipts(struct work *w, enum transport by, const struct vendor_receipts *list,
                     int *taken);

#endif
