/*
 * exchange.c - what waits goes up, what changed comes down, until both are done.
 *
 *     number what waits --COMMIT--> POST /v1/me/sync --> results, entries, cursor --COMMIT--> again while there is more
 *
 * Each arrow may be cut, and the next exchange begins at the last COMMIT: mutations that have a number are sent again as they were, and the server
 * answers as it did. A mutation goes from the store in the transaction that writes its result down; only a later request acknowledges it.
 *
 * A new device is drawn, and everything that waits is numbered from 1 again, when numbers and server do not fit: it expects another number than the
 * lowest that is left here, it knows one with other content or has forgotten it, or it was restored (another epoch). What belongs to a person is told
 * from what is done twice by the types' rules, and actions by their UUIDs.
 */
#include "clients/c/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "clients/c/entries.h"
#include "clients/c/outbox.h"
#include "clients/c/people.h"

enum {
    MUTATIONS = 500,
    BODY_MAX =
        184
        << 10, /* of JSON, where the last mutation begins: with its 64 KB still below the 256 KB that a server takes, packed or not */
    PACK_FROM = 1024,
    UPLOADS = 2, /* rounds: a file may have to go up once more */
    BARREN_MOST =
        4 /* exchanges in a row that bring nothing forward: the server breaks the protocol */
};

/* One run. */
struct exchange {
    struct link *l;
    struct person p;
    struct tjzw_sync_result *out;
    bool more;       /* the server has more, or something waits still */
    bool moved;      /* this exchange brought something forward */
    bool new_device; /* numbers and server do not fit */
    int64_t took;    /* the highest n that has a result in this answer */
};

/* ---- the request ---- */

/* {"key":…,"n":…,"type":…,"value":…}; the bytes that it adds to a body. */
static size_t add_mutation(json_t *all, int64_t n, const char *type, const char *key,
                           const char *value)
{
    json_t *m = json_pack("{s:s,s:I,s:s}", "key", key, "n", (json_int_t)n, "type", type);

    if (value)
        json_object_set_new(m, "value", json_loads(value, JSON_DECODE_ANY, NULL));
    json_array_append_new(all, m);
    return strlen(key) + strlen(type) + (value ? strlen(value) : 0) + 64;
}

/* Those that were sent before, as they were. */
static enum tjzw_code add_numbered(struct exchange *x, json_t *all, size_t *bytes,
                                   struct tjzw_error *e)
{
    struct tjzw *t = x->l->t;
    sqlite3_stmt *q = store_bound(t, e, STMT_MUTATION_NUMBERED, "ii", x->p.no, (int64_t)1);
    enum tjzw_code rc = TJZW_OK;
    bool any;

    if (!q)
        return TJZW_STORE;
    while (json_array_size(all) < MUTATIONS && *bytes < BODY_MAX &&
           !(rc = store_step(t, q, &any, e)) && any)
        *bytes += add_mutation(
            all, sqlite3_column_int64(q, 1), (const char *)sqlite3_column_text(q, 2),
            (const char *)sqlite3_column_text(q, 3), (const char *)sqlite3_column_text(q, 4));
    store_reset(q);
    return rc;
}

/* The next that is ready and has no number. *no 0: none. */
static enum tjzw_code add_ready(struct exchange *x, json_t *all, int64_t after, int64_t *no,
                                size_t *bytes, struct tjzw_error *e)
{
    struct tjzw *t = x->l->t;
    sqlite3_stmt *q = store_bound(t, e, STMT_MUTATION_READY, "ii", x->p.no, after);
    enum tjzw_code rc;
    bool any;

    *no = 0;
    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any) {
        *no = sqlite3_column_int64(q, 0);
        *bytes += add_mutation(all, x->p.next_n, (const char *)sqlite3_column_text(q, 1),
                               (const char *)sqlite3_column_text(q, 2),
                               (const char *)sqlite3_column_text(q, 3));
    }
    store_reset(q);
    return rc;
}

/* In a transaction: numbers what has none, as far as the body has room. */
static enum tjzw_code number(struct exchange *x, json_t *all, size_t bytes,
                             struct tjzw_error *e)
{
    struct tjzw *t = x->l->t;
    enum tjzw_code rc = TJZW_OK;
    int64_t no = 0;

    while (!rc && json_array_size(all) < MUTATIONS && bytes < BODY_MAX) {
        if ((rc = add_ready(x, all, no, &no, &bytes, e)) || !no)
            break;
        if (!(rc = store_do(t, e, STMT_MUTATION_NUMBER, "ii", no, x->p.next_n)))
            rc = store_do(t, e, STMT_PERSON_NEXT_N, "ii", x->p.no, ++x->p.next_n);
    }
    return rc;
}

/* The person as he is now: another process may have signed him out. */
static enum tjzw_code again(struct exchange *x, struct tjzw_error *e)
{
    struct person now;
    enum tjzw_code rc = person_get(x->l->t, x->p.no, &now, e);

    if (!rc && (!now.no || now.state != PERSON_HERE))
        return fail_with(e, TJZW_STOPPED, "signed out meanwhile");
    if (!rc)
        x->p = now;
    return rc;
}

static enum tjzw_code build(struct exchange *x, json_t **out, struct tjzw_error *e)
{
    json_t *all = json_array(), *body;
    size_t bytes = 0;
    enum tjzw_code rc;

    if (!(rc = person_begin(x->l->t, e))) {
        if (!(rc = again(x, e)) && !(rc = add_numbered(x, all, &bytes, e)))
            rc = number(x, all, bytes, e);
        rc = person_end(x->l->t, rc, e);
    }
    if (rc) {
        json_decref(all);
        return rc;
    }
    body = json_pack("{s:I,s:s}", "acked", (json_int_t)x->p.acked, "device", x->p.device);
    if (x->p.cursor[0])
        json_object_set_new(body, "cursor", json_string(x->p.cursor));
    if (json_array_size(all) > 0)
        json_object_set(body, "mutations", all);
    json_decref(all);
    *out = body;
    return TJZW_OK;
}

/* Packed if that is worth it. */
static void pack(struct call *c)
{
    size_t room = ZSTD_compressBound(c->size), n;
    void *packed;

    if (c->size < PACK_FROM || !(packed = malloc(room)))
        return;
    n = ZSTD_compress(packed, room, c->body, c->size, 3);
    if (ZSTD_isError(n) || n >= c->size) {
        free(packed);
        return;
    }
    free((char *)c->body);
    c->body = packed;
    c->size = n;
    c->headers[0] = "Content-Type: application/json";
    c->headers[1] = "Content-Encoding: zstd";
}

/* ---- results ---- */

struct waiting {
    int64_t no, written;
    char *type, *key, *value;
};

/* The mutation of a number, in memory of its own; no 0: it has its result already. */
static enum tjzw_code find_sent(struct exchange *x, int64_t n, struct waiting *out,
                                struct tjzw_error *e)
{
    struct tjzw *t = x->l->t;
    sqlite3_stmt *q = store_bound(t, e, STMT_MUTATION_NUMBERED, "ii", x->p.no, n);
    const char *value;
    enum tjzw_code rc;
    bool any;

    *out = (struct waiting){ 0 };
    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any && sqlite3_column_int64(q, 1) == n) {
        value = (const char *)sqlite3_column_text(q, 4);
        *out = (struct waiting){ sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 5),
                                 strdup((const char *)sqlite3_column_text(q, 2)),
                                 strdup((const char *)sqlite3_column_text(q, 3)),
                                 value ? strdup(value) : NULL };
    }
    store_reset(q);
    return rc;
}

static void drop_waiting(struct waiting *m)
{
    free(m->type);
    free(m->key);
    free(m->value);
}

static enum tjzw_code take_done(struct exchange *x, const struct waiting *m,
                                const json_t *result, struct tjzw_error *e)
{
    struct tjzw *t = x->l->t;
    char *text;
    enum tjzw_code rc;

    if (outbox_is_action(m->type)) {
        text = json_dumps(result, JSON_COMPACT | JSON_SORT_KEYS);
        rc = store_do(t, e, STMT_TAKEN_PUT, "itttiti", x->p.no, m->key, m->type, m->value,
                      m->written, text, (int64_t)store_clock(t));
        free(text);
        entries_changed(t, m->type, m->key);
    } else {
        rc = entries_took(t, &x->p, outbox_entry_type(m->type), m->key, m->value,
                          json_integer_value(json_object_get(result, "seq")), e);
    }
    return rc ? rc : store_do(t, e, STMT_MUTATION_FORGET, "i", m->no);
}

/* A file that no letter named within a day is gone from the server: what was uploaded long before its letter arrived goes up once more, then the letter, and
 * behind it what is about the letter. */
static enum tjzw_code upload_again(struct exchange *x, const struct waiting *m, bool *again,
                                   struct tjzw_error *e)
{
    struct tjzw *t = x->l->t;
    enum tjzw_code rc = store_do(t, e, STMT_ATTACHMENT_STALE, "iti", x->p.no,
                                 m->value ? m->value : "", t->clock());

    *again = !rc && sqlite3_changes(t->db) > 0;
    if (rc || *again)
        return rc ? rc : store_do(t, e, STMT_MUTATION_AGAIN, "i", m->no);
    rc = store_do(t, e, STMT_MUTATION_BEHIND, "i", m->no);
    *again = !rc && sqlite3_changes(t->db) > 0;
    return rc;
}

static enum tjzw_code take_refusal(struct exchange *x, const struct waiting *m,
                                   const json_t *result, struct tjzw_error *e)
{
    const char *code = json_string_value(json_object_get(result, "code")),
               *detail = json_string_value(json_object_get(result, "detail"));
    bool again = false;
    enum tjzw_code rc;

    if (code && strcmp(code, "other_content") == 0) {
        x->new_device = true;
        return TJZW_OK;
    }
    if (code && strcmp(code, "missing") == 0 && ((rc = upload_again(x, m, &again, e)) || again))
        return rc;
    entries_changed(x->l->t, m->type, m->key);
    if (strcmp(m->type, "survey.answer") == 0) {
        entries_changed(x->l->t, NULL, NULL);
        if ((rc = store_do(x->l->t, e, STMT_ENTRY_UNANSWERED, "it", x->p.no, m->value)))
            return rc;
    }
    return store_do(x->l->t, e, STMT_MUTATION_REFUSED, "itt", m->no, code ? code : "value",
                    detail ? detail : "");
}

/* A number whose result was acknowledged is none of ours: what waits here has never had one. So two phones have one device. */
static enum tjzw_code take_result(struct exchange *x, const json_t *result,
                                  struct tjzw_error *e)
{
    int64_t n = json_integer_value(json_object_get(result, "n"));
    const char *what = json_string_value(json_object_get(result, "result"));
    struct waiting m;
    enum tjzw_code rc;

    if (n < 1 || !what)
        return fail_with(e, TJZW_INVALID, "a result without its number");
    if ((rc = find_sent(x, n, &m, e)) || !m.no)
        return rc;
    if (strcmp(what, "done") == 0)
        rc = take_done(x, &m, result, e);
    else if (strcmp(what, "refused") == 0)
        rc = take_refusal(x, &m, result, e);
    else
        x->new_device = true;
    x->moved |= !x->new_device;
    if (n > x->took)
        x->took = n;
    drop_waiting(&m);
    return rc;
}

/* ---- entries ---- */

static enum tjzw_code take_entry(struct exchange *x, const json_t *entry, struct tjzw_error *e)
{
    const char *type = json_string_value(json_object_get(entry, "type")),
               *key = json_string_value(json_object_get(entry, "key"));
    const json_t *value = json_object_get(entry, "value"),
                 *needs = json_object_get(entry, "needs");
    json_int_t seq = json_integer_value(json_object_get(entry, "seq"));
    char *text, *need;
    enum tjzw_code rc;

    if (!type || !key || !value || seq < 1 || strlen(key) > STATE_KEY_MAX)
        return fail_with(e, TJZW_INVALID, "an entry that is none");
    text = json_is_null(value)
               ? NULL
               : json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    need = json_is_object(needs) ? json_dumps(needs, JSON_COMPACT) : NULL;
    rc = entries_take(x->l->t, &x->p, type, key, text, seq, need, e);
    free(text);
    free(need);
    x->out->records++;
    x->out->changed = true;
    return rc;
}

/* The part before the first '.'. */
static bool same_epoch(const char *a, const char *b)
{
    size_t n = strcspn(a, ".");

    return n == strcspn(b, ".") && strncmp(a, b, n) == 0;
}

/* A restored server gets all that it may have lost: what waits, and the actions of 90 days with their files. */
static enum tjzw_code begin_epoch(struct exchange *x, struct tjzw_error *e)
{
    enum tjzw_code rc = store_do(x->l->t, e, STMT_TAKEN_AGAIN, "i", x->p.no);

    x->new_device = true;
    return rc ? rc : store_do(x->l->t, e, STMT_ATTACHMENT_AGAIN, "i", x->p.no);
}

static enum tjzw_code take_entries(struct exchange *x, const json_t *answer, const char *cursor,
                                   struct tjzw_error *e)
{
    bool other = x->p.cursor[0] && !same_epoch(x->p.cursor, cursor);
    const json_t *entry;
    enum tjzw_code rc = TJZW_OK;
    size_t i;

    if (json_is_true(json_object_get(answer, "reset")) || other) {
        x->p.resetting = true;
        x->p.round++;
    }
    json_array_foreach(json_object_get(answer, "entries"), i, entry)
    {
        if ((rc = take_entry(x, entry, e)))
            return rc;
    }
    if (x->p.resetting && !x->more) {
        x->p.resetting = false;
        rc = entries_settle(x->l->t, &x->p, e);
    }
    x->moved |= strcmp(x->p.cursor, cursor) != 0;
    snprintf(x->p.cursor, sizeof x->p.cursor, "%s", cursor);
    return !rc && other ? begin_epoch(x, e) : rc;
}

/* ---- the answer, in one transaction ---- */

/* Whether the server expects the lowest number that is left here. */
static enum tjzw_code compare_numbers(struct exchange *x, const json_t *answer,
                                      struct tjzw_error *e)
{
    const json_t *expected = json_object_get(answer, "expected");
    struct outbox_count left;
    enum tjzw_code rc = outbox_count(x->l->t, x->p.no, &left, e);

    if (!rc && json_is_integer(expected) &&
        json_integer_value(expected) != (left.first ? left.first : x->p.next_n))
        x->new_device = true;
    x->more |= left.first > 0;
    return rc;
}

static enum tjzw_code apply_in(struct exchange *x, const json_t *answer, struct tjzw_error *e)
{
    const char *cursor = json_string_value(json_object_get(answer, "cursor"));
    const json_t *result;
    enum tjzw_code rc;
    size_t i;

    x->more = json_is_true(json_object_get(answer, "more"));
    if (!cursor || strlen(cursor) >= sizeof x->p.cursor)
        return fail_with(e, TJZW_INVALID, "an exchange without a cursor");
    json_array_foreach(json_object_get(answer, "results"), i, result)
    {
        if ((rc = take_result(x, result, e)))
            return rc;
    }
    if (x->took > x->p.acked)
        x->p.acked = x->took;
    if ((rc = take_entries(x, answer, cursor, e)) || (rc = compare_numbers(x, answer, e)) ||
        (rc = store_do(x->l->t, e, STMT_PERSON_READ_TO, "iitii", x->p.no, x->p.acked,
                       x->p.cursor, x->p.round, (int64_t)x->p.resetting)))
        return rc;
    x->more |= x->new_device;
    return x->new_device ? person_new_device(x->l->t, &x->p, e) : TJZW_OK;
}

/* Nothing of an answer counts that is to another device, or to somebody who has gone meanwhile. */
static enum tjzw_code apply(struct exchange *x, const json_t *answer, struct tjzw_error *e)
{
    char asked[sizeof x->p.device];
    enum tjzw_code rc;

    memcpy(asked, x->p.device, sizeof asked);
    x->moved = x->new_device = false;
    x->took = 0;
    if ((rc = person_begin(x->l->t, e)))
        return rc;
    if (!(rc = again(x, e)))
        rc = strcmp(asked, x->p.device) == 0
                 ? apply_in(x, answer, e)
                 : fail_with(e, TJZW_BUSY, "another device meanwhile");
    return person_end(x->l->t, rc, e);
}

/* ---- one exchange, and all of them ---- */

static enum tjzw_code exchange_one(struct exchange *x, struct tjzw_error *e)
{
    struct call c = { .method = "POST", .path = "/v1/me/sync" };
    json_t *body = NULL, *answer = NULL;
    const json_t *poll;
    enum tjzw_code rc;

    if ((rc = build(x, &body, e)))
        return rc;
    call_json(&c, body);
    pack(&c);
    x->out->requests++;
    if (!(rc = call_as(x->l, &x->p, &c, e)) && !(rc = call_check(&c, x->out, e)) &&
        !(answer = call_object(&c, e)))
        rc = TJZW_INVALID;
    if (!rc && !(rc = apply(x, answer, e)) &&
        json_is_integer(poll = json_object_get(answer, "poll")))
        x->p.poll = (uint32_t)json_integer_value(poll);
    json_decref(answer);
    call_done(&c);
    free((char *)c.body);
    return rc;
}

static enum tjzw_code until_even(struct exchange *x, struct tjzw_error *e)
{
    enum tjzw_code rc;
    int barren = 0;

    do {
        if ((rc = exchange_one(x, e)))
            return rc;
        barren = x->moved ? 0 : barren + 1;
        if (barren > BARREN_MOST)
            return fail_with(e, TJZW_INVALID, "exchange after exchange brings nothing forward");
    } while (x->more || store_any(x->l->t, STMT_MUTATION_READY, "ii", x->p.no, (int64_t)0));
    return TJZW_OK;
}

static enum tjzw_code note_tried(struct exchange *x, bool good, struct tjzw_error *e)
{
    uint32_t poll = good ? x->p.poll : x->out->wait;

    return store_do(x->l->t, e, STMT_PERSON_TRIED, "iiii", x->p.no, x->l->t->clock(),
                    (int64_t)poll, good ? (int64_t)0 : (int64_t)x->p.failures + 1);
}

/* Files, and the letters that waited for them: also if another file is left, because somebody else is sending it. */
static enum tjzw_code upload(struct exchange *x, bool *any, struct tjzw_error *e)
{
    enum tjzw_code rc = attach_upload(x->l, &x->p, any, x->out, e), sent = TJZW_OK;

    if (*any && (!rc || rc == TJZW_BUSY))
        sent = until_even(x, e);
    return sent ? sent : rc;
}

/* First what needs no file: a slow upload keeps nothing else back. */
static enum tjzw_code run_all(struct exchange *x, struct tjzw_error *e)
{
    struct tjzw_error later;
    bool any = true;
    enum tjzw_code rc;

    if (!x->p.account && (rc = people_introduce(x->l, &x->p, e)))
        return rc;
    if ((rc = people_settle(x->l, &x->p, e)) || (rc = until_even(x, e)))
        return rc;
    for (int i = 0; i < UPLOADS && any; i++) {
        any = false;
        if ((rc = upload(x, &any, e)))
            return rc;
    }
    (void)!letter_fetch_key(x->l, &x->p, &later); /* or with the next exchange */
    return TJZW_OK;
}

bool exchange_wanted(struct tjzw *t)
{
    struct outbox_count waiting;
    struct person p, leaving;

    if (!person_next(t, PERSON_LEAVING, 0, &leaving, NULL) && leaving.no)
        return true;
    if (person_here(t, &p, NULL) || !p.no)
        return false;
    return p.account || (!outbox_count(t, p.no, &waiting, NULL) && waiting.waiting > 0);
}

int64_t exchange_due(struct tjzw *t, int64_t now)
{
    struct outbox_count waiting;
    struct person p;

    if (!exchange_wanted(t))
        return INT64_MAX;
    if (person_here(t, &p, NULL) || !p.no)
        return now;
    if (p.failures == 0 && !outbox_count(t, p.no, &waiting, NULL) && waiting.waiting > 0)
        return now; /* something is to be sent */
    return person_due(&p, now);
}

enum tjzw_code exchange_run(struct link *l, struct tjzw_sync_result *out, struct tjzw_error *e)
{
    struct exchange x = { .l = l, .out = out };
    bool was_guest;
    enum tjzw_code rc;

    if ((rc = person_here(l->t, &x.p, e)))
        return rc;
    if (!exchange_wanted(l->t))
        return TJZW_OK;
    if (!x.p.no)
        return people_settle(l, &x.p, e);
    was_guest = x.p.guest;
    rc = run_all(&x, e);
    if (rc == TJZW_SIGN_IN && !x.p.no && was_guest && !person_here(l->t, &x.p, e))
        rc = run_all(&x, e); /* the guest who follows him has all that he had */
    if (rc == TJZW_STOPPED || !x.p.no)
        return rc;
    if (rc) {
        (void)!note_tried(&x, false, NULL);
        return rc;
    }
    if ((rc = note_tried(&x, true, e)) || (rc = person_begin(l->t, e)))
        return rc;
    return person_end(l->t, person_weed(l->t, e), e);
}

static enum tjzw_code exchange_alone(struct link *l, const void *none,
                                     struct tjzw_sync_result *out, struct tjzw_error *e)
{
    (void)none;
    return exchange_run(l, out, e);
}

enum tjzw_code tjzw_me_sync(struct tjzw *t, const struct tjzw_sync_options *options,
                            struct tjzw_sync_result *out, struct tjzw_error *e)
{
    atomic_store(&t->stop, false);
    return link_run(t, options, exchange_alone, NULL, out, e);
}
