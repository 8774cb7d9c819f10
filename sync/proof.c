/*
 * proof.c - each stored head is read as a phone would read it: its form, its place in the
 * stream, its signature by the key that the public chain names.
 *
 * Only the public half is touched, so an auditor needs no secrets. Not here: whether the log
 * agrees with what was signed (server/library/verify.c).
 */
#include "sync/proof.h"

#include <stdio.h>
#include <string.h>

#include "server/base/fs.h"
#include "server/base/sm2.h"
#include "server/store/db.h"
#include "sync/follow.h"
#include "sync/tree.h"
#include "sync/verify.h"

/* The keys that sign the stream now. */
struct signers {
    struct verify_key ed25519, sm2; /* sm2.len 0: there is none */
};

static enum rc read_key(struct work *w, const char *data, const char *stream,
                        struct signers *out)
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
        verify_keys_current(&se, text, n, first, role, &out->ed25519))
        return err_set(&w->err, RC_CORRUPT, "%s: %s", path, se.text);
    if (verify_keys_current_of(&se, text, n, first, role, "sm2", &out->sm2))
        out->sm2.len = 0;
    return RC_OK;
}

/* The SM2 signature, if there is one by this key. */
static bool sm2_ok(const struct verify_key *key, const struct wire_note *note, const char *text)
{
    for (size_t i = 0; i < note->nsigs && key->len == SM2_PUBLIC; i++) {
        const struct wire_sig *s = &note->sigs[i];

        if (!strcmp(s->algorithm, key->algorithm) && !memcmp(s->key_id, key->id, WIRE_KEY_ID) &&
            !sm2_holds(key->bytes, text, note->signed_len, s->bytes, s->len))
            return false;
    }
    return true;
}

/* NULL if the head holds, else what is wrong with it. */
static const char *judge(const struct signers *by, const char *stream, const char *text,
                         size_t n)
{
    struct wire_head head;
    struct wire_note note;
    struct sync_err se;

    if (!text || wire_head_parse(&se, text, n, &head, &note))
        return "what was signed is not a head any more";
    if (strcmp(head.stream, stream))
        return "a head of another stream stands among ours";
    if (verify_note_names(&note, &by->ed25519) && verify_note(&se, text, &note, &by->ed25519))
        return "the signature of a head does not hold";
    if (!sm2_ok(&by->sm2, &note, text))
        return "the SM2 signature of a head does not hold";
    return NULL;
}

enum rc proof_heads(struct work *w, const char *data, const struct stream *s,
                    void (*fault)(void *arg, int64_t seq, const char *text), void *arg,
                    int64_t *faults)
{
    struct signers by = { 0 };
    struct rows q;
    enum rc rc;

    if (!s->seq)
        return RC_OK;
    if ((rc = read_key(w, data, s->name, &by)))
        return rc;
    if ((rc = db_query(w, SQL_head_verify, &q, "i", s->no)))
        return rc;
    while (rows_next(&q)) {
        size_t n = 0;
        const char *text = rows_blob(&q, 2, &n), *wrong = judge(&by, s->name, text, n);

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

static const char *judge_mirror(const struct signers *by, const struct stream *s,
                                struct tree *t, const char *text, size_t n, uint64_t *seq)
{
    const char *wrong = judge(by, s->name, text, n);
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

/* What an edge, which has no chain of its own, was given with the stream. */
static enum rc given_key(struct work *w, const struct stream *s, struct signers *out)
{
    static const enum follow_value which[] = { FOLLOW_KEYS, FOLLOW_TRUST };
    char role[VERIFY_ROLE_MAX + 1];
    const char *text[2] = { NULL, NULL };
    struct sync_err se;
    size_t n[2] = { 0, 0 };

    for (int i = 0; i < 2; i++) {
        struct rows q;
        enum rc rc = db_query(w, SQL_mirror_value, &q, "ii", s->no, (int64_t)which[i]);

        if (rc)
            return rc;
        if (rows_next(&q))
            text[i] = rows_dup_blob(w, &q, 0, &n[i]);
        if ((rc = rows_done(&q)))
            return rc;
    }
    snprintf(role, sizeof role, "stream:%s", s->name);
    if (!text[0] || n[1] != VERIFY_ED25519 ||
        verify_keys_current(&se, text[0], n[0], (const uint8_t *)text[1], role, &out->ed25519))
        return err_set(&w->err, RC_CORRUPT, "no chain of keys names the key of %s", s->name);
    return RC_OK;
}

enum rc proof_mirror(struct work *w, const char *data, const struct stream *s,
                     void (*fault)(void *arg, int64_t seq, const char *text), void *arg,
                     int64_t *items, int64_t *faults)
{
    struct signers by = { 0 };
    struct tree *t = tree_new();
    const char *wrong, *text;
    uint64_t seq = 0;
    struct rows q;
    size_t n = 0;
    enum rc rc = read_key(w, data, s->name, &by);

    if (rc == RC_NOT_FOUND)
        rc = given_key(w, s, &by);
    if ((rc && rc != RC_CORRUPT) || (rc = read_leaves(w, s->no, t)) ||
        (rc = db_query(w, SQL_sync_head_newest, &q, "i", s->no))) {
        tree_free(t);
        return rc;
    }
    *items = (int64_t)tree_size(t);
    if (rows_next(&q)) {
        text = rows_blob(&q, 0, &n);
        if ((wrong = judge_mirror(&by, s, t, text, n, &seq))) {
            fault(arg, (int64_t)seq, wrong);
            ++*faults;
        }
    }
    tree_free(t);
    return rows_done(&q);
}
