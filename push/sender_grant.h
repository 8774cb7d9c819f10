/*
 * sender_grant.h - by what a transport may send at the moment: kept in memory and in DATA/keys/push.N, so that a restart asks for none anew. Vendors punish who asks too often.
 */
#ifndef PUSH_SENDER_GRANT_H
#define PUSH_SENDER_GRANT_H

#include "push/vendor_part.h"
#include "server/base/id.h"

struct sender_grant {
    const struct vendor *vendor;
    const struct vendor_site *site;
    const char *data;  /* NULL: nowhere */
    struct arena *mem; /* of now; NULL: there is none */
    struct vendor_grant now;
    int64_t made;    /* seconds: when there was a new one last */
    int64_t refused; /* … when the vendor refused it; 0: he did not */
    int64_t asked;   /* … when it was asked for last */
    int failures;    /* in a row */
    bool asking;     /* its answer is on its way */
};

/* Reads the file, if it was written under the same settings. */
void grant_open(struct sender_grant *g, const struct vendor *v, const struct vendor_site *s,
                const char *data);
void grant_close(struct sender_grant *g);
/*
 * What may be sent with at `now`, NULL: nothing yet. Makes one if it can be made here and it is time. *ask: one is to be asked for now, grant_asked() and grant_told() follow.
 */
const char *grant_get(struct sender_grant *g, int64_t now, bool *ask);
void grant_asked(struct sender_grant *g, int64_t now);
void grant_told(struct sender_grant *g, const struct vendor_answer *a);
/* The vendor refused `text`. */
void grant_refuse(struct sender_grant *g, const char *text, int64_t now);
/* Seconds: before then there will be no other; 0: at once. */
int64_t grant_not_before(const struct sender_grant *g);

#endif
