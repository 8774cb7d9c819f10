/*
 * visit_json.h - an exchange as JSON: what came, and what is answered.
 */
#ifndef API_VISIT_JSON_H
#define API_VISIT_JSON_H

#include "server/citizen/visit.h"

/* The body of a request, checked: all but what is each mutation's own to be refused for. */
enum rc visit_parse(struct work *w, const char *text, size_t n, struct visit *out);
void visit_print(struct buf *b, const struct visited *v, int64_t poll);

#endif
