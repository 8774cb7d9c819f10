/*
 * sign_in_draw.h - the pages of a sign-in, with what was wrong.
 */
#ifndef API_SIGN_IN_DRAW_H
#define API_SIGN_IN_DRAW_H

#include "api/sheet.h"
#include "api/step.h"

/* What a page tells besides its question. All may be NULL. */
struct sign_in_wrong {
    const char *note;    /* why he is here: nothing is wrong */
    const char *field;   /* what is to be mended in its (last) field */
    const char *trouble; /* what is wrong with no field in particular, and the status it has */
    int status;
};

/* Where a code from a message is entered; `error`: what is wrong with it, or NULL. */
struct sheet_field sign_in_code_field(const char *error);
/* "Not received?": what to look at, `more` of it or NULL, and a button that asks `path` for another code to `phone`. */
void sign_in_put_again(struct sheet *s, const char *path, const char *phone, const char *more);

/* Why no code was sent, and what to do; the status that says the same. NULL: it is our own failure. */
const char *sign_in_not_sent(struct sheet *s, enum rc why, int64_t wait, int *status);

void sign_in_draw_phone(struct sheet *s, const char *phone, const struct sign_in_wrong *x);
/* The same while an upstream's word waits for it. */
void sign_in_draw_word(struct sheet *s, const char *phone, const char *ticket,
                       const struct sign_in_wrong *x);
void sign_in_draw_code(struct sheet *s, const struct step *at, const struct sign_in_wrong *x);
/* `at`: who has proved his phone already is not asked for his name; NULL: nobody has. */
void sign_in_draw_password(struct sheet *s, const struct step *at, const char *login,
                           const struct sign_in_wrong *x);
enum rc sign_in_draw_factor(struct sheet *s, const struct step *at,
                            const struct sign_in_wrong *x);
void sign_in_draw_passkey(struct sheet *s, const struct sign_in_wrong *x);

#endif
