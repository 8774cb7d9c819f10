/*
 * letter_staff.h - what those do who answer letters: people with the right `letters`, and a unit's own system by a party's key.
 *
 * The right is given for a site, and is good for letters to the organisation whose site it is; everywhere, for all. Who has it everywhere (the letters
 * office) sees who wrote a letter whose writer is hidden; the unit does not.
 */
#ifndef CITIZEN_LETTER_STAFF_H
#define CITIZEN_LETTER_STAFF_H

#include "server/citizen/letter.h"

/* RC_FORBIDDEN unless the actor may handle letters of this organisation. */
enum rc letter_may(struct work *w, int64_t unit);
/* The only organisation that the actor may handle letters of; 0: all. RC_FORBIDDEN: none; RC_INVALID: more than one, which names `unit`. */
enum rc letter_own_unit(struct work *w, int64_t *unit);
/* Whether the actor is shown who wrote it. */
bool letter_shows_writer(const struct work *w, const struct letter *l);

/*
 * A program does this with a letter, which is its writer's: party_reach(). Its sandbox then says which letter it was, under his account, and nothing of what
 * stands in it.
 */
enum rc letter_reach(struct work *w, const struct letter *l, const char *what);

/* With the verb: what it needs beside the letter. */
struct letter_order {
    const char *text; /* NULL: none */
    int64_t unit;     /* transfer: to which organisation; 0: none was named */
    int64_t clerk;    /* assign: to whose account; 0: to the unit */
    int64_t draft; /* review: the step that was read, as the letter has it; 0: none was named */
    int64_t days;  /* extend: working days; 0: as many as there may be */
    bool complex;  /* accept, assign, begin: it is a complex one and takes longer */
};

/*
 * On the writer. RC_NOT_FOUND, RC_FORBIDDEN; RC_CONFLICT: where it stands, the verb is not to be had, or somebody else must do it (who drafted an
 * answer does not review it); RC_INVALID names the member.
 */
enum rc letter_do(struct work *w, const char *name, enum letter_verb verb,
                  const struct letter_order *o, struct letter *out);

#endif
