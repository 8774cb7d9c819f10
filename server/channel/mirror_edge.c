/*
 * mirror_edge.c - an edge has no keys. Phones that read from it trust the server behind it, whose chain and whose signed list
 * of streams it passes on as they are.
 *
 *     keys, heads --verify--> withheld objects --one job--> streams followed or dropped, values --COMMIT--> list, chain shown
 *
 * The values stand in `mirror_value` under the stream 0, so that a restart shows them before the other server is reached.
 */
#include "server/channel/mirror_edge.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/channel/mirror.h"
#include "server/channel/mirror_state.h"
#include "server/library/item.h"
#include "server/library/stream.h"
#include "server/store/writer.h"
#include "sync/heads.h"
#include "sync/object.h"

enum { NOBODY = 0 /* stream of the values */ };

struct edge {
    const struct conf *conf;
    struct db *reader;
    const struct follow_transport *net;
    char *keys, *held_keys, *answer, *held_list;
    size_t keys_n, held_keys_n, answer_n, held_list_n, list_n;
    uint8_t trust[VERIFY_ED25519];
    struct wire_heads list, held;
    struct buf withheld[WIRE_STREAMS_MAX];
    bool changed;
};

/* ---- asking ---- */

struct asked {
    char *out;
    size_t n, room;
};

static enum sync_rc take(struct follow_get *g, struct sync_err *e, const uint8_t *p, size_t n)
{
    struct asked *a = g->ctx;

    if (a->n + n > a->room)
        return sync_err_set(e, SYNC_INVALID, "%s: the answer is too long", g->path);
    memcpy(a->out + a->n, p, n);
    a->n += n;
    return SYNC_OK;
}

static enum sync_rc ask(const struct edge *x, struct sync_err *e, const char *path, char *out,
                        size_t room, size_t *n)
{
    struct asked a = { .out = out, .room = room };
    struct follow_get g = { .path = path, .past_caches = true, .body = take, .ctx = &a };
    enum sync_rc rc = x->net->get(x->net->ctx, e, &g, 1);

    *n = a.n;
    if (rc)
        return rc;
    if (g.err.rc)
        return sync_err_set(e, g.err.rc, "%s: %s", path, g.err.text);
    return g.status == 200 ? SYNC_OK
                           : sync_err_set(e, SYNC_BUSY, "%s: answered %d", path, g.status);
}

/* ---- what is held ---- */

static enum rc value(struct work *w, enum follow_value which, char *out, size_t room, size_t *n)
{
    struct rows q;
    const void *p;
    enum rc rc = db_query(w, SQL_mirror_value, &q, "ii", (int64_t)NOBODY, (int64_t)which);

    *n = 0;
    if (rc)
        return rc;
    if (rows_next(&q) && (p = rows_blob(&q, 0, n)) && *n <= room)
        memcpy(out, p, *n);
    else
        *n = 0;
    return rows_done(&q);
}

static enum rc load(struct edge *x, struct work *w)
{
    struct wire_note note;
    struct sync_err ignored;
    size_t n, notes;
    enum rc rc;

    if ((rc = value(w, FOLLOW_KEYS, x->held_keys, VERIFY_KEYS_MAX, &x->held_keys_n)) ||
        (rc = value(w, FOLLOW_HEADS, x->held_list, WIRE_HEADS_MAX, &x->held_list_n)) ||
        (rc = value(w, FOLLOW_TRUST, (char *)x->trust, sizeof x->trust, &n)))
        return rc;
    if (x->held_list_n &&
        wire_heads_parse(&ignored, x->held_list, x->held_list_n, &x->held, &note, &notes))
        x->held_list_n = 0;
    return RC_OK;
}

static struct edge *edge_new(const struct conf *c, struct db *reader)
{
    struct edge *x = calloc(1, sizeof *x);

    if (!x || !(x->keys = malloc(VERIFY_KEYS_MAX)) ||
        !(x->held_keys = malloc(VERIFY_KEYS_MAX)) || !(x->answer = malloc(WIRE_HEADS_MAX)) ||
        !(x->held_list = malloc(WIRE_HEADS_MAX)))
        memory_end();
    x->conf = c;
    x->reader = reader;
    return x;
}

static void edge_free(struct edge *x)
{
    for (size_t i = 0; i < WIRE_STREAMS_MAX; i++)
        buf_done(&x->withheld[i]);
    free(x->keys);
    free(x->held_keys);
    free(x->answer);
    free(x->held_list);
    free(x);
}

/* ---- verifying ---- */

static enum sync_rc check_keys(struct edge *x, struct sync_err *e)
{
    enum sync_rc rc;

    if (*x->conf->edge_trust)
        (void)hex_parse(x->conf->edge_trust, strlen(x->conf->edge_trust), x->trust,
                        sizeof x->trust);
    else if (!x->held_keys_n && (rc = verify_keys_first(e, x->keys, x->keys_n, x->trust)))
        return rc;
    return verify_keys_accept(e, x->keys, x->keys_n, x->held_keys, x->held_keys_n, x->trust);
}

static enum sync_rc check_list(struct edge *x, struct sync_err *e)
{
    struct wire_note note;
    struct verify_key key;
    enum sync_rc rc;

    if ((rc = wire_heads_parse(e, x->answer, x->answer_n, &x->list, &note, &x->list_n)) ||
        (rc = verify_keys_current(e, x->keys, x->keys_n, x->trust, "platform", &key)) ||
        (rc = verify_note(e, x->answer, &note, &key)))
        return rc;
    x->list_n -= x->list_n < x->answer_n; /* the blank line before the first note */
    return verify_heads(e, x->held_list_n ? &x->held : NULL, &x->list);
}

/* The list names it by its hash, so whoever is shown the list must find it here. */
static enum sync_rc fetch_withheld(struct edge *x, struct sync_err *e, size_t i)
{
    const struct wire_heads_stream *s = &x->list.stream[i];
    struct wire_url u = { .kind = WIRE_URL_OBJECT };
    char path[WIRE_URL_MAX], *text;
    uint8_t hash[HASH_BYTES];
    enum sync_rc rc;
    size_t n;

    if (!s->has_withheld)
        return SYNC_OK;
    strcpy(u.stream, s->name);
    memcpy(u.hash, s->withheld, WIRE_HASH);
    wire_url_print(&u, path);
    if (!(text = malloc(FOLLOW_TEXT_MAX)))
        memory_end();
    if (!(rc = ask(x, e, path, text, FOLLOW_TEXT_MAX, &n))) {
        sha256(text, n, hash);
        if (memcmp(hash, s->withheld, WIRE_HASH))
            rc = sync_err_set(e, SYNC_MISMATCH, "%s has another hash", path);
        else
            buf_add(&x->withheld[i], text, n);
    }
    free(text);
    return rc;
}

/* ---- the job ---- */

static bool is_listed(const struct wire_heads *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (!strcmp(list->stream[i].name, name))
            return true;
    return false;
}

static enum rc drop_others(struct edge *x, struct work *w)
{
    struct mirror_state *m;
    enum rc rc;
    int n;

    if ((rc = mirror_list(w, &m, &n)))
        return rc;
    for (int i = 0; i < n && !rc; i++)
        if (!is_listed(&x->list, m[i].stream))
            rc = mirror_unfollow(w, m[i].stream);
    return rc;
}

/* What stands in our rows, or in the new list: each is shown or hidden anew. */
static enum rc show_item(struct work *w, int64_t stream, const struct id *id)
{
    struct item it;
    enum rc rc = item_find(w, id, &it);

    if (rc == RC_NOT_FOUND || (!rc && (it.stream != stream || it.born < 0)))
        return RC_OK;
    return rc ? rc : mirror_item_show(w, stream, (uint64_t)it.born);
}

static enum rc withheld_rows(struct work *w, int64_t stream, struct buf *out)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_heads_withheld, &q, "i", stream);

    if (rc)
        return rc;
    while (rows_next(&q)) {
        size_t n;
        const void *id = rows_blob(&q, 0, &n);

        buf_add(out, id, n == WIRE_ID ? n : 0);
    }
    return rows_done(&q);
}

static enum rc withhold(struct work *w, int64_t stream, const struct buf *text)
{
    struct buf ids = BUF_IN(w->mem);
    struct wire_lines lines;
    struct sync_err se;
    struct id id;
    bool more = text->n > 0;
    uint8_t hash[HASH_BYTES];
    enum rc rc;

    if ((rc = withheld_rows(w, stream, &ids)) ||
        (rc = db_run(w, SQL_mirror_forget_withheld, "i", stream)) ||
        (text->n && ((rc = object_put(w, stream, "withheld", text->p, text->n, hash)))))
        return rc;
    if (text->n && wire_withheld_begin(&se, text->p, text->n, &lines))
        return err_set(&w->err, RC_INVALID, "%s", se.text);
    while (more && !rc) {
        if (wire_withheld_next(&se, &lines, id.b, &more))
            return err_set(&w->err, RC_INVALID, "%s", se.text);
        if (!more)
            break;
        rc = db_run(w, SQL_withheld_add, "ib", stream, id.b, sizeof id.b);
        buf_add(&ids, id.b, sizeof id.b);
    }
    for (size_t at = 0; at < ids.n && !rc; at += sizeof id.b) {
        memcpy(id.b, ids.p + at, sizeof id.b);
        rc = show_item(w, stream, &id);
    }
    return rc;
}

static void show(void *arg)
{
    const struct edge *x = arg;

    heads_adopt_keys(x->keys, x->keys_n);
    heads_adopt(x->answer, x->list_n);
}

static enum rc keep(struct work *w, enum follow_value which, const void *p, size_t n)
{
    return db_run(w, SQL_mirror_value_put, "iib", (int64_t)NOBODY, (int64_t)which, p, n);
}

static enum rc adopt(struct work *w, void *arg)
{
    struct edge *x = arg;
    char trust[HASH_TEXT];
    enum rc rc = x->changed ? drop_others(x, w) : RC_OK;

    hex_text(x->trust, sizeof x->trust, trust);
    for (size_t i = 0; i < x->list.n && !rc; i++) {
        struct mirror_new in = { .url = x->conf->edge_of,
                                 .stream = x->list.stream[i].name,
                                 .trust = trust,
                                 .cacert = *x->conf->edge_ca ? x->conf->edge_ca : NULL };
        struct stream row;

        if (!live_find(in.stream) || x->changed)
            rc = mirror_follow(w, &in);
        if (!rc && !(rc = stream_find(w, in.stream, &row)))
            rc = withhold(w, row.no, &x->withheld[i]);
    }
    if (rc || (rc = keep(w, FOLLOW_KEYS, x->keys, x->keys_n)) ||
        (rc = keep(w, FOLLOW_HEADS, x->answer, x->list_n)) ||
        (rc = keep(w, FOLLOW_TRUST, x->trust, sizeof x->trust)))
        return rc;
    work_after_commit(w, show, x);
    return RC_OK;
}

/* ---- a run ---- */

static bool same_streams(const struct edge *x)
{
    if (!x->held_list_n || x->held.n != x->list.n)
        return false;
    for (size_t i = 0; i < x->list.n; i++)
        if (strcmp(x->held.stream[i].name, x->list.stream[i].name))
            return false;
    return true;
}

static enum sync_rc run(struct edge *x, struct sync_err *e, struct work *w)
{
    enum sync_rc sr;
    enum rc rc;

    w->db = x->reader;
    if ((rc = load(x, w)))
        return mirror_failed(e, rc, &w->err);
    if ((sr = ask(x, e, "/v1/sync/keys", x->keys, VERIFY_KEYS_MAX, &x->keys_n)) ||
        (sr = ask(x, e, "/v1/sync/heads", x->answer, WIRE_HEADS_MAX, &x->answer_n)) ||
        (sr = check_keys(x, e)) || (sr = check_list(x, e)))
        return sr;
    if (x->list_n == x->held_list_n && !memcmp(x->answer, x->held_list, x->list_n) &&
        x->keys_n == x->held_keys_n && !memcmp(x->keys, x->held_keys, x->keys_n))
        return SYNC_OK;
    for (size_t i = 0; i < x->list.n; i++)
        if ((sr = fetch_withheld(x, e, i)))
            return sr;
    x->changed = !same_streams(x);
    rc = writer_call(w, adopt, x);
    return rc ? mirror_failed(e, rc, &w->err) : SYNC_OK;
}

enum sync_rc mirror_edge_run(struct sync_err *e, const struct conf *c, struct db *reader,
                             const struct follow_transport *t, bool *changed)
{
    struct edge *x = edge_new(c, reader);
    enum sync_rc rc;
    struct work w;

    x->net = t;
    work_init(&w, arena_new(), reader, "mirror", RIGHT_ALL);
    rc = run(x, e, &w);
    *changed = !rc && x->changed;
    arena_free(w.mem);
    edge_free(x);
    return rc;
}

enum rc mirror_edge_check(struct err *e, const struct conf *c)
{
    uint8_t trust[HASH_BYTES];

    if (*c->edge_of && !mirror_url_ok(c->edge_of))
        return err_set(e, RC_INVALID,
                       "edge_of: \"%.100s\" is not the address of a server, like "
                       "https://www.example.cn:8443",
                       c->edge_of);
    if (*c->edge_trust && !hex_parse(c->edge_trust, strlen(c->edge_trust), trust, sizeof trust))
        return err_set(e, RC_INVALID, "edge_trust: a platform key is 64 lower-case hex digits");
    return RC_OK;
}

static enum rc nothing(struct work *w, void *arg)
{
    work_after_commit(w, show, arg);
    return RC_OK;
}

enum rc mirror_edge_open(struct err *e, const struct conf *c, struct db *reader)
{
    struct edge *x = edge_new(c, reader);
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), reader, "mirror", RIGHT_ALL);
    if (!(rc = load(x, &w)) && x->held_list_n) {
        memcpy(x->keys, x->held_keys, x->keys_n = x->held_keys_n);
        memcpy(x->answer, x->held_list, x->list_n = x->held_list_n);
        rc = writer_call(&w, nothing, x);
    }
    if (rc)
        *e = w.err;
    arena_free(w.mem);
    edge_free(x);
    return rc;
}

bool mirror_edge_holds(struct work *w)
{
    struct rows q;
    bool holds;

    if (db_query(w, SQL_mirror_value, &q, "ii", (int64_t)NOBODY, (int64_t)FOLLOW_HEADS))
        return false;
    holds = rows_next(&q);
    return !rows_done(&q) && holds;
}

/* Of the server behind it, as it was called last. "": no stream of it came yet. */
static const char *known_url(struct work *w)
{
    const char *url = "";
    struct rows q;

    if (db_query(w, SQL_mirror_all, &q, ""))
        return url;
    if (rows_next(&q))
        url = rows_dup_text(w, &q, 2);
    return rows_done(&q) ? "" : url;
}

enum rc mirror_edge_settled(struct err *e, const struct conf *c, const char *db_path)
{
    struct work w;
    struct db *db;
    enum rc rc;

    if (*c->edge_of)
        return RC_OK;
    if ((rc = db_open(e, db_path, DB_READ, &db)))
        return rc;
    work_init(&w, arena_new(), db, "mirror", RIGHT_ALL);
    if (mirror_edge_holds(&w))
        rc = err_set(e, RC_INVALID,
                     "edge_of: the library in %.200s only shows %.200s: start it with tjzw "
                     "serve --mirror URL, or with this setting",
                     c->data, known_url(&w));
    arena_free(w.mem);
    db_close(db);
    return rc;
}
