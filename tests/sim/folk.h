/*
 * folk.h - what belongs to people, and whether their phones and the server agree on it.
 */
#ifndef TESTS_SIM_FOLK_H
#define TESTS_SIM_FOLK_H

#include <jansson.h>

#include "tests/sim/sim.h"

struct folk *folk_new(void); /* a guest on each phone */

/* A phone's app wrote that ("" removes it); not certainly: the phone ended over it. */
void folk_wrote(struct sim *s, const struct device *p, const char *type, const char *key,
                const char *value, bool certainly);
int64_t folk_account(struct sim *s,
                     const struct device *p); /* 0: the server does not know him */
bool folk_is_guest(struct sim *s, const struct device *p);
/* He is about to sign in; to sign out. What came of it the next look tells. */
void folk_tries(struct sim *s, const struct device *p);
void folk_leaves(struct sim *s, const struct device *p, bool with_unsent);
void folk_restored(struct sim *s, bool before);
void folk_silent(struct sim *s); /* for so long that sessions may be over */
void folk_adopted(struct sim *s, const struct device *p); /* the server said so */
void folk_ends(struct sim *s, const struct device *p);    /* it has the server end a session */
bool folk_is_ending(struct sim *s, const struct device *p);
void folk_excuse(struct sim *s, const struct device *p); /* its session may be gone */
bool folk_is_excused(struct sim *s, const struct device *p);
/* An exchange was answered, and when the last one was. */
void folk_heard(struct sim *s, const struct device *p);
int64_t folk_contact(struct sim *s, const struct device *p);
/* It asks for an account as a guest. */
void folk_introduces(struct sim *s, const struct device *p);
/* A device of that name is heard of, and whose it is. */
void folk_device(struct sim *s, const struct device *p, const char *id);
int64_t folk_device_account(struct sim *s, const struct device *p, const char *id);
bool folk_device_is_guests(struct sim *s, const struct device *p, const char *id);
/* What came of a mutation of an entry. */
void folk_took(struct sim *s, const struct device *p, const char *device,
               const json_t *mutation, const json_t *result);
/* What a phone says and shows at any time; lines of type, key, value, with tabs between. */
void folk_look(struct sim *s, struct device *p, int64_t account, bool guest,
               const char *entries);
/* A line of them. False: there is none. */
bool folk_line(char **lines, const char **type, const char **key, const char **value);
/* How many may say that of an item, by what was written. */
void folk_votes(struct sim *s, const char *item, const char *value, int *least, int *most);
/* What it shows when all has been exchanged. of_owner: what phones of the same owner showed; one for each owner. */
void folk_settled(struct sim *s, struct device *p, const char *entries, char *of_owner[]);

#endif
