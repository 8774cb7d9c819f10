/*
 * fake_me_state.c - accounts of the server of fake_me.h, and what phones do to what stands in them.
 */
#include "tests/lib/fake_me_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/state.h"

void fake_accounts_drop(struct fake_me *f)
{
    for (int i = 0; i < FAKE_ACCOUNTS; i++) {
        json_decref(f->accounts[i].entries);
        json_decref(f->accounts[i].devices);
    }
}

struct fake_account *fake_account_of(struct fake_me *f, int64_t no, bool guest)
{
    struct fake_account *a = &f->accounts[no];

    if (!a->made)
        *a = (struct fake_account){ true, guest, false, 0, json_object(), json_object() };
    return a;
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
    json_t *value = json_object_get(entry(fake_account_of(f, no, false), type, key), "value");

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

    put(f, fake_account_of(f, no, false), type, key, v);
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
    if (strcmp(type, "message.drop") == 0)
        return json_pack("{s:I,s:s,s:I}", "n", (json_int_t)n, "result", "done", "seq",
                         (json_int_t)put(f, a, "message", key, NULL));
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

json_t *fake_exchange(struct fake_me *f, struct fake_account *a, const json_t *asked)
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

/* ---- two accounts that become one ---- */

/* Under another number, read or not; one that was removed is not there any more. */
static void move_message(struct fake_me *f, const struct fake_account *from,
                         struct fake_account *to, const char *key, const json_t *message)
{
    const json_t *seen = json_object_get(entry(from, "seen", key), "value");
    char number[24];

    if (json_is_null(message))
        return;
    snprintf(number, sizeof number, "%" PRId64, to->seq + 1);
    put(f, to, "message", number, message);
    if (json_is_true(seen))
        put(f, to, "seen", number, seen);
}

void fake_merge(struct fake_me *f, int64_t from, int64_t to)
{
    const char *name;
    json_t *e;

    json_object_foreach(f->accounts[from].entries, name, e)
    {
        const char *type = json_string_value(json_object_get(e, "type")),
                   *key = json_string_value(json_object_get(e, "key"));
        const struct state_type *t = state_type_find(type);

        if (strcmp(type, "message") == 0)
            move_message(f, &f->accounts[from], &f->accounts[to], key,
                         json_object_get(e, "value"));
        if (strcmp(type, "message") == 0 || strcmp(type, "seen") == 0)
            continue; /* numbers of the guest's own order */
        if (!entry(&f->accounts[to], type, key) || (t && t->rule == MERGE_UNION))
            put(f, &f->accounts[to], type, key, json_object_get(e, "value"));
    }
    f->accounts[from].gone = true;
}
