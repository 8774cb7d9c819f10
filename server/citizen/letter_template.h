/*
 * letter_template.h - texts that staff of an organisation use again and again, by name.
 */
#ifndef CITIZEN_LETTER_TEMPLATE_H
#define CITIZEN_LETTER_TEMPLATE_H

#include "server/citizen/letter.h"

enum { LETTER_TEMPLATES_MAX = 200 };

struct letter_template {
    const char *name, *text;
};

/* All want the right `letters` for the organisation. In w->mem, by name. */
enum rc letter_template_list(struct work *w, int64_t unit, struct letter_template **out,
                             int *n);
/* On the writer: a new one, or another text for it. RC_CONFLICT: there are as many as there may be. */
enum rc letter_template_put(struct work *w, int64_t unit, const struct letter_template *t);
enum rc letter_template_drop(struct work *w, int64_t unit, const char *name); /* RC_NOT_FOUND */

#endif
