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
             RIGHT_AUDIT = 1 << 5,   /* read the audit log */
             RIGHT_ALL = (1 << 6) - 1,
};

struct actor {
    char name[64]; /* "public", "operator", "token:LABEL": goes to the journal of what was done
                    */
    unsigned rights; /* of enum right */
};

/* What the audit log shall say of this work besides who did what: a name of our own, and a number or a word. */
struct fact {
    const char *name, *word; /* word NULL: the number counts */
    int64_t number;
};

enum { WORK_FACTS = 8 };

struct work {
    struct arena *mem;
    struct db *db;    /* this thread's connection; NULL on a loop thread */
    struct actor who; /* whose rights apply */
    struct err err;
    const char *client; /* address of who asks, as text; NULL or "": nobody outside */
    struct fact facts[WORK_FACTS];
    int nfacts;
    char request[33]; /* request id in hex, "" outside a request */
    struct commit_hook
        *after; /* run after COMMIT, before the answers (server/store/writer.h) */
};

void work_init(struct work *w, struct arena *mem, struct db *db, const char *who,
               unsigned rights);
/* RC_FORBIDDEN, with a sentence that names the right, unless the actor has it. */
enum rc work_need(struct work *w, enum right right);
const char *right_name(enum right right);
/* `name` is a literal; `word` lives as long as the work, and is letters, digits and ._:,/- only. */
void work_fact(struct work *w, const char *name, int64_t number);
void work_fact_word(struct work *w, const char *name, const char *word);
void work_forget_facts(struct work *w);
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
