/*
 * ask_flow.h - a program's request as far as it has come; for ask.c and the authorization endpoint.
 */
#ifndef API_ASK_FLOW_H
#define API_ASK_FLOW_H

#include "api/ask.h"

struct ask_flow {
    int64_t since;       /* when it first came, in seconds; INT64_MAX: now */
    bool just_consented; /* the person has said yes to this very request */
    struct grant_client client;
    struct authorize a;
    struct grant_person person; /* only if somebody is signed in */
    enum authorize_next next;
    const char *error; /* AUTHORIZE_REFUSE: what its program is told; w->err says why */
};

/* Who sits before the browser; false: nobody, or a program. */
bool ask_person(const struct work *w, struct grant_person *out);
/* RC_INVALID: the answer may not go to the program, whoever that is. */
enum rc ask_flow_read(struct work *w, const char *query, size_t n, struct ask_flow *f);
/* Where the browser goes with the error. */
const char *ask_flow_refuse(struct work *w, const struct ask_flow *f);
/* On the writer: a code is made. */
enum rc ask_flow_code(struct work *w, const struct ask_flow *f, const char **location);

#endif
