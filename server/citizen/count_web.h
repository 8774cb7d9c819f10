/*
 * count_web.h - pages that this server showed to browsers: held in memory for some seconds, then written together.
 *
 * A server that is killed forgets those seconds; what was once in the database stays.
 */
#ifndef CITIZEN_COUNT_WEB_H
#define CITIZEN_COUNT_WEB_H

#include "server/base/id.h"
#include "server/store/db.h"

/* Any thread; waits for nothing but a lock that is held for a moment. `client`: who asked, as a number that says nothing by itself. */
void count_web_seen(const struct id *item, uint64_t client);
/* On the writer, in a transaction: writes what was seen. The caller says by count_web_done() whether it was committed. */
enum rc count_web_write(struct work *w);
void count_web_done(bool written);
/* After the loops have ended: the last of it. */
void count_web_finish(void);

/* What one address reads of one item in a day counts so often; 0: always. Forgets all. */
void count_web_open(int64_t per_address);

#endif
