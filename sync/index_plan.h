/*
 * index_plan.h - what a build of the index is going to do: which objects stay, which are made
 * again, which are merged. For index.c.
 */
#ifndef SYNC_INDEX_PLAN_H
#define SYNC_INDEX_PLAN_H

#include "server/base/id.h"
#include "server/base/work.h"
#include "sync/live.h"
#include "sync/recipe.h"

/* What becomes bases: the items first ... last, in objects of about `target` bytes. */
struct region {
    uint64_t first, last;
    uint64_t target;
    bool open;     /* the end of the log: what does not fill an object stays in layers */
    uint64_t rest; /* about how many bytes are still to come */
};

/* An item that changed since the index before. */
struct delta {
    uint64_t born, bytes, before; /* of its newest record, and of the one it had; 0: none */
};

/* A part of a new layer. */
struct piece {
    struct part part;
    struct entry *entry; /* ascending by born */
    size_t n;
};

struct parts {
    struct part *p;
    size_t n, room;
};

struct build {
    struct arena *mem;
    uint64_t seq, since;      /* S, and that of the index before; 0: none */
    uint64_t items;           /* born below it */
    bool hurry;               /* heads wait, or soon will */
    bool urgent;              /* something was purged: only what must go is made again */
    bool overtaken;           /* it should have been in a hurry, or urgent: plan again */
    bool left;                /* there is more to do at leisure */
    bool changed;             /* the index will not be the one before */
    struct parts base, layer; /* of the new index: what stays, then what was built */
    struct parts again;       /* to be made again by their recipes */
    struct region *region;
    struct delta *delta; /* ascending by born */
    struct piece *piece;
    size_t agains, regions, deltas, pieces;
    /* Seq of the newest purge that objects wait for, when it was planned and as of this step; 0: none. */
    uint64_t planned_cut, cut;
    const atomic_bool *yield; /* set when it is overtaken in the middle of a step */
    size_t at; /* step: agains, then regions, then the layers' plan, then pieces */
    bool layered;
};

/* The stream's row, as a snapshot shows it. */
struct stream_now {
    uint64_t seq, born, index_seq;
    uint8_t index[HASH_BYTES];
    size_t index_n;
};

enum rc plan_stream(struct work *w, struct live *l, struct stream_now *out);
/* The log runs so far ahead of the index that heads wait, or soon will. */
bool plan_in_hurry(const struct stream_now *now);

/* Fills a zeroed build that has its arena, which is also w's. Inside a snapshot. */
enum rc plan_make(struct work *w, struct live *l, struct build *b);
/* After the bases: which layers become one, and what is in it. Inside a snapshot; w has the
 * build's arena. */
enum rc plan_layers(struct work *w, struct live *l, struct build *b);
void parts_add(struct build *b, struct parts *to, const struct part *p);
void parts_sort(struct parts *bases); /* by born */
/* The base that holds an item, or `n`; bases ascend. */
size_t parts_of(const struct parts *bases, uint64_t born);
/* Whether the finished, sorted build has small neighbours that are better joined. */
bool plan_untidy(const struct build *b);

#endif
