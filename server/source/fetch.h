/*
 * fetch.h - the thread that fetches what submissions name (submission_fetch.h), and asks sources (source_pull.h), one after the other; nobody waits for it.
 *
 * Requests go through the outbound thread, to public addresses alone unless `private_net`.
 */
#ifndef SOURCE_FETCH_H
#define SOURCE_FETCH_H

#include <stdbool.h>

#include "server/base/err.h"

struct fetch_conf {
    const char *db_path, *data; /* the data directory; both outlive the thread */
    bool private_net;           /* sources may lie in our own network */
};

/* After the writer and the outbound client. */
enum rc fetch_start(struct err *e, const struct fetch_conf *c);
/* After client_stop(), while the writer runs. Accepts not having been started. */
void fetch_stop(void);
/* Something is to be fetched: after the COMMIT, on any thread (a hook of work_after_commit()). */
void fetch_stir(void *unused);

#endif
