/*
 * tjzw_phone.c - the fake network as an embedder's transport, and a phone's store on disk.
 */
#include "tests/lib/tjzw_phone.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- the fake network as a transport of the embedder ---- */

struct carried {
    struct tjzw_request *request;
    bool told; /* status and headers went out */
};

static void tell_head(struct follow_get *g)
{
    struct carried *c = g->ctx;
    char text[64];

    if (c->told)
        return;
    c->told = true;
    c->request->on_status(c->request, g->status);
    if (g->etag[0])
        c->request->on_header(c->request, "ETag", g->etag);
    if (g->status == 206) {
        snprintf(text, sizeof text, "bytes %" PRIu64 "-99/100", g->range_from);
        c->request->on_header(c->request, "Content-Range", text);
    }
    if (g->retry_after)
        c->request->on_header(c->request, "Retry-After", "7");
}

static enum sync_rc carry_body(struct follow_get *g, struct sync_err *e, const uint8_t *bytes,
                               size_t n)
{
    struct carried *c = g->ctx;

    tell_head(g);
    return c->request->on_body(c->request, bytes, n) ? sync_err_set(e, SYNC_CANCELLED, "ended")
                                                     : SYNC_OK;
}

static const char *header(const struct tjzw_request *r, const char *name)
{
    for (const char *const *h = r->headers; *h; h++)
        if (strncasecmp(*h, name, strlen(name)) == 0 && (*h)[strlen(name)] == ':')
            return *h + strlen(name) + 2;
    return NULL;
}

const char *phone_refuses;

void phone_carry(void *ctx, struct tjzw_request *requests, size_t n, bool (*stop)(void *),
                 void *stop_ctx)
{
    struct follow_transport fake = fake_transport(ctx);

    for (size_t i = 0; i < n && !stop(stop_ctx); i++) {
        struct tjzw_request *r = &requests[i];
        struct carried c = { .request = r };
        const char *range = header(r, "Range");
        struct follow_get g = { .path = strstr(r->url, "/v1/"),
                                .from = range ? strtoull(range + 6, NULL, 10) : 0,
                                .if_range = header(r, "If-Range"),
                                .if_none = header(r, "If-None-Match"),
                                .past_caches = header(r, "Cache-Control") != NULL,
                                .body = carry_body,
                                .ctx = &c };
        struct sync_err e;

        g.err.rc = SYNC_NET;
        if (phone_refuses && strstr(g.path, phone_refuses))
            continue;
        if (fake.get(fake.ctx, &e, &g, 1))
            return;
        if (g.status)
            tell_head(&g);
        r->whole = g.err.rc == SYNC_OK;
        r->bytes_down = g.bytes_down;
    }
}

/* ---- a phone with a store on disk ---- */

/* As a later run that says nothing of servers. */
void phone_reopen(struct phone *p)
{
    struct tjzw_transport transport = { &p->net, phone_carry };

    tjzw_close(p->t);
    OK(p, tjzw_open(p->path, &p->t, &p->e));
    tjzw_set_transport(p->t, &transport);
}

void phone_open(struct phone *p)
{
    char trust[65];

    p->t = NULL;
    phone_reopen(p);
    wire_hex(fake_trust(p->server), 32, trust);
    OK(p,
       tjzw_follow(p->t, &(struct tjzw_server){ .url = "https://fake.example", .trust = trust },
                   &p->e));
}

void phone_start(struct phone *p)
{
    *p = (struct phone){ .server = fake_new("main", 1763712000) };
    p->net = (struct fake_net){ .server = p->server, .seed = 1 };
    snprintf(p->dir, sizeof p->dir, "/tmp/tjzw-test-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/phone.db", p->dir);
    for (unsigned i = 0; i < 150; i++) {
        char title[40], body[200];

        snprintf(title, sizeof title, "公告第%u号", i);
        snprintf(body, sizeof body,
                 "{\"body\":\"正文%u，办理社保与Visa事项\",\"title\":\"%s\"}", i, title);
        fake_publish(p->server, title, body);
    }
    fake_head(p->server);
    phone_open(p);
}

void phone_end(struct phone *p)
{
    char command[128];

    tjzw_close(p->t);
    fake_free(p->server);
    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0);
}

void phone_sync(struct phone *p)
{
    OK(p, tjzw_sync(p->t, NULL, &p->last, &p->e));
}

/* Straight to the file, as another program would. */
void phone_tamper(struct phone *p, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* What the file shows is exactly what was signed for the head it holds. */
void phone_check(struct phone *p)
{
    struct fake_digest d = { { 0 } };
    struct tjzw_status status;
    struct wire_cursor cursor;
    struct wire_head head = { 0 };
    struct sync_err e;
    uint8_t want[WIRE_HASH];
    sqlite3_stmt *q;
    sqlite3 *db;

    OK(p, tjzw_status(p->t, NULL, &status, &p->e));
    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT born, seq, bytes FROM item WHERE op = 1 ORDER BY born",
                           -1, &q, NULL),
        SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW)
        fake_digest_add(&d, (uint64_t)sqlite3_column_int64(q, 0),
                        (uint64_t)sqlite3_column_int64(q, 1), sqlite3_column_blob(q, 2),
                        (size_t)sqlite3_column_bytes(q, 2));
    sqlite3_finalize(q);
    sqlite3_close(db);
    if (!status.cursor[0]) {
        assert_int_equal(status.items, 0);
        return;
    }
    assert_int_equal(wire_cursor_parse(&e, status.cursor, strlen(status.cursor), &cursor),
                     SYNC_OK);
    head.epoch = cursor.epoch;
    head.seq = cursor.seq;
    fake_state(p->server, &head, want);
    assert_memory_equal(want, d.sum, WIRE_HASH);
    OK(p, tjzw_verify(p->t, NULL, NULL, &p->e));
}

/* ---- reading ---- */

bool phone_see(void *ctx, const struct tjzw_item *item)
{
    struct phone_seen *s = ctx;

    if (s->n++ == 0) {
        memcpy(s->first_id, item->id, sizeof s->first_id);
        snprintf(s->first_title, sizeof s->first_title, "%s", item->title);
        s->sorted = true;
    } else {
        s->sorted &= strcmp(s->last_id, item->id) < 0;
    }
    memcpy(s->last_id, item->id, sizeof s->last_id);
    s->bytes += item->json_len;
    return true;
}

size_t phone_found(struct phone *p, const char *words)
{
    struct tjzw_query query = { .most = 1000 };
    struct phone_seen s = { 0 };

    OK(p, tjzw_search(p->t, words, &query, phone_see, &s, &p->e));
    return s.n;
}
