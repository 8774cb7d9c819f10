/*
 * index_plan.h - what a build of the index is going to do: which objects stay, which ranges are
 * made again. For index.c.
 */
#ifndef SYNC_INDEX_PLAN_H
#define SYNC_INDEX_PLAN_H

#include "server/base/id.h"
#include "server/base/work.h"
#include "sync/live.h"
#include "sync/wire.h"

/* What is to be built: the items first ... last, in objects of about `target` bytes. */
struct region {
    uint64_t first, last;
    uint64_t target;
};

struct build {
    struct arena *mem;
    uint64_t seq;               /* S */
    bool hurry;                 /* heads wait, or soon will */
    bool overtaken;             /* a build at leisure that found a hurry: plan again */
    struct wire_object *object; /* the new index, ascending: what stays, then what was built */
    size_t objects, object_room;
    struct region *region;
    size_t regions, at; /* `at` is being built */
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

/* Fills a zeroed build that has its arena. Inside a snapshot. */
enum rc plan_make(struct work *w, struct live *l, struct build *b);
/* Adds an object to the new index, in any order. */
void build_keep(struct build *b, const struct wire_object *o);
/* Whether the finished, sorted build has small neighbours that are better joined. */
bool plan_untidy(const struct build *b);

#endif
