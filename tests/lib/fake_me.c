/*
 * fake_me.c - the server's half of docs/protocol/state.md, as short as it can be: sessions and requests. What accounts hold: fake_me_state.c.
 *
 * A session's tokens are "tja_S.G" and "tjr_S.G": its number and generation. Phones sign in with the login "LETTER", and get the account of that letter.
 */
#include "tests/lib/fake_me_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zstd.h>

#include "sync/state.h"

enum { WINDOW_MS = 10000 };

void fake_me_start(struct fake_me *f, struct phone *p)
{
    *f = (struct fake_me){ .phone = p, .epoch = 1763790000, .seed = 1 };
    f->applied = json_object();
    f->reports = json_object();
}

void fake_me_end(struct fake_me *f)
{
    fake_accounts_drop(f);
    json_decref(f->applied);
    json_decref(f->reports);
    json_decref(f->last);
}

void fake_me_copy(struct fake_me *to, const struct fake_me *from)
{
    *to = *from;
    for (int i = 0; i < FAKE_ACCOUNTS; i++) {
        to->accounts[i].entries = json_deep_copy(from->accounts[i].entries);
        to->accounts[i].devices = json_deep_copy(from->accounts[i].devices);
    }
}

void fake_me_restore(struct fake_me *f, const struct fake_me *backup)
{
    fake_accounts_drop(f);
    memcpy(f->accounts, backup->accounts, sizeof f->accounts);
    f->epoch++;
}

/* ---- sessions ---- */

static void put_tokens(const struct fake_me *f, int s, json_t *out)
{
    char text[64];

    snprintf(text, sizeof text, "tja_%d.%u", s, f->sessions[s].generation);
    json_object_set_new(out, "access", json_string(text));
    text[2] = 'r';
    json_object_set_new(out, "refresh", json_string(text));
    json_object_set_new(out, "expires_in", json_integer(900));
}

static json_t *open_session(struct fake_me *f, int64_t no, bool guest)
{
    static const char vault[2][44] = { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                       "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA" };
    json_t *out = json_pack("{s:s,s:I,s:s,s:i,s:b,s:s}", "step", "done", "account",
                            (json_int_t)no, "known", "knownhere", "level", guest ? 0 : 1, "new",
                            0, "vault", vault[(no + f->lineage) % 2]);
    int s = 1;

    fake_account_of(f, no, guest);
    while (f->sessions[s].account)
        s++;
    f->sessions[s] = (struct fake_session){ .account = no, .generation = 1 };
    put_tokens(f, s, out);
    return out;
}

static json_t *refresh(struct fake_me *f, const json_t *asked, int *status)
{
    unsigned generation;
    struct fake_session *s;
    json_t *out = json_object();
    int no;

    f->refreshes++;
    *status = 401;
    if (sscanf(json_string_value(json_object_get(asked, "refresh")), "tjr_%d.%u", &no,
               &generation) != 2 ||
        no >= FAKE_SESSIONS || !f->sessions[no].account)
        return out;
    s = &f->sessions[no];
    if (generation == s->generation) {
        s->generation++;
        s->exchanged_ms = f->now_ms;
    } else if (generation + 1 != s->generation || f->now_ms > s->exchanged_ms + WINDOW_MS) {
        s->account = 0;
        return out;
    }
    *status = 200;
    put_tokens(f, no, out);
    return out;
}

/* The session of an access token; NULL: refused. */
static struct fake_session *session_of(struct fake_me *f, const char *token)
{
    unsigned generation;
    int no;

    if (!token || sscanf(token, "Bearer tja_%d.%u", &no, &generation) != 2 ||
        no >= FAKE_SESSIONS || !f->sessions[no].account ||
        f->accounts[f->sessions[no].account].gone)
        return NULL;
    if (f->all_expired && generation == f->sessions[no].generation) {
        f->all_expired = false;
        return NULL;
    }
    return generation == f->sessions[no].generation ? &f->sessions[no] : NULL;
}

static void adopt(struct fake_me *f, int64_t to, const json_t *asked)
{
    char bearer[300];
    struct fake_session *s;

    snprintf(bearer, sizeof bearer, "Bearer %s",
             json_string_value(json_object_get(asked, "guest")));
    if (!(s = session_of(f, bearer)))
        return; /* again */
    f->adoptions++;
    fake_merge(f, s->account, to);
    s->account = 0;
}

/* ---- requests ---- */

static const char *header(const struct tjzw_request *r, const char *name)
{
    for (const char *const *h = r->headers; *h; h++)
        if (strncasecmp(*h, name, strlen(name)) == 0 && (*h)[strlen(name)] == ':')
            return *h + strlen(name) + 2;
    return NULL;
}

static json_t *body_of(const struct tjzw_request *r)
{
    char *room;
    size_t n = r->size;
    json_t *out;

    if (!header(r, "Content-Encoding"))
        return r->size ? json_loadb(r->body, r->size, 0, NULL) : NULL;
    room = malloc(1 << 20);
    n = ZSTD_decompress(room, 1 << 20, r->body, r->size);
    assert_false(ZSTD_isError(n));
    out = json_loadb(room, n, 0, NULL);
    free(room);
    return out;
}

static int upload_status(struct fake_me *f, const char *hash)
{
    if (f->sending && strcmp(f->sending, hash) == 0)
        return 409;
    switch (f->uploads_say ? *f->uploads_say : 0) {
    case 'b': return 503;
    case 'g': return 410;
    case 'c':
    case 's': return 409;
    default: return 204;
    }
}

/* What an upload's answer says in headers; the next answer is another. */
static void tell_upload(struct fake_me *f, struct tjzw_request *r)
{
    const char *range = header(r, "Content-Range");
    char offset[24] = "";

    if (f->uploads_say && *f->uploads_say == 's') {
        sscanf(range, "bytes %20[0-9]", offset);
        r->on_header(r, "Upload-Offset", offset);
    }
    if (f->uploads_say && *f->uploads_say)
        f->uploads_say++;
}

static json_t *for_person(struct fake_me *f, const char *path, const struct tjzw_request *r,
                          json_t *asked, int *status)
{
    struct fake_session *s = session_of(f, header(r, "Authorization"));

    *status = 401;
    if (!s)
        return NULL;
    *status = 204;
    if (strcmp(path, "/v1/me/sync") == 0) {
        f->exchanges++;
        f->cut = f->cut_after && --f->cut_after == 0;
        json_decref(f->last);
        f->last = json_incref(asked);
        *status = f->busy-- > 0 ? 503 : 200;
        return *status == 503 ? NULL : fake_exchange(f, &f->accounts[s->account], asked);
    }
    if (strcmp(path, "/v1/me/adopt") == 0)
        adopt(f, s->account, asked);
    else if (strcmp(path, "/v1/auth/sign-out") == 0) {
        f->farewells++;
        s->account = 0;
    } else if (strncmp(path, "/v1/me/blobs/", 13) == 0) {
        f->uploads++;
        *status = upload_status(f, path + 13);
    } else if (strcmp(path, "/v1/me/export") == 0) {
        *status = 200;
        return json_pack("{s:I}", "account", (json_int_t)s->account);
    }
    return NULL;
}

/* Whose token it is must not be known; the same name is the same report, byte for byte. */
static json_t *take_report(struct fake_me *f, const struct tjzw_request *r, json_t *asked,
                           int *status)
{
    const char *name = json_string_value(json_object_get(asked, "report"));
    const json_t *known = json_object_get(f->reports, name);

    assert_null(header(r, "Authorization"));
    assert_true(!known || json_equal(known, asked));
    *status = f->counts_status ? f->counts_status : 200;
    if (*status == 200)
        json_object_set(f->reports, name, asked);
    return json_pack("{s:s}", "result", known ? "known" : "counted");
}

static json_t *answer(struct fake_me *f, const char *path, const struct tjzw_request *r,
                      int *status)
{
    json_t *asked = body_of(r), *out = NULL;
    const char *login = json_string_value(json_object_get(asked, "login"));
    int64_t no = 1;

    *status = 201;
    if (strcmp(path, "/v1/guest") == 0) {
        while (f->accounts[no].made)
            no++;
        out = open_session(f, no, true);
    } else if (strcmp(path, "/v1/auth/refresh") == 0) {
        out = refresh(f, asked, status);
    } else if (strcmp(path, "/v1/auth/sign-in") == 0 && login) {
        *status =
            strcmp(json_string_value(json_object_get(asked, "password")), "good") ? 401 : 200;
        out = *status == 200 ? open_session(f, 8 + (login[0] - 'a'), false) : NULL;
    } else if (strcmp(path, "/v1/counts") == 0) {
        out = take_report(f, r, asked, status);
    } else if (strcmp(path, "/v1/receipts/key") == 0) {
        *status = f->receipt_key ? 200 : 404;
        if (f->receipt_key)
            out = json_pack("{s:s, s:s}", "algorithm", "ed25519", "key", f->receipt_key);
    } else {
        out = for_person(f, path, r, asked, status);
    }
    json_decref(asked);
    return out;
}

enum { LOST_BEFORE = 1, LOST_AFTER, CUT_SHORT };

static void answer_one(struct fake_me *f, struct tjzw_request *r, const char *path)
{
    unsigned fault = f->percent && fake_random(&f->seed, 100) < f->percent
                         ? 1 + fake_random(&f->seed, 3)
                         : 0;
    bool uploads = strncmp(path, "/v1/me/blobs/", 13) == 0;
    json_t *out;
    char *text;
    size_t n;
    int status;

    if (f->deaf && strcmp(path, "/v1/auth/refresh") == 0)
        fault = LOST_AFTER;
    f->lost += fault > 0;
    if (fault == LOST_BEFORE) {
        snprintf(r->why, sizeof r->why, "lost on the way there");
        return;
    }
    out = answer(f, path, r, &status);
    if (status >= 400) { /* a problem, as the server's are */
        out = out ? out : json_object();
        json_object_set_new(out, "status", json_integer(status));
    }
    text = out ? json_dumps(out, JSON_COMPACT | JSON_SORT_KEYS) : strdup("");
    n = strlen(text);
    if (fault != LOST_AFTER) {
        r->on_status(r, status);
        if (status == 503)
            r->on_header(r, "Retry-After", uploads ? "1" : "77");
        if (uploads)
            tell_upload(f, r);
        r->on_body(r, text, fault ? n / 2 : n);
    }
    r->whole = !fault;
    snprintf(r->why, sizeof r->why, "lost on the way back");
    json_decref(out);
    free(text);
}

void fake_me_get(void *ctx, struct tjzw_request *requests, size_t n, bool (*stop)(void *),
                 void *stop_ctx)
{
    struct fake_me *f = ctx;

    for (size_t i = 0; i < n && !stop(stop_ctx); i++) {
        struct tjzw_request *r = &requests[i];
        const char *path = strstr(r->url, "/v1/");

        f->requests++;
        f->now_ms++;
        snprintf(r->why, sizeof r->why, "no network");
        if (f->cut)
            continue;
        if (strncmp(path, "/v1/sync", 8) == 0 && f->phone)
            phone_carry(&f->phone->net, r, 1, stop, stop_ctx);
        else
            answer_one(f, r, path);
    }
}
