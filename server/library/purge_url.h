/*
 * purge_url.h - URLs whose answers held what was taken down. They are remembered in the
 * takedown's own transaction until the caches in front of us were told
 * (server/channel/purge_hook.c). One that ends in * stands for all that begin so.
 */
#ifndef LIBRARY_PURGE_URL_H
#define LIBRARY_PURGE_URL_H

#include "server/base/work.h"

/* Whether anybody wants to know (setting purge_hook). Before the writer starts; off at first. */
void purge_url_watch(bool on);
bool purge_url_watched(void);
/* Remembers one path, "/v1/…". Only inside a writer job. */
enum rc purge_url_add(struct work *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

struct purge_batch {
    const char **urls; /* each once, oldest first, in w->mem */
    int n;
    int64_t last;   /* purge_url_done() takes it */
    int64_t oldest; /* seconds: when the first was remembered */
};
/* The oldest `most` of those that wait. */
enum rc purge_url_batch(struct work *w, int most, struct purge_batch *out);
/* Forgets all up to the batch's last. */
enum rc purge_url_done(struct work *w, int64_t last);
/* How many wait, and since when (0: none). */
enum rc purge_url_waiting(struct work *w, int64_t *n, int64_t *oldest);

#endif
