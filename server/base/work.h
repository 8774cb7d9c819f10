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
#include "server/base/metric.h"
#include "server/base/right.h"

struct db;
struct reached;

enum party_kind {
    PARTY_NONE,
    PARTY_TEST,
    PARTY_TEAM,
    PARTY_LIVE
}; /* server/identity/party_reach.h: whom each reaches */

/* What is allowed at one site, beside what is allowed everywhere. */
struct scope {
    int64_t site;
    unsigned rights;
};

struct actor {
    char name
        [64]; /* "public", "operator", "account:7", "party:heping": goes to the journal of what was done */
    unsigned rights;            /* of enum right: everywhere */
    const struct scope *scopes; /* one a site; they live as long as the work */
    int nscopes;
    int64_t account, session; /* who has signed in, and by which device; 0: nobody */
    int64_t
        person; /* who acts for that account; 0: nobody but its owner (server/identity/acting.h) */
    uint64_t
        machine; /* the device of staff he asks from (server/identity/staff_device.h); 0: none */
    unsigned barred;      /* … and the rights that he has, and not there */
    int level;            /* acr 1 to 4: how well it is known who that is; 0: not at all */
    int64_t party, key;   /* a program, and the key it came with; 0: none */
    enum party_kind kind; /* of the program */
    bool operator;        /* who has the admin socket */
};

extern const struct actor actor_public, actor_operator;

/* What the audit log shall say of this work besides who did what: a name of our own, and a number or a word. */
struct fact {
    const char *name, *word; /* word NULL: the number counts */
    int64_t number;
};

enum { WORK_FACTS = 8 };

struct work {
    struct arena *mem;
    struct db *db; /* this thread's connection; NULL on a loop thread */
    struct db *
        derived; /* the one to what is derived from the log (server/derived/derived.h); NULL until it is asked for */
    struct actor who; /* whose rights apply */
    struct err err;
    const char *client; /* address of who asks, as text; NULL or "": nobody outside */
    struct fact facts[WORK_FACTS];
    int nfacts;
    bool
        tried; /* for a program's sandbox: what this does is taken back before the COMMIT (server/identity/party_reach.h) */
    struct reached *reached; /* … and whom it would have reached, the newest first */
    char request[33];        /* request id in hex, "" outside a request */
    struct commit_hook
        *after;         /* run after COMMIT, before the answers (server/store/writer.h) */
    struct arena *kept; /* while a part runs: the memory of the whole */
};

void work_init(struct work *w, struct arena *mem, struct db *db, const char *who,
               unsigned rights);
/*
 * Of work that does many things one after the other, one: w->mem is an arena of its own until work_part_done(), so that a thousand of them take no more than one.
 * What is to outlive it is copied into work_kept(). Parts have no parts.
 */
void work_part(struct work *w);
void work_part_done(struct work *w);
struct arena *work_kept(const struct work *w);
enum { EVERYWHERE = 0 }; /* in the place of a site */

/* Whether the actor has one of `rights` at the site; actor_has(): at any site, or everywhere. */
bool actor_has(const struct actor *who, unsigned rights);
bool actor_has_at(const struct actor *who, unsigned rights, int64_t site);
/*
 * Why he may not do that: RC_UNLISTED if it is the device that he asks from, else RC_FORBIDDEN. `where`: what the sentence ends with.
 */
enum rc actor_lacks(struct err *e, const struct actor *who, unsigned rights, const char *where);
int64_t actor_person(
    const struct actor *who); /* the account of the human being who did sign in */
/*
 * RC_FORBIDDEN, with a sentence that names them, unless he has one of `rights`. Whoever knows which site it is about asks
 * with it; what is of no site, or makes one, wants the right EVERYWHERE.
 */
enum rc work_need(struct work *w, unsigned rights);
enum rc work_need_at(struct work *w, unsigned rights, int64_t site);
/* `name` is a literal; `word` lives as long as the work, and is letters, digits and ._:,/- only. */
void work_fact(struct work *w, const char *name, int64_t number);
void work_fact_word(struct work *w, const char *name, const char *word);
void work_forget_facts(struct work *w);
/*
 * Runs fn(arg) on the writer thread after the COMMIT that makes this work durable, and never if
 * it is rolled back. The place for whatever changes shared memory. Only inside a writer job;
 * arg must live in work_kept().
 */
void work_after_commit(struct work *w, void (*fn)(void *), void *arg);
void work_count(struct work *w, enum metric m, int64_t n); /* a metric, likewise */
struct commit_hook {
    struct commit_hook *next;
    void (*fn)(void *);
    void *arg;
};
void work_committed(struct work *w); /* the writer calls it: runs and forgets the hooks, first
                                        registered first */

#endif
