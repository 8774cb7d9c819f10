/*
 * tjzw.c - the handle: opening a store, what it follows, what the user wants to see, how fresh
 * it is, and whether it is what was signed.
 */
#include "clients/c/tjzw.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/c/net.h"
#include "clients/c/store.h"

const char *tjzw_version(void)
{
    return TJZW_VERSION;
}

enum tjzw_code tjzw_open(const char *path, struct tjzw **out, struct tjzw_error *e)
{
    struct tjzw *t = calloc(1, sizeof *t);
    enum tjzw_code rc;

    if (!t || sodium_init() < 0)
        abort();
    if (!path || !path[0])
        rc = fail_with(e, TJZW_USAGE, "no path to open a store at");
    else
        rc = store_open(path, t, e);
    if (rc) {
        tjzw_close(t);
        return rc;
    }
    *out = t;
    return TJZW_OK;
}

static void forget(struct asked **place)
{
    struct asked *a = *place;

    *place = a->next;
    free(a);
}

void tjzw_close(struct tjzw *t)
{
    if (!t)
        return;
    while (t->asked)
        forget(&t->asked);
    net_close(t->net);
    store_close(t);
    free(t);
}

void tjzw_set_transport(struct tjzw *t, const struct tjzw_transport *transport)
{
    t->transport = transport ? *transport : (struct tjzw_transport){ 0 };
}

/* ---- following ---- */

/* "https://host[:port]" without a path; the protocol's paths start at the root. */
static bool take_url(const char *url, char *out, size_t room)
{
    size_t scheme = strncmp(url, "https://", 8) == 0  ? 8
                    : strncmp(url, "http://", 7) == 0 ? 7
                                                      : 0;
    size_t n = strlen(url);

    if (scheme == 0 || n >= room)
        return false;
    while (n > scheme && url[n - 1] == '/')
        n--;
    if (n == scheme || strcspn(url + scheme, "/ \t\r\n\"<>\\?#@") < n - scheme)
        return false;
    memcpy(out, url, n);
    out[n] = '\0';
    return true;
}

static enum tjzw_code stream_put(struct tjzw *t, const struct stream *s, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(t, STMT_STREAM_PUT, e);

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_text(q, 1, s->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, s->url, -1, SQLITE_STATIC);
    if (s->cacert[0])
        sqlite3_bind_text(q, 3, s->cacert, -1, SQLITE_STATIC);
    if (s->has_trust)
        sqlite3_bind_blob(q, 4, s->trust, VERIFY_ED25519, SQLITE_STATIC);
    return store_run(t, q, e);
}

/* Absolute, so that it is found from another directory too. */
static enum tjzw_code take_cacert(const char *path, struct stream *s, struct tjzw_error *e)
{
    char *whole = realpath(path, NULL);
    bool fits = whole && strlen(whole) < sizeof s->cacert;

    if (fits)
        strcpy(s->cacert, whole);
    else
        fail_with(e, TJZW_USAGE, "cacert %s: %s", path,
                  whole ? "too long a path" : strerror(errno));
    free(whole);
    return fits ? TJZW_OK : TJZW_USAGE;
}

static enum tjzw_code merge_server(struct stream *s, const struct tjzw_server *server,
                                   struct tjzw_error *e)
{
    enum tjzw_code rc;

    if (server->url && !take_url(server->url, s->url, sizeof s->url))
        return fail_with(e, TJZW_USAGE, "url is not https://host[:port]");
    if (!s->url[0])
        return fail_with(e, TJZW_USAGE, "no url is known for stream %s", s->name);
    if (server->cacert && (rc = take_cacert(server->cacert, s, e)))
        return rc;
    if (!server->trust)
        return TJZW_OK;
    s->has_trust = wire_unhex(server->trust, strlen(server->trust), s->trust, VERIFY_ED25519);
    return s->has_trust ? TJZW_OK
                        : fail_with(e, TJZW_USAGE, "trust is not 64 lower-case hex digits");
}

static void ask(struct tjzw *t, const struct stream *s)
{
    struct asked **place = stream_asked(t, s->name), *a = place ? *place : NULL;

    if (!a) {
        if (!(a = calloc(1, sizeof *a)))
            abort();
        a->next = t->asked;
        t->asked = a;
    }
    a->s = *s;
    a->s.no = 0;
}

enum tjzw_code tjzw_follow(struct tjzw *t, const struct tjzw_server *server,
                           struct tjzw_error *e)
{
    const char *name = server->stream ? server->stream : "main";
    struct stream s, before;
    struct tjzw_error unknown;
    enum tjzw_code rc;

    if (!wire_stream_ok(name, strlen(name)))
        return fail_with(e, TJZW_USAGE, "%s is no stream name", name);
    rc = stream_find(t, name, &before, &unknown);
    if (rc && rc != TJZW_NOT_FOUND) {
        if (e)
            *e = unknown;
        return rc;
    }
    s = before;
    snprintf(s.name, sizeof s.name, "%s", name);
    if ((rc = merge_server(&s, server, e)))
        return rc;
    if (memcmp(&s, &before, sizeof s) != 0)
        ask(t, &s); /* the usual case is what is remembered already */
    return TJZW_OK;
}

enum tjzw_code stream_begin(struct tjzw *t, struct tjzw_error *e)
{
    enum tjzw_code rc;

    for (const struct asked *a = t->asked; a; a = a->next) {
        struct wire_note signatures;
        struct wire_head head = { 0 };
        char note[WIRE_HEAD_MAX];
        struct stream s;
        size_t n;

        if ((rc = stream_find(t, a->s.name, &s, e)))
            return rc;
        if (stream_head(&s, &head, note, &n, &signatures, NULL) || head.epoch)
            continue; /* something is held: what was asked has to be proved first */
        if ((rc = stream_put(t, &s, e)))
            return rc;
    }
    return TJZW_OK;
}

enum tjzw_code stream_keep(struct stream *s, struct tjzw_error *e)
{
    struct asked **place = stream_asked(s->t, s->name);
    enum tjzw_code rc;

    if (!place)
        return TJZW_OK;
    if (!(rc = stream_put(s->t, s, e)))
        forget(place);
    return rc;
}

enum tjzw_code tjzw_filter(struct tjzw *t, const char *const *columns, size_t n,
                           struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(t, STMT_BEGIN, e);
    enum tjzw_code rc;

    if (!q)
        return TJZW_STORE;
    if ((rc = store_run(t, q, e)))
        return rc;
    q = store_stmt(t, STMT_WANTED_WIPE, e);
    rc = q ? store_run(t, q, e) : TJZW_STORE;
    for (size_t i = 0; i < n && !rc; i++) {
        if (!(q = store_stmt(t, STMT_WANTED_PUT, e)))
            rc = TJZW_STORE;
        else {
            sqlite3_bind_text(q, 1, columns[i], -1, SQLITE_STATIC);
            rc = store_run(t, q, e);
        }
    }
    if (!rc)
        rc = (q = store_stmt(t, STMT_COMMIT, e)) ? store_run(t, q, e) : TJZW_STORE;
    if (rc && !sqlite3_get_autocommit(t->db) && (q = store_stmt(t, STMT_ROLLBACK, NULL)))
        (void)store_run(t, q, NULL);
    return rc;
}

/* ---- status ---- */

static enum tjzw_code count(struct stream *s, enum stmt which, uint64_t *out,
                            struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(s->t, which, e);
    enum tjzw_code rc = TJZW_OK;

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_int64(q, 1, s->no);
    if (sqlite3_step(q) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(q); i++)
            out[i] = (uint64_t)sqlite3_column_int64(q, i);
    else
        rc = store_error(s->t, e);
    store_reset(q);
    return rc;
}

static enum tjzw_code status_trust(struct stream *s, struct tjzw_status *out,
                                   struct tjzw_error *e)
{
    struct follow_store store = stream_store(s);
    uint8_t trust[VERIFY_ED25519];
    struct sync_err why;
    size_t n;

    if (s->has_trust) {
        wire_hex(s->trust, sizeof s->trust, out->trust);
        return TJZW_OK;
    }
    if (store.get(s, &why, FOLLOW_TRUST, trust, sizeof trust, &n))
        return fail_sync(e, &why);
    if (n == sizeof trust)
        wire_hex(trust, sizeof trust, out->trust);
    return TJZW_OK;
}

/* A phone's clock may be slow; the newest time that was signed is a bound. */
static void status_freshness(const struct wire_head *head, struct tjzw_status *out)
{
    uint64_t clock = (uint64_t)time(NULL), now = clock > head->time ? clock : head->time;

    out->signed_at = (int64_t)head->time;
    out->fresh_for = (uint32_t)verify_fresh_for(head, now);
    out->behind = out->fresh_for ? 0 : now - head->time - head->lease;
    wire_cursor_print((struct wire_cursor){ head->epoch, head->seq }, out->cursor);
}

enum tjzw_code tjzw_status(struct tjzw *t, const char *stream, struct tjzw_status *out,
                           struct tjzw_error *e)
{
    struct tjzw_status status = { 0 };
    struct wire_note signatures;
    struct wire_head head;
    char note[WIRE_HEAD_MAX];
    uint64_t items[2] = { 0 }, pending[1] = { 0 };
    struct stream s;
    enum tjzw_code rc;
    size_t n;

    if ((rc = stream_find(t, stream, &s, e)) ||
        (rc = stream_head(&s, &head, note, &n, &signatures, e)) ||
        (rc = count(&s, STMT_ITEM_COUNT, items, e)) ||
        (rc = count(&s, STMT_PART_PENDING, pending, e)) || (rc = status_trust(&s, &status, e)))
        return rc;
    memcpy(status.stream, s.name, sizeof status.stream);
    memcpy(status.url, s.url, sizeof status.url);
    status.items = items[0];
    status.tombstones = items[1];
    status.pending = pending[0];
    status.checked_at = s.checked;
    status.damaged = s.damaged;
    if (head.epoch)
        status_freshness(&head, &status);
    *out = status;
    return TJZW_OK;
}

/* ---- verify ---- */

/* The leaf that the tree holds for an item; zeros if it holds none. */
static void leaf_in_tree(const struct follow_store *store, const struct wire_head *head,
                         uint64_t born, uint64_t *loaded, uint8_t *tile, uint8_t out[WIRE_HASH])
{
    uint64_t index = born / MERKLE_TILE, left = head->size - index * MERKLE_TILE;
    struct sync_err ignored;

    if (*loaded != index) {
        memset(tile, 0, MERKLE_TILE * WIRE_HASH);
        (void)!store->tiles.read(store->tiles.ctx, &ignored, 0, index,
                                 left < MERKLE_TILE ? (unsigned)left : MERKLE_TILE, tile);
        *loaded = index;
    }
    memcpy(out, tile + born % MERKLE_TILE * WIRE_HASH, WIRE_HASH);
}

static void note_damage(sqlite3_stmt *q, struct tjzw_verdict *v)
{
    const uint8_t *id = sqlite3_column_blob(q, 4);

    if (v->damaged++ == 0 && sqlite3_column_bytes(q, 4) == WIRE_ID)
        wire_hex(id, WIRE_ID, v->first);
}

/* Hashes every item; `root` is that of what is really there. */
static enum tjzw_code hash_all(struct stream *s, const struct wire_head *head,
                               struct tjzw_verdict *v, uint8_t root[WIRE_HASH],
                               struct tjzw_error *e)
{
    struct follow_store store = stream_store(s);
    sqlite3_stmt *q = store_stmt(s->t, STMT_HELD, e);
    struct merkle_stack *stack = calloc(1, sizeof *stack);
    uint8_t tile[MERKLE_TILE * WIRE_HASH];
    uint64_t loaded = UINT64_MAX;
    enum tjzw_code rc = TJZW_OK;
    int code = SQLITE_ERROR;

    if (!stack)
        abort();
    if (q)
        sqlite3_bind_int64(q, 1, s->no);
    while (q && (code = sqlite3_step(q)) == SQLITE_ROW) {
        uint8_t leaf[WIRE_HASH] = { 0 }, signed_leaf[WIRE_HASH];
        struct sync_err why;
        struct wire_frame f;

        v->checked++;
        leaf_in_tree(&store, head, (uint64_t)sqlite3_column_int64(q, 0), &loaded, tile,
                     signed_leaf);
        if (held_record(q, &why, &f, leaf) || memcmp(leaf, signed_leaf, WIRE_HASH) != 0)
            note_damage(q, v);
        merkle_stack_add(stack, leaf);
    }
    if (code != SQLITE_DONE)
        rc = store_error(s->t, e);
    if (q)
        store_reset(q);
    merkle_stack_root(stack, root);
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
    if ((rc = hash_all(s, &head, v, root, e)))
        return rc;
    *sound =
        v->damaged == 0 && v->checked == head.size && memcmp(root, head.root, WIRE_HASH) == 0;
    return *sound ? check_signature(s, note, &signatures, e) : TJZW_OK;
}

enum tjzw_code tjzw_verify(struct tjzw *t, const char *stream, struct tjzw_verdict *out,
                           struct tjzw_error *e)
{
    struct tjzw_verdict v = { 0 };
    struct stream s;
    sqlite3_stmt *q;
    enum tjzw_code rc;
    bool sound;

    if ((rc = stream_find(t, stream, &s, e)))
        return rc;
    if (!(q = store_stmt(t, STMT_BEGIN_READ, e)))
        return TJZW_STORE;
    if ((rc = store_run(t, q, e)))
        return rc;
    rc = verify_in(&s, &v, &sound, e);
    if ((q = store_stmt(t, STMT_ROLLBACK, NULL)))
        (void)store_run(t, q, NULL);
    if (out)
        *out = v;
    return rc || sound ? rc : mark_damaged(&s, e, &v);
}
