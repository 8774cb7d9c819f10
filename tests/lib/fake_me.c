/*
 * fake_me.c - the server's half of docs/protocol/state.md, as short as it can be.
 *
 * A session's tokens are "tja_S.G" and "tjr_S.G": its number and generation. Phones sign in with the login "LETTER", and get the account of that letter.
 */
#include "tests/lib/fake_me.h"

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

static void drop_accounts(struct fake_me *f)
{
    for (int i = 0; i < FAKE_ACCOUNTS; i++) {
        json_decref(f->accounts[i].entries);
        json_decref(f->accounts[i].devices);
    }
}

void fake_me_end(struct fake_me *f)
{
    drop_accounts(f);
    json_decref(f->applied);
    json_decref(f->reports);
    json_decref(f->last);
}

static struct fake_account *account(struct fake_me *f, int64_t no, bool guest)
{
    struct fake_account *a = &f->accounts[no];

    if (!a->made)
        *a = (struct fake_account){ true, guest, false, 0, json_object(), json_object() };
    return a;
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
    drop_accounts(f);
    memcpy(f->accounts, backup->accounts, sizeof f->accounts);
    f->epoch++;
}

/* ---- entries ---- */

static json_t *entry(const struct fake_account *a, const char *type, const char *key)
{
    char name[256];

    snprintf(name, sizeof name, "%s %s", type, key);
    return json_object_get(a->entries, name);
}

char *fake_me_value(struct fake_me *f, int64_t no, const char *type, const char *key)
{
    json_t *value = json_object_get(entry(account(f, no, false), type, key), "value");

    return value && !json_is_null(value)
               ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS)
               : NULL;
}

static int64_t put(struct fake_me *f, struct fake_account *a, const char *type, const char *key,
                   const json_t *value)
{
    const struct state_type *s = state_type_find(type);
    const json_t *before = json_object_get(entry(a, type, key), "value");
    char *held = before && !json_is_null(before)
                     ? json_dumps(before, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS)
                     : NULL,
         *written = value && !json_is_null(value)
                        ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS)
                        : NULL;
    char room[MERGE_MAX], name[256];
    const char *now = s ? merge_value(s->rule, held, written, room) : written;
    json_t *e =
        json_pack("{s:s,s:s,s:I,s:o}", "type", type, "key", key, "seq", (json_int_t)++a->seq,
                  "value", now ? json_loads(now, JSON_DECODE_ANY, NULL) : json_null());

    if (f->needs && strcmp(type, "letter") == 0)
        json_object_set_new(e, "needs", json_loads(f->needs, 0, NULL));
    snprintf(name, sizeof name, "%s %s", type, key);
    json_object_set_new(a->entries, name, e);
    free(held);
    free(written);
    return a->seq;
}

void fake_me_put(struct fake_me *f, int64_t no, const char *type, const char *key,
                 const char *value)
{
    json_t *v = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;

    put(f, account(f, no, false), type, key, v);
    json_decref(v);
}

/* ---- one mutation ---- */

static json_t *refuse(int64_t n, const char *code)
{
    return json_pack("{s:I,s:s,s:s,s:s}", "n", (json_int_t)n, "result", "refused", "code", code,
                     "detail", "这样不行");
}

static void count_applied(struct fake_me *f, const char *type, const char *key)
{
    char name[512];

    snprintf(name, sizeof name, "%s %s", type, key);
    json_object_set_new(
        f->applied, name,
        json_integer(1 + json_integer_value(json_object_get(f->applied, name))));
}

/* The same answer is another account's: a guest's whom this one followed. */
static bool answered_elsewhere(struct fake_me *f, const char *survey, const char *key)
{
    bool found = false;

    for (int i = 0; i < FAKE_ACCOUNTS && !found; i++) {
        const char *by = f->accounts[i].made
                             ? json_string_value(json_object_get(
                                   entry(&f->accounts[i], "answered", survey), "by"))
                             : NULL;

        found = by && strcmp(by, key) == 0;
    }
    return found;
}

/* One answer an account; the same one again is done again. */
static json_t *take_answer(struct fake_me *f, struct fake_account *a, const json_t *m)
{
    const char *key = json_string_value(json_object_get(m, "key")),
               *survey =
                   json_string_value(json_object_get(json_object_get(m, "value"), "survey"));
    int64_t n = json_integer_value(json_object_get(m, "n"));
    json_t *stands = entry(a, "answered", survey), *at;

    if (stands && strcmp(json_string_value(json_object_get(stands, "by")), key) != 0)
        return refuse(n, "too_many");
    if (!stands) {
        if (!answered_elsewhere(f, survey, key))
            count_applied(f, "survey.answer", key);
        at = json_pack("{s:i}", "at", 1763790123);
        put(f, a, "answered", survey, at);
        json_decref(at);
        json_object_set_new(entry(a, "answered", survey), "by", json_string(key));
    }
    return json_pack("{s:I,s:s}", "n", (json_int_t)n, "result", "done");
}

/* The letter as another account has it: who has its UUID and its words is given it (a guest who followed another). */
static json_t *letter_elsewhere(struct fake_me *f, const struct fake_account *a,
                                const char *key)
{
    json_t *found = NULL;

    for (int i = 0; i < FAKE_ACCOUNTS && !found; i++)
        if (f->accounts[i].made && &f->accounts[i] != a)
            found = entry(&f->accounts[i], "letter", key);
    return found;
}

static json_t *take(struct fake_me *f, struct fake_account *a, const json_t *m)
{
    const char *type = json_string_value(json_object_get(m, "type")),
               *key = json_string_value(json_object_get(m, "key"));
    const json_t *value = json_object_get(m, "value");
    int64_t n = json_integer_value(json_object_get(m, "n"));
    const struct state_type *s = state_type_find(type);

    if (f->refuses && strcmp(f->refuses, key) == 0)
        return refuse(n, "missing");
    if (strcmp(type, "survey.answer") == 0)
        return take_answer(f, a, m);
    if (!s && strchr(type, '.')) { /* an action: by its UUID */
        json_t *stands = entry(a, "letter", key), *was = letter_elsewhere(f, a, key);

        if (!stands && was) {
            put(f, a, "letter", key, json_object_get(was, "value"));
        } else if (!stands) {
            put(f, a, "letter", key, value);
            count_applied(f, type, key);
        }
        return json_pack(
            "{s:I,s:s,s:I,s:s}", "n", (json_int_t)n, "result", "done", "seq",
            (json_int_t)json_integer_value(json_object_get(entry(a, "letter", key), "seq")),
            "receipt", "收据");
    }
    if (!s || s->writer != STATE_BY_PHONE)
        return refuse(n, "type");
    return json_pack("{s:I,s:s,s:I}", "n", (json_int_t)n, "result", "done", "seq",
                     (json_int_t)put(f, a, type, key, value));
}

/* With the device's memory of it. NULL: a gap. */
static json_t *take_numbered(struct fake_me *f, struct fake_account *a, json_t *device,
                             const json_t *m)
{
    int64_t n = json_integer_value(json_object_get(m, "n")),
            taken = json_integer_value(json_object_get(device, "n")),
            acked = json_integer_value(json_object_get(device, "acked"));
    json_t *results = json_object_get(device, "results"), *known, *answer;
    char name[32], *asked = json_dumps(m, JSON_COMPACT | JSON_SORT_KEYS);

    snprintf(name, sizeof name, "%" PRId64, n);
    if (n > taken + 1) {
        free(asked);
        return NULL;
    }
    if (n <= taken) {
        known = json_object_get(results, name);
        answer = n <= acked ? json_pack("{s:I,s:s}", "n", (json_int_t)n, "result", "known")
                 : strcmp(json_string_value(json_object_get(known, "asked")), asked) != 0
                     ? refuse(n, "other_content")
                     : json_deep_copy(json_object_get(known, "answer"));
    } else {
        answer = take(f, a, m);
        json_object_set_new(device, "n", json_integer(n));
        json_object_set_new(results, name,
                            json_pack("{s:s,s:O}", "asked", asked, "answer", answer));
    }
    free(asked);
    return answer;
}

/* ---- the exchange ---- */

static int by_seq(const void *a, const void *b)
{
    json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "seq")),
               y = json_integer_value(json_object_get(*(json_t *const *)b, "seq"));

    return x < y ? -1 : x > y;
}

/* A cursor is EPOCH.SEQ. */
static void put_entries(struct fake_me *f, const struct fake_account *a, const json_t *asked,
                        json_t *out)
{
    const char *cursor = json_string_value(json_object_get(asked, "cursor")), *name;
    const json_t *said = json_object_get(asked, "most");
    size_t most = said ? (size_t)json_integer_value(said) : 500, n = 0;
    json_t *all[4096], *list = json_array(), *e;
    int64_t epoch = 0, since = 0;
    bool reset, reading = cursor && sscanf(cursor, "%" SCNd64 ".%" SCNd64, &epoch, &since) == 2;
    char text[64];

    reset = reading && (epoch != f->epoch || since < f->floor) && strchr(cursor, 'r') == NULL;
    if (reset)
        since = 0;
    most = f->page ? f->page : most ? most : 500;
    json_object_foreach(a->entries, name,
                        e) if (json_integer_value(json_object_get(e, "seq")) > since &&
                               !(reset && json_is_null(json_object_get(e, "value")))) all[n++] =
        e;
    qsort(all, n, sizeof *all, by_seq);
    for (size_t i = 0; i < n && i < most; i++) {
        json_array_append(list, all[i]);
        since = json_integer_value(json_object_get(all[i], "seq"));
    }
    /* a reset that goes on is marked, so that it does not begin again */
    snprintf(text, sizeof text, "%" PRId64 ".%" PRId64 "%s", f->epoch,
             n > most ? since : a->seq,
             (reset || (cursor && strchr(cursor, 'r'))) && n > most ? "r" : "");
    json_object_set_new(out, "entries", list);
    json_object_set_new(out, "cursor", json_string(text));
    json_object_set_new(out, "more", json_boolean(n > most));
    json_object_set_new(out, "reset", json_boolean(reset));
}

static json_t *exchange(struct fake_me *f, struct fake_account *a, const json_t *asked)
{
    const char *id = json_string_value(json_object_get(asked, "device"));
    json_t *device = json_object_get(a->devices, id), *out = json_object(),
           *results = json_array();
    int64_t acked = json_integer_value(json_object_get(asked, "acked"));
    const json_t *m;
    size_t i;

    if (!device) {
        device = json_pack("{s:i,s:i,s:{}}", "n", 0, "acked", 0, "results");
        json_object_set_new(a->devices, id, device);
    }
    if (acked > json_integer_value(json_object_get(device, "acked")))
        json_object_set_new(device, "acked", json_integer(acked));
    json_array_foreach(json_object_get(asked, "mutations"), i, m)
    {
        json_t *result = f->takes && i >= f->takes ? NULL : take_numbered(f, a, device, m);

        if (!result)
            break;
        json_array_append_new(results, result);
    }
    json_object_set_new(out, "results", results);
    json_object_set_new(out, "expected",
                        json_integer(1 + json_integer_value(json_object_get(device, "n"))));
    json_object_set_new(out, "poll", json_integer(300));
    put_entries(f, a, asked, out);
    return out;
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
                            0, "vault", vault[no % 2]);
    int s = 1;

    account(f, no, guest);
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
    const char *name;
    json_t *e;

    snprintf(bearer, sizeof bearer, "Bearer %s",
             json_string_value(json_object_get(asked, "guest")));
    if (!(s = session_of(f, bearer)))
        return; /* again */
    f->adoptions++;
    json_object_foreach(f->accounts[s->account].entries, name, e)
    {
        const char *type = json_string_value(json_object_get(e, "type")),
                   *key = json_string_value(json_object_get(e, "key"));
        const struct state_type *t = state_type_find(type);

        if (strcmp(type, "message") == 0 || strcmp(type, "seen") == 0)
            continue; /* numbers of the guest's own order */
        if (!entry(&f->accounts[to], type, key) || (t && t->rule == MERGE_UNION))
            put(f, &f->accounts[to], type, key, json_object_get(e, "value"));
    }
    f->accounts[s->account].gone = true;
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

static int upload_status(struct fake_me *f)
{
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
        return *status == 503 ? NULL : exchange(f, &f->accounts[s->account], asked);
    }
    if (strcmp(path, "/v1/me/adopt") == 0)
        adopt(f, s->account, asked);
    else if (strcmp(path, "/v1/auth/sign-out") == 0) {
        f->farewells++;
        s->account = 0;
    } else if (strncmp(path, "/v1/me/blobs/", 13) == 0) {
        f->uploads++;
        *status = upload_status(f);
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
