/*
 * acting.h - who may act for an organisation: a grant on record, given by somebody, until a day; and a person who does.
 *
 * He begins it from a session of his own, and gets another one, whose actor is the organisation's account and whose `person` is he. It ends
 * with what it was begun by, with the grant, and when it rests.
 */
#ifndef IDENTITY_ACTING_H
#define IDENTITY_ACTING_H

#include "server/base/work.h"

enum { ACTING_LONGEST = 3660 * 86400 }; /* seconds: ten years */

struct acting {
    int64_t person, organisation; /* accounts */
    const char *giver;            /* the name of the actor who gave it */
    int64_t since, until;         /* seconds */
};

/* On the writer. Given again, it is replaced, and begun anew. The giver is who the work is for. RC_NOT_FOUND, RC_INVALID. */
enum rc acting_give(struct work *w, int64_t person, int64_t organisation, int64_t until);
/* What is done by it ends too. RC_NOT_FOUND. */
enum rc acting_end(struct work *w, int64_t person, int64_t organisation);
/* RC_FORBIDDEN unless it is so now, and both accounts are open. */
enum rc acting_check(struct work *w, int64_t person, int64_t organisation);

struct session_tokens;
/*
 * On the writer: from the session that the work is of, or from the one that that was begun by. One session begins one at a time: what it
 * began before ends. `browser`: for a cookie. RC_FORBIDDEN.
 */
enum rc acting_begin(struct work *w, int64_t organisation, bool browser,
                     struct session_tokens *out);
/* Of a person, or of an organisation (the other one 0); what is over too. In w->mem. */
enum rc acting_list(struct work *w, int64_t person, int64_t organisation, struct acting **out,
                    int *n);
/* Of a person: those that are so now, both accounts being open. */
enum rc acting_now(struct work *w, int64_t person, struct acting **out, int *n);
enum rc acting_move(struct work *w, int64_t from, int64_t into);

#endif
