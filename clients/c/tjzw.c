/*
 * tjzw.c - the handle: opening a store, what it follows, and what the user wants to see.
 */
#include "clients/c/tjzw.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/c/builtin.h"
#include "clients/c/store.h"

const char *tjzw_version(void)
{
    return TJZW_VERSION;
}

static int64_t device_clock(void)
{
    return (int64_t)time(NULL);
}

enum tjzw_code tjzw_open(const char *path, struct tjzw **out, struct tjzw_error *e)
{
    struct tjzw *t = calloc(1, sizeof *t);
    enum tjzw_code rc;

    if (!t || sodium_init() < 0)
        abort();
    t->clock = device_clock;
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
    net_close(t->events);
    store_close(t);
    free(t->changes);
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
    sqlite3_bind_int64(q, 5, (int64_t)s->wanted);
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
