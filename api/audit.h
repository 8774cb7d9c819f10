/*
 * audit.h - the audit log, for who may read it.
 */
#ifndef API_AUDIT_H
#define API_AUDIT_H

#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/http/route.h"

extern const struct param audit_params[], audit_note_params[];

enum rc get_audit(struct work *w, const struct request *rq, struct reply *rp);
/* A command tells of what it does without the server: it reads or writes the data directory itself. */
enum rc post_audit_note(struct work *w, const struct request *rq, struct reply *rp);

#endif
