/*
 * params.h - checks what a request says against what its route declares, before the handler
 * sees it.
 */
#ifndef HTTP_PARAMS_H
#define HTTP_PARAMS_H

#include "server/base/buf.h"
#include "server/http/route.h"
#include "server/http/target.h"

/*
 * Fills rq->args and rq->nargs, one for each declared parameter in the table's order; texts are
 * copied to `mem`. RC_INVALID names the parameter in err.field: unknown, given twice, of the
 * wrong type, out of range. The query of an R_FORM route is its handler's to read.
 */
enum rc params_fill(struct err *e, struct arena *mem, const struct route *r,
                    const struct target *t, struct request *rq);
/* The target with its query in the table's order and in its plainest spelling, the same for all
 * that mean the same: what the cache knows the answer by. After params_fill(). */
void params_key(const struct route *r, const char *raw, size_t n, const struct request *rq,
                struct buf *out);

#endif
