/*
 * websub_hub.h - the thread that verifies who subscribes and tells subscribers what is new in a feed (docs/feeds.md, WebSub).
 *
 * What a document is, api/ knows: it hands that in. Requests go through the outbound thread (server/http/client.h); what came of them is written by the writer.
 */
#ifndef WEBSUB_HUB_H
#define WEBSUB_HUB_H

#include "server/websub/websub_table.h"

/* A document for who stands at a place. */
struct websub_document {
    const char *type, *bytes; /* in w->mem, or for ever; bytes NULL: there is nothing to say */
    size_t n;
    struct websub_place upto; /* where who has it stands */
};

struct websub_feeds {
    /* Where the feed of that path stands. RC_NOT_FOUND: there is none (any more); RC_BUSY: it is not known now. */
    enum rc (*place)(struct work *w, const char *path, struct websub_place *out);
    /* What is new in it since then, or all of it. */
    enum rc (*make)(struct work *w, const char *path, const struct websub_place *since,
                    struct websub_document *out);
    /* Adds the absolute URL of a path. */
    void (*url)(struct buf *out, const char *path);
};

struct websub_conf {
    const char *db_path;
    const struct websub_feeds *feeds; /* lives on */
    bool private_net; /* callbacks may lie in our own network; else at public addresses alone */
};

/* After the writer, derived.db and the outbound client. */
enum rc websub_start(struct err *e, const struct websub_conf *c);
/* After client_stop(), while the writer runs: what was answered is written. Accepts not having been started. */
void websub_stop(void);

/* Somebody asked the hub for something; after the COMMIT, on any thread (a hook of work_after_commit()). */
void websub_stir(void *unused);
/* Subscriptions there are. Any thread. */
int64_t websub_count(void);

#endif
