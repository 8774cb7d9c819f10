/*
 * follow_ask.c - what is held, and the newest head: signed by the stream's key, in a list signed
 * by the platform's, neither older than what is held.
 *
 *     heads/{stream}  ->  list (platform key) + note (stream key)      the usual poll
 *     a hint's twin   ->  note                                         when somebody told us of it
 *     keys            beside the first answer, and when one bears a key that we do not know
 */
#include "sync/follow_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is held ---- */

/* Text that was damaged here is as good as none. */
static void load_list(struct engine *f)
{
    struct wire_note note;
    struct sync_err ignored;
    size_t notes;

    f->listed.n = 0;
    if (f->list_len > 0 &&
        wire_heads_parse(&ignored, f->list, f->list_len, &f->listed, &note, &notes)) {
        f->listed.n = 0;
        f->list_len = 0;
    }
}

static enum sync_rc load_below(struct sync_err *e, struct engine *f)
{
    uint8_t *text = engine_alloc(BELOW_TEXT_MAX);
    struct sync_err ignored;
    size_t n;
    enum sync_rc rc = f->store->get(f->store->ctx, e, FOLLOW_BELOW, text, BELOW_TEXT_MAX, &n);

    f->below.horizon = f->below.n = 0;
    if (!rc && n > 0 && merkle_below_parse(&ignored, text, n, &f->below)) {
        f->below.horizon = f->below.n = 0;
        f->must_repair = true;
    }
    free(text);
    return rc;
}

static enum sync_rc load_trust(struct sync_err *e, struct engine *f)
{
    size_t n;
    enum sync_rc rc;

    if (f->options->trust) {
        memcpy(f->out->trust, f->options->trust, VERIFY_ED25519);
        f->has_trust = true;
    } else if (!f->out->first_use) {
        if ((rc = f->store->get(f->store->ctx, e, FOLLOW_TRUST, f->out->trust, VERIFY_ED25519,
                                &n)))
            return rc;
        f->has_trust = n == VERIFY_ED25519;
    }
    return SYNC_OK;
}

enum sync_rc ask_load(struct sync_err *e, struct engine *f)
{
    const struct follow_store *s = f->store;
    struct wire_note note;
    struct sync_err ignored;
    size_t n;
    enum sync_rc rc;

    f->held = (struct wire_head){ 0 };
    f->foreign = false;
    if ((rc = s->get(s->ctx, e, FOLLOW_HEAD, f->note, sizeof f->note, &f->note_len)) ||
        (rc = s->get(s->ctx, e, FOLLOW_ETAG, f->etag, sizeof f->etag - 1, &n)))
        return rc;
    f->etag[n] = '\0';
    if (f->note_len > 0 && wire_head_parse(&ignored, f->note, f->note_len, &f->held, &note))
        f->must_repair = true;
    if ((rc = load_below(e, f)) ||
        (rc = s->get(s->ctx, e, FOLLOW_HEADS, f->list, WIRE_HEADS_MAX, &f->list_len)))
        return rc;
    load_list(f);
    if (!f->keys_fetched &&
        (rc = s->get(s->ctx, e, FOLLOW_KEYS, f->keys, VERIFY_KEYS_MAX, &f->keys_len)))
        return rc;
    if ((rc = load_trust(e, f)))
        return rc;
    f->out->head = f->held;
    f->out->horizon = f->below.horizon;
    return SYNC_OK;
}

/* ---- keys ---- */

static struct fetch_text keys_text(char *room)
{
    return (struct fetch_text){ .path = "/v1/sync/keys", .out = room, .room = VERIFY_KEYS_MAX };
}

/* A role's current key as far as the chain at hand tells. */
static enum sync_rc current_key(struct sync_err *e, const struct engine *f, const char *role,
                                struct verify_key *out)
{
    if (f->keys_len == 0 || !f->has_trust)
        return sync_err_set(e, SYNC_UNTRUSTED, "no key chain is held");
    return verify_keys_current(e, f->keys, f->keys_len, f->out->trust, role, out);
}

static void stream_role(const struct engine *f, char role[VERIFY_ROLE_MAX + 1])
{
    snprintf(role, VERIFY_ROLE_MAX + 1, "stream:%s", f->options->stream);
}

/*
 * Does the key the user gave vouch for the new chain and not for the one held, which is not its
 * beginning? Then a stranger was trusted on first use, and his head is no measure for the true one.
 */
static bool is_foreign(const struct engine *f, const struct fetch_text *t)
{
    bool extends = t->n >= f->keys_len && memcmp(t->out, f->keys, f->keys_len) == 0;
    char role[VERIFY_ROLE_MAX + 1];
    struct verify_key key;
    struct sync_err ignored;

    stream_role(f, role);
    return f->options->trust && f->keys_len > 0 && !extends &&
           current_key(&ignored, f, role, &key) != SYNC_OK;
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
        f->listed.n = 0;
        f->foreign = true;
    }
    memcpy(f->keys, t->out, t->n);
    f->keys_len = t->n;
    f->keys_fetched = true;
    return SYNC_OK;
}

static enum sync_rc keys_fetch(struct sync_err *e, struct engine *f)
{
    struct fetch_text t = keys_text(engine_alloc(VERIFY_KEYS_MAX));
    enum sync_rc rc;

    if (!(rc = fetch_texts(e, f, &t, 1)))
        rc = keys_take(e, f, &t);
    free(t.out);
    return rc;
}

/* A signature; a key we do not know may stand in a longer chain. */
static enum sync_rc believe(struct sync_err *e, struct engine *f, const char *role,
                            const char *text, const struct wire_note *note)
{
    struct verify_key key;
    enum sync_rc rc = current_key(e, f, role, &key);

    if (!f->keys_fetched && (rc || !verify_note_names(note, &key))) {
        if ((rc = keys_fetch(e, f)))
            return rc;
        rc = current_key(e, f, role, &key);
    }
    return rc ? rc : verify_note(e, text, note, &key);
}

/* ---- the head ---- */

static enum sync_rc head_take(struct sync_err *e, struct engine *f)
{
    char role[VERIFY_ROLE_MAX + 1];
    struct wire_note note;
    enum sync_rc rc;

    stream_role(f, role);
    if ((rc = wire_head_parse(e, f->new_note, f->new_note_len, &f->head, &note)))
        return rc;
    if (strcmp(f->head.stream, f->options->stream) != 0)
        return sync_err_set(e, SYNC_INVALID, "asked for stream %s, got the head of %s",
                            f->options->stream, f->head.stream);
    if ((rc = believe(e, f, role, f->new_note, &note)))
        return rc;
    rc = verify_head(e, f->held.epoch ? &f->held : NULL, &f->head, &f->step);
    f->head_known = rc == SYNC_OK;
    return rc;
}

/* ---- the list ---- */

static const struct wire_heads_stream *listed_as(const struct wire_heads *list,
                                                 const char *stream)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->stream[i].name, stream) == 0)
            return &list->stream[i];
    return NULL;
}

const uint8_t *ask_withheld(const struct engine *f, const struct wire_heads *list)
{
    const struct wire_heads_stream *s = listed_as(list, f->options->stream);

    return s && s->has_withheld ? s->withheld : NULL;
}

/* The one note behind the list. */
static enum sync_rc note_take(struct sync_err *e, struct engine *f, size_t n, size_t at)
{
    const char *note;
    size_t len;
    enum sync_rc rc;

    if ((rc = wire_heads_next(e, f->answer, n, &at, &note, &len)))
        return rc;
    if (len == 0)
        return sync_err_set(e, SYNC_BUSY, "the stream has no head yet");
    if (len >= sizeof f->new_note || at != n)
        return sync_err_set(e, SYNC_INVALID, "heads: more than one head");
    memcpy(f->new_note, note, len);
    f->new_note_len = len;
    return SYNC_OK;
}

static enum sync_rc list_take(struct sync_err *e, struct engine *f, size_t n)
{
    struct wire_note note;
    size_t notes;
    enum sync_rc rc;

    if ((rc = wire_heads_parse(e, f->answer, n, &f->heads, &note, &notes)) ||
        (rc = believe(e, f, "platform", f->answer, &note)) ||
        (rc = verify_heads(e, f->listed.n ? &f->listed : NULL, &f->heads)))
        return rc;
    if (!listed_as(&f->heads, f->options->stream))
        return sync_err_set(e, SYNC_GONE, "the server does not list the stream %s",
                            f->options->stream);
    f->new_list_len = notes < n ? notes - 1 : n;
    f->has_list = true;
    return note_take(e, f, n, notes);
}

/* ---- asking ---- */

/* The keys come with the first head, in the same round trip. */
static enum sync_rc fetch_with_keys(struct sync_err *e, struct engine *f,
                                    struct fetch_text *head)
{
    struct fetch_text both[2] = { *head, keys_text(engine_alloc(VERIFY_KEYS_MAX)) };
    enum sync_rc rc;

    if (!(rc = fetch_texts(e, f, both, 2)))
        rc = keys_take(e, f, &both[1]);
    *head = both[0];
    free(both[1].out);
    return rc;
}

static enum sync_rc fetch_head(struct sync_err *e, struct engine *f, struct fetch_text *head)
{
    return f->keys_len == 0 ? fetch_with_keys(e, f, head) : fetch_texts(e, f, head, 1);
}

static enum sync_rc ask_newest(struct sync_err *e, struct engine *f)
{
    struct wire_url url = { .kind = WIRE_URL_HEADS };
    char path[WIRE_URL_MAX];
    struct fetch_text t = { .path = path, .out = f->answer, .room = WIRE_HEADS_MAX - 1 };
    enum sync_rc rc;

    snprintf(url.stream, sizeof url.stream, "%s", f->options->stream);
    wire_url_print(&url, path);
    if (f->held.epoch && f->list_len && f->etag[0] && !f->past_caches)
        t.if_none = f->etag;
    if ((rc = fetch_head(e, f, &t)))
        return rc;
    if (t.status == 304) {
        memcpy(f->new_note, f->note, f->note_len);
        f->new_note_len = f->note_len;
        memcpy(f->new_etag, f->etag, sizeof f->etag);
    } else {
        memcpy(f->new_etag, t.etag, sizeof t.etag);
        if ((rc = list_take(e, f, t.n)))
            return rc;
    }
    return head_take(e, f);
}

/* Whether what a hint named is newer than what is held. */
static bool twin_is_news(const struct engine *f, const char *path)
{
    const struct wire_head *h = &f->held;
    struct sync_err ignored;
    struct wire_url u;

    if (wire_url_parse(&ignored, path, strlen(path), &u) || u.kind != WIRE_URL_TWIN ||
        strcmp(u.stream, f->options->stream) != 0)
        return false;
    return u.epoch != h->epoch ? u.epoch > h->epoch
           : u.seq != h->seq   ? u.seq > h->seq
                               : u.sign > h->sign;
}

static enum sync_rc ask_twin(struct sync_err *e, struct engine *f)
{
    struct fetch_text t = { .path = f->options->twin,
                            .out = f->new_note,
                            .room = sizeof f->new_note - 1 };
    enum sync_rc rc;

    if ((rc = fetch_head(e, f, &t)))
        return rc;
    f->new_note_len = t.n;
    f->new_etag[0] = '\0'; /* of the other address, which we have not asked */
    return head_take(e, f);
}

enum sync_rc ask_head(struct sync_err *e, struct engine *f)
{
    const char *twin = f->no_twin ? NULL : f->options->twin;
    enum sync_rc rc;

    f->head_known = f->has_list = false;
    f->no_twin = true;
    if (twin && twin_is_news(f, twin)) {
        rc = ask_twin(e, f);
        if (rc != SYNC_GONE && rc != SYNC_INVALID && rc != SYNC_ROLLBACK &&
            rc != SYNC_UNTRUSTED)
            return rc;
        f->head_known = false;
    }
    return ask_newest(e, f);
}

bool ask_same(const struct engine *f)
{
    bool same_list = !f->has_list || (f->new_list_len == f->list_len &&
                                      memcmp(f->answer, f->list, f->list_len) == 0);

    return same_list && !f->keys_fetched && f->held.epoch && f->new_note_len == f->note_len &&
           memcmp(f->new_note, f->note, f->note_len) == 0;
}
