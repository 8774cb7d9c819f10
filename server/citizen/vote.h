/*
 * vote.h - 有用, 没用: how many say so of an item, and never who.
 *
 * A vote is an entry of its owner's state (type `vote`), and what is counted are the entries themselves, in an index that holds nothing else: whoever changes his mind, takes it back, is erased, or signs in
 * as somebody who has voted already, the numbers are right without anybody's doing.
 */
#ifndef CITIZEN_VOTE_H
#define CITIZEN_VOTE_H

#include "server/base/id.h"
#include "server/base/work.h"

enum { VOTE_PAGE_MAX = 500 };

struct vote {
    const char *item; /* its UUID */
    const char *title;
    int64_t useful, useless;
};
/* Those most called useless first, or of one item alone (NULL: all). Only what stands at sites where the actor may see drafts. */
enum rc vote_list(struct work *w, const struct id *item, int most, struct vote **out, int *n);

#endif
