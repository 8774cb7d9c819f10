/*
 * work.h - one piece of work: a request, a job, a test. Everything it allocates and everything
 * it may do hangs here.
 */
#ifndef BASE_WORK_H
#define BASE_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/err.h"

struct db;

enum right {                         /* bits of struct actor.rights */
             RIGHT_READ = 1 << 0,    /* what everybody may read */
             RIGHT_IMPORT = 1 << 1,  /* put records into the library */
             RIGHT_EDIT = 1 << 2,    /* create and edit sites, columns, items */
             RIGHT_PUBLISH = 1 << 3, /* publish, withdraw, move */
             RIGHT_OPERATE = 1 << 4, /* backup, keys, metrics */
             RIGHT_ALL = (1 << 5) - 1,
};

struct actor {
    char name[64]; /* "public", "operator", "token:LABEL": goes to the journal of what was done
                    */
    unsigned rights; /* of enum right */
};

struct work {
    struct arena *mem;
    struct db *db;    /* this thread's connection; NULL on a loop thread */
    struct actor who; /* whose rights apply */
    struct err err;
    char request[33]; /* request id in hex, "" outside a request */
    struct commit_hook
        *after; /* run after COMMIT, before the answers (server/store/writer.h) */
};

void work_init(struct work *w, struct arena *mem, struct db *db, const char *who,
               unsigned rights);
/* RC_FORBIDDEN, with a sentence that names the right, unless the actor has it. */
enum rc work_need(struct work *w, enum right right);
const char *right_name(enum right right);
/*
 * Runs fn(arg) on the writer thread after the COMMIT that makes this work durable, and never if
 * it is rolled back. The place for whatever changes shared memory. Only inside a writer job;
 * arg must live in w->mem.
 */
void work_after_commit(struct work *w, void (*fn)(void *), void *arg);
struct commit_hook {
    struct commit_hook *next;
    void (*fn)(void *);
    void *arg;
};
void work_committed(struct work *w); /* the writer calls it: runs and forgets the hooks, first
                                        registered first */

#endif
