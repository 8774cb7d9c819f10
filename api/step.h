/*
 * step.h - how far a browser has got with signing in: a cookie between two pages (visitor.h).
 *
 *     KIND "." base64url( who ) "." ticket [ "." factors ]
 *
 * It is the browser's own and proves nothing: what does is the ticket (server/identity/slip.h).
 */
#ifndef API_STEP_H
#define API_STEP_H

#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/identity/identifier.h"
#include "server/identity/word.h"

enum step_kind {
    STEP_CODE = 'c', /* its ticket: a word's, which the phone is proved for; or "" */
    STEP_PASSWORD = 'p',
    STEP_FACTOR = 'f',
    STEP_PHONE = 'n', /* a phone that is to be bound: phone_page.c */
    STEP_WORD = 'w'   /* an upstream's word is believed (word.h), and a phone is to be proved */
};

struct step {
    enum step_kind kind;
    char who[IDENTIFIER_TEXT];    /* the phone number or the name that was entered; "": none */
    char ticket[WORD_TICKET_MAX]; /* "": none */
    unsigned factors;             /* FACTOR: bits 1 << enum factor_kind */
};

void step_keep(struct work *w, const struct request *rq, struct reply *rp,
               const struct step *s);
void step_forget(struct work *w, const struct request *rq, struct reply *rp);
/* False: it is at none of this kind. */
bool step_find(struct work *w, const struct request *rq, enum step_kind kind, struct step *out);

#endif
