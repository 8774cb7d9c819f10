/*
 * eyes.h - four eyes for a takedown, where the site asks for them: one asks, another one does it.
 */
#ifndef LIBRARY_EYES_H
#define LIBRARY_EYES_H

#include "server/library/item.h"

enum { EYES_FOR = 86400 }; /* seconds that a question stands */

struct eyes_ask {
    enum verb verb;
    int64_t rev; /* the published one */
    const char *actor, *behind, *reason;
    int64_t at; /* 0: nobody has asked */
};

/*
 * VERB_WITHDRAW or VERB_GONE by staff. Where one person is enough, or a second one confirms what another asked for within EYES_FOR, the item
 * is taken down (publish_end()), and out->asked stays false; else the question is written down, the item stays public, and it is true. The
 * reason may be NULL in a confirmation: then it is that of who asked. `emergency`: one person is enough, and the audit log says so; not for programs.
 */
struct eyes_done {
    bool asked;
    struct item item;
};
enum rc eyes_take_down(struct work *w, const struct id *id, enum verb verb, const char *reason,
                       bool emergency, struct eyes_done *out);
/* What is asked for now of what is published; at 0: nothing. */
enum rc eyes_asked(struct work *w, const struct item *it, struct eyes_ask *out);

/* RC_FORBIDDEN for who may not break the glass: a program. Else, after the act, a row of the audit log. */
enum rc emergency_check(struct work *w);
enum rc emergency_note(struct work *w, const struct id *id);

#endif
