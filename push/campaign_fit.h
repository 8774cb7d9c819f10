/*
 * campaign_fit.h - whether what a campaign shows has room at each transport.
 */
#ifndef PUSH_CAMPAIGN_FIT_H
#define PUSH_CAMPAIGN_FIT_H

#include "push/campaign.h"

/* Of one transport, with the sender and the way to opt out; 0 where there is no limit but the payload's. */
struct campaign_fit {
    enum transport by;
    int title, text;           /* characters that it shows */
    int title_most, text_most; /* that there is room for; 0: as many as the payload takes */
    int payload,
        payload_most; /* bytes of title and text; without what a vendor's own form adds */
    bool fits;
    const char *shows; /* its text, in w->mem, where that is another than the others show */
};

/* At most so many characters; an ellipsis stands for what is left out. In w->mem. */
const char *campaign_cut(struct work *w, const char *text, int most);
/*
 * As one transport shows it: where the sender and the way to opt out stand apart (transport.def), the text is without them, and cut to the room that there is, since a tap opens all of it. The
 * title is never cut: whoever writes it is told (campaign_fit_check()).
 */
void campaign_shown_at(struct work *w, struct campaign_shown *s, enum transport by,
                       enum push_class class, int32_t day);
/* Of all transports, in the order of their numbers, by the limits of the day on which it starts. */
enum rc campaign_fits(struct work *w, const struct campaign *c,
                      struct campaign_fit out[TRANSPORT_COUNT], int *n);
/* RC_INVALID, naming the field and the transport, for one that is on and has no room. */
enum rc campaign_fit_check(struct work *w, const struct campaign *c);

#endif
