/*
 * read.c - listing, reading, searching and exporting what is held. No network, and no waiting
 * for a sync that runs meanwhile: every statement sees the last state that was verified.
 *
 * Searching is a scan, newest first: a quick look at the raw bytes, then a careful one at the
 * texts of the JSON, so that the names of members and the digits of hashes are not found. Some
 * ten thousand items take a fraction of a second.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/c/store.h"

enum { MOST = 50, WORDS = 16, BEIJING = 8 * 3600 };

/* ---- rows ---- */

void store_print_id(const void *id, size_t n, char out[37])
{
    char hex[2 * WIRE_ID + 1] = "";

    if (id && n == WIRE_ID)
        wire_hex(id, WIRE_ID, hex);
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

bool store_take_id(const char *text, uint8_t out[WIRE_ID])
{
    char hex[2 * WIRE_ID + 1];
    size_t n = 0;

    for (const char *p = text ? text : ""; *p; p++) {
        bool dash = p - text == 8 || p - text == 13 || p - text == 18 || p - text == 23;

        if (dash ? *p != '-' : n == 2 * WIRE_ID)
            return false;
        if (!dash)
            hex[n++] = (char)tolower((unsigned char)*p);
    }
    return wire_unhex(hex, n, out, WIRE_ID);
}

/* The columns of ITEM_COLUMNS, in their order. */
static void take_row(sqlite3_stmt *q, struct tjzw_item *out)
{
    *out = (struct tjzw_item){
        .stream = (const char *)sqlite3_column_text(q, 1),
        .site = (const char *)sqlite3_column_text(q, 2),
        .column = (const char *)sqlite3_column_text(q, 3),
        .date = sqlite3_column_int64(q, 4),
        .title = (const char *)sqlite3_column_text(q, 5),
        .json = sqlite3_column_blob(q, 6),
        .json_len = (size_t)sqlite3_column_bytes(q, 6),
        .kept = sqlite3_column_int(q, 7),
    };
    store_print_id(sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0), out->id);
}

/* Every row to `fn` until it has enough; *n counts them. */
static enum tjzw_code each(struct tjzw *t, sqlite3_stmt *q, tjzw_item_fn *fn, void *ctx,
                           size_t *n, struct tjzw_error *e)
{
    enum tjzw_code rc = TJZW_OK;
    struct tjzw_item item;
    int code;

    *n = 0;
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        take_row(q, &item);
        ++*n;
        if (!fn(ctx, &item))
            break;
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        rc = store_error(t, e);
    store_reset(q);
    return rc;
}

static sqlite3_stmt *query_stmt(struct tjzw *t, enum stmt which, const struct tjzw_query *query,
                                struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(t, which, e);

    if (!q)
        return NULL;
    if (query->stream)
        sqlite3_bind_text(q, 1, query->stream, -1, SQLITE_TRANSIENT);
    if (query->column)
        sqlite3_bind_text(q, 2, query->column, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(q, 3, query->kept);
    return q;
}

/* ---- times ---- */

int64_t store_time(const char *text)
{
    const char *zone;
    int hour = 0, minute = 0, east = BEIJING, n;
    struct tm tm = { 0 };
    char sign;

    if (!text || sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &n) != 3)
        return 0;
    if (text[n] == ' ' || text[n] == 'T')
        (void)!sscanf(text + n + 1, "%2d:%2d:%2d", &tm.tm_hour, &tm.tm_min, &tm.tm_sec);
    zone = text + n + strcspn(text + n, "Z+-");
    if (sscanf(zone, "%c%2d:%2d", &sign, &hour, &minute) >= 1)
        east = (sign == '-' ? -1 : 1) * (hour * 3600 + minute * 60);
    tm.tm_year -= 1900;
    tm.tm_mon--;
    return (int64_t)timegm(&tm) - east;
}

/* ---- list, read, export ---- */

enum tjzw_code tjzw_list(struct tjzw *t, const struct tjzw_query *query, tjzw_item_fn *fn,
                         void *ctx, struct tjzw_error *e)
{
    struct tjzw_query all = { 0 };
    sqlite3_stmt *q;
    size_t n;

    query = query ? query : &all;
    if (!(q = query_stmt(t, STMT_LIST, query, e)))
        return TJZW_STORE;
    sqlite3_bind_int64(q, 4, query->most ? query->most : MOST);
    sqlite3_bind_int64(q, 5, query->skip);
    return each(t, q, fn, ctx, &n, e);
}

enum tjzw_code tjzw_read(struct tjzw *t, const char *id, tjzw_item_fn *fn, void *ctx,
                         struct tjzw_error *e)
{
    uint8_t raw[WIRE_ID];
    sqlite3_stmt *q;
    enum tjzw_code rc;
    size_t n;

    if (!store_take_id(id, raw))
        return fail_with(e, TJZW_USAGE, "an id has 8-4-4-4-12 hex digits");
    if (!(q = store_stmt(t, STMT_READ, e)))
        return TJZW_STORE;
    sqlite3_bind_blob(q, 1, raw, WIRE_ID, SQLITE_TRANSIENT);
    rc = each(t, q, fn, ctx, &n, e);
    return rc || n > 0 ? rc : fail_with(e, TJZW_NOT_FOUND, "%s is not published", id);
}

enum tjzw_code tjzw_export(struct tjzw *t, const char *stream, tjzw_item_fn *fn, void *ctx,
                           struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(t, STMT_EXPORT, e);
    size_t n;

    if (!q)
        return TJZW_STORE;
    if (stream)
        sqlite3_bind_text(q, 1, stream, -1, SQLITE_TRANSIENT);
    return each(t, q, fn, ctx, &n, e);
}

enum tjzw_code tjzw_columns(struct tjzw *t, tjzw_column_fn *fn, void *ctx, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(t, STMT_COLUMNS, e);
    enum tjzw_code rc = TJZW_OK;
    int code;

    if (!q)
        return TJZW_STORE;
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        struct tjzw_column c = {
            (const char *)sqlite3_column_text(q, 0), (const char *)sqlite3_column_text(q, 1),
            (const char *)sqlite3_column_text(q, 2), (const char *)sqlite3_column_text(q, 3),
            (uint64_t)sqlite3_column_int64(q, 4),
        };

        if (!fn(ctx, &c))
            break;
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        rc = store_error(t, e);
    store_reset(q);
    return rc;
}

/* ---- search ---- */

struct word {
    char text[256];
    size_t n;
    bool letters; /* has ASCII letters, which match either case */
    bool quoted;  /* has bytes that JSON writes otherwise, so that the raw bytes tell nothing */
};

struct search {
    struct word words[WORDS];
    size_t n;
    uint32_t skip, left;
    tjzw_item_fn *fn;
    void *ctx;
};

static bool contains(const char *text, size_t n, const struct word *w)
{
    if (!w->letters)
        return memmem(text, n, w->text, w->n) != NULL;
    for (size_t i = 0; i + w->n <= n; i++)
        if (strncasecmp(text + i, w->text, w->n) == 0)
            return true;
    return false;
}

static bool any_text(const json_t *value, const struct word *w)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_string(value))
        return contains(json_string_value(value), json_string_length(value), w);
    if (json_is_array(value)) {
        json_array_foreach(value, i, member) if (any_text(member, w)) return true;
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, member) if (any_text(member, w)) return true;
    }
    return false;
}

static bool raw_may_match(const struct search *s, const struct tjzw_item *item)
{
    for (size_t i = 0; i < s->n; i++)
        if (!s->words[i].quoted && !contains(item->json, item->json_len, &s->words[i]))
            return false;
    return true;
}

static bool matches(const struct search *s, const struct tjzw_item *item)
{
    json_t *record;
    bool all = true;

    if (!item->json || !raw_may_match(s, item) ||
        !(record = json_loadb(item->json, item->json_len, 0, NULL)))
        return false;
    for (size_t i = 0; i < s->n && all; i++)
        all = any_text(record, &s->words[i]);
    json_decref(record);
    return all;
}

static bool look(void *ctx, const struct tjzw_item *item)
{
    struct search *s = ctx;
    struct tjzw_item found = *item;

    if (!matches(s, item))
        return true;
    if (s->skip > 0) {
        s->skip--;
        return true;
    }
    found.json = NULL;
    found.json_len = 0;
    return s->fn(s->ctx, &found) && --s->left > 0;
}

static bool take_words(const char *text, struct search *s)
{
    const char *at = text + strspn(text, " \t\n");

    for (; *at; at += strspn(at, " \t\n")) {
        struct word *w = &s->words[s->n];
        size_t n = strcspn(at, " \t\n");

        if (s->n == WORDS || n >= sizeof w->text)
            return false;
        memcpy(w->text, at, n);
        w->text[n] = '\0';
        w->n = n;
        for (size_t i = 0; i < n; i++) {
            w->letters |= isalpha((unsigned char)at[i]) && (unsigned char)at[i] < 128;
            w->quoted |= at[i] == '"' || at[i] == '\\' || (unsigned char)at[i] < 32;
        }
        s->n++;
        at += n;
    }
    return s->n > 0;
}

enum tjzw_code tjzw_search(struct tjzw *t, const char *words, const struct tjzw_query *query,
                           tjzw_item_fn *fn, void *ctx, struct tjzw_error *e)
{
    struct tjzw_query all = { 0 };
    struct search s = { .fn = fn, .ctx = ctx };
    sqlite3_stmt *q;
    size_t n;

    query = query ? query : &all;
    s.skip = query->skip;
    s.left = query->most ? query->most : MOST;
    if (!take_words(words, &s))
        return fail_with(e, TJZW_USAGE, "search takes one to %d words of less than 256 bytes",
                         WORDS);
    if (!(q = query_stmt(t, STMT_SCAN, query, e)))
        return TJZW_STORE;
    return each(t, q, look, &s, &n, e);
}
