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
};

/* Of all transports, in the order of their numbers, by the limits of the day on which it starts. */
enum rc campaign_fits(struct work *w, const struct campaign *c,
                      struct campaign_fit out[TRANSPORT_COUNT], int *n);
/* RC_INVALID, naming the field and the transport, for one that is on and has no room. */
enum rc campaign_fit_check(struct work *w, const struct campaign *c);

#endif
