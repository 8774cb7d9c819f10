/*
 * attach.c - the files that letters name: copied into the store when the letter is written, uploaded before it is sent.
 *
 * A file is known by its SHA-256. It stands in the store in pieces, which go up one by one (PUT with Content-Range); the server says where it wants the
 * next one, so an upload that was cut goes on. A letter waits for its files without a number, and keeps nothing else back.
 */
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/entries.h"
#include "clients/c/exchange.h"

#define ATTACHMENT_PATH "/v1/me/blobs/"

enum {
    PIECE = 256 << 10,
    FILE_MOST = 20 << 20,
    HEX = 2 * WIRE_HASH,
    BUSY_TRIES = 3,     /* more in one exchange: another phone may be sending the same */
    BUSY_WAIT_MS = 5000 /* at most, each time */
};

/* ---- into the store ---- */

/* The whole file, hashed; its pieces go under the person, with the hash "" until it is known. */
static enum tjzw_code copy_in(struct tjzw *t, int64_t person, FILE *in, char hash[HEX + 1],
                              int64_t *bytes, struct tjzw_error *e)
{
    crypto_hash_sha256_state h;
    uint8_t sum[WIRE_HASH], *room = malloc(FILE_MOST + 1);
    enum tjzw_code rc = TJZW_OK;
    size_t n;

    if (!room)
        abort();
    n = fread(room, 1, FILE_MOST + 1, in);
    if (ferror(in) || n > FILE_MOST || n == 0) {
        free(room);
        return fail_with(e, TJZW_USAGE, "%s",
                         n > FILE_MOST ? "more than 20 MB" : "cannot be read, or is empty");
    }
    crypto_hash_sha256_init(&h);
    crypto_hash_sha256_update(&h, room, n);
    crypto_hash_sha256_final(&h, sum);
    wire_hex(sum, sizeof sum, hash);
    for (size_t at = 0; at < n && !rc; at += PIECE)
        rc = store_do(t, e, STMT_PIECE_PUT, "itib", person, hash, (int64_t)(at / PIECE),
                      (const void *)(room + at), n - at < PIECE ? n - at : (size_t)PIECE);
    free(room);
    *bytes = (int64_t)n;
    return rc;
}

static enum tjzw_code attach_in(struct tjzw *t, FILE *in, char hash[HEX + 1],
                                struct tjzw_error *e)
{
    struct person p;
    int64_t bytes = 0;
    enum tjzw_code rc;

    if ((rc = person_or_guest(t, &p, e)) || (rc = copy_in(t, p.no, in, hash, &bytes, e)))
        return rc;
    return store_do(t, e, STMT_ATTACHMENT_PUT, "itii", p.no, hash, bytes,
                    (int64_t)store_clock(t));
}

enum tjzw_code tjzw_attach(struct tjzw *t, const char *path, char hash[65],
                           struct tjzw_error *e)
{
    FILE *in = path ? fopen(path, "rb") : NULL;
    enum tjzw_code rc;

    if (!in)
        return fail_with(e, TJZW_USAGE, "%s: %s", path ? path : "", strerror(errno));
    if (!(rc = person_begin(t, e)))
        rc = person_end(t, attach_in(t, in, hash, e), e);
    fclose(in);
    return rc;
}

/* ---- to the server ---- */

struct upload {
    char hash[HEX + 1];
    int64_t bytes, at;
    uint32_t
        busy_s; /* 0: what the last request found was not that somebody else is sending it */
};

/* What of its piece is still to go up, in memory of its own: the server may have taken a part of one. */
static enum tjzw_code read_piece(struct tjzw *t, const struct person *p, const struct upload *u,
                                 void **out, size_t *n, struct tjzw_error *e)
{
    sqlite3_stmt *q =
        store_bound(t, e, STMT_PIECE_GET, "iti", p->no, u->hash, u->at / (int64_t)PIECE);
    enum tjzw_code rc;
    bool any;

    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any) {
        size_t there = (size_t)(u->at % (int64_t)PIECE),
               all = (size_t)sqlite3_column_bytes(q, 0);

        *n = all > there ? all - there : 0;
        if (!(*out = malloc(*n + 1)))
            abort();
        memcpy(*out, (const char *)sqlite3_column_blob(q, 0) + there, *n);
    }
    store_reset(q);
    return rc || any ? rc : fail_with(e, TJZW_STORE, "a piece of an attachment is not there");
}

/* What the server has of it, from an answer; -1: it does not say. */
static int64_t has_so_far(const struct call *c)
{
    json_t *answer = c->answer ? json_loadb(c->answer, c->n, 0, NULL) : NULL;
    const json_t *have = json_object_get(answer, "have");
    int64_t n = json_is_integer(have) ? json_integer_value(have) : -1;

    json_decref(answer);
    return c->status == 409 ? c->upload_offset : n;
}

/* The piece at u->at; moves it to where the server wants the next. */
static enum tjzw_code put_piece(struct link *l, struct person *p, struct upload *u,
                                struct tjzw_sync_result *out, struct tjzw_error *e)
{
    char path[sizeof ATTACHMENT_PATH + HEX], range[96];
    struct call c = { .method = "PUT", .path = path };
    int64_t before = u->at, now;
    void *bytes = NULL;
    enum tjzw_code rc;

    if ((rc = read_piece(l->t, p, u, &bytes, &c.size, e)))
        return rc;
    c.body = bytes;
    snprintf(path, sizeof path, "%s%s", ATTACHMENT_PATH, u->hash);
    snprintf(range, sizeof range, "Content-Range: bytes %" PRId64 "-%" PRId64 "/%" PRId64,
             u->at, u->at + (int64_t)c.size - 1, u->bytes);
    c.headers[0] = "Content-Type: application/octet-stream";
    c.headers[1] = range;
    out->requests++;
    if (!(rc = call_as(l, p, &c, e))) {
        now = has_so_far(&c);
        u->busy_s = c.status != 409 && c.status != 503 ? 0 : c.retry_after ? c.retry_after : 1;
        if (c.status == 409 && now >= 0)
            u->at = now; /* perhaps where it was: what stood there did not open any more */
        else if (c.status == 409)
            rc = fail_with(e, TJZW_BUSY, "another upload of the same file");
        else if (!(rc = call_check(&c, out, e)))
            u->at = now > before ? now : before + (int64_t)c.size;
    }
    call_done(&c);
    free(bytes);
    return rc;
}

static enum tjzw_code upload_one(struct link *l, struct person *p, struct upload *u,
                                 struct tjzw_sync_result *out, struct tjzw_error *e)
{
    int64_t most =
        2 * (u->bytes / PIECE + 2); /* requests, however often the server changes its mind */
    enum tjzw_code rc = TJZW_OK;

    while (u->at < u->bytes && !rc) {
        if (most-- == 0)
            return fail_with(e, TJZW_INVALID, "an upload that does not come to its end");
        rc = put_piece(l, p, u, out, e);
    }
    return rc;
}

/* The letters that name it need attention, with the server's words. One that was received before goes without: what its receipt says the server knows, or
 * says why it does not. */
static enum tjzw_code give_up(struct tjzw *t, const struct person *p, const struct upload *u,
                              const struct tjzw_error *why, struct tjzw_error *e)
{
    enum tjzw_code rc = person_begin(t, e);

    entries_changed(t, NULL, NULL);
    if (rc)
        return rc;
    if (!(rc = store_do(t, e, STMT_MUTATION_NAMING, "ittt", p->no, u->hash, "missing",
                        why->text)))
        rc = store_do(t, e, STMT_ATTACHMENT_LET_GO, "iti", p->no, u->hash, t->clock());
    return person_end(t, rc, e);
}

static enum tjzw_code next_upload(struct tjzw *t, const struct person *p, struct upload *u,
                                  bool *any, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_ATTACHMENT_NEXT, "it", p->no, u->hash);
    enum tjzw_code rc;

    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, any, e)) && *any) {
        snprintf(u->hash, sizeof u->hash, "%s", (const char *)sqlite3_column_text(q, 0));
        u->bytes = sqlite3_column_int64(q, 1);
        u->at = 0;
    }
    store_reset(q);
    return rc;
}

/* One that has come to its end, well or not; what somebody else is sending is neither. */
static enum tjzw_code settle(struct link *l, const struct person *p, const struct upload *u,
                             enum tjzw_code how, const struct tjzw_error *why,
                             struct tjzw_error *e)
{
    if (how == TJZW_REFUSED)
        return give_up(l->t, p, u, why, e);
    if (how && e)
        *e = *why;
    return how ? how
               : store_do(l->t, e, STMT_ATTACHMENT_UPLOADED, "iti", p->no, u->hash,
                          l->t->clock());
}

static bool may_wait(uint32_t seconds)
{
    return seconds > 0 && seconds <= BUSY_WAIT_MS / 1000;
}

/* Each once. One that somebody else is sending holds up none behind it: *busy_s is how long the last of these is to wait, 0 if there is none. */
static enum tjzw_code upload_all(struct link *l, struct person *p, bool *any, uint32_t *busy_s,
                                 struct tjzw_sync_result *out, struct tjzw_error *e)
{
    struct upload u = { .hash = "" };
    struct tjzw_error why = { 0 };
    enum tjzw_code rc;
    bool more;

    *busy_s = 0;
    while (!(rc = next_upload(l->t, p, &u, &more, e)) && more) {
        rc = upload_one(l, p, &u, out, &why);
        if (rc == TJZW_BUSY && may_wait(u.busy_s)) {
            *busy_s = u.busy_s;
            continue;
        }
        if ((rc = settle(l, p, &u, rc, &why, e)))
            return rc;
        *any = true;
    }
    return rc;
}

enum tjzw_code attach_upload(struct link *l, struct person *p, bool *any,
                             struct tjzw_sync_result *out, struct tjzw_error *e)
{
    struct sync_err stopped;
    uint32_t busy_s;
    enum tjzw_code rc;

    for (int tries = BUSY_TRIES;; tries--) {
        if ((rc = upload_all(l, p, any, &busy_s, out, e)) || !busy_s)
            return rc;
        if (!tries || link_wait(l, &stopped, busy_s * 1000))
            return fail_with(e, TJZW_BUSY, "a file is being sent by somebody else");
    }
}
