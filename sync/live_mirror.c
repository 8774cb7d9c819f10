/*
 * live_mirror.c - streams of another server, as they are served here.
 *
 *     follower:  BEGIN  leaf rows, head row, …  COMMIT --> live_mirror_leaf()… --> live_mirror_show()
 *
 * Nothing is signed and nothing is decided here: a head was verified before it was stored, by
 * whoever followed it. What is shown is what the tables hold, so after a crash the start shows
 * the same again.
 *
 * Not here: fetching and verifying (the follower), the rows of items (the library).
 */
#include <inttypes.h>
#include <string.h>

#include "server/base/log.h"
#include "server/library/stream.h"
#include "server/store/db.h"
#include "sync/head.h"
#include "sync/live_state.h"
#include "sync/roll.h"
#include "sync/verify.h"

/* The leaves that there are; a first sync may have been cut short. */
static enum rc load_leaves(struct work *w, struct live *l)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_sync_leaves, &q, "i", l->no), end;

    if (rc)
        return rc;
    while (!rc && rows_next(&q)) {
        size_t n = 0;
        const void *leaf = rows_blob(&q, 2, &n);

        if (rows_int(&q, 0) < 0 || n != HASH_BYTES)
            rc = err_set(&w->err, RC_CORRUPT, "a leaf of the mirrored stream %s is damaged",
                         l->name);
        else
            live_mirror_leaf(l, (uint64_t)rows_int(&q, 0), (uint64_t)rows_int(&q, 1), leaf);
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

struct stored {
    struct live *live;
    struct wire_head head;
    char note[WIRE_HEAD_MAX];
    size_t n; /* 0: there is none */
};

static enum rc load_head(struct work *w, struct stored *s)
{
    struct wire_note note;
    struct sync_err se;
    struct rows q;
    enum rc rc, end;
    const char *p;

    if ((rc = db_query(w, SQL_sync_head_newest, &q, "i", s->live->no)))
        return rc;
    if (rows_next(&q) && (p = rows_blob(&q, 0, &s->n))) {
        if (s->n >= WIRE_HEAD_MAX || wire_head_parse(&se, p, s->n, &s->head, &note) ||
            strcmp(s->head.stream, s->live->name))
            rc = err_set(&w->err, RC_CORRUPT, "the newest stored head of %s is damaged",
                         s->live->name);
        else
            memcpy(s->note, p, s->n);
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

static void enter(void *arg)
{
    struct stored *s = arg;

    roll_enter(s->live);
    if (s->n)
        live_mirror_show(s->live, &s->head, s->note, s->n);
}

static enum rc load(struct work *w, const struct stream *row, struct live **out)
{
    struct stored *s = arena_zalloc(w->mem, sizeof *s);
    struct live *l;
    enum rc rc;

    if (!roll_has_room())
        return err_set(&w->err, RC_INVALID, "a server has at most %d streams",
                       WIRE_STREAMS_MAX);
    l = live_new(row->name, true);
    l->no = row->no;
    l->db = w->db;
    s->live = l;
    if ((rc = load_leaves(w, l)) || (rc = load_head(w, s)))
        return rc;
    work_after_commit(w, enter, s);
    *out = l;
    return RC_OK;
}

enum rc live_mirror_add(struct work *w, const char *name, struct live **out)
{
    struct live *l = live_find(name);
    struct stream row;
    enum rc rc;

    if (l && l->mirrored) {
        *out = l;
        return RC_OK;
    }
    if ((rc = stream_make_mirrored(w, name, &row)))
        return rc;
    return load(w, &row, out);
}

enum rc live_mirror_load_all(struct work *w)
{
    struct stream *s;
    struct live *l;
    enum rc rc;
    int n;

    if ((rc = stream_list(w, &s, &n)))
        return rc;
    for (int i = 0; i < n && !rc; i++)
        if (s[i].mirrored)
            rc = load(w, &s[i], &l);
    return rc;
}

void live_mirror_leaf(struct live *l, uint64_t born, uint64_t seq,
                      const uint8_t leaf[HASH_BYTES])
{
    if (born > tree_size(l->tree))
        tree_reserve(l->tree, born);
    tree_put(l->tree, born, seq, leaf);
}

/* The log went back to fewer items: the tree knows the seqs of its last leaves no more, and the cover names them. */
static void cut_tree(struct live *l, uint64_t size)
{
    uint64_t born = size / MERKLE_TILE * MERKLE_TILE;
    struct work w;
    struct rows q;

    tree_reserve(l->tree, size);
    work_init(&w, arena_new(), l->db, "sync", RIGHT_ALL);
    if (!db_query(&w, SQL_sync_leaf_range, &q, "iii", l->no, (int64_t)born, (int64_t)size)) {
        for (; rows_next(&q) && born < size; born++) {
            size_t n;
            const void *leaf = rows_blob(&q, 1, &n);

            if (n == HASH_BYTES)
                tree_put(l->tree, born, (uint64_t)rows_int(&q, 0), leaf);
        }
        if (rows_done(&q))
            LOG(LOG_ERROR, "mirror_differs", L_STR("stream", l->name),
                L_STR("reason", w.err.text));
    }
    arena_free(w.mem);
}

/* A difference is our own mistake, or the disk's: phones will refuse it, so whoever runs the server must know. */
static void check_root(struct live *l, const struct wire_head *h)
{
    uint8_t root[HASH_BYTES];

    if (h->size < tree_size(l->tree))
        cut_tree(l, h->size);
    tree_reserve(l->tree, h->size);
    tree_root(l->tree, root);
    if (memcmp(root, h->root, HASH_BYTES))
        LOG(LOG_ERROR, "mirror_differs", L_STR("stream", l->name), L_INT("seq", h->seq),
            L_STR("mend", "tjzw verify"));
}

void live_mirror_show(struct live *l, const struct wire_head *h, const char *note, size_t n)
{
    bool cut = l->has_head && h->cut != l->head.cut;

    check_root(l, h);
    l->seq = h->seq;
    l->cut = h->cut;
    cover_take(l->covers, l->tree, h->epoch, h->seq);
    head_show(l, h, note, n);
    if (cut)
        head_forget_answers();
}

enum rc live_mirror_drop(struct work *w, struct live *l)
{
    static const enum sql forget[] = { SQL_mirror_forget_heads, SQL_mirror_forget_leaves,
                                       SQL_mirror_forget_ancestry, SQL_mirror_forget_objects,
                                       SQL_mirror_forget_stream };
    enum rc rc = RC_OK;

    if (!l->mirrored)
        return err_set(&w->err, RC_CONFLICT, "the stream %s is this server's own", l->name);
    for (size_t i = 0; i < sizeof forget / sizeof *forget && !rc; i++)
        rc = db_run(w, forget[i], "i", l->no);
    work_after_commit(w, roll_leave, l);
    return rc;
}
