/*
 * problem.h - how a failure is told: RFC 9457 problem+json for programs, a small page for
 * people.
 *
 * One table has a row for each kind of failure: status, the name that stands at the end of
 * `type` (/problems/NAME, stable for ever), and what its own page says. Pages are drawn by
 * api/, which knows what they look like: problem_set_page() for failures, problem_all() for
 * their explanations.
 */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "server/http/reply.h"

struct problem {
    enum rc rc;
    int status;
    const char *slug;            /* "not-found" */
    const char *title, *english; /* Chinese, English */
    const char *cause, *fix;     /* why, and what to do: Chinese, a sentence or two each */
};

/* Never NULL: what is not in the table is RC_INTERNAL. */
const struct problem *problem_of(enum rc rc);
const struct problem *problem_by_slug(const char *slug); /* NULL: unknown */
const struct problem *problem_all(int *n);

extern const char TYPE_PROBLEM[]; /* "application/problem+json" */

/*
 * The answer to a failure, with the members of rp->also. `e` gives the sentence ("" when the kind says all: an internal one
 * is never told to strangers) and the place of what is wrong, as `errors` says it by RFC 9457:
 *
 *     field "/title"     {"pointer":"#/title"}      a member of the body
 *     field "?n"         {"parameter":"n"}          of the path or the query
 *     field "If-Match"   {"header":"If-Match"}
 *
 * `request` is the request's id. Headers that rp
 * already has are kept: a 410 may point at what to fetch instead.
 */
void problem_reply(struct arena *mem, const struct problem *p, const struct err *e,
                   const char *request, bool page, struct reply *rp);

/* Draws the pages for people; without one they are bare. Once, before the first request. */
void problem_set_page(void (*draw)(const struct problem *p, const struct err *e,
                                   const char *request, struct buf *out));

#endif
