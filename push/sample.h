/*
 * sample.h - some of whom a campaign reaches, masked, so that whoever writes or approves it sees that the audience is the one he means.
 */
#ifndef PUSH_SAMPLE_H
#define PUSH_SAMPLE_H

#include "push/campaign.h"

enum { SAMPLE_MOST = 5, SAMPLE_LEAST_OF = 20 };

struct sample_person {
    const char *hint, *area; /* "138****1234", "120101"; NULL: not known */
    enum transport by;
};
/* In w->mem; the same ones as long as the campaign's hash is. Of fewer than SAMPLE_LEAST_OF devices none is shown: an audience of one would be a question about him. */
enum rc sample(struct work *w, const struct campaign *c, struct sample_person **out, int *n);

#endif
