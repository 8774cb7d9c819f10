/*
 * bulletin.h - a run that is no campaign's: a warning. Its number stands above RUN_BULLETINS, and what it says in its own row (campaign_said.h).
 */
#ifndef PUSH_BULLETIN_H
#define PUSH_BULLETIN_H

#include "push/campaign_said.h"
#include "push/run.h"

enum {
    BULLETIN_TITLE = 50, /* characters at most */
    BULLETIN_TEXT = 1000
};

struct bulletin {
    int64_t run; /* above RUN_BULLETINS */
    enum push_class class;
    const char *title, *text;
    const char *link;     /* "": a tap opens the application */
    const char *sender;   /* whose message it is */
    const char *collapse; /* vendor.h; those of one matter have the same */
    int64_t ttl;          /* seconds that it is tried */
};

/*
 * On the writer: from this COMMIT on it is sent to `audience` (canonical JSON) and to whoever may have got what the run `after` sent (0: none), which stops. Longer texts are cut.
 * RC_CONFLICT: there is such a run.
 */
enum rc bulletin_send(struct work *w, const struct bulletin *b, const char *audience,
                      int64_t after);
/* What it says, as that transport has room for it. */
void bulletin_fit(struct work *w, struct campaign_said *said, enum transport by);

#endif
