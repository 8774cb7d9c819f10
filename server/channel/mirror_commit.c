/*
 * mirror_commit.c - what follows from the records that the engine wrote, in the same transaction.
 *
 *     directory, items --> horizon 0? --yes--> key vouched for --> head row, stream row --COMMIT--> shown
 *                               \--- no: a first sync on its way: listed, but no head is served yet
 *
 * Takedown: when a head has a higher `cut`, whatever an item that changed had before loses its bytes, for the
 * record that said `purge` may be one that was skipped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/generation.h"
#include "server/base/memory.h"
#include "server/channel/mirror_state.h"
#include "server/library/purge_url.h"
#include "server/library/stream.h"
#include "server/library/takedown.h"
#include "sync/heads.h"
#include "sync/keys.h"
#include "sync/object.h"

enum { INDEXES = 32, KEEP = 7 * 86400 /* seconds */ };

struct commit { /* what everybody sees after COMMIT */
    struct mirror_store *store;
    bool shows;
    struct wire_head head;
    char note[WIRE_HEAD_MAX];
    size_t n;
};

static void committed(void *arg)
{
    const struct commit *c = arg;
    size_t n;
    const struct mirror_touched *t = mirror_touched(c->store, &n);

    for (size_t i = 0; i < n; i++)
        live_mirror_leaf(c->store->live, t[i].born, t[i].seq, t[i].leaf);
    if (c->shows)
        live_mirror_show(c->store->live, &c->head, c->note, c->n);
    generation_next();
}

/* What a head with a higher cut ends: earlier bytes of all that changed, and what caches may hold for long. */
static enum rc cut(struct mirror_store *s)
{
    size_t n;
    const struct mirror_touched *t = mirror_touched(s, &n);
    enum rc rc = RC_OK;

    for (size_t i = 0; i < n && !rc; i++)
        rc = db_run(s->w, SQL_record_forget, "iii", s->no, (int64_t)t[i].born,
                    (int64_t)t[i].seq);
    for (size_t i = 0; i + HASH_BYTES <= s->gone.n && !rc; i += HASH_BYTES) {
        char hex[HASH_TEXT];

        if (!(rc = object_gone(s->w, s->no, (const uint8_t *)s->gone.p + i)))
            rc = purge_url_add(s->w, "/v1/sync/%s/object/%s*", s->name,
                               hex_text(s->gone.p + i, HASH_BYTES, hex));
    }
    if (rc || (rc = purge_url_add(s->w, "/v1/sync/%s/log/*", s->name)))
        return rc;
    takedown_lingers(s->w);
    return purge_url_add(s->w, "/v1/sync/%s/item/*", s->name);
}

static enum rc index_seq(struct mirror_store *s, const struct wire_head *h, int64_t *seq)
{
    struct wire_lines lines;
    struct sync_err se;
    struct rows q;
    const char *p;
    size_t n;
    enum rc rc, end;

    *seq = 0;
    if (!h->has_index)
        return RC_OK;
    rc = db_one(s->w, SQL_mirror_object_text, &q, "bi", h->index, (size_t)WIRE_HASH, s->no);
    if (!rc && ((p = rows_blob(&q, 0, &n)), wire_index_begin(&se, p ? p : "", n, &lines)))
        rc = err_set(&s->w->err, RC_CORRUPT, "the index: %s", se.text);
    if (!rc)
        *seq = (int64_t)lines.seq;
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc expire(struct mirror_store *s, const struct wire_head *h)
{
    int64_t horizon = clock_now() - KEEP;
    enum rc rc = object_expire(s->w, s->no, "ancestry", h->ancestry, horizon, 0);

    if (!rc)
        rc = object_expire(s->w, s->no, "directory", h->directory, horizon, 0);
    if (!rc && h->has_index)
        rc = object_expire(s->w, s->no, "index", h->index, horizon, INDEXES);
    return rc;
}

static enum rc store_head(struct mirror_store *s, const struct commit *c)
{
    const struct wire_head *h = &c->head;
    struct stream row;
    int64_t seq;
    enum rc rc;

    if ((rc = stream_by_no(s->w, s->no, &row)) || (rc = index_seq(s, h, &seq)))
        return rc;
    if (row.epoch && (uint64_t)row.epoch != h->epoch &&
        ((rc = db_run(s->w, SQL_mirror_only_newest_records, "i", s->no)) ||
         (rc = db_run(s->w, SQL_mirror_only_newest_changes, "i", s->no))))
        return rc;
    if (((uint64_t)row.cut != h->cut || s->gone.n) && (rc = cut(s)))
        return rc;
    if ((rc = db_run(s->w, SQL_mirror_head_add, "iiiiiibb", s->no, (int64_t)h->epoch,
                     (int64_t)h->seq, (int64_t)h->sign, (int64_t)h->time, (int64_t)h->cut,
                     h->chain, sizeof h->chain, c->note, c->n)) ||
        (rc = db_run(s->w, SQL_mirror_stream_set, "iiiiibib", s->no, (int64_t)h->epoch,
                     (int64_t)h->seq, (int64_t)h->size, (int64_t)h->cut, h->chain,
                     sizeof h->chain, seq, h->has_index ? h->index : NULL, (size_t)WIRE_HASH)))
        return rc;
    return expire(s, h);
}

/* Our chain names the key that signed the head, before anybody is shown it. */
static enum sync_rc vouch(struct mirror_store *s, struct sync_err *e)
{
    char *chain = arena_alloc(s->w->mem, VERIFY_KEYS_MAX), role[VERIFY_ROLE_MAX + 1];
    uint8_t trust[VERIFY_ED25519];
    struct verify_key key;
    size_t n, trust_n;
    enum sync_rc sr;
    enum rc rc;

    if ((sr = mirror_get(s, e, FOLLOW_KEYS, chain, VERIFY_KEYS_MAX, &n)) ||
        (sr = mirror_get(s, e, FOLLOW_TRUST, trust, sizeof trust, &trust_n)))
        return sr;
    if (!sync_keys()) { /* an edge: the other server's chain is what its readers are given */
        heads_adopt_keys(chain, n);
        return SYNC_OK;
    }
    snprintf(role, sizeof role, "stream:%s", s->name);
    if ((sr = verify_keys_current(e, chain, n, trust, role, &key)))
        return sr;
    rc = keys_vouch(sync_keys(), &s->w->err, s->name, &key);
    return rc ? mirror_failed(e, rc, &s->w->err) : SYNC_OK;
}

/* The horizon that is held: the first 8 bytes of the roots below it. */
static enum sync_rc horizon(struct mirror_store *s, struct sync_err *e, uint64_t *out)
{
    uint8_t *text = malloc(BELOW_TEXT_MAX);
    enum sync_rc rc;
    size_t n;

    if (!text)
        memory_end();
    *out = 0;
    if (!(rc = mirror_get(s, e, FOLLOW_BELOW, text, BELOW_TEXT_MAX, &n)) && n >= 8)
        for (size_t i = 0; i < 8; i++)
            *out = *out << 8 | text[i];
    free(text);
    return rc;
}

/* Everything that follows from what the engine wrote, in the same transaction. */
enum sync_rc mirror_settle(struct mirror_store *s, struct sync_err *e)
{
    struct commit *c = arena_zalloc(s->w->mem, sizeof *c);
    struct wire_note note;
    enum sync_rc sr;
    uint64_t below;
    size_t n;
    const struct mirror_touched *t = mirror_touched(s, &n);
    enum rc rc = RC_OK;

    c->store = s;
    work_after_commit(s->w, committed, c);
    if (s->directory_new) {
        char *text = arena_alloc(s->w->mem, FOLLOW_TEXT_MAX);
        size_t len;

        if ((sr = mirror_get(s, e, FOLLOW_DIRECTORY, text, FOLLOW_TEXT_MAX, &len)))
            return sr;
        rc = mirror_directory(s->w, s->no, s->name, text, len);
    }
    for (size_t i = 0; i < n && !rc; i++)
        rc = mirror_item_show(s->w, s->no, t[i].born);
    if (rc)
        return mirror_failed(e, rc, &s->w->err);
    if ((sr = horizon(s, e, &below)) ||
        (sr = mirror_get(s, e, FOLLOW_HEAD, c->note, sizeof c->note - 1, &c->n)) || below ||
        !c->n)
        return sr;
    if ((sr = wire_head_parse(e, c->note, c->n, &c->head, &note)) || (sr = vouch(s, e)))
        return sr;
    c->shows = true;
    rc = store_head(s, c);
    return rc ? mirror_failed(e, rc, &s->w->err) : SYNC_OK;
}
