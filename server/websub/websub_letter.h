/*
 * websub_letter.h - a document for all who stand at the same place of a feed, made once. The hub's thread only.
 */
#ifndef WEBSUB_LETTER_H
#define WEBSUB_LETTER_H

#include "server/websub/websub_book.h"
#include "server/websub/websub_hub.h"

struct letter {
    struct letter *next;
    struct arena *mem;
    int users; /* who sends it, and one more while it is in the topic's list */
    struct websub_place from;
    struct websub_document document;
    char *type, *link; /* header lines */
};

/* Both outlive it. */
void letter_open(const struct websub_feeds *feeds, struct db *db);
/* Where the feed stands now. */
enum rc letter_place(const struct topic *t, struct websub_place *out);
/* NULL: it cannot be made now. Who keeps it counts himself in users and calls letter_drop(). */
struct letter *letter_for(struct topic *t, const struct websub_place *from);
void letter_drop(struct letter *l);
/* What is made from now on is made anew. */
void letter_forget(struct topic *t, void *unused);
bool letter_same(const struct websub_place *a, const struct websub_place *b);

#endif
