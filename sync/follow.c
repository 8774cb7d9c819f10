/*
 * follow.c - one run of the pull engine, round by round.
 *
 *     ask     head (and keys, if none are held) -> signature -> may it follow the one held?
 *     plan    directory and ancestry if their hashes are new; at most 4,096 changes behind: one
 * catch-up, else the index, the objects in it that reach above our cursor, and a catch-up from
 * its seq fetch   parts, side by side, resumed where they stopped follow_fetch.c apply   in one
 * transaction that commits only under the signed root                   follow_apply.c
 *
 * A round that fails is followed by another where that can help (the table `remedies`): an
 * answer that cannot be believed is fetched once more past every cache, keeping the parts whose
 * hash is right; if something that the head names is gone (the log moved on, a takedown), a
 * newer head is waited for; if the catch-up is too large, what the index has is taken first.
 * Everything else is the embedder's to decide: the result carries what the server said about
 * waiting.
 */
#include "sync/follow_engine.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STALE_MOST_S = 10,    /* caches hold a head for a shorter time */
    WIRE_SLACK = 64 << 10 /* what an encoding may add */
};

/* ---- what is held ---- */

static enum sync_rc load(struct sync_err *e, struct engine *f)
{
    const struct follow_store *s = f->store;
    struct wire_note note;
    struct sync_err ignored;
    size_t n;
    enum sync_rc rc;

    f->held = (struct wire_head){ 0 };
    if ((rc = s->get(s->ctx, e, FOLLOW_HEAD, f->note, sizeof f->note, &f->note_len)))
        return rc;
    if (f->note_len > 0 && wire_head_parse(&ignored, f->note, f->note_len, &f->held, &note))
        f->damaged = true;
    if ((rc = s->get(s->ctx, e, FOLLOW_ETAG, f->etag, sizeof f->etag - 1, &n)))
        return rc;
    f->etag[n] = '\0';
    if (!f->keys_fetched &&
        (rc = s->get(s->ctx, e, FOLLOW_KEYS, f->keys, VERIFY_KEYS_MAX, &f->keys_len)))
        return rc;
    if (f->options->trust) {
        memcpy(f->out->trust, f->options->trust, VERIFY_ED25519);
        f->has_trust = true;
    } else if (!f->out->first_use) {
        if ((rc = s->get(s->ctx, e, FOLLOW_TRUST, f->out->trust, VERIFY_ED25519, &n)))
            return rc;
        f->has_trust = n == VERIFY_ED25519;
    }
    f->out->head = f->held;
    f->start_over = f->held.epoch == 0 || f->damaged || f->options->repair;
    return SYNC_OK;
}

/* ---- keys ---- */

static struct fetch_text keys_text(char *room)
{
    return (struct fetch_text){ .path = "/v1/sync/keys", .out = room, .room = VERIFY_KEYS_MAX };
}

/* The stream's current key as far as the chain at hand tells. */
static enum sync_rc stream_key(struct sync_err *e, struct engine *f, struct verify_key *out)
{
    char role[VERIFY_ROLE_MAX + 1];

    if (f->keys_len == 0 || !f->has_trust)
        return sync_err_set(e, SYNC_UNTRUSTED, "no key chain is held");
    snprintf(role, sizeof role, "stream:%s", f->options->stream);
    return verify_keys_current(e, f->keys, f->keys_len, f->out->trust, role, out);
}

/*
 * Does the key the user gave vouch for the new chain and not for the one held, which is not its beginning? Then a stranger was trusted on
 * first use, and his head is no measure for the true one.
 */
static bool is_foreign(struct engine *f, const struct fetch_text *t)
{
    bool extends = t->n >= f->keys_len && memcmp(t->out, f->keys, f->keys_len) == 0;
    struct verify_key key;
    struct sync_err ignored;

    return f->options->trust && f->keys_len > 0 && !extends &&
           stream_key(&ignored, f, &key) != SYNC_OK;
}

/* A chain has come: believe it, or not, in the light of the one held. */
static enum sync_rc keys_take(struct sync_err *e, struct engine *f, const struct fetch_text *t)
{
    enum sync_rc rc;

    if (!f->has_trust) {
        if ((rc = verify_keys_first(e, t->out, t->n, f->out->trust)))
            return rc;
        f->has_trust = f->out->first_use = true;
    }
    if ((rc = verify_keys_accept(e, t->out, t->n, f->keys, f->keys_len, f->out->trust)))
        return rc;
    if (is_foreign(f, t)) {
        f->held = (struct wire_head){ 0 };
        f->start_over = true;
    }
    memcpy(f->keys, t->out, t->n);
    f->keys_len = t->n;
    f->keys_fetched = true;
    return SYNC_OK;
}

static enum sync_rc keys_fetch(struct sync_err *e, struct engine *f)
{
    char *room = malloc(VERIFY_KEYS_MAX);
    struct fetch_text t = keys_text(room);
    enum sync_rc rc;

    if (!room)
        abort();
    if (!(rc = fetch_texts(e, f, &t, 1)))
        rc = keys_take(e, f, &t);
    free(room);
    return rc;
}

/* The head's signature; a key we do not know may stand in a longer chain. */
static enum sync_rc believe(struct sync_err *e, struct engine *f, const struct wire_note *note)
{
    struct verify_key key;
    enum sync_rc rc = stream_key(e, f, &key);

    if (!f->keys_fetched && (rc || !verify_note_names(note, &key))) {
        if ((rc = keys_fetch(e, f)))
            return rc;
        rc = stream_key(e, f, &key);
    }
    return rc ? rc : verify_note(e, f->new_note, note, &key);
}

/* ---- the head ---- */

static enum sync_rc head_take(struct sync_err *e, struct engine *f)
{
    struct wire_note note;
    enum sync_rc rc;

    if ((rc = wire_head_parse(e, f->new_note, f->new_note_len, &f->head, &note)))
        return rc;
    if (strcmp(f->head.stream, f->options->stream) != 0)
        return sync_err_set(e, SYNC_INVALID, "asked for stream %s, got the head of %s",
                            f->options->stream, f->head.stream);
    if ((rc = believe(e, f, &note)))
        return rc;
    rc = verify_head(e, f->held.epoch ? &f->held : NULL, &f->head, &f->step);
    f->head_known = rc == SYNC_OK;
    return rc;
}

/* The keys come with the first head, in the same round trip. */
static enum sync_rc ask_first(struct sync_err *e, struct engine *f, struct fetch_text *head)
{
    char *room = malloc(VERIFY_KEYS_MAX);
    struct fetch_text both[2] = { *head, keys_text(room) };
    enum sync_rc rc;

    if (!room)
        abort();
    if (!(rc = fetch_texts(e, f, both, 2)))
        rc = keys_take(e, f, &both[1]);
    *head = both[0];
    free(room);
    return rc;
}

static enum sync_rc ask(struct sync_err *e, struct engine *f)
{
    struct wire_url url = { .kind = WIRE_URL_HEAD };
    char path[WIRE_URL_MAX];
    struct fetch_text head = { .path = path,
                               .out = f->new_note,
                               .room = sizeof f->new_note - 1 };
    enum sync_rc rc;

    f->head_known = false;
    snprintf(url.stream, sizeof url.stream, "%s", f->options->stream);
    wire_url_print(&url, path);
    if (f->held.epoch && f->etag[0] && !f->past_caches)
        head.if_none = f->etag;
    rc = f->keys_len == 0 ? ask_first(e, f, &head) : fetch_texts(e, f, &head, 1);
    if (rc)
        return rc;
    if (head.status == 304) {
        memcpy(f->new_note, f->note, f->note_len);
        head.n = f->note_len;
        memcpy(f->new_etag, f->etag, sizeof f->etag);
    } else {
        memcpy(f->new_etag, head.etag, sizeof head.etag);
    }
    f->new_note_len = head.n;
    return head_take(e, f);
}

/* ---- the plan ---- */

struct part *plan_add(struct engine *f, enum part_kind kind, const struct wire_url *url,
                      uint64_t wire_max, uint64_t raw_max)
{
    struct plan *plan = &f->plan;
    struct part *p;

    if (plan->n == plan->room) {
        plan->room = plan->room ? 2 * plan->room : 8;
        plan->parts = realloc(plan->parts, plan->room * sizeof *plan->parts);
        if (!plan->parts)
            abort();
    }
    p = &plan->parts[plan->n++];
    *p = (struct part){ .kind = kind, .url = *url, .wire_max = wire_max, .raw_max = raw_max };
    snprintf(p->url.stream, sizeof p->url.stream, "%s", f->options->stream);
    p->url.encoding = f->options->encoding;
    wire_url_print(&p->url, p->path);
    return p;
}

static void plan_text(struct engine *f, enum part_kind kind, const uint8_t hash[WIRE_HASH])
{
    struct wire_url url = { .kind = WIRE_URL_OBJECT };

    memcpy(url.hash, hash, WIRE_HASH);
    plan_add(f, kind, &url, FOLLOW_TEXT_MAX + WIRE_SLACK, FOLLOW_TEXT_MAX);
}

static void plan_log(struct engine *f, uint64_t cursor)
{
    struct wire_url url = { .kind = WIRE_URL_LOG,
                            .epoch = f->head.epoch,
                            .cut = f->head.cut,
                            .from = wire_catchup_from(cursor, f->head.seq),
                            .to = f->head.seq };
    uint64_t raw = WIRE_PACK_HEADER + (url.to - url.from) * WIRE_RECORD_MAX;

    if (cursor < f->head.seq)
        plan_add(f, PART_LOG, &url, raw + WIRE_SLACK, raw);
}

static enum sync_rc plan_object(struct sync_err *e, struct engine *f,
                                const struct wire_object *o)
{
    const uint64_t sizes[] = {
        [WIRE_IDENTITY] = o->bytes, [WIRE_GZIP] = o->gzip_bytes, [WIRE_ZSTD] = o->zstd_bytes
    };
    struct wire_url url = { .kind = WIRE_URL_OBJECT };

    if (o->highest_seq <= f->cursor)
        return SYNC_OK;
    if (o->bytes > WIRE_PACK_MAX)
        return sync_err_set(e, SYNC_INVALID, "index: an object of %" PRIu64 " bytes", o->bytes);
    memcpy(url.hash, o->hash, WIRE_HASH);
    plan_add(f, PART_OBJECT, &url, sizes[f->options->encoding], o->bytes);
    f->progress.bytes_expected += sizes[f->options->encoding];
    return SYNC_OK;
}

/* Many changes came at once and their objects are still being made. */
static enum sync_rc index_awaited(struct sync_err *e, struct engine *f)
{
    f->out->wait = f->head.poll;
    return sync_err_set(e, SYNC_BUSY, "the server has no index yet that reaches seq %" PRIu64,
                        f->head.seq);
}

/* The index is there: what of it is needed, and the catch-up behind it. */
static enum sync_rc plan_index(struct sync_err *e, struct engine *f, const char *text, size_t n)
{
    struct wire_object o;
    struct wire_lines w;
    bool more;
    enum sync_rc rc;

    if ((rc = wire_index_begin(e, text, n, &w)))
        return rc;
    if (w.seq > f->head.seq)
        return sync_err_set(e, SYNC_INVALID,
                            "index: of seq %" PRIu64 " under a head of %" PRIu64, w.seq,
                            f->head.seq);
    if (f->head.seq - w.seq > WIRE_CATCHUP_MAX)
        return index_awaited(e, f);
    while (!(rc = wire_index_next(e, &w, &o, &more)) && more)
        if ((rc = plan_object(e, f, &o)))
            return rc;
    if (rc)
        return rc;
    plan_log(f, w.seq > f->cursor ? w.seq : f->cursor);
    return SYNC_OK;
}

static enum sync_rc keep_planned(struct sync_err *e, struct engine *f)
{
    const char **paths = calloc(f->plan.n + 1, sizeof *paths);
    enum sync_rc rc;

    if (!paths)
        abort();
    for (size_t i = 0; i < f->plan.n; i++)
        paths[i] = f->plan.parts[i].path;
    rc = f->store->part_keep(f->store->ctx, e, paths, f->plan.n);
    free(paths);
    return rc;
}

static const struct part *plan_find(const struct engine *f, enum part_kind kind)
{
    for (size_t i = 0; i < f->plan.n; i++)
        if (f->plan.parts[i].kind == kind)
            return &f->plan.parts[i];
    return NULL;
}

/* Loads the text of a planned part, once; leaves *text NULL if none is planned. */
static enum sync_rc take_text(struct sync_err *e, struct engine *f, enum part_kind kind,
                              char **text, size_t *n)
{
    const struct part *p = plan_find(f, kind);

    return p && !*text ? part_text(e, f, p, text, n) : SYNC_OK;
}

/* A later epoch: may we go on from where we are? */
static enum sync_rc plan_epoch(struct sync_err *e, struct engine *f)
{
    struct wire_cursor held = { f->held.epoch, f->held.seq };
    bool allowed;
    enum sync_rc rc;

    if ((rc = fetch_parts(e, f)) ||
        (rc = take_text(e, f, PART_ANCESTRY, &f->ancestry, &f->ancestry_len)))
        return rc;
    if (!f->ancestry)
        return sync_err_set(e, SYNC_INVALID, "head: a new epoch with the old ancestry");
    if ((rc = wire_ancestry_allows(e, f->ancestry, f->ancestry_len, f->head.epoch, held,
                                   &allowed)))
        return rc;
    if (!allowed || held.seq > f->head.seq || f->held.size > f->head.size)
        f->start_over = true;
    return SYNC_OK;
}

static enum sync_rc plan_content(struct sync_err *e, struct engine *f)
{
    char *index = NULL;
    size_t n = 0;
    enum sync_rc rc;

    f->cursor = f->start_over ? 0 : f->held.seq;
    if (f->head.seq - f->cursor <= WIRE_CATCHUP_MAX && !f->by_objects) {
        plan_log(f, f->cursor);
        return keep_planned(e, f);
    }
    if (!f->head.has_index)
        return index_awaited(e, f);
    plan_text(f, PART_INDEX, f->head.index);
    if ((rc = fetch_parts(e, f)) || (rc = take_text(e, f, PART_INDEX, &index, &n)))
        return rc;
    rc = plan_index(e, f, index, n);
    free(index);
    return rc ? rc : keep_planned(e, f);
}

static bool is_new(const struct engine *f, const uint8_t *held, const uint8_t *next)
{
    return f->held.epoch == 0 || f->start_over || memcmp(held, next, WIRE_HASH) != 0;
}

static enum sync_rc plan_and_fetch(struct sync_err *e, struct engine *f)
{
    enum sync_rc rc;

    f->plan.n = 0;
    f->progress = (struct follow_progress){ .phase = FOLLOW_FETCHING };
    if (is_new(f, f->held.ancestry, f->head.ancestry))
        plan_text(f, PART_ANCESTRY, f->head.ancestry);
    if (is_new(f, f->held.directory, f->head.directory))
        plan_text(f, PART_DIRECTORY, f->head.directory);
    if ((f->step == VERIFY_EPOCH && !f->start_over && (rc = plan_epoch(e, f))) ||
        (rc = plan_content(e, f)) || (rc = fetch_parts(e, f)) ||
        (rc = take_text(e, f, PART_ANCESTRY, &f->ancestry, &f->ancestry_len)) ||
        (rc = take_text(e, f, PART_DIRECTORY, &f->directory, &f->directory_len)))
        return rc;
    if (f->ancestry) {
        bool ignored;

        return wire_ancestry_allows(e, f->ancestry, f->ancestry_len, f->head.epoch,
                                    (struct wire_cursor){ f->head.epoch, 0 }, &ignored);
    }
    return SYNC_OK;
}

/* ---- rounds ---- */

static void forget_texts(struct engine *f)
{
    free(f->ancestry);
    free(f->directory);
    f->ancestry = f->directory = NULL;
}

static enum sync_rc one_round(struct sync_err *e, struct engine *f)
{
    enum sync_rc rc;

    forget_texts(f);
    f->plan.n = 0;
    f->raced = f->too_large = false;
    f->out->rounds++;
    f->progress.phase = FOLLOW_ASKING;
    if ((rc = load(e, f)) || (rc = ask(e, f)))
        return rc;
    if (f->step == VERIFY_SAME && !f->start_over && !f->keys_fetched &&
        f->new_note_len == f->note_len && memcmp(f->new_note, f->note, f->note_len) == 0)
        return SYNC_OK;
    if ((rc = plan_and_fetch(e, f)) || (rc = apply_plan(e, f)))
        return rc;
    f->out->changed |= f->step != VERIFY_SAME || f->start_over;
    f->out->repaired |= f->start_over && f->note_len > 0;
    f->out->head = f->head;
    return f->store->part_keep(f->store->ctx, e, NULL, 0);
}

/* Why a round failed, as far as another round may mend it. */
enum trouble { RACED, STALE, TOO_LARGE, UNBELIEVABLE, HOPELESS };

static enum trouble trouble_of(const struct engine *f, enum sync_rc rc)
{
    if (f->raced)
        return RACED;
    if (f->too_large)
        return TOO_LARGE;
    switch (rc) {
    case SYNC_STALE: return STALE;
    case SYNC_INVALID:
    case SYNC_MISMATCH:
    case SYNC_UNTRUSTED:
    case SYNC_ROLLBACK: return UNBELIEVABLE;
    default: return HOPELESS;
    }
}

static enum sync_rc go_again(struct sync_err *e, struct engine *f, unsigned nth)
{
    (void)e, (void)f, (void)nth;
    return SYNC_OK;
}

/* The head that fits is being signed, or still on its way through the caches. All who met the
 * old one come again, but not together. */
static enum sync_rc let_it_settle(struct sync_err *e, struct engine *f, unsigned nth)
{
    uint32_t seconds = f->retry_after ? f->retry_after : 1u << nth;
    uint32_t ms = 1000 * (seconds < STALE_MOST_S ? seconds : STALE_MOST_S);

    f->fresh_head = true;
    return f->transport->wait(f->transport->ctx, e, ms + randombytes_uniform(ms / 2));
}

static enum sync_rc take_objects(struct sync_err *e, struct engine *f, unsigned nth)
{
    (void)e, (void)nth;
    f->by_objects = true;
    return SYNC_OK;
}

static enum sync_rc believe_no_cache(struct sync_err *e, struct engine *f, unsigned nth)
{
    (void)nth;
    f->past_caches = true;
    f->keys_fetched = false; /* a cache may have answered with an old chain */
    return f->head_known ? weed_parts(e, f) : SYNC_OK;
}

static const struct {
    unsigned times; /* at most, in one run */
    enum sync_rc (*prepare)(struct sync_err *e, struct engine *f, unsigned nth);
} remedies[] = {
    [RACED] = { 5, go_again },         [STALE] = { 3, let_it_settle },
    [TOO_LARGE] = { 1, take_objects }, [UNBELIEVABLE] = { 1, believe_no_cache },
    [HOPELESS] = { 0, NULL },
};

static enum sync_rc run_rounds(struct sync_err *e, struct engine *f)
{
    unsigned used[HOPELESS + 1] = { 0 };
    enum sync_rc rc;

    while ((rc = one_round(e, f))) {
        enum trouble t = trouble_of(f, rc);
        unsigned nth = used[t]++;

        if (nth >= remedies[t].times)
            return rc;
        if ((rc = remedies[t].prepare(e, f, nth)))
            return rc;
    }
    return SYNC_OK;
}

enum sync_rc follow_run(struct sync_err *e, const struct follow_store *store,
                        const struct follow_transport *transport,
                        const struct follow_options *options, struct follow_result *out)
{
    struct engine *f;
    enum sync_rc rc;

    *out = (struct follow_result){ 0 };
    if (!options->stream || !wire_stream_ok(options->stream, strlen(options->stream)))
        return sync_err_set(e, SYNC_USAGE, "no such stream name");
    f = calloc(1, sizeof *f);
    if (!f || !(f->keys = malloc(VERIFY_KEYS_MAX)))
        abort();
    f->store = store;
    f->transport = transport;
    f->options = options;
    f->out = out;
    rc = run_rounds(e, f);
    if (!rc)
        out->wait = out->head.poll;
    forget_texts(f);
    free(f->plan.parts);
    free(f->keys);
    free(f);
    return rc;
}

uint32_t follow_backoff(uint32_t poll, unsigned failures, uint32_t random)
{
    enum { HOUR = 3600 };
    uint64_t wait = poll ? poll : 1;

    for (unsigned i = 1; i < failures && wait < HOUR; i++)
        wait *= 2;
    wait = wait < HOUR ? wait : HOUR;
    return (uint32_t)(wait / 2 + random % (wait / 2 + 1));
}
