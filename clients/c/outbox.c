/*
 * outbox.c - what a person writes: put down first, sent when there is a network.
 *
 *     written --> waits, without a number: what is written for the same key takes its place
 *         --> numbered when it is first sent (exchange.c): from then on nothing of it changes, because the server may have it
 *         --> taken: it goes.   refused: it stays, with the reason, until somebody has seen it
 */
#include "clients/c/outbox.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/entries.h"

static const char *const actions[] = { "letter.send", "letter.add",     "letter.withdraw",
                                       "letter.rate", "letter.private", "survey.answer" };

bool outbox_is_action(const char *type)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i], type) == 0)
            return true;
    return false;
}

const char *outbox_entry_type(const char *type)
{
    return strcmp(type, "message.drop") == 0 ? "message" : type;
}

/* ---- writing ---- */

/* The last that waits without a number, in memory of its own. *no 0: there is none. */
static enum tjzw_code find_waiting(struct tjzw *t, int64_t person, const char *type,
                                   const char *key, int64_t *no, char **value,
                                   struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_MUTATION_WAITING, "itt", person, type, key);
    const char *text;
    enum tjzw_code rc;
    bool any;

    *no = 0;
    *value = NULL;
    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any) {
        *no = sqlite3_column_int64(q, 0);
        text = (const char *)sqlite3_column_text(q, 1);
        *value = text ? strdup(text) : NULL;
    }
    store_reset(q);
    return rc;
}

enum tjzw_code outbox_waits(struct tjzw *t, int64_t person, const char *type, const char *key,
                            bool *any, struct tjzw_error *e)
{
    char *value;
    int64_t no;
    enum tjzw_code rc = find_waiting(t, person, type, key, &no, &value, e);

    *any = no > 0;
    free(value);
    return rc;
}

enum tjzw_code outbox_write(struct tjzw *t, const struct person *p, const char *type,
                            const char *key, const char *value, struct tjzw_error *e)
{
    const struct state_type *s = state_type_find(type);
    char room[MERGE_MAX], *before = NULL;
    const char *now = value;
    int64_t no = 0;
    enum tjzw_code rc = TJZW_OK;

    if (s && !(rc = find_waiting(t, p->no, type, key, &no, &before, e)) && no) {
        now = merge_value(s->rule, before, value, room);
        rc = store_do(t, e, STMT_MUTATION_FORGET, "i", no);
    }
    if (!rc)
        rc = store_do(t, e, STMT_MUTATION_ADD, "itttitt", p->no, type, key, now,
                      (int64_t)store_clock(t), NULL, NULL);
    if (!rc)
        rc = entries_heed(t, p->no, type, key, now, e);
    entries_changed(t, type, key);
    free(before);
    return rc;
}

enum tjzw_code outbox_put_now(struct tjzw *t, const char *type, const char *key,
                              const char *value, struct tjzw_error *e)
{
    struct person p;
    enum tjzw_code rc = person_or_guest(t, &p, e);

    return rc ? rc : outbox_write(t, &p, type, key, value, e);
}

/* As the server will print it: members sorted, no spaces. Free it. NULL: no JSON. */
static char *canonical(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    char *out = value && !json_is_null(value)
                    ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY)
                    : NULL;

    json_decref(value);
    return out;
}

static enum tjzw_code write_it(struct tjzw *t, const char *type, const char *key,
                               const char *value, struct tjzw_error *e)
{
    enum tjzw_code rc = person_begin(t, e);

    return rc ? rc : person_end(t, outbox_put_now(t, type, key, value, e), e);
}

enum tjzw_code tjzw_put(struct tjzw *t, const char *type, const char *key, const char *value,
                        struct tjzw_error *e)
{
    const struct state_type *s = type ? state_type_find(type) : NULL;
    bool dropped = s && !value && strcmp(type, "message") == 0;
    char *text = NULL;
    enum tjzw_code rc;

    if (!s || (s->writer != STATE_BY_PHONE && !dropped))
        return fail_with(e, TJZW_USAGE, "%s is no type that phones write", type ? type : "");
    if (!key || !state_key_ok(s, key))
        return fail_with(e, TJZW_USAGE, "%s: no such key", type);
    if (dropped)
        return write_it(t, "message.drop", key, NULL, e);
    if (value && (!(text = canonical(value)) || !state_value_ok(s, key, text)))
        rc = fail_with(e, TJZW_USAGE, "%s %s: a value that it cannot have", type, key);
    else
        rc = write_it(t, type, key, text, e);
    free(text);
    return rc;
}

/* Version 4: nothing but chance. */
static void draw_uuid(char out[37])
{
    uint8_t b[WIRE_ID];

    randombytes_buf(b, sizeof b);
    b[6] = (uint8_t)(0x40 | (b[6] & 0x0f));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
             b[13], b[14], b[15]);
}

enum tjzw_code tjzw_act(struct tjzw *t, const char *type, const char *value, char key[37],
                        struct tjzw_error *e)
{
    char *text, id[37];
    enum tjzw_code rc;

    if (!type || !outbox_is_action(type))
        return fail_with(e, TJZW_USAGE, "%s is no action", type ? type : "");
    if (!value || !(text = canonical(value)))
        return fail_with(e, TJZW_USAGE, "the value of an action is a JSON object");
    draw_uuid(id);
    if (text[0] != '{' || strlen(text) > STATE_VALUE_MAX)
        rc = fail_with(e, TJZW_USAGE, "%s: %s", type,
                       text[0] != '{' ? "not an object" : "too long");
    else if (!(rc = write_it(t, type, id, text, e)) && key)
        memcpy(key, id, sizeof id);
    free(text);
    return rc;
}

/* ---- looking at it ---- */

enum tjzw_code outbox_count(struct tjzw *t, int64_t person, struct outbox_count *out,
                            struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_MUTATION_COUNT, "i", person);
    enum tjzw_code rc;
    bool any;

    *out = (struct outbox_count){ 0 };
    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any)
        *out = (struct outbox_count){ sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1),
                                      sqlite3_column_int64(q, 2) };
    store_reset(q);
    return rc;
}

enum tjzw_code tjzw_outbox(struct tjzw *t, tjzw_mutation_fn *fn, void *ctx,
                           struct tjzw_error *e)
{
    struct person p;
    sqlite3_stmt *q;
    enum tjzw_code rc;
    bool any, more = true;

    if ((rc = person_here(t, &p, e)) || !p.no)
        return rc;
    if (!(q = store_bound(t, e, STMT_MUTATION_LIST, "i", p.no)))
        return TJZW_STORE;
    while (more && !(rc = store_step(t, q, &any, e)) && any) {
        const struct tjzw_mutation m = { sqlite3_column_int64(q, 0),
                                         (const char *)sqlite3_column_text(q, 2),
                                         (const char *)sqlite3_column_text(q, 3),
                                         (const char *)sqlite3_column_text(q, 4),
                                         sqlite3_column_int64(q, 5),
                                         sqlite3_column_int64(q, 1) > 0,
                                         (const char *)sqlite3_column_text(q, 6),
                                         (const char *)sqlite3_column_text(q, 7) };

        more = fn(ctx, &m);
    }
    store_reset(q);
    return rc;
}

static enum tjzw_code drop(struct tjzw *t, int64_t no, struct tjzw_error *e)
{
    struct person p;
    sqlite3_stmt *q;
    enum tjzw_code rc;
    bool any = false, sent = false;

    if ((rc = person_here(t, &p, e)))
        return rc;
    if (!(q = store_bound(t, e, STMT_MUTATION_ONE, "ii", p.no, no)))
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any)
        sent = sqlite3_column_int64(q, 1) > 0;
    store_reset(q);
    if (rc)
        return rc;
    if (!any)
        return fail_with(e, TJZW_NOT_FOUND, "no such mutation");
    if (sent)
        return fail_with(e, TJZW_BUSY, "it may have arrived: exchange first");
    entries_changed(t, NULL, NULL);
    return store_do(t, e, STMT_MUTATION_FORGET, "i", no);
}

enum tjzw_code tjzw_outbox_drop(struct tjzw *t, int64_t no, struct tjzw_error *e)
{
    enum tjzw_code rc = person_begin(t, e);

    return rc ? rc : person_end(t, drop(t, no, e), e);
}
