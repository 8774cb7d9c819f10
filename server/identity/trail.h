/*
 * trail.h - the audit trail: how its log begins with the process, is signed, forgets what is old enough, and ends.
 */
#ifndef IDENTITY_TRAIL_H
#define IDENTITY_TRAIL_H

#include "server/base/work.h"

enum { AUDIT_KEEP_DAYS = 366 /* 互联网政务应用安全管理规定, art. 20: at least a year */ };

/* Before writer_start(): the tick. RC_INVALID: `keep_ms` is shorter than the law allows. */
enum rc trail_open(struct err *e, int64_t keep_ms);
/* After it: the keys, and what a crash or a restore left is put in order. `serves`: the start is written down, as of a server that others reach. */
enum rc trail_begin(struct err *e, const char *data, bool sm2, bool serves);
/* Before writer_stop(): refusals that were only counted, and a last signature. */
void trail_finish(void);
void trail_close(void); /* after it */

/* Removes whole months that were kept their time, some thousand rows at once; *more: there are further ones. In a transaction. */
enum rc trail_prune(struct work *w, int64_t keep_seconds, bool *more);

#endif
