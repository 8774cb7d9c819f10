/*
 * verify.c - is what is held what was signed? Everything is hashed again: the tree from the horizon up against the signed root, what
 * is kept below it against the leaf that its path proved.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/stream.h"

struct tile_at {
    uint64_t index;
    uint8_t nodes[MERKLE_TILE * WIRE_HASH];
};

/* The leaf that the tree holds for an item; zeros if it holds none. */
static void leaf_in_tree(const struct follow_store *store, const struct wire_head *head,
                         uint64_t born, struct tile_at *tile, uint8_t out[WIRE_HASH])
{
    uint64_t index = born / MERKLE_TILE, left = head->size - index * MERKLE_TILE;
    struct sync_err ignored;

    if (tile->index != index) {
        memset(tile->nodes, 0, sizeof tile->nodes);
        (void)!store->tiles.read(store->tiles.ctx, &ignored, 0, index,
                                 left < MERKLE_TILE ? (unsigned)left : MERKLE_TILE,
                                 tile->nodes);
        tile->index = index;
    }
    memcpy(out, tile->nodes + born % MERKLE_TILE * WIRE_HASH, WIRE_HASH);
}

static void note_damage(sqlite3_stmt *q, struct tjzw_verdict *v)
{
    const uint8_t *id = sqlite3_column_blob(q, 4);

    if (v->damaged++ == 0 && sqlite3_column_bytes(q, 4) == WIRE_ID)
        wire_hex(id, WIRE_ID, v->first);
}

/* One row: its leaf as it is now, and whether that is the one signed. */
static void hash_row(const struct follow_store *store, const struct wire_head *head,
                     sqlite3_stmt *q, struct tjzw_verdict *v, struct merkle_stack *stack,
                     struct tile_at *tile)
{
    uint8_t leaf[WIRE_HASH] = { 0 }, signed_leaf[WIRE_HASH];
    struct sync_err why;
    struct wire_frame f;
    bool good;

    v->checked++;
    good = !held_record(q, &why, &f, leaf);
    if (stack) {
        leaf_in_tree(store, head, (uint64_t)sqlite3_column_int64(q, 0), tile, signed_leaf);
        good = good && memcmp(leaf, signed_leaf, WIRE_HASH) == 0;
        merkle_stack_add(stack, leaf);
    } else {
        good = good && kept_proof_holds(q, leaf);
    }
    if (!good)
        note_damage(q, v);
}

/* Every row of a walk. stack NULL: they are below the horizon, where those that nothing proves are not shown. */
static enum tjzw_code hash_rows(struct stream *s, const struct wire_head *head, enum stmt which,
                                struct tjzw_verdict *v, struct merkle_stack *stack,
                                struct tjzw_error *e)
{
    struct follow_store store = stream_store(s);
    sqlite3_stmt *q = store_stmt(s->t, which, e);
    struct tile_at tile = { .index = UINT64_MAX };
    enum tjzw_code rc = TJZW_OK;
    int code;

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_int64(q, 1, s->no);
    while ((code = sqlite3_step(q)) == SQLITE_ROW)
        if (stack || sqlite3_column_type(q, 10) != SQLITE_NULL)
            hash_row(&store, head, q, v, stack, &tile);
    if (code != SQLITE_DONE)
        rc = store_error(s->t, e);
    store_reset(q);
    return rc;
}

/* The roots below the horizon; *sound false if they are not as they were written. */
static enum tjzw_code stack_below(struct stream *s, struct merkle_stack *stack, bool *sound,
                                  struct tjzw_error *e)
{
    struct follow_store store = stream_store(s);
    size_t room = BELOW_TEXT_MAX, n;
    uint8_t *text = malloc(room), *roots = malloc(room);
    struct merkle_below b = { .roots = (uint8_t(*)[WIRE_HASH])roots };
    struct sync_err why;
    enum sync_rc rc;

    if (!text || !roots)
        abort();
    rc = store.get(s, &why, FOLLOW_BELOW, text, room, &n);
    *sound = rc || n == 0 || !merkle_below_parse(&why, text, n, &b);
    for (size_t i = 0; i < b.n && !rc && *sound; i++) {
        uint64_t first, last;
        unsigned height;

        merkle_below_extent(&b, i, &first, &last, &height);
        merkle_stack_node(stack, height, b.roots[i]);
    }
    *sound = *sound && (rc || b.horizon == s->horizon);
    free(text);
    free(roots);
    return rc ? fail_sync(e, &why) : TJZW_OK;
}

/* Hashes every item; `root` is that of what is really there. */
static enum tjzw_code hash_all(struct stream *s, const struct wire_head *head,
                               struct tjzw_verdict *v, uint8_t root[WIRE_HASH], bool *sound,
                               struct tjzw_error *e)
{
    struct merkle_stack *stack = calloc(1, sizeof *stack);
    enum tjzw_code rc;

    if (!stack)
        abort();
    if (!(rc = stack_below(s, stack, sound, e)) && *sound &&
        !(rc = hash_rows(s, head, STMT_HELD_ABOVE, v, stack, e)) &&
        !(rc = hash_rows(s, head, STMT_HELD_BELOW, v, NULL, e))) {
        *sound = v->damaged == 0 && stack->size == head->size;
        merkle_stack_root(stack, root);
    }
    free(stack);
    return rc;
}

/* The head's signature, by the key chain held and the key trusted. */
static enum tjzw_code check_signature(struct stream *s, const char *note,
                                      const struct wire_note *signatures, struct tjzw_error *e)
{
    struct follow_store store = stream_store(s);
    char *keys = malloc(VERIFY_KEYS_MAX), role[VERIFY_ROLE_MAX + 1];
    uint8_t trust[VERIFY_ED25519];
    struct verify_key key;
    struct sync_err why;
    size_t n, nkeys;
    enum sync_rc rc;

    if (!keys)
        abort();
    snprintf(role, sizeof role, "stream:%s", s->name);
    memcpy(trust, s->trust, sizeof trust);
    if (!(rc = store.get(s, &why, FOLLOW_KEYS, keys, VERIFY_KEYS_MAX, &nkeys)) &&
        (s->has_trust || !(rc = store.get(s, &why, FOLLOW_TRUST, trust, sizeof trust, &n))) &&
        !(rc = verify_keys_current(&why, keys, nkeys, trust, role, &key)))
        rc = verify_note(&why, note, signatures, &key);
    free(keys);
    return rc ? fail_sync(e, &why) : TJZW_OK;
}

static enum tjzw_code mark_damaged(struct stream *s, struct tjzw_error *e,
                                   const struct tjzw_verdict *v)
{
    sqlite3_stmt *q = store_stmt(s->t, STMT_STREAM_DAMAGED, e);
    enum tjzw_code rc;

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_int64(q, 1, s->no);
    sqlite3_bind_int(q, 2, 1);
    if ((rc = store_run(s->t, q, e)))
        return rc;
    return fail_with(e, TJZW_DAMAGED, "%llu of %llu items, first %s",
                     (unsigned long long)v->damaged, (unsigned long long)v->checked,
                     v->first[0] ? v->first : "-");
}

/* In one read transaction, so that head and items belong together though another process may be
 * syncing. */
static enum tjzw_code verify_in(struct stream *s, struct tjzw_verdict *v, bool *sound,
                                struct tjzw_error *e)
{
    struct wire_note signatures;
    struct wire_head head;
    char note[WIRE_HEAD_MAX];
    uint8_t root[WIRE_HASH];
    enum tjzw_code rc;
    size_t n;

    *sound = true;
    rc = stream_head(s, &head, note, &n, &signatures, e);
    *sound = rc != TJZW_DAMAGED;
    if (rc || head.epoch == 0)
        return *sound ? rc : TJZW_OK;
    if ((rc = hash_all(s, &head, v, root, sound, e)))
        return rc;
    *sound = *sound && memcmp(root, head.root, WIRE_HASH) == 0;
    return *sound ? check_signature(s, note, &signatures, e) : TJZW_OK;
}

enum tjzw_code tjzw_verify(struct tjzw *t, const char *stream, struct tjzw_verdict *out,
                           struct tjzw_error *e)
{
    struct tjzw_verdict v = { 0 };
    struct stream s;
    sqlite3_stmt *q;
    enum tjzw_code rc;
    bool sound = true;

    if (!(q = store_stmt(t, STMT_BEGIN_READ, e)))
        return TJZW_STORE;
    if ((rc = store_run(t, q, e)))
        return rc;
    if (!(rc = stream_find(t, stream, &s, e)))
        rc = verify_in(&s, &v, &sound, e);
    if ((q = store_stmt(t, STMT_ROLLBACK, NULL)))
        (void)store_run(t, q, NULL);
    if (out)
        *out = v;
    return rc || sound ? rc : mark_damaged(&s, e, &v);
}
