/*
 * audit.c - each stored head is read as a phone would read it: its form, its place in the
 * stream, its signature by the key that the public chain names.
 *
 * Only the public half is touched, so an auditor needs no secrets. Not here: whether the log
 * agrees with what was signed (server/library/verify.c).
 */
#include "sync/audit.h"

#include <stdio.h>
#include <string.h>

#include "server/base/fs.h"
#include "server/store/db.h"
#include "sync/tree.h"
#include "sync/verify.h"

static enum rc read_key(struct work *w, const char *data, const char *stream,
                        struct verify_key *out)
{
    const char *path = arena_printf(w->mem, "%s/keys/chain", data);
    char role[VERIFY_ROLE_MAX + 1], *text;
    uint8_t first[VERIFY_ED25519];
    struct sync_err se;
    size_t n;
    enum rc rc;

    if ((rc = fs_read(&w->err, w->mem, path, VERIFY_KEYS_MAX, &text, &n)))
        return rc;
    snprintf(role, sizeof role, "stream:%s", stream);
    if (verify_keys_first(&se, text, n, first) ||
        verify_keys_current(&se, text, n, first, role, out))
        return err_set(&w->err, RC_CORRUPT, "%s: %s", path, se.text);
    return RC_OK;
}

/* NULL if the head holds, else what is wrong with it. */
static const char *judge(const struct verify_key *key, const char *stream, const char *text,
                         size_t n)
{
    struct wire_head head;
    struct wire_note note;
    struct sync_err se;

    if (!text || wire_head_parse(&se, text, n, &head, &note))
        return "what was signed is not a head any more";
    if (strcmp(head.stream, stream))
        return "a head of another stream stands among ours";
    if (verify_note_names(&note, key) && verify_note(&se, text, &note, key))
        return "the signature of a head does not hold";
    return NULL;
}

enum rc audit_heads(struct work *w, const char *data, const struct stream *s,
                    void (*fault)(void *arg, int64_t seq, const char *text), void *arg,
                    int64_t *faults)
{
    struct verify_key key;
    struct rows q;
    enum rc rc;

    if (!s->seq)
        return RC_OK;
    if ((rc = read_key(w, data, s->name, &key)))
        return rc;
    if ((rc = db_query(w, SQL_head_verify, &q, "i", s->no)))
        return rc;
    while (rows_next(&q)) {
        size_t n = 0;
        const char *text = rows_blob(&q, 2, &n), *wrong = judge(&key, s->name, text, n);

        if (wrong) {
            fault(arg, rows_int(&q, 0), wrong);
            ++*faults;
        }
    }
    return rows_done(&q);
}

/* Fills `t` with the leaves there are. */
static enum rc read_leaves(struct work *w, int64_t stream, struct tree *t)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_sync_leaves, &q, "i", stream), end;

    if (rc)
        return rc;
    while (!rc && rows_next(&q)) {
        uint64_t born = (uint64_t)rows_int(&q, 0);
        size_t n = 0;
        const void *leaf = rows_blob(&q, 2, &n);

        if (n != HASH_BYTES || born > INT64_MAX)
            rc = err_set(&w->err, RC_CORRUPT, "a leaf is damaged");
        else if (born > tree_size(t))
            tree_reserve(t, born);
        if (!rc)
            tree_put(t, born, (uint64_t)rows_int(&q, 1), leaf);
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

static const char *judge_mirror(const struct verify_key *key, const struct stream *s,
                                struct tree *t, const char *text, size_t n, uint64_t *seq)
{
    const char *wrong = judge(key, s->name, text, n);
    uint8_t root[WIRE_HASH];
    struct wire_head head;
    struct wire_note note;
    struct sync_err se;

    if (wrong || wire_head_parse(&se, text, n, &head, &note))
        return wrong ? wrong : "the newest head is damaged";
    *seq = head.seq;
    tree_root(t, root);
    if (tree_size(t) != head.size || memcmp(root, head.root, sizeof root))
        return "the items are not those of the newest head";
    return NULL;
}

enum rc audit_mirror(struct work *w, const char *data, const struct stream *s,
                     void (*fault)(void *arg, int64_t seq, const char *text), void *arg,
                     int64_t *items, int64_t *faults)
{
    struct verify_key key = { 0 };
    struct tree *t = tree_new();
    const char *wrong, *text;
    uint64_t seq = 0;
    struct rows q;
    size_t n = 0;
    enum rc rc = read_key(w, data, s->name, &key);

    if ((rc && rc != RC_CORRUPT) || (rc = read_leaves(w, s->no, t)) ||
        (rc = db_query(w, SQL_sync_head_newest, &q, "i", s->no))) {
        tree_free(t);
        return rc;
    }
    *items = (int64_t)tree_size(t);
    if (rows_next(&q)) {
        text = rows_blob(&q, 0, &n);
        if ((wrong = judge_mirror(&key, s, t, text, n, &seq))) {
            fault(arg, (int64_t)seq, wrong);
            ++*faults;
        }
    }
    tree_free(t);
    return rows_done(&q);
}
