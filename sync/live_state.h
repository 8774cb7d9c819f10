/*
 * live_state.h - the inside of struct live, for the modules of sync/ that make it, keep it or read
 * the log for it; nobody outside of sync/ includes it.
 */
#ifndef SYNC_LIVE_STATE_H
#define SYNC_LIVE_STATE_H

#include <pthread.h>

#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/store/writer.h"
#include "sync/cover.h"
#include "sync/index.h"
#include "sync/keys.h"
#include "sync/live.h"
#include "sync/tree.h"
#include "sync/wire.h"

/* What loops copy: nothing in it is computed for a request. */
struct shown {
    size_t n; /* 0: there is no head yet */
    char note[WIRE_HEAD_MAX];
    char etag[72]; /* with its quotes */
};

struct live {
    /* Fixed while it lives. */
    struct live *older; /* made before this one: so that all are freed in the end */
    bool mirrored, is_default;
    int64_t no;
    char name[WIRE_STREAM_MAX + 1];
    char *data; /* the data directory */
    int64_t debounce_ms, index_changes;
    uint32_t lease, poll; /* seconds; of an own stream's heads */
    struct keys *keys;    /* all streams': sync_keys() */
    struct index *index;
    struct covers *covers; /* has a lock of its own */

    /* The writer thread's. */
    struct db *db; /* the writer's connection */
    struct tree *tree;
    uint64_t seq;       /* the last change that is in the tree */
    uint64_t cut;       /* takedowns and purges up to there */
    bool renew;         /* its newest head is to be signed anew: another key */
    bool stale;         /* something was committed that the head does not say */
    bool urgent;        /* and something was taken away by it */
    bool directory_new; /* the directory object must be made again */
    bool queued;        /* `job` is in the writer's queue */
    int64_t signed_ms;  /* when the newest head was signed, or last tried */
    int64_t purged;     /* when old heads were last removed, on clock_mono_us() */
    uint64_t floor;     /* the time of the last head ever signed */
    enum rc failed;     /* why the last attempt to sign failed */
    struct writer_job job;
    struct work job_work;

    /* What everybody sees. */
    pthread_mutex_t lock;
    bool has_head;
    struct wire_head head;
    struct shown shown;
};

/* ---- live.c, for live_mirror.c ---- */

struct live *live_new(const char *name, bool mirrored);

/* ---- live_mirror.c, for live.c ---- */

/* At start, inside a transaction: all that the database knows. */
enum rc live_mirror_load_all(struct work *w);

/* ---- head.c, for live_mirror.c ---- */

/* From now on everybody sees this one. */
void head_show(struct live *l, const struct wire_head *h, const char *note, size_t n);

#endif
