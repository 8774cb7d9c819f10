/*
 * adopt.h - what one account has becomes another's: a guest who signed in, two accounts that became one.
 */
#ifndef CITIZEN_ADOPT_H
#define CITIZEN_ADOPT_H

#include "server/base/work.h"

/*
 * On the writer: everything of `from`, by the rules of the types, as if written now; where both have an entry of a type whose last writer wins, that of
 * `into` stays, and what is too many for it goes. Nothing is left of the state of `from`.
 */
enum rc adopt(struct work *w, int64_t from, int64_t into);

#endif
