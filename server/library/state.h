/*
 * state.h - the life of a revision: one table says which verb leads from which state to which,
 * and who may say it.
 */
#ifndef LIBRARY_STATE_H
#define LIBRARY_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/work.h"

enum state {
    STATE_DRAFT,
    STATE_IN_REVIEW,
    STATE_APPROVED,
    STATE_PUBLISHED,
    STATE_SUPERSEDED, /* a later revision took its place */
    STATE_WITHDRAWN,  /* 撤稿: by a person, with a reason */
    STATE_EXPIRED,    /* by the clock */
    STATE_GONE,       /* taken down with all earlier versions; final */
    STATE_COUNT
};

enum verb {
    VERB_SUBMIT,
    VERB_RETURN,
    VERB_APPROVE,
    VERB_PUBLISH,
    VERB_PURGE,     /* published, and with it all earlier revisions purged */
    VERB_EMERGENCY, /* published without the chain of review, with a reason that is audited */
    VERB_IMPORT,    /* published at once by an import that may publish */
    VERB_SUPERSEDE, /* said by the library when a later revision comes */
    VERB_WITHDRAW,
    VERB_EXPIRE,
    VERB_GONE,
    VERB_RESTORE, /* a new draft with the text of an earlier revision */
    VERB_COUNT
};

const char *state_name(enum state state);  /* "draft", "in_review" …: as stored */
const char *state_label(enum state state); /* "草稿" … */
int state_parse(const char *name);         /* -1 if unknown */
const char *verb_name(enum verb verb);
int verb_parse(const char *name); /* -1 if unknown */

/*
 * Where `verb` leads from `from`. RC_CONFLICT if the table has no such row, RC_FORBIDDEN if the
 * actor lacks the right at the item's site, RC_INVALID if the verb wants a reason and `reason` is NULL, empty or
 * not text of at most 500 characters.
 */
enum rc state_step(struct work *w, enum verb verb, int64_t site, enum state from,
                   const char *reason, enum state *to);

#endif
