/*
 * websub_save.h - what came of deliveries and questions, on its way into the database: one job of the writer at a time.
 */
#ifndef WEBSUB_SAVE_H
#define WEBSUB_SAVE_H

#include <stdatomic.h>

#include "server/store/writer.h"
#include "server/websub/websub_book.h"

enum { SAVE_SUBS = 512, SAVE_ASKS = 128 };

/* A question to a callback. Its own arena. */
enum ask_state {
    ASK_WAITS,
    ASK_FLIES,
    ASK_YES,
    ASK_NO,
    ASK_DENIED /* we refuse: there is no such feed */
};

struct ask {
    struct ask *next;
    struct arena *mem;
    struct websub_ask of;
    struct host *host;
    enum ask_state state;
    struct websub_place place; /* where the feed stood when the callback was asked */
};

struct save_sub { /* as it was when the job was made */
    struct sub *sub;
    int64_t no, again_ms;
    struct websub_place place;
    unsigned failures;
    bool over, denied; /* denied: over, and he is told so */
};

struct save_ask {
    struct ask *ask;
    enum ask_state state;
    struct websub_row row; /* ASK_YES of a subscription: what came of it; no 0: nothing */
};

struct save {
    struct writer_job job;
    struct work w;
    struct arena *mem;
    struct save_sub subs[SAVE_SUBS];
    struct save_ask asks[SAVE_ASKS];
    int nsubs, nasks;
    atomic_bool done;
};

struct save *save_new(void);
void save_free(struct save *s); /* accepts NULL */
/* False: the writer takes none. When it is done, `done` is set and `stir` called. */
bool save_submit(struct save *s, void (*stir)(void *));

#endif
