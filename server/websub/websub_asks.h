/*
 * websub_asks.h - what was asked of the hub and is verified: the callback is asked, and its word counts. The hub's thread only.
 */
#ifndef WEBSUB_ASKS_H
#define WEBSUB_ASKS_H

#include "server/websub/websub_flight.h"

/* `look`: where the topic stands now; false: that is not known, or there is none (topic->missing). All outlive it. */
void asks_open(const struct websub_feeds *feeds, struct db *db, bool (*look)(struct topic *t));
void asks_read(void); /* what is new in the table */
void asks_send(void); /* as many as may be under way */
void asks_landed(struct flight *f);
void asks_gather(struct save *save); /* what is decided */
/* It stands in the database. */
void asks_free(struct ask *a);
void asks_close(void);

#endif
